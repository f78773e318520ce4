//! The Crypt on a real file system, and our hashes against Nix's own.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the tests prepare files and run Nix to compare with, and may panic"
)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use lychd_forge::{
    codex::{self, Codex},
    crypt::{self, Federation},
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    tree::Entry,
};

fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn manifest(root: &Path, member: &str, name: &str) {
    write(root.join(member).join("pyproject.toml"), format!("[project]\nname = '{name}'\nversion = '1'\n"));
}

/// A Crypt with a core and the extensions `a` and `deep/b`.
fn small_crypt() -> tempfile::TempDir {
    let crypt = tempfile::tempdir().unwrap();
    manifest(crypt.path(), "core", "the-core");
    manifest(crypt.path(), "extensions/a", "a");
    manifest(crypt.path(), "extensions/deep/b", "b");
    crypt
}

fn refusal(crypt: &Path, codex: &Codex) -> String {
    let failure = crypt::discover(crypt, codex).expect_err("this Crypt should be refused");
    assert_eq!(failure.exit_code(), 1, "{failure}");
    failure.to_string()
}

fn ids(federation: &Federation) -> Vec<&str> {
    federation.members().iter().map(|member| member.id.as_str()).collect()
}

fn paths(federation: &Federation, id: &str) -> Vec<String> {
    let member = federation.member(&id.parse().unwrap()).unwrap();
    member.source.tree.iter().map(|(path, _)| path.to_string()).collect()
}

/// Runs a Nix program on a store of its own and gives its standard output.
fn nix(store: &Path, arguments: &[&str], path: &Path) -> String {
    let output = Command::new("nix-store")
        .args(["--store", store.to_str().unwrap()])
        .args(arguments)
        .arg(path)
        .output()
        .expect("nix-store runs: `make test` installs Nix");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Nix makes its store unwritable, which would keep the directory from being removed.
fn make_removable(store: &Path) {
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(store).status().unwrap().success());
}

#[test]
fn the_example_is_discovered() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let codex = codex::load(&examples.join("codex")).unwrap();
    let federation = crypt::discover(&examples.join("crypt"), &codex).unwrap();
    assert_eq!(ids(&federation), ["core", "altar", "loom", "scribe"]);
    let core = federation.core().unwrap();
    let contract = &core.manifest.lychd.image.as_ref().unwrap().contract;
    assert_eq!(contract.command.first().unwrap(), "granian");
    let backends =
        federation.members().iter().map(|m| m.manifest.build_system.as_ref().unwrap().backend.as_str());
    assert_eq!(
        backends.collect::<Vec<_>>(),
        ["hatchling.build", "hatchling.build", "setuptools.build_meta", "flit_core.buildapi"]
    );
    let all = crypt::discover(&examples.join("crypt"), &Codex::default()).unwrap();
    assert_eq!(ids(&all), ["core", "altar", "loom", "relic", "scribe"]);
}

#[test]
fn version_control_keeps_the_examples_locks() {
    let crypt = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/crypt");
    let kept = lychd_forge::host::walk::source_tree(&crypt, &crypt.join("synthesis"), 1000).unwrap();
    for start in ["uv.lock", "debian.lock.json", "build/"] {
        assert!(kept.iter().any(|(path, _)| path.starts_with(start)), "{start}: {kept:?}");
    }
}

