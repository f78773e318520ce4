//! Downloads over real sockets: mirrors in order, what a mirror lost, what a mirror forged.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use lychd_forge::{
    artifact::Artifact,
    codex::{MirrorUrl, Origin},
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    host::{http::Client, progress::Silent},
    name::{debian::Archive, url::HostPolicy},
    supply::downloads::Downloads,
};

const BODY: &[u8] = b"the very bytes that were pinned";

/// A mirror that answers every request with `status` and `body`, and remembers what it was asked for.
fn mirror(status: &'static str, body: &'static [u8]) -> (MirrorUrl, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/debian", listener.local_addr().unwrap()).parse().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            seen.lock().unwrap().push(request);
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        }
    });
    (url, asked)
}

fn artifact() -> Artifact {
    Artifact {
        label: "libx 1.0".to_owned(),
        url: "http://deb.debian.org/debian/pool/main/libx/libx_1.0_amd64.deb".to_owned(),
        integrity: Integrity::Sha256(Sha256::of(BODY)),
        size: Some(BODY.len() as u64),
        store_path: StorePath::of_flat_file(
            &Integrity::Sha256(Sha256::of(BODY)),
            &StoreName::mapped("libx_1.0_amd64.deb"),
        ),
        requested_by: ["scribe".parse().unwrap()].into(),
        system: true,
    }
}

#[test]
fn mirrors_are_tried_in_order_and_nothing_is_fetched_twice() {
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(HostPolicy::new([]));
    let (lost, asked_lost) = mirror("404 Not Found", b"");
    let (good, asked_good) = mirror("200 OK", BODY);
    let mirrors = BTreeMap::from([(Origin::Debian(Archive::Debian), vec![lost, good])]);
    let source = Downloads { cache: cache.path(), from: None, client: Some(&client), mirrors: &mirrors };
    let first = source.all(&[artifact()], &Silent).unwrap();
    assert_eq!(std::fs::read(&first[0]).unwrap(), BODY);
    assert_eq!(first[0].file_name().unwrap(), "libx_1.0_amd64.deb");
    assert_eq!(*asked_lost.lock().unwrap(), ["GET /debian/pool/main/libx/libx_1.0_amd64.deb HTTP/1.1"]);
    assert_eq!(source.all(&[artifact()], &Silent).unwrap(), first);
    assert_eq!(asked_good.lock().unwrap().len(), 1, "it was in the cache");
}

#[test]
fn other_bytes_than_pinned_are_refused_and_not_kept() {
    let cache = tempfile::tempdir().unwrap();
    let client = Client::new(HostPolicy::new([]));
    let (forged, _) = mirror("200 OK", b"other bytes of the same length!");
    let mirrors = BTreeMap::from([(Origin::Debian(Archive::Debian), vec![forged])]);
    let source = Downloads { cache: cache.path(), from: None, client: Some(&client), mirrors: &mirrors };
    let mut pinned = artifact();
    // Nothing but the mirror: no public address has this path.
    pinned.url = "http://deb.debian.org/debian/pool/main/libx/none_0_amd64.deb".to_owned();
    let failure = source.all(&[pinned], &Silent).unwrap_err();
    assert_eq!(failure.exit_code(), 1);
    let text = failure.to_string();
    assert!(text.contains("has hash") && text.contains("requested by scribe"), "{text}");
    let kept = walk(cache.path());
    assert!(kept.is_empty(), "{kept:?}");
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn offline_says_what_is_missing() {
    let cache = tempfile::tempdir().unwrap();
    let mirrors = BTreeMap::new();
    let source = Downloads { cache: cache.path(), from: None, client: None, mirrors: &mirrors };
    let failure = source.all(&[artifact()], &Silent).unwrap_err();
    assert_eq!(failure.exit_code(), 2);
    let text = failure.to_string();
    assert!(text.contains("libx 1.0") && text.contains("--offline"), "{text}");
}
