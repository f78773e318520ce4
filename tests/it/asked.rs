//! What units run inside of containers besides their own command: the question whether the application is well, and what
//! puts the database's password into its environment. Both are taken from the golden units and run with Python.
#![expect(clippy::disallowed_methods, reason = "programs are run as podman would")]
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

use crate::inscription::support;

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inscription/forged/expected").join(path)
}

/// The words of a key of the Vessel's unit that is a JSON list, as a container gets them.
fn words(key: &str) -> Vec<String> {
    let unit = fs::read_to_string(golden("quadlets/lychd-vessel.container")).unwrap();
    let value = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap();
    serde_json::from_str(&value.replace("$$", "$").replace("%%", "%")).unwrap()
}

fn python(words: &[String]) -> Output {
    assert_eq!(words[0], "python");
    Command::new("python3").args(&words[1..]).output().unwrap()
}

/// Answers one question so, and says what was asked.
fn server(answer: &'static str) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (port, answering)
}

#[test]
fn an_application_is_well_when_it_answers_so() {
    let asking = |port: u16| {
        let mut words = words("HealthCmd");
        let at = words.iter().position(|word| word == "8000").unwrap();
        words[at] = port.to_string();
        python(&words).status.code()
    };
    for (answer, well) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false),
        ("no HTTP\r\n\r\n", false),
    ] {
        let (port, answering) = server(answer);
        assert_eq!(asking(port) == Some(0), well, "{answer}");
        let asked = answering.join().unwrap();
        assert!(asked.starts_with("GET /health HTTP/1.1\r\nHost: localhost"), "{asked}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(asking(closed), Some(1));
}

#[test]
fn the_password_comes_into_the_url_when_the_container_starts() {
    let scratch = tempfile::tempdir().unwrap();
    let secret = scratch.path().join("secret");
    let run = |password: &str, command: &[&str]| {
        fs::write(&secret, password).unwrap();
        Command::new("python3")
            .args(["-I", "-S"])
            .arg(support("forged", "environment.py"))
            .arg(&secret)
            .args(["URL", "OTHER", "--"])
            .args(command)
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("URL", "a://lich:{password}@localhost:5432/lychd")])
            .envs([("OTHER", "{password}"), ("KEPT", "{password}")])
            .output()
            .unwrap()
    };
    let output = run("p@ss/wörd%{} '\"\n", &["sh", "-c", "echo \"$URL $OTHER $KEPT\"; exit 7"]);
    let encoded = "p%40ss%2Fw%C3%B6rd%25%7B%7D%20%27%22";
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, format!("a://lich:{encoded}@localhost:5432/lychd {encoded} {{password}}\n"));
    assert_eq!(output.status.code(), Some(7), "the command's own end");
    let missing = run("x", &["/no/such/program"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such/program"), "{missing:?}");
}