#[test]
fn hashes_and_store_paths_are_nixs_own() {
    let crypt = small_crypt();
    let core = crypt.path().join("core");
    write(core.join("bin/run"), "#!/bin/sh\n");
    fs::set_permissions(core.join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    write(core.join("a"), "");
    write(core.join("a.b"), "seven b");
    write(core.join("a-dir/eight by"), "eight by");
    write(core.join("naïve/日本 語.py"), "x = 1\n");
    write(core.join("e\u{301}"), "decomposed");
    write(core.join("l".repeat(255)), "long");
    write(core.join("A/${x}''\"#"), vec![0_u8; 70_000]);
    symlink("../a", core.join("bin/link")).unwrap();
    symlink("missing", core.join("dangling")).unwrap();

    fs::create_dir_all(core.join("empty/dir")).unwrap();

    let federation = crypt::discover(crypt.path(), &Codex::default()).unwrap();
    let source = &federation.core().unwrap().source;
    assert_eq!(source.tree.len(), 11);
    // What Nix is given is what the forge writes: the same files, without the empty directories.
    let written = crypt.path().join("written/core");
    lychd_forge::host::file::write_tree(&written, &source.tree).unwrap();
    let store = tempfile::tempdir().unwrap();
    let added = nix(store.path(), &["--add"], &written);
    let queried = nix(store.path(), &["--query", "--hash"], Path::new(&added));
    let ours = StorePath::of_source(&source.nar_sha256, &StoreName::mapped("core"));
    assert_eq!(added, ours.to_string());
    assert_eq!(queried, nix_base32(&source.nar_sha256));

    let download = crypt.path().join("libmagic1t64_1%3a5.46-5_amd64.deb");
    write(&download, "not really a package");
    let named = crypt.path().join("libmagic1t64_1-3a5.46-5_amd64.deb");
    fs::rename(&download, &named).unwrap();
    let name = StoreName::mapped(download.file_name().unwrap().to_str().unwrap());
    let sha256 = Integrity::Sha256(Sha256::of("not really a package"));
    let sha512 = Integrity::Sha512([0; 64]).of_same_kind(b"not really a package");
    for (algorithm, integrity) in [("sha256", sha256), ("sha512", sha512)] {
        let added = nix(store.path(), &["--add-fixed", algorithm], &named);
        assert_eq!(added, StorePath::of_flat_file(&integrity, &name).to_string(), "{algorithm}");
    }
    make_removable(store.path());
}

/// `sha256:<Nix base 32>`, computed by Nix.
fn nix_base32(hash: &Sha256) -> String {
    let output = Command::new("nix-hash")
        .args(["--type", "sha256", "--to-base32", &hash.to_string()])
        .output()
        .expect("nix-hash runs: `make test` installs Nix");
    format!("sha256:{}", String::from_utf8(output.stdout).unwrap().trim())
}

#[test]
fn a_source_tree_is_what_version_control_keeps() {
    let crypt = small_crypt();
    let core = crypt.path().join("core");
    write(crypt.path().join(".gitignore"), "*.log\n/core/outer\nextensions/\n");
    write(core.join(".gitignore"), "/build/\n*.tmp\n!keep.tmp\n# comment\nroot-only/x\n\\#hash\n");
    write(core.join("src/.gitignore"), "!important.log\ngen?.py\n");
    for ignored in ["build/x", "a.tmp", "root-only/x", "x.log", "outer", "src/gen1.py", "#hash", "src/b.tmp"]
    {
        write(core.join(ignored), "ignored");
    }
    let made = std::process::Command::new("git").args(["init", "--quiet"]).arg(&core).status().unwrap();
    assert!(made.success());
    for never in [
        ".git/never",
        ".jj/x",
        ".hg/x",
        "src/.svn/x",
        "src/__pycache__/a.pyc",
        "a.pyc",
        ".venv/x",
        "web/node_modules/x",
    ] {
        write(core.join(never), "never");
    }
    write(core.join("sub/.git"), "gitdir: ../elsewhere\n");
    write(core.join(".git/info/exclude"), "kept\n");
    for kept in
        ["kept", "keep.tmp", "src/build/x", "src/root-only/x", "src/important.log", ".hidden/x", "src/a.py"]
    {
        write(core.join(kept), "kept");
    }
    fs::create_dir_all(core.join("empty/dir")).unwrap();
    let federation = crypt::discover(crypt.path(), &Codex::default()).unwrap();
    assert_eq!(
        paths(&federation, "core"),
        [
            ".gitignore",
            ".hidden/x",
            "keep.tmp",
            "kept",
            "pyproject.toml",
            "src/.gitignore",
            "src/a.py",
            "src/build/x",
            "src/important.log",
            "src/root-only/x",
        ]
    );
    assert_eq!(paths(&federation, "a"), ["pyproject.toml"]);
}

#[test]
fn modes_and_times_do_not_reach_the_hash() {
    let (one, two) = (small_crypt(), small_crypt());
    let script = "extensions/a/script";
    for (crypt, plain, executable) in [(&one, 0o600, 0o700), (&two, 0o664, 0o775)] {
        write(crypt.path().join(script), "#!/bin/sh\n");
        fs::set_permissions(crypt.path().join(script), fs::Permissions::from_mode(executable)).unwrap();
        let manifest = crypt.path().join("extensions/a/pyproject.toml");
        fs::set_permissions(&manifest, fs::Permissions::from_mode(plain)).unwrap();
    }
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::open(two.path().join(script)).unwrap().set_modified(old).unwrap();
    let read = |crypt: &tempfile::TempDir| {
        let federation = crypt::discover(crypt.path(), &Codex::default()).unwrap();
        federation.member(&"a".parse().unwrap()).unwrap().source.clone()
    };
    assert_eq!(read(&one), read(&two));
    let tree = read(&one).tree;
    assert!(matches!(tree.get(&"script".parse().unwrap()), Some(Entry::File { executable: true, .. })));
}

#[test]
fn what_a_source_tree_cannot_hold_is_refused_by_name() {
    let crypt = small_crypt();
    let a = crypt.path().join("extensions/a");
    symlink("/etc/passwd", a.join("absolute")).unwrap();
    fs::create_dir(a.join("dir")).unwrap();
    symlink("../../b", a.join("dir/out")).unwrap();
    symlink("dir", a.join("inside")).unwrap();
    write(a.join("new\nline"), "");
    write(a.join("back\\slash"), "");
    assert!(Command::new("mkfifo").arg(a.join("pipe")).status().unwrap().success());
    let socket = std::os::unix::net::UnixListener::bind(a.join("socket")).unwrap();
    fs::write(a.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"latin\xe9")), "")
        .unwrap();
    let error = refusal(crypt.path(), &Codex::default());
    drop(socket);
    for want in [
        "the link `extensions/a/absolute` -> `/etc/passwd` is absolute",
        "the link `extensions/a/dir/out` -> `../../b` leaves the member's tree",
        "`extensions/a/new\\nline` is not a plain file name",
        "`extensions/a/back\\\\slash` is not a plain file name",
        "`extensions/a/pipe` is a named pipe",
        "`extensions/a/socket` is a socket",
        "the name of `extensions/a/latin\u{fffd}` is not UTF-8",
        "requested by a",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
    assert!(!error.contains("inside"), "{error}");
}

