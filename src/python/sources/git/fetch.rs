//! The git program, over a bare repository in the cache. No working tree is ever made, so no hook, filter,
//! attribute or submodule of a repository has a say; of the user's configuration git sees nothing but a
//! `~/.netrc`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::reference::{Reference, Revision};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    digest::Sha256,
    host::{
        environment, file,
        process::{Bounds, Command, Output},
    },
    name::url::ArtifactUrl,
    tree::{Entry, FileTree, RelativePath, link},
};

/// What git may see of our environment: how to find its helpers, reach the network, and a `~/.netrc`.
const INHERITED: [&str; 9] = [
    "ALL_PROXY",
    "HOME",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PATH",
    "all_proxy",
    "https_proxy",
    "no_proxy",
    "TMPDIR",
];
/// Settings of every run: https alone, no redirect to a host nobody judged, nothing run.
const SETTINGS: [&str; 10] = [
    "protocol.allow=never",
    "protocol.https.allow=always",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    "credential.helper=",
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "fetch.fsckObjects=true",
    "gc.auto=0",
];
/// The most bytes a tree may have, and the most entries.
const BYTES: u64 = 512 << 20;
const ENTRIES: usize = 100_000;
/// What listing a tree may take: trees can name each other a million times.
const LISTING: Bounds = Bounds { wall: Duration::from_mins(1), stdout: 64 << 20, stderr: 64 << 10 };
/// How a pointer of git-lfs begins (git-lfs's `docs/spec.md`).
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

pub(super) struct Repository<'a> {
    directory: PathBuf,
    url: &'a ArtifactUrl,
    offline: bool,
}

/// One line of `git ls-tree`.
struct Listed {
    path: RelativePath,
    mode: String,
    object: String,
    size: u64,
}

