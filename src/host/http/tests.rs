//! Against a server of our own on the loopback interface.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
};

use super::*;
use crate::digest::Sha256;

const BODY: &[u8] = b"0123456789abcdefghij";

/// From the lines of a request to the bytes of its answer.
type Handler = fn(&[String]) -> Vec<u8>;

/// Answers one request after the other as the handler says; gives the base URL.
fn serve(answers: Vec<Handler>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect::<Vec<_>>();
            stream.write_all(&answer(&lines)).unwrap();
        }
    });
    base
}

fn whole(_: &[String]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n", BODY].concat()
}

fn client() -> Client {
    Client::new(HostPolicy::new([]))
}

fn expected() -> Expected {
    Expected { integrity: Integrity::Sha256(Sha256::of(BODY)), size: Some(20) }
}

#[test]
fn a_broken_download_is_taken_up_where_it_ended() {
    let base = serve(vec![
        |_| [b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n", &BODY[..7]].concat(),
        |lines| {
            assert!(lines.iter().any(|line| line.eq_ignore_ascii_case("range: bytes=7-")), "{lines:?}");
            [
                b"HTTP/1.1 206 Partial\r\ncontent-range: bytes 7-19/20\r\ncontent-length: 13\r\nconnection: close\r\n\r\n",
                &BODY[7..],
            ]
            .concat()
        },
    ]);
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("a/file");
    let mut seen = 0;
    client().file_at(&format!("{base}/x"), &target, &expected(), &mut |done| seen = done).unwrap();
    assert_eq!(file::read(&target, 100).unwrap(), BODY);
    assert_eq!(seen, 20);
    assert_eq!(file::list(&directory.path().join("a")).unwrap().len(), 1);
}

#[test]
fn wrong_bytes_leave_nothing_behind() {
    let base = serve(vec![whole, whole, whole]);
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("file");
    let url = format!("{base}/x");
    let other = Expected { integrity: Integrity::Sha512([0; 64]), size: Some(20) };
    let result = client().file_at(&url, &target, &other, &mut |_| ());
    assert!(matches!(result, Err(HttpError::Hash { .. })), "{result:?}");
    let small = Expected { size: Some(19), ..expected() };
    let result = client().file_at(&url, &target, &small, &mut |_| ());
    assert!(matches!(result, Err(HttpError::TooLarge { limit: 19, .. })), "{result:?}");
    assert_eq!(file::list(directory.path()).unwrap(), []);
    let result = client().bytes_at(&url, 19, &mut |_| ());
    assert!(matches!(result, Err(HttpError::TooLarge { .. })), "{result:?}");
}

#[test]
fn a_stale_beginning_is_thrown_away() {
    let base = serve(vec![
        |_| {
            [
                b"HTTP/1.1 206 Partial\r\ncontent-range: bytes 3-19/20\r\ncontent-length: 17\r\nconnection: close\r\n\r\n",
                &BODY[3..],
            ]
            .concat()
        },
        whole,
    ]);
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("file");
    file::write(&directory.path().join("file.part"), b"xxx").unwrap();
    client().file_at(&format!("{base}/x"), &target, &expected(), &mut |_| ()).unwrap();
    assert_eq!(file::read(&target, 100).unwrap(), BODY);
}

#[test]
fn redirects_leave_the_allowed_hosts_never() {
    let to = |_: &[String]| {
        b"HTTP/1.1 302 Found\r\nlocation: https://evil.example/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
    };
    let metadata = |_: &[String]| {
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
    };
    let gone =
        |_: &[String]| b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    let url = format!("{}/x", serve(vec![to, metadata, gone]));
    for _ in 0..2 {
        let result = client().bytes_at(&url, 100, &mut |_| ());
        assert!(matches!(result, Err(HttpError::Redirect { .. })), "{result:?}");
    }
    assert!(client().bytes_at(&url, 100, &mut |_| ()).unwrap_err().is_gone());
}
