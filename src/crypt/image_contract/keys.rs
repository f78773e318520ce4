//! The keys that all images have.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{Health, ImageContract, User};
use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Located, Node, Table, Value,
        reader::{Key, Reader, like},
    },
};

/// Top directories that hold the program or belong to the kernel: nothing below them is ever writable.
const SEALED: [&str; 14] = [
    "app", "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "nix", "proc", "sbin", "sys",
    "usr",
];

/// What of a table was written, where defaults depend on it.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) command: bool,
    pub(super) user: bool,
    pub(super) directories: bool,
    pub(super) env: BTreeMap<String, String>,
    pub(super) ports: Vec<Located<u16>>,
    /// The programs of `command` and `health`, by key.
    pub(super) programs: BTreeMap<&'static str, Place>,
}

/// Reads them over a contract. `port` is that of a question for health that names none; without it, one must.
pub(super) fn read(reader: &mut Reader<'_, '_>, contract: &mut ImageContract, port: Option<u16>) -> Given {
    let title = reader.title().to_owned();
    let mut given = Given::default();
    if let Some(table) = reader.table("user") {
        read_user(table, &title, &mut contract.user, reader.errors());
        given.user = true;
    }
    if let Some(words) = words(reader, "command") {
        if let (true, Some(node)) = (words.is_empty(), reader.node("command")) {
            let empty = Diagnostic::new(format!("`command` in {title} is empty"));
            let empty = empty.at(node.place.clone(), "");
            reader.errors().push(empty);
        }
        contract.command = words;
        given.command = true;
        given.programs.extend(program(reader.node("command")).map(|place| ("command", place)));
    }
    if let Some(directories) = paths(reader, "directories") {
        contract.directories = directories.into_iter().collect();
        given.directories = true;
    }
    if let Some(volumes) = paths(reader, "volumes") {
        contract.volumes = volumes;
    }
    if let Some(signal) = reader.parsed(like("stop-signal", "\"SIGINT\"")) {
        contract.stop_signal = Some(signal.value);
    }
    given.ports = ports(reader);
    if let Some(env) = reader.table("env") {
        given.env = texts(env, &within(&title, "env"), is_variable, reader.errors());
    }
    if let Some(labels) = reader.table("labels") {
        contract.labels.extend(texts(labels, &within(&title, "labels"), is_label, reader.errors()));
    }
    if let Some(table) = reader.table("health") {
        contract.health = read_health(table, &title, port, reader);
        given.programs.extend(program(table.get("command")).map(|place| ("health", place)));
    }
    given
}

/// What a table inside of `title`, which is in brackets, is called.
fn within(title: &str, key: &str) -> String {
    format!("{}.{key}]", title.trim_end_matches(']'))
}

/// An argument vector.
pub(super) fn words<'k>(reader: &mut Reader<'_, '_>, key: impl Into<Key<'k>>) -> Option<Vec<String>> {
    let key = key.into();
    let given = reader.strings(key)?;
    let mut words = Vec::new();
    for word in given {
        if is_plain(word.value) {
            words.push(word.value.to_owned());
        } else {
            let message =
                format!("`{key}` in {}: a word is empty, too long or has control characters", reader.title());
            reader.errors().push(Diagnostic::new(message).at(word.place, ""));
        }
    }
    Some(words)
}

/// Where the first of an argument vector is written.
pub(super) fn program(words: Option<&Node>) -> Option<Place> {
    words?.as_array()?.first().map(|word| word.place.clone())
}

/// Directories outside of what is sealed, each once.
fn paths(reader: &mut Reader<'_, '_>, key: &str) -> Option<BTreeSet<String>> {
    let given = reader.strings(key)?;
    let title = reader.title().to_owned();
    let mut paths = BTreeSet::new();
    for path in given {
        let top = path.value.split('/').nth(1).unwrap_or_default();
        if !is_absolute(path.value) {
            let message =
                format!("`{key}` in {title}: `{}` is not a plain absolute path", path.value.escape_debug());
            reader.errors().push(Diagnostic::new(message).at(path.place, ""));
        } else if SEALED.contains(&top) {
            let message = format!("`{key}` in {title}: `/{top}` is the body's own");
            let help = "what runs is never writable: use a directory of the user, or below /srv or /var";
            reader.errors().push(Diagnostic::new(message).at(path.place, "").help(help));
        } else {
            paths.insert(path.value.to_owned());
        }
    }
    Some(paths)
}

