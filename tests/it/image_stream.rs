//! The docker-archive is byte for byte that of upstream's streamer.
#![expect(clippy::disallowed_methods, reason = "fixtures are written directly")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use lychd_forge::{
    diagnostic::Failure,
    digest::{HashWriter, Sha256},
    host::{environment, process::Command, progress::Silent},
    image::{self, Image},
};

use crate::pseudo_store::{PseudoStore, conf, conf_text, store_path};

/// Everything a store can hold that is written in a way of its own.
fn hard_store() -> PseudoStore {
    let store = PseudoStore::new();
    store.file("plain", b"bin/tool", b"#!/bin/sh\necho tool\n", 0o555);
    store.file("plain", b"share/text", b"text\n", 0o444);
    store.file("plain", b"share/empty", b"", 0o444);
    store.file("plain", b"share/block", &[7; 512], 0o444);
    store.file("plain", b"share/large", &vec![b'x'; 300_000], 0o444);
    fs::create_dir_all(store.place("plain", b"share/hollow")).unwrap();
    // Component order is not text order: "a-b" < "a.c" < "a/…" as texts, but a/… comes first.
    for name in [b"order/a/z".as_slice(), b"order/a-b", b"order/a.c", b"order/B", b"order/.hidden"] {
        store.file("plain", name, name, 0o444);
    }
    let first = store.place("plain", b"share/text");
    fs::hard_link(&first, store.place("plain", b"share/same-inode")).unwrap();

    let long = [b"long/".as_slice(), &[b'n'; 120], b"/", &[b'm'; 200]].concat();
    store.file("names", &long, b"long", 0o444);
    store.file("names", "umlaut/äöü-\u{1f9d9}".as_bytes(), b"non-ASCII", 0o444);
    for name in [b"bytes/\xff\xfe".as_slice(), b"bytes/\xc3(", b"bytes/\xe2\x82", b"bytes/a"] {
        store.file("names", name, b"not UTF-8", 0o444);
    }
    for name in ["order/\u{100}", "order/\u{e000}", "order/\u{10000}"] {
        store.file("names", name.as_bytes(), b"", 0o444);
    }
    store.file("names", b"order/\x80", b"", 0o444);
    let directory = [b"deep/".as_slice(), &[b'd'; 90], b"/"].concat();
    fs::create_dir_all(store.place("names", &directory)).unwrap();

    store.link("links", b"relative", b"../plain/bin/tool");
    store.link("links", b"dangling", b"/nowhere");
    store.link("links", b"to-directory", b"inside");
    store.link("links", b"long", &[b't'; 150]);
    store.link("links", b"umlaut", "zäh".as_bytes());
    store.file("links", b"inside/file", b"1", 0o444);
    store.link("a-link-itself", b"", store_path("plain").as_bytes());
    store.file("a-file-itself", b"", b"only a file\n", 0o444);
    store.customisation(
        "customisation",
        &[("./etc/", 0o755, ""), ("./etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\n"), ("./tmp/", 0o1777, "")],
    );
    store.seal();
    store
}

const LAYERS: [&[&str]; 4] = [&["plain"], &["names", "a-file-itself"], &["links", "a-link-itself"], &[]];

fn prepared(store: &PseudoStore, layers: &[&[&str]], cache: &Path) -> Result<Image, Failure> {
    let conf = conf(&conf_text(layers, "customisation"));
    image::prepare(&conf, &store.root(), cache, &Silent)
}

fn streamed(store: &PseudoStore, image: &Image) -> Sha256 {
    let mut hash = HashWriter::default();
    image::stream(image, std::slice::from_ref(image.reference()), &store.root(), &mut hash).unwrap();
    hash.finish().0
}

// The constants come from upstream's own script on the same tree: keep the store of this test, put it at
// /nix/store (`unshare -m`, `mount --bind`), and run nixpkgs' `stream_layered_image.py conf.json` as root with
// Python 3.9 or later.
#[test]
fn the_archive_is_upstreams() {
    let store = hard_store();
    let cache = tempfile::tempdir().unwrap();
    let image = prepared(&store, &LAYERS, cache.path()).unwrap();
    assert_eq!(
        image.config_digest().to_string(),
        "83e567092b3d0dbafa667aa65bf769c934f72f374ad1a2f718439991512c8e77"
    );
    assert_eq!(
        streamed(&store, &image).to_string(),
        "50af51da0275712b28a9ae1f5cf13a36c57409487ad8079159f7e9b0d1395030"
    );
    let manifest: serde_json::Value = serde_json::from_slice(image.manifest()).unwrap();
    assert_eq!(manifest["config"]["digest"], format!("sha256:{}", image.config_digest()));
    assert_eq!(manifest["layers"].as_array().unwrap().len(), LAYERS.len() + 1);
}

