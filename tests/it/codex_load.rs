//! A Codex from disk: what is read of it, what is refused, and in which order that is told.
#![expect(clippy::disallowed_methods, reason = "tests write a Codex")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail so")]

use std::{fs, os::unix::fs::symlink, path::Path};

use lychd_forge::{codex, diagnostic::Failure};

fn write(directory: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn refused(directory: &Path) -> String {
    match codex::load(directory) {
        Err(failure @ Failure::Refused(_)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

const VLLM: &str = "runes/animator/soulstones/vllm";

#[test]
fn everything_wrong_in_all_files_is_told_at_once_in_one_order() {
    let codex = tempfile::tempdir().unwrap();
    let path = codex.path();
    write(
        path,
        "forge.toml",
        "[grants.vessel]\nwritable = 1\n\n[spheres]\noutlands = [\"x\"]\n[policy]\nallow-tags = [\"a:b\"]\n",
    );
    write(
        path,
        "lychd.toml",
        "[server]\nport = 0\nhots = \"x\"\n[extensions]\nbuiltins = [\"animator/vllm\", \"animator/llamacpp\"]\n",
    );
    write(path, &format!("{VLLM}/b.toml"), "name = \"B\"\nport = 0\n");
    write(path, &format!("{VLLM}/a.toml"), "port = 0\nname = \"A\"\n");
    write(path, "runes/animator/soulstones/llamacpp/z.toml", "name = \"z\"\n");
    write(path, "runes/animator/stray.toml", "");
    let error = refused(path);
    let places: Vec<&str> = error.lines().filter_map(|line| line.strip_prefix("  at ")).collect();
    assert_eq!(
        places,
        [
            "lychd.toml:2:8",
            "lychd.toml:3:1",
            "forge.toml:2:12",
            "forge.toml:5:13",
            "forge.toml:7:15",
            "runes/animator/stray.toml:1:1",
            &format!("{VLLM}/a.toml:1:8"),
            &format!("{VLLM}/a.toml:2:8"),
            &format!("{VLLM}/b.toml:1:8"),
            &format!("{VLLM}/b.toml:2:8"),
            "runes/animator/soulstones/llamacpp/z.toml:1:1",
        ],
        "{error}"
    );
    assert_eq!(refused(path), error);
}

#[test]
fn links_are_refused_wherever_they_lie() {
    let codex = tempfile::tempdir().unwrap();
    let path = codex.path();
    write(path, "outside.toml", "name = \"v\"\n");
    write(path, &format!("{VLLM}/v.toml"), "name = \"v\"\n");
    symlink(path.join("outside.toml"), path.join(VLLM).join("w.toml")).unwrap();
    symlink("nowhere", path.join(VLLM).join("dangling.toml")).unwrap();
    symlink(path.join(VLLM), path.join("runes/animator/soulstones/llamacpp")).unwrap();
    symlink("outside.toml", path.join("lychd.toml")).unwrap();
    let error = refused(path);
    for name in [
        "lychd.toml",
        "runes/animator/soulstones/llamacpp",
        "runes/animator/soulstones/vllm/dangling.toml",
        "runes/animator/soulstones/vllm/w.toml",
    ] {
        assert!(error.contains(&format!("`{name}` is a symbolic link\n  help: put the")), "{name}: {error}");
    }
    assert_eq!(error.matches("is a symbolic link").count(), 4, "{error}");

    let other = tempfile::tempdir().unwrap();
    symlink(path.join("runes"), other.path().join("runes")).unwrap();
    assert!(refused(other.path()).contains("`runes` of the Codex is not a directory\n  help: "));
}

#[test]
fn what_is_no_text_of_ours_is_refused() {
    let codex = tempfile::tempdir().unwrap();
    let path = codex.path();
    let large = vec![b'#'; (1 << 20) + 1];
    for (name, bytes) in [
        ("bom", &b"\xef\xbb\xbfname = \"v\"\n"[..]),
        ("cr", b"name = \"v\"\r\n"),
        ("nul", b"name = \"v\"\n\0"),
        ("utf", b"name = \"\xff\"\n"),
        ("large", &large),
    ] {
        write(path, &format!("{VLLM}/{name}.toml"), bytes);
    }
    fs::create_dir_all(path.join("runes/a/b/c/d/e/f/g/h/i")).unwrap();
    let error = refused(path);
    for want in [
        "`runes/a/b/c/d/e/f/g/h` lies too deep\n  help: ",
        "bom.toml` has a byte order mark\n  at runes/animator/soulstones/vllm/bom.toml:1:1",
        "cr.toml` has a carriage return\n  at runes/animator/soulstones/vllm/cr.toml:1:11",
        "nul.toml` has a NUL character",
        "utf.toml` is not UTF-8\n  at runes/animator/soulstones/vllm/utf.toml:1:9",
        "large.toml`",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
}

#[test]
fn only_toml_counts_and_a_codex_may_be_nearly_empty() {
    let codex = tempfile::tempdir().unwrap();
    let path = codex.path();
    assert_eq!(codex::load(path).unwrap(), codex::Codex::default());
    write(path, &format!("{VLLM}/notes.md"), "name =");
    write(path, &format!("{VLLM}/a.toml~"), "name =");
    write(path, &format!("{VLLM}/.hidden.toml"), "name = \"hidden\"\n");
    write(path, "lychd.toml", "[extensions]\nbuiltins = [\"animator/vllm\"]\n");
    let loaded = codex::load(path).unwrap();
    assert_eq!((loaded.runes.soulstones.len(), loaded.runes.notes.len()), (1, 0));
    let error = codex::load(&path.join("nowhere")).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no Codex at ") && error.contains("help: `lychd-forge init`"),
        "{error}"
    );
}