fn ports(reader: &mut Reader<'_, '_>) -> Vec<Located<u16>> {
    let nodes = reader.array(like("ports", "[8000]")).unwrap_or_default();
    let title = reader.title().to_owned();
    let mut ports = Vec::new();
    for Node { value, place } in nodes {
        let port = match value {
            Value::Integer(number) => u16::try_from(*number).ok().filter(|port| *port > 0),
            _ => None,
        };
        if let Some(value) = port {
            ports.push(Located { value, place: place.clone() });
        } else {
            let message = format!("`ports` in {title}: a port is an integer between 1 and 65535");
            reader.errors().push(Diagnostic::new(message).at(place.clone(), ""));
        }
    }
    ports
}

fn read_user(table: &Table, title: &str, user: &mut User, errors: &mut Vec<Diagnostic>) {
    let title = format!("`user` of {title}");
    let mut reader = Reader::new(table, title.as_str(), errors);
    if let Some(name) = reader.string("name") {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_-".contains(&c);
        let first = name.value.bytes().next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_');
        if first && name.value.len() <= 32 && name.value.bytes().all(inner) && name.value != "root" {
            name.value.clone_into(&mut user.name);
        } else {
            let message = format!(
                "`name` in {title}: `{}` is not an account name (a-z, 0-9, `_`, `-`; not root)",
                name.value.escape_debug()
            );
            reader.errors().push(Diagnostic::new(message).at(name.place, ""));
        }
    }
    // Below 1000 are the system's own accounts, from 65534 on nobody and what the kernel keeps.
    if let Some(uid) = reader.integer("uid", 1000..=65_533).and_then(|uid| u32::try_from(uid.value).ok()) {
        user.uid = uid;
    }
}

/// `{ http, port }` or `{ command }`.
fn read_health(table: &Table, title: &str, port: Option<u16>, outer: &mut Reader<'_, '_>) -> Option<Health> {
    let place = outer.node("health")?.place.clone();
    let title = format!("`health` of {title}");
    let mut reader = Reader::new(table, title.as_str(), outer.errors());
    let refuse = |reader: &mut Reader<'_, '_>, key: &str, message: String| {
        let place = reader.node(key).map_or_else(|| place.clone(), |node| node.place.clone());
        reader.errors().push(Diagnostic::new(message).at(place, ""));
        None
    };
    if table.get("command").is_some() {
        reader.knows(&["http", "port"]);
        let words = words(&mut reader, "command")?;
        for key in ["http", "port"] {
            if table.get(key).is_some() {
                let message = format!("{title} has `command`, and `{key}` goes with a question over HTTP");
                return refuse(&mut reader, key, message);
            }
        }
        if words.is_empty() {
            return refuse(&mut reader, "command", format!("`command` in {title} is empty"));
        }
        return Some(Health::Command(words));
    }
    reader.knows(&["command"]);
    let path = reader.string("http");
    let written = reader.port(like("port", "8100"));
    let Some(path) = path else {
        return match table.get("http") {
            Some(_) => None,
            None => refuse(&mut reader, "port", format!("{title} has no `http` and no `command`")),
        };
    };
    let sound = |path: &str| {
        path.starts_with('/') && path.bytes().all(|c| c.is_ascii_graphic() && !b"\"'\\`$%{}<>".contains(&c))
    };
    if !sound(path.value) {
        let message = format!("`http` in {title}: `{}` is not a plain path", path.value.escape_debug());
        return refuse(&mut reader, "http", message);
    }
    let (port, place) = match (written, port) {
        (Some(written), _) => (written.value, written.place),
        (None, _) if table.get("port").is_some() => return None,
        (None, Some(port)) => (port, place.clone()),
        (None, None) => return refuse(&mut reader, "port", format!("{title} has no `port`")),
    };
    Some(Health::Http { path: path.value.to_owned(), port, place })
}

/// A table of texts whose keys and values are both judged.
fn texts(
    table: &Table,
    title: &str,
    is_key: fn(&str) -> bool,
    errors: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (key, field) in table.iter() {
        if !is_key(key) {
            let message = format!("`{}` cannot be a key of {title}", key.escape_debug());
            errors.push(Diagnostic::new(message).at(field.key.clone(), ""));
        } else if let Some(text) = field.node.as_str().filter(|text| text.is_empty() || is_plain(text)) {
            texts.insert(key.to_owned(), text.to_owned());
        } else {
            let message = format!("`{key}` in {title} must be a string without control characters");
            errors.push(Diagnostic::new(message).at(field.node.place.clone(), ""));
        }
    }
    texts
}

fn is_plain(text: &str) -> bool {
    (1..=4096).contains(&text.len()) && !text.contains(char::is_control)
}

fn is_variable(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
    first && name.len() <= 200 && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn is_label(key: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-/".contains(&c);
    (1..=200).contains(&key.len()) && key.bytes().all(plain)
}

/// Absolute, in normal form, of characters that need no quoting anywhere.
fn is_absolute(path: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-+@".contains(&c);
    path.len() <= 1024
        && path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|part| !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain))
        })
}
