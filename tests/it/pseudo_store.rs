//! A directory that looks like a Nix store, made by hand, and the `conf.json` of an image over it.
#![expect(clippy::disallowed_methods, reason = "fixtures are written directly")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use lychd_forge::{
    diagnostic::Source,
    digest::Sha256,
    host::file,
    image::{Conf, StoreRoot},
};
use serde_json::json;

/// A temporary store.
pub(crate) struct PseudoStore {
    directory: tempfile::TempDir,
}

impl PseudoStore {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("nix/store")).unwrap();
        Self { directory }
    }

    /// Where it lies: what `--nix-store` takes.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn root(&self) -> StoreRoot {
        StoreRoot::below(self.directory.path())
    }

    /// Where a new file or directory `inside` the store path of this name lies; parents are made.
    pub(crate) fn place(&self, name: &str, inside: &[u8]) -> PathBuf {
        let mut place = self.directory.path().join(store_path(name).trim_start_matches('/'));
        if !inside.is_empty() {
            place.push(OsStr::from_bytes(inside));
        }
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    pub(crate) fn file(&self, name: &str, inside: &[u8], content: &[u8], mode: u32) -> PathBuf {
        let place = self.place(name, inside);
        fs::write(&place, content).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        place
    }

    pub(crate) fn link(&self, name: &str, inside: &[u8], target: &[u8]) {
        std::os::unix::fs::symlink(OsStr::from_bytes(target), self.place(name, inside)).unwrap();
    }

    /// The customisation layer: `layer.tar` with these entries, and its checksum.
    pub(crate) fn customisation(&self, name: &str, entries: &[(&str, u32, &str)]) {
        let mut tar = Vec::new();
        for (path, mode, content) in entries {
            tar.extend(ustar_header(path, *mode, content.len()));
            tar.extend(content.as_bytes());
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize((tar.len() + 1024).next_multiple_of(10_240), 0);
        self.file(name, b"layer.tar", &tar, 0o444);
        self.file(name, b"checksum", format!("{}\n", Sha256::of(&tar)).as_bytes(), 0o444);
    }

    /// Makes every directory's mode what Nix makes it, whatever the umask, and waits until the store is older than
    /// whatever comes next, as one that Nix has built is.
    pub(crate) fn seal(&self) {
        fn walk(directory: &Path) {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path());
                    fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
        walk(self.root().physical());
        let sealed = file::clock(self.directory.path()).unwrap();
        while file::clock(self.directory.path()).unwrap() == sealed {}
    }
}

/// `/nix/store/<digest of the name>-<name>`.
pub(crate) fn store_path(name: &str) -> String {
    format!("/nix/store/{}-{name}", Sha256::of(name).short(32).replace('e', "z"))
}

/// The text of a `conf.json` with these layers.
pub(crate) fn conf_text(layers: &[&[&str]], customisation: &str) -> String {
    let layers: Vec<Vec<String>> =
        layers.iter().map(|names| names.iter().map(|name| store_path(name)).collect()).collect();
    let value = json!({
        "architecture": "amd64",
        "config": { "Cmd": ["/bin/sh"], "Env": ["NAME=\u{fc}b\u{e9}r \u{1f9d9}", "PATH=/bin"], "User": "1001:1001" },
        "created": "1970-01-01T00:00:01+00:00",
        "customisation_layer": store_path(customisation),
        "from_image": null,
        "gid": "0", "gname": "root", "uid": "0", "uname": "root",
        "mtime": "1970-01-01T00:00:01+00:00",
        "os": "linux",
        "repo_tag": "localhost/lychd-forge-test:custom",
        "store_dir": "/nix/store",
        "store_layers": layers,
    });
    format!("{value:#}\n")
}

pub(crate) fn conf(text: &str) -> Conf {
    Conf::parse(&Source::new("conf.json", text)).unwrap()
}

fn ustar_header(name: &str, mode: u32, size: usize) -> Vec<u8> {
    let kind = if name.ends_with('/') { '5' } else { '0' };
    let mut block = vec![0; 512];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000001");
    put(148, "        ");
    put(156, &kind.to_string());
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}
