//! Runs npm over the staged workspace, in an environment that holds nothing of the user's.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Request, conflict, moves, plan::Plan};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    digest::{Sha256, nar::nar_sha256},
    host::{environment, file, process::Command},
    lock::{Mode, Why, lock_missing, lock_unfit, names::SHOWN_NPM, with_repair_hint},
    name::Platform,
    npm::lock::NpmLock,
    tools::node::{self as tools, NPM, NodePin, NodeTools},
    tree::FileTree,
};

/// What npm may see of our environment: how to reach the network.
const INHERITED: [&str; 9] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// The public registry; what a lock says of addresses always means it.
const REGISTRY: &str = "https://registry.npmjs.org";
/// How often npm may change its own lock before it counts as one that never settles.
const TRIES: usize = 4;

/// Locks the plan: from `seed` when there is no lock yet. Gives the text of the lock, which npm itself would leave
/// as it is.
pub(super) fn lock(
    request: &Request<'_>,
    plan: &Plan<'_>,
    pin: &NodePin,
    seed: Option<&str>,
) -> Result<String, Failure> {
    let locked = request.mode == Mode::Locked;
    let old = request.locks.lock.as_deref();
    if let Some(text) = old {
        NpmLock::read(&Source::new(SHOWN_NPM, text)).map_err(with_repair_hint)?;
    } else if locked {
        return Err(lock_missing(SHOWN_NPM).into());
    }
    let tree = plan.stage().map_err(|error| {
        Failure::from(Diagnostic::new(format!("the npm workspace cannot be staged: {error}")))
    })?;
    let settled = Settled::of(request.effects.cache, &tree)?;
    if request.mode != Mode::Update
        && let Some(text) = old
        && settled.knows(text)?
    {
        return Ok(text.to_owned());
    }
    let tools = tools::install(request.effects.cache, Platform::host(), pin, request.effects.bring)?;
    let mut text = if request.mode == Mode::Update { None } else { old.or(seed).map(str::to_owned) };
    // npm does not always write at once what it would leave alone the next time.
    for _ in 0..TRIES {
        let new = run(request, plan, &tools, &tree, text.as_deref())?;
        if locked && old != Some(new.as_str()) {
            return Err(changed(old, &new));
        }
        if text.as_deref() == Some(new.as_str()) {
            settled.remember(&new)?;
            return Ok(new);
        }
        text = Some(new);
    }
    Err(Diagnostic::new(format!("npm changes `{SHOWN_NPM}` each time it reads it"))
        .help("`--update npm` locks anew")
        .into())
}

fn changed(old: Option<&str>, new: &str) -> Failure {
    let moved = NpmLock::read(&Source::new(SHOWN_NPM, new))
        .map(|lock| moves::between(old, &lock, Why::Required))
        .unwrap_or_default();
    lock_unfit(SHOWN_NPM, &moved).into()
}

/// Which locks npm is known to leave alone, for these manifests: an empty file each in the cache.
struct Settled {
    directory: PathBuf,
    manifests: Sha256,
}

impl Settled {
    fn of(cache: &Path, tree: &FileTree) -> Result<Self, Failure> {
        let manifests = nar_sha256(tree).map_err(|error| {
            Failure::unable(Diagnostic::new(format!("cannot hash the manifests: {error}")))
        })?;
        Ok(Self { directory: cache.join("npm-settled"), manifests })
    }

    fn path(&self, lock: &str) -> PathBuf {
        self.directory.join(Sha256::of(format!("1\n{NPM}\n{}\n{lock}", self.manifests)).to_string())
    }

    fn knows(&self, lock: &str) -> Result<bool, Failure> {
        file::exists(&self.path(lock))
    }

    fn remember(&self, lock: &str) -> Result<(), Failure> {
        let path = self.path(lock);
        file::write_cached(&path, b"").map_err(|error| file::unable("write", &path, &error))
    }
}