impl<'a> Repository<'a> {
    /// The bare repository for `url`, made when it is not there.
    pub(super) fn open(cache: &Path, url: &'a ArtifactUrl, offline: bool) -> Result<Self, Failure> {
        let directory = cache.join("git").join(format!("{}.git", Sha256::of(url.as_str()).short(32)));
        let repository = Self { directory, url, offline };
        if !file::exists(&repository.directory.join("HEAD"))? {
            file::create_directory(&repository.directory)
                .map_err(|error| file::unable("create", &repository.directory, &error))?;
            let made = repository.git(&["init", "--quiet", "--bare", "--template="]).output();
            repository.done(made.map_err(missing)?, "git cannot make a repository in the cache")?;
        }
        Ok(repository)
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut variables: Vec<(OsString, OsString)> =
            INHERITED.iter().filter_map(|&name| Some((name.into(), environment::variable(name)?))).collect();
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("LC_ALL", "C"),
        ] {
            variables.push((name.into(), value.into()));
        }
        // The same certificates as the forge's own downloads.
        variables.extend(environment::variable("SSL_CERT_FILE").map(|file| ("GIT_SSL_CAINFO".into(), file)));
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        Command::new("git")
            .args(settings)
            .arg("--git-dir")
            .arg(&self.directory)
            .args(arguments)
            .only_env(variables)
    }

    /// The commit a branch or tag is at.
    pub(super) fn resolve(&self, reference: &Reference) -> Result<Revision, Failure> {
        let names = match reference {
            Reference::Revision(revision) => return Ok(revision.clone()),
            Reference::Head => vec!["HEAD".to_owned()],
            Reference::Branch(name) => vec![format!("refs/heads/{name}")],
            // An annotated tag is an object of its own; `^{}` is the commit behind it.
            Reference::Tag(name) => vec![format!("refs/tags/{name}^{{}}"), format!("refs/tags/{name}")],
        };
        let mut arguments = vec!["ls-remote", "--quiet", self.url.as_str()];
        arguments.extend(names.iter().map(String::as_str));
        let output = self.online(&arguments)?;
        let text = output.text();
        let found = names.iter().find_map(|name| {
            text.lines().find_map(|line| line.split_once('\t').filter(|(_, known)| known == name))
        });
        let Some((revision, _)) = found else {
            return Err(Diagnostic::new(format!("{} has no {reference}", self.url)).into());
        };
        revision.parse().map_err(|error| Diagnostic::new(format!("{}: {error}", self.url)).into())
    }

    fn online(&self, arguments: &[&str]) -> Result<Output, Failure> {
        if self.offline {
            return Err(Failure::unable(
                Diagnostic::new(format!(
                    "`{}` is not in the cache and --offline forbids the network",
                    self.url
                ))
                .of_kind(Fault::Offline)
                .help("run once without --offline"),
            ));
        }
        let output = self.git(arguments).output().map_err(missing)?;
        self.done(output, &format!("`{}` cannot be fetched", self.url))
    }

    fn done(&self, output: Output, what: &str) -> Result<Output, Failure> {
        if output.success() {
            return Ok(output);
        }
        let place = self.directory.display().to_string();
        let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        let words: Vec<String> = output
            .stderr
            .lines()
            .map(|line| line.replace(&place, "the cache").chars().map(plain).collect())
            .collect();
        Err(Failure::unable(
            Diagnostic::new(what)
                .note(format!("git says:\n{}", words.join("\n")))
                .help("check the address, the network and, for a repository that is not public, ~/.netrc"),
        ))
    }

    /// The whole tree of a commit, fetched when the cache lacks it.
    pub(super) fn tree(&self, revision: &Revision) -> Result<FileTree, Failure> {
        let commit = format!("{revision}^{{commit}}");
        let known =
            || Ok::<_, Failure>(self.git(&["cat-file", "-e", &commit]).output().map_err(missing)?.success());
        if !known()? {
            let url = self.url.as_str();
            let fetch = [
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-write-fetch-head",
                url,
            ];
            let mut arguments = fetch.to_vec();
            arguments.push(revision.as_str());
            self.online(&arguments)?;
            if !known()? {
                return Err(Diagnostic::new(format!("{} has no commit {revision}", self.url)).into());
            }
        }
        let listing = self.git(&["ls-tree", "-r", "-z", "-l", "--full-tree", revision.as_str()]);
        let (listed, stopped) = listing.output_bounded(b"", &LISTING)?;
        if stopped.is_some() {
            let message =
                format!("{} takes longer to list, or holds more, than any sound repository", self.url);
            return Err(Diagnostic::new(message).into());
        }
        let listed = self.done(listed, "git cannot list a tree of its cache")?;
        self.read(&self.listing(&listed.stdout)?)
    }

    fn listing(&self, bytes: &[u8]) -> Result<Vec<Listed>, Failure> {
        let (mut all, mut wrong, mut total) = (Vec::new(), Vec::new(), 0_u64);
        for line in bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let text = String::from_utf8_lossy(line);
            let Some((about, name)) = text.split_once('\t') else { continue };
            let words: Vec<&str> = about.split_whitespace().collect();
            let &[mode, _, object, size] = words.as_slice() else { continue };
            let refuse =
                |reason: &str| Diagnostic::new(format!("`{}` of {} {reason}", name.escape_debug(), self.url));
            match (mode, name.parse::<RelativePath>()) {
                ("160000", _) => wrong.push(
                    refuse("is a submodule, which is not fetched")
                        .help("take a release, or a repository that holds all it is built from"),
                ),
                ("100644" | "100755" | "100664" | "120000", Ok(path)) => {
                    let size = size.parse().unwrap_or(0);
                    total = total.saturating_add(size);
                    all.push(Listed { path, mode: mode.to_owned(), object: object.to_owned(), size });
                }
                _ => wrong.push(refuse("is no plain file")),
            }
        }
        if total > BYTES || all.len() > ENTRIES {
            let most = BYTES >> 20;
            wrong
                .push(Diagnostic::new(format!("{} holds more than {most} MiB or {ENTRIES} files", self.url)));
        }
        refuse_any(wrong)?;
        Ok(all)
    }

    fn read(&self, listed: &[Listed]) -> Result<FileTree, Failure> {
        let names: String = listed.iter().flat_map(|one| [one.object.as_str(), "\n"]).collect();
        let (output, fed) =
            self.git(&["cat-file", "--batch"]).output_fed(|input| input.write_all(names.as_bytes()))?;
        let output = self.done(output, "git cannot read its cache")?;
        let damaged = || {
            Failure::unable(
                Diagnostic::new(format!("git's cache of {} is damaged", self.url))
                    .help(format!("remove `{}` and run it again", self.directory.display())),
            )
        };
        fed.map_err(|_| damaged())?;
        let (mut tree, mut wrong) = (FileTree::new(), Vec::new());
        let mut rest = output.stdout.as_slice();
        for one in listed {
            // `<object> blob <size>`, the bytes, a newline.
            let header = format!("{} blob {}\n", one.object, one.size);
            let after = rest.strip_prefix(header.as_bytes()).ok_or_else(damaged)?;
            let size = usize::try_from(one.size).map_err(|_| damaged())?;
            let (content, after) = after.split_at_checked(size).ok_or_else(damaged)?;
            rest = after.strip_prefix(b"\n").ok_or_else(damaged)?;
            let refuse = |reason: &str| Diagnostic::new(format!("`{}` of {} {reason}", one.path, self.url));
            if one.mode == "120000" {
                let target = String::from_utf8_lossy(content).into_owned();
                match link::escape(one.path.as_str(), &target) {
                    None => tree.insert(one.path.clone(), Entry::Link { target }),
                    Some(why) => wrong.push(refuse(&format!("is a link that {why}"))),
                }
                continue;
            }
            if content.starts_with(LFS) {
                wrong.push(
                    refuse("is in git-lfs, which is not fetched")
                        .help("take a release, or a repository that holds all it is built from"),
                );
            }
            tree.insert(
                one.path.clone(),
                Entry::File { bytes: content.into(), executable: one.mode == "100755" },
            );
        }
        refuse_any(wrong)?;
        Ok(tree)
    }
}

fn missing(failure: Failure) -> Failure {
    match failure {
        Failure::Unable(diagnostic) => Failure::unable(diagnostic.help("git sources need the program `git`")),
        refused @ Failure::Refused(_) => refused,
    }
}