#[test]
fn the_selection_is_held_against_what_is_there() {
    let crypt = small_crypt();
    let select = |list: &str| {
        let text = format!("[extensions]\ncrypt = {list}\n");
        codex::parse(&[lychd_forge::diagnostic::Source::new("lychd.toml", text)]).unwrap()
    };
    let federation = crypt::discover(crypt.path(), &select(r#"["deep/b"]"#)).unwrap();
    assert_eq!(ids(&federation), ["core", "deep/b"]);
    assert_eq!(ids(&crypt::discover(crypt.path(), &select("[]")).unwrap()), ["core"]);
    let error = refusal(crypt.path(), &select(r#"["deep/c", "quite-other"]"#));
    for want in [
        "there is no extension `deep/c` in the Crypt\n  at lychd.toml:2:10: selected here\n  help: did you mean `deep/b`?",
        "there is no extension `quite-other` in the Crypt\n  at lychd.toml:2:20: selected here\n  help: the Crypt holds: a, deep/b",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
}

#[test]
fn a_misshapen_crypt_is_refused_with_all_that_is_wrong() {
    let crypt = tempfile::tempdir().unwrap();
    assert!(refusal(crypt.path(), &Codex::default()).contains("`core` in the Crypt has no `pyproject.toml`"));
    assert!(refusal(&crypt.path().join("none"), &Codex::default()).contains("there is no Crypt at"));

    manifest(crypt.path(), "core", "Twin_Name");
    manifest(crypt.path(), "extensions/a", "twin-name");
    manifest(crypt.path(), "extensions/a/inner", "never-seen");
    manifest(crypt.path(), "extensions/Bad Name", "bad");
    manifest(crypt.path(), "extensions/core", "core-again");
    manifest(crypt.path(), "elsewhere", "elsewhere");
    symlink("../elsewhere", crypt.path().join("extensions/linked")).unwrap();
    manifest(crypt.path(), "extensions/hidden", "hidden");
    write(crypt.path().join("extensions/hidden/.gitignore"), "*.toml\n");
    manifest(crypt.path(), "extensions/link-manifest", "x");
    fs::rename(
        crypt.path().join("extensions/link-manifest/pyproject.toml"),
        crypt.path().join("extensions/link-manifest/real.toml"),
    )
    .unwrap();
    symlink("real.toml", crypt.path().join("extensions/link-manifest/pyproject.toml")).unwrap();
    write(crypt.path().join("extensions/crlf/pyproject.toml"), "[project]\r\nname = 'crlf'\r\n");
    let error = refusal(crypt.path(), &Codex::default());
    for want in [
        "more than one member is the distribution `twin-name`\n  at core/pyproject.toml:2:8\n  at extensions/a/pyproject.toml:2:8\n  requested by core, a",
        "`extensions/Bad Name`: `Bad Name` is not a member id",
        "an extension cannot be called `core`",
        "`extensions/linked` is a symbolic link",
        "`extensions/hidden/pyproject.toml` is ignored by a `.gitignore`",
        "`extensions/link-manifest/pyproject.toml` is a symbolic link",
        "`extensions/crlf/pyproject.toml` has a carriage return\n  at extensions/crlf/pyproject.toml:1:10",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
    assert!(!error.contains("never-seen"), "{error}");
}

#[test]
fn a_codex_is_read_without_following_links() {
    let codex = tempfile::tempdir().unwrap();
    write(codex.path().join("real.toml"), "");
    symlink("real.toml", codex.path().join("forge.toml")).unwrap();
    write(codex.path().join("lychd.toml"), "[server\n");
    let error = codex::load(codex.path()).unwrap_err().to_string();
    assert!(error.contains("`forge.toml` is a symbolic link"), "{error}");
    assert!(error.contains("`lychd.toml` is not valid TOML") && error.contains("lychd.toml:1:"), "{error}");
    assert!(codex::load(&codex.path().join("none")).unwrap_err().to_string().contains("no Codex at"));
}
