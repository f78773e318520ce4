//! The example's front end, as a person sees it: the page of the running image in headless Chromium.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sovereign_path::inside;

const PAGE: &str = include_str!("altar/page.py");
/// Runs in the page, once it has asked the core.
const LOOK: &str = r#"
const members = document.getElementById("members");
if (members.getAttribute("aria-busy") === "true")
  await new Promise(done => new MutationObserver(done).observe(members, { attributeFilter: ["aria-busy"] }));
const style = element => getComputedStyle(element);
return {
  title: document.title,
  members: [...members.querySelectorAll("h2")].map(heading => heading.textContent),
  health: document.getElementById("health").innerText.split("\n"),
  layout: style(members).display,
  background: style(document.body).backgroundColor,
  radius: style(members.querySelector("article")).borderRadius,
};
"#;

#[test]
fn the_page_shows_the_members_in_its_own_style() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = ["--host", "127.0.0.1", "--port", &port.to_string()].map(str::to_owned);
    let mut command = vec!["granian", "--interface", "asgi", "--factory"];
    command.extend(address.iter().map(String::as_str));
    command.push("lych_core.app:create_app");
    let (log, writer) = std::io::pipe().unwrap();
    let mut server = inside(&["--unshare-pid", "--die-with-parent"], &command)
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(log).lines().map_while(Result::ok);
    let up = log.find(|line| line.contains("Listening at"));
    // The pipe must be read as long as the server writes.
    let rest = std::thread::spawn(move || log.collect::<Vec<_>>().join("\n"));
    // It says so before its worker listens.
    while server.try_wait().unwrap().is_none() && TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }

    let home = TempDir::new().unwrap();
    let url = format!("http://127.0.0.1:{port}/altar/");
    let looked =
        Command::new("python3").args(["-B", "-c", PAGE, &url, LOOK]).arg(home.path()).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let log = rest.join().unwrap();
    assert!(up.is_some(), "{log}");
    let said = String::from_utf8_lossy(&looked.stderr);
    let chromium = fs::read_to_string(home.path().join("chromium.log")).unwrap_or_default();
    assert!(looked.status.success(), "{said}\n{chromium}\n{log}");

    let seen: Value = serde_json::from_slice(&looked.stdout).unwrap();
    let expected = json!({
        "title": "Altar",
        "members": ["core", "altar", "loom", "scribe"],
        "health": ["application", "ok", "database", "absent"],
        // The classes `grid`, `bg-slate-950` and `rounded-2xl`.
        "layout": "grid",
        "background": "oklch(0.129 0.042 264.695)",
        "radius": "16px",
    });
    assert_eq!(seen, expected);
}
