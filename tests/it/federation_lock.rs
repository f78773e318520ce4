//! The federation lock over real repositories, some of which mean harm.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use lychd_forge::{
    codex::Codex,
    crypt::{self, Federation, FederationLock},
    synthesis::federation,
};
use tempfile::TempDir;

fn write(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// git as a user runs it, but for the user's own configuration.
fn git(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=Lich", "-c", "user.email=lich@example.org", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

fn done(directory: &Path, arguments: &[&str]) -> String {
    let output = git(directory, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(directory: &Path) -> String {
    done(directory, &["add", "--all"]);
    done(directory, &["commit", "--quiet", "--message", "x"]);
    done(directory, &["rev-parse", "HEAD"])
}

/// A repository with a manifest, a program, a link, and a file that is committed although it is ignored.
fn repository(directory: &Path, name: &str, options: &[&str]) -> String {
    fs::create_dir_all(directory).unwrap();
    done(directory, &[&["init", "--quiet"], options].concat());
    write(directory.join("pyproject.toml"), &format!("[project]\nname = '{name}'\nversion = '1'\n"));
    write(directory.join("src/main.py"), "print()\n");
    write(directory.join(".gitignore"), "*.log\n");
    write(directory.join("kept.log"), "x");
    std::os::unix::fs::symlink("src/main.py", directory.join("link")).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(directory.join("src/main.py")).status().unwrap().success());
    done(directory, &["add", "--force", "kept.log"]);
    commit(directory)
}

/// A Crypt with a core that is no repository and the git repository `scribe`.
fn crypt() -> (TempDir, PathBuf, String) {
    let crypt = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write(crypt.path().join("core/pyproject.toml"), "[project]\nname = 'the-core'\nversion = '1'\n");
    let scribe = crypt.path().join("extensions/scribe");
    let head = repository(&scribe, "scribe", &[]);
    (crypt, scribe, head)
}

fn discover(crypt: &Path) -> Federation {
    crypt::discover(crypt, &Codex::default()).unwrap()
}

/// `vcs`, `revision` and `dirty` of an extension, as the Synthesis says them.
fn state(crypt: &Path, id: &str) -> String {
    let federation = discover(crypt);
    let checkout = &federation.member(&id.parse().unwrap()).unwrap().checkout;
    let copy = &checkout.working_copy;
    let revision = copy.revision().map(|revision| revision.to_string()).unwrap_or_default();
    let changes: Vec<&str> = checkout.changes.iter().map(String::as_str).collect();
    format!("{} {revision} {}", copy.vcs(), changes.join(",")).trim().to_owned()
}

#[test]
fn a_repository_is_at_its_commit_until_a_byte_a_mode_or_a_name_changes() {
    let (crypt, scribe, head) = crypt();
    // This project's own repository lies around it, and is not the core's.
    assert_eq!(state(crypt.path(), "core"), "none");
    let clean = format!("git {head}");
    assert_eq!(state(crypt.path(), "scribe"), clean);
    // Neither the index nor times say anything.
    fs::remove_file(scribe.join(".git/index")).unwrap();
    write(scribe.join("src/main.py"), "print()\n");
    assert_eq!(state(crypt.path(), "scribe"), clean);
    write(scribe.join("debug.log"), "ignored");
    assert_eq!(state(crypt.path(), "scribe"), clean);

    write(scribe.join("src/main.py"), "print(1)\n");
    write(scribe.join("new.py"), "");
    fs::remove_file(scribe.join("link")).unwrap();
    assert_eq!(state(crypt.path(), "scribe"), format!("{clean} link,new.py,src/main.py"));
    // What the user's own git would not show is there nevertheless.
    write(scribe.join(".git/info/exclude"), "new.py\n");
    done(&scribe, &["reset", "--quiet"]);
    done(&scribe, &["update-index", "--assume-unchanged", "src/main.py"]);
    done(&scribe, &["checkout", "--quiet", "--", "link"]);
    assert_eq!(state(crypt.path(), "scribe"), format!("{clean} new.py,src/main.py"));
}

#[test]
fn two_clones_of_one_revision_are_locked_by_the_same_bytes() {
    for format in ["sha1", "sha256"] {
        let origin = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let head = repository(&origin.path().join("scribe"), "scribe", &["--object-format", format]);
        let clone = || {
            let (crypt, scribe, _) = crypt();
            fs::remove_dir_all(&scribe).unwrap();
            let from = origin.path().join("scribe");
            done(origin.path(), &["clone", "--quiet", from.to_str().unwrap(), scribe.to_str().unwrap()]);
            let lock = FederationLock::of(&discover(crypt.path())).to_text();
            (crypt, lock)
        };
        let ((first, one), (_second, other)) = (clone(), clone());
        assert_eq!(one, other);
        assert!(one.contains(&format!("revision = \"{head}\"\ndirty = false\n")), "{one}");
        write(first.path().join("lychd.lock"), &one);
        let read = FederationLock::read(first.path()).unwrap().unwrap();
        assert_eq!(read.to_text(), one);
        assert!(federation::lock(&discover(first.path()), Some(&read), true).is_ok());
    }
}

#[test]
fn worktrees_submodules_and_colocated_jujutsu_are_read_and_an_empty_repository_is_none() {
    let (crypt, scribe, head) = crypt();
    let below = |id: &str| crypt.path().join("extensions").join(id);
    done(&scribe, &["worktree", "add", "--quiet", "--detach", below("tree").to_str().unwrap()]);
    write(below("tree/pyproject.toml"), "[project]\nname = 'tree'\nversion = '1'\n");
    assert_eq!(state(crypt.path(), "tree"), format!("git {head} pyproject.toml"));

    let outer = below("outer");
    fs::create_dir_all(&outer).unwrap();
    done(&outer, &["init", "--quiet"]);
    write(outer.join("pyproject.toml"), "[project]\nname = 'outer'\nversion = '1'\n");
    done(&outer, &["submodule", "--quiet", "add", scribe.to_str().unwrap(), "vendor/scribe"]);
    let head_of_outer = commit(&outer);
    assert_eq!(state(crypt.path(), "outer"), format!("git {head_of_outer}"));
    write(outer.join("vendor/scribe/src/main.py"), "other\n");
    assert_eq!(state(crypt.path(), "outer"), format!("git {head_of_outer} vendor/scribe/src/main.py"));
    fs::remove_dir_all(outer.join("vendor/scribe")).unwrap();
    assert_eq!(state(crypt.path(), "outer"), format!("git {head_of_outer} vendor/scribe"));
    fs::remove_dir_all(&outer).unwrap();

    fs::create_dir(scribe.join(".jj")).unwrap();
    assert_eq!(state(crypt.path(), "scribe"), format!("jj {head}"));
    fs::remove_dir_all(scribe.join(".git")).unwrap();
    let refused = crypt::discover(crypt.path(), &Codex::default()).unwrap_err();
    assert_eq!(refused.exit_code(), 1);
    assert!(
        refused.to_string().contains("`extensions/scribe` is a Jujutsu repository without git beside it")
    );
    fs::remove_dir_all(below("tree")).unwrap();
    fs::remove_dir(scribe.join(".jj")).unwrap();

    done(&scribe, &["init", "--quiet"]);
    assert_eq!(state(crypt.path(), "scribe"), "none");
    let federated = federation::lock(&discover(crypt.path()), None, false).unwrap();
    assert!(federated.notes[0].contains("nothing was committed yet in the repository of `scribe`"));
    // An empty `.git` makes git look further up, and find this project's.
    fs::remove_dir_all(scribe.join(".git")).unwrap();
    fs::create_dir(scribe.join(".git")).unwrap();
    let refused = crypt::discover(crypt.path(), &Codex::default()).unwrap_err().to_string();
    assert!(refused.contains("the git repository of `extensions/scribe` is at no commit"), "{refused}");
}

/// What a repository can name to be run: each leaves a file behind when plain git meets it.
#[test]
fn nothing_that_a_repository_configures_is_run() {
    let (crypt, scribe, head) = crypt();
    let ran = crypt.path().join("ran");
    let run = format!("sh -c 'touch {}; false'", ran.display());
    write(scribe.join(".gitattributes"), "* filter=evil diff=evil\n");
    let config = |key: &str, value: &str| done(&scribe, &["config", key, value]);
    write(scribe.join("src/main.py"), "print(2)\n");
    config("filter.evil.clean", &run);
    config("diff.evil.textconv", &run);
    config("core.fsmonitor", &run);
    config("core.pager", &run);
    config("core.sshCommand", &run);
    config("alias.ls-tree", &format!("!{run}"));
    git(&scribe, &["status"]);
    assert!(ran.exists(), "plain git runs none of it: this test tests nothing");
    fs::remove_file(&ran).unwrap();
    assert_eq!(state(crypt.path(), "scribe"), format!("git {head} .gitattributes,src/main.py"));
    assert!(!ran.exists());

    // A promised object that is missing is fetched from wherever the repository says.
    config("extensions.partialClone", "origin");
    config("remote.origin.promisor", "true");
    config("remote.origin.url", &format!("ext::sh -c touch% {}", ran.display()));
    config("protocol.ext.allow", "always");
    let tree = done(&scribe, &["rev-parse", "HEAD:src"]);
    fs::remove_file(scribe.join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    git(&scribe, &["ls-tree", "-r", "HEAD"]);
    assert!(ran.exists(), "plain git fetches nothing: this test tests nothing");
    fs::remove_file(&ran).unwrap();
    let refused = crypt::discover(crypt.path(), &Codex::default()).unwrap_err().to_string();
    assert!(refused.contains("the git repository of `extensions/scribe` cannot be listed"), "{refused}");
    assert!(!ran.exists());
}

/// The refusal as a user meets it: before any tool is brought, so without a network.
#[test]
fn synthesize_locked_names_the_repository_that_moved() {
    let (crypt, scribe, head) = crypt();
    fs::create_dir(crypt.path().join("codex")).unwrap();
    let synthesize = || {
        let output = Command::new(env!("CARGO_BIN_EXE_lychd-forge"))
            .env("XDG_CACHE_HOME", crypt.path().join("cache"))
            .arg("--codex")
            .arg(crypt.path().join("codex"))
            .arg("--crypt")
            .arg(crypt.path())
            .arg("--state")
            .arg(crypt.path().join("state"))
            .args(["--offline", "synthesize", "--locked"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = synthesize();
    assert!(missing.contains("`lychd.lock` is missing"), "{missing}");
    write(crypt.path().join("lychd.lock"), &FederationLock::of(&discover(crypt.path())).to_text());
    write(scribe.join("src/main.py"), "print(3)\n");
    let moved = commit(&scribe);
    let refused = synthesize();
    assert!(
        refused.contains(&format!("`scribe` is not at its locked revision {head}, but at {moved}")),
        "{refused}"
    );
    assert!(refused.contains("lychd.lock:11:"), "{refused}");
    let federated = federation::lock(
        &discover(crypt.path()),
        FederationLock::read(crypt.path()).unwrap().as_ref(),
        false,
    );
    let told: Vec<String> = federated.unwrap().moved.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("scribe {} -> {}", &head[..7], &moved[..7])]);
}

#[test]
fn a_repository_that_would_never_end_is_refused() {
    let (crypt, scribe, _) = crypt();
    let refused = || {
        let failure = crypt::discover(crypt.path(), &Codex::default()).unwrap_err();
        assert_eq!(failure.exit_code(), 1);
        failure.to_string()
    };
    // Trees that hold the one below ten times: ten million paths in seven objects.
    let tree_of = |entries: String| -> String {
        let mut make = Command::new("git")
            .arg("-C")
            .arg(&scribe)
            .arg("mktree")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut make.stdin.take().unwrap(), entries.as_bytes()).unwrap();
        String::from_utf8(make.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let blob = done(&scribe, &["rev-parse", "HEAD:src/main.py"]);
    let ten = |kind: &str, object: &str| -> String {
        let lines: Vec<String> =
            (0..10).map(|n| format!("{kind} {object}\tlong-enough-to-count-{n}")).collect();
        lines.join("\n") + "\n"
    };
    let mut tree = tree_of(ten("100644 blob", &blob));
    for _ in 0..6 {
        tree = tree_of(ten("040000 tree", &tree));
    }
    let bomb = done(&scribe, &["commit-tree", "-m", "x", &tree]);
    done(&scribe, &["update-ref", "HEAD", &bomb]);
    let said = refused();
    assert!(said.contains("the git repository of `extensions/scribe` takes longer or holds more"), "{said}");

    // A repository that is its own submodule, through a link to itself.
    let gitlinks: Vec<String> = (0..3).map(|n| format!("160000 commit {bomb}\ts{n}")).collect();
    let gitlinks = gitlinks.join("\n") + "\n";
    let looped = done(&scribe, &["commit-tree", "-m", "x", &tree_of(gitlinks)]);
    done(&scribe, &["update-ref", "HEAD", &looped]);
    for n in 0..3 {
        std::os::unix::fs::symlink(".", scribe.join(format!("s{n}"))).unwrap();
    }
    crypt::discover(crypt.path(), &Codex::default()).unwrap();

    fs::remove_file(scribe.join(".git/HEAD")).unwrap();
    assert!(Command::new("mkfifo").arg(scribe.join(".git/HEAD")).status().unwrap().success());
    let said = refused();
    assert!(said.contains("has a `HEAD` that is no file"), "{said}");
}