#[test]
fn a_rebuilt_path_is_hashed_again_and_a_changed_one_is_refused() {
    let store = hard_store();
    let cache = tempfile::tempdir().unwrap();
    let first = prepared(&store, &LAYERS, cache.path()).unwrap();
    let entries =
        || fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(entries().len(), LAYERS.len() + 1);

    // A spoilt entry counts as none.
    for entry in entries() {
        let text = fs::read_to_string(&entry).unwrap();
        fs::write(&entry, text.replace(&first.layers()[0].diff_id().to_string(), &"0".repeat(64))).unwrap();
    }
    assert_eq!(prepared(&store, &LAYERS, cache.path()).unwrap().config_digest(), first.config_digest());

    // Nobody changes a file in a store; if someone does, the archive is not sent out as if nothing were.
    let known = prepared(&store, &LAYERS, cache.path()).unwrap();
    store.file("plain", b"share/block", &[8; 512], 0o444);
    let failure =
        image::stream(&known, std::slice::from_ref(known.reference()), &store.root(), &mut io::sink())
            .unwrap_err();
    assert!(failure.to_string().contains("has changed since it was hashed"), "{failure}");

    // A path that was deleted and built again has another inode or another time.
    fs::remove_dir_all(store.place("links", b"")).unwrap();
    store.file("links", b"inside/file", b"2", 0o444);
    let second = prepared(&store, &LAYERS, cache.path()).unwrap();
    assert_eq!(second.layers()[1].diff_id(), first.layers()[1].diff_id());
    assert_ne!(second.layers()[0].diff_id(), first.layers()[0].diff_id());
    assert_ne!(second.layers()[2].diff_id(), first.layers()[2].diff_id());
}

#[test]
fn what_cannot_be_an_image_is_refused() {
    let store = hard_store();
    let cache = tempfile::tempdir().unwrap();
    let missing = prepared(&store, &[&["absent"]], cache.path()).unwrap_err();
    assert_eq!(missing.exit_code(), 2);
    assert!(missing.to_string().contains(&store_path("absent")), "{missing}");

    // A digest that is known is no longer believed when the checksum that it was held against is another.
    prepared(&store, &LAYERS, cache.path()).unwrap();
    store.file("customisation", b"checksum", "0".repeat(64).as_bytes(), 0o444);
    let lie = prepared(&store, &LAYERS, cache.path()).unwrap_err();
    assert_eq!(lie.exit_code(), 1);
    assert!(lie.to_string().contains("layer.tar"), "{lie}");
}

/// Takes some bytes, then fails.
struct Closing {
    left: usize,
    kind: io::ErrorKind,
}

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(self.kind)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_leaves_is_a_clean_end_and_a_full_disk_is_not() {
    let store = hard_store();
    let cache = tempfile::tempdir().unwrap();
    let image = prepared(&store, &LAYERS, cache.path()).unwrap();
    let mut left = Closing { left: 1000, kind: io::ErrorKind::BrokenPipe };
    assert_eq!(
        image::stream(&image, std::slice::from_ref(image.reference()), &store.root(), &mut left),
        Ok(())
    );
    let mut full = Closing { left: 1000, kind: io::ErrorKind::StorageFull };
    assert_eq!(
        image::stream(&image, std::slice::from_ref(image.reference()), &store.root(), &mut full)
            .unwrap_err()
            .exit_code(),
        2
    );
}

/// The layer of one store path by Python's own `tarfile`.
const ORACLE: &str = r#"
import hashlib, os, sys, tarfile
physical, logical = (os.fsencode(argument) for argument in sys.argv[1:])
found = [(physical, logical)]
for directory, directories, files in os.walk(physical):
    for name in directories + files:
        path = os.path.join(directory, name)
        found.append((path, logical + path[len(physical):]))
found.sort(key=lambda pair: os.fsdecode(pair[1]).split("/"))
class Hash:
    def __init__(self): self.write, self.hexdigest = (lambda s: (s.update, s.hexdigest))(hashlib.sha256())
out = Hash()
with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
    def add(info, content=None):
        info.mtime, info.uid, info.gid, info.uname, info.gname = 1, 0, 0, "root", "root"
        tar.addfile(info, content)
    for name in ("/nix", "/nix/store"):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        add(info)
    for path, name in found:
        tar.inodes.clear()
        info = tar.gettarinfo(os.fsdecode(path), os.fsdecode(name))
        info.name = os.fsdecode(name)
        if info.isreg():
            with open(path, "rb") as content: add(info, content)
        else: add(info)
print(out.hexdigest())
"#;

#[test]
fn layers_are_what_pythons_tarfile_makes() {
    let Some(python) = environment::program("python3") else {
        eprintln!("not compared with Python: there is no python3");
        return;
    };
    let store = PseudoStore::new();
    // A fixed sequence of names of every length around the limits, with and without odd bytes.
    let mut state = 1_u32;
    let mut random = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % most
    };
    for index in 0..120 {
        let length = 20 + random(60) as usize;
        let mut name = format!("d{}/e{}/{index}-", random(4), random(3)).into_bytes();
        for _ in 0..length {
            match random(40) {
                0 => name.extend("\u{df}\u{20ac}\u{10ffff}".as_bytes()),
                1 => name.push(0x80 + u8::try_from(random(128)).unwrap()),
                other => name.push(b' ' + u8::try_from(other).unwrap()),
            }
        }
        for byte in name.iter_mut().skip(7) {
            *byte = if *byte == b'/' { b'_' } else { *byte };
        }
        match random(4) {
            0 => store.link("random", &name, &name.repeat(1 + random(2) as usize)),
            1 => fs::create_dir_all(store.place("random", &name)).unwrap(),
            _ => {
                drop(store.file("random", &name, &vec![1; random(2000) as usize], 0o444 + random(2) * 0o111));
            }
        }
    }
    store.customisation("customisation", &[]);
    store.seal();
    let cache = tempfile::tempdir().unwrap();
    let image = prepared(&store, &[&["random"]], cache.path()).unwrap();
    let oracle = Command::new(python)
        .args(["-X", "utf8", "-c", ORACLE])
        .arg(store.place("random", b""))
        .arg(store_path("random"))
        .output()
        .unwrap();
    assert_eq!(oracle.text(), image.layers()[0].diff_id().to_string(), "{}", oracle.stderr);
}