fn run(
    request: &Request<'_>,
    plan: &Plan<'_>,
    tools: &NodeTools,
    tree: &FileTree,
    old: Option<&str>,
) -> Result<String, Failure> {
    let above = request.effects.cache.join("stage");
    let failed = |error: std::io::Error| file::unable("write in", &above, &error);
    let stage = file::temporary_directory(&above).map_err(failed)?;
    let directory = stage.path().join("federation");
    let home = stage.path().join("home");
    file::create_directory(&home).map_err(failed)?;
    file::write_tree(&directory, tree).map_err(failed)?;
    let lock = directory.join("package-lock.json");
    let mirror = request.mirrors().first().map(crate::codex::MirrorUrl::as_str);
    if let Some(text) = old {
        let text = mirrored(text, mirror, false);
        file::write(&lock, text.as_bytes()).map_err(failed)?;
    }
    let configuration = home.join("npmrc");
    file::write(&configuration, b"").map_err(failed)?;

    let mut variables: Vec<(OsString, OsString)> =
        INHERITED.iter().filter_map(|&name| Some((name.into(), environment::variable(name)?))).collect();
    variables.push(("HOME".into(), home.clone().into()));
    let flag = |name: &str, path: &Path| {
        let mut flag = OsString::from(format!("--{name}="));
        flag.push(path);
        flag
    };
    let output = Command::new(&tools.node)
        // The system's certificates, as the forge's own downloads use them.
        .args([OsString::from("--use-system-ca"), tools.npm.clone().into()])
        .args(["install", "--package-lock-only", "--ignore-scripts", "--lockfile-version=3"])
        .args(["--no-audit", "--no-fund", "--no-update-notifier", "--no-progress", "--color=false"])
        .args(["--loglevel=error", "--logs-max=0", "--omit-lockfile-registry-resolved=false"])
        .args(["--include=dev", "--include=optional", "--include=peer", "--install-links=false"])
        .args([
            "--legacy-peer-deps=false",
            "--strict-peer-deps=false",
            "--force=false",
            "--engine-strict=false",
        ])
        // What comes by git is refused before npm runs; this is the second wall.
        .arg("--git=/dev/null")
        .args(["--fetch-retries=2", "--fetch-timeout=60000"])
        .arg(format!("--registry={}/", mirror.unwrap_or(REGISTRY)))
        .arg(flag("userconfig", &configuration))
        .arg(flag("globalconfig", &home.join("npmrc-global")))
        .arg(flag("cache", &request.effects.cache.join("npm")))
        .args(request.effects.client.is_none().then_some("--offline"))
        .current_dir(&directory)
        .only_env(variables)
        .output()?;
    if !output.success() {
        let place = directory.display().to_string();
        return Err(conflict::explain(&readable(&output.stderr, &place), plan));
    }
    let text = file::read_text(&lock).map_err(|error| file::unable("read", &lock, &error))?;
    Ok(mirrored(&text, mirror, true))
}

/// The text of a lock with the mirror's addresses for the registry's, or the other way round.
fn mirrored(text: &str, mirror: Option<&str>, back: bool) -> String {
    let Some(mirror) = mirror else { return text.to_owned() };
    let of = |base: &str| format!("\"resolved\": \"{base}/");
    let (from, to) = if back { (of(mirror), of(REGISTRY)) } else { (of(REGISTRY), of(mirror)) };
    text.replace(&from, &to)
}

/// npm's words without prefixes and our temporary paths, and safe for a terminal.
fn readable(stderr: &str, stage: &str) -> String {
    let chatter = [
        "A complete log of this run",
        "Log files were not written",
        "You can rerun the command",
        "Fix the upstream dependency conflict",
        "to accept an incorrect (and potentially broken)",
        "this command with --force",
        "For a full report see",
        "-eresolve-report.txt",
    ];
    stderr
        .lines()
        .filter_map(|line| line.strip_prefix("npm error").or_else(|| line.strip_prefix("node:")))
        .map(str::trim_end)
        .filter(|line| !chatter.iter().any(|start| line.contains(start)))
        .map(|line| {
            line.strip_prefix(' ').unwrap_or(line).replace(&format!("{stage}/"), "").replace(stage, ".")
        })
        .map(|line| line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>())
        .skip_while(String::is_empty)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npms_words_lose_prefixes_paths_and_control_characters() {
        let stderr = "npm warn deprecated x\nnpm error code ETARGET\nnpm error notarget No match\u{1b}[31m in /s/web\n\
                      npm error A complete log of this run can be found in: /x\n";
        assert_eq!(readable(stderr, "/s"), "code ETARGET\nnotarget No match\u{fffd}[31m in web");
    }

    #[test]
    fn a_mirror_is_never_in_a_lock() {
        let text = "\"resolved\": \"https://registry.npmjs.org/a/-/a-1.0.0.tgz\"";
        let there = mirrored(text, Some("http://mirror.example/npm"), false);
        assert_eq!(there, "\"resolved\": \"http://mirror.example/npm/a/-/a-1.0.0.tgz\"");
        assert_eq!(mirrored(&there, Some("http://mirror.example/npm"), true), text);
    }
}
