//! `[tool.lychd.image]`: what the core promises to run. The defaults are LychD's own image contract.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Table,
        reader::{Reader, like},
    },
    name::PackageName,
};

/// The image contract with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageContract {
    /// Argument vector that starts the application; never empty.
    pub command: Vec<String>,
    /// The account the image declares.
    pub user: User,
    /// Environment of the running body.
    pub env: BTreeMap<String, String>,
    /// Absolute paths of directories that exist and that any user may write.
    pub directories: Vec<String>,
    /// How to ask whether it is well.
    pub health: Option<Health>,
    /// OCI labels.
    pub labels: BTreeMap<String, String>,
}

/// The account the image declares; user and group have the same name and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Account name.
    pub name: String,
    /// User and group id.
    pub uid: u32,
}

/// An HTTP question that answers 2xx when the application is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Path, starting with `/`.
    pub http: String,
    /// TCP port inside the container.
    pub port: u16,
    /// Where the port is written, or else the whole question.
    pub place: Place,
}

/// Top directories that hold the program or belong to the kernel: nothing below them is ever writable.
const SEALED: [&str; 14] = [
    "app", "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "nix", "proc", "sbin", "sys",
    "usr",
];

impl ImageContract {
    /// LychD's own TCP port: that of a core which names none.
    pub const PORT: u16 = 8000;

    /// The TCP port of the application: the one that is asked for health, else LychD's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.health.as_ref().map_or(Self::PORT, |health| health.port)
    }

    /// The contract of a core called `project` that writes none: LychD's, with the application at
    /// `<package>.app:create_app`.
    #[must_use]
    pub fn of_core(project: &PackageName) -> Self {
        let user = User { name: "lich".to_owned(), uid: 1001 };
        let application = format!("{}.app:create_app", project.as_dist_info_name());
        let command =
            ["granian", "--interface", "asgi", "--factory", "--workers", "1", "--host", "0.0.0.0", "--port"];
        let command =
            command.into_iter().map(str::to_owned).chain([Self::PORT.to_string(), application.clone()]);
        let env = BTreeMap::from([("LITESTAR_APP".to_owned(), application)]);
        Self {
            command: command.collect(),
            env: home_environment(&user.name).into_iter().chain(env).collect(),
            directories: home_directories(&user.name),
            user,
            health: None,
            labels: BTreeMap::new(),
        }
    }
}

fn home_environment(user: &str) -> BTreeMap<String, String> {
    let home = [("HOME", ""), ("XDG_CONFIG_HOME", "/.config"), ("XDG_DATA_HOME", "/.local/share")];
    home.into_iter().map(|(name, below)| (name.to_owned(), format!("/home/{user}{below}"))).collect()
}

fn home_directories(user: &str) -> Vec<String> {
    ["", "/.config/lychd", "/.local/share/lychd/extensions", "/.local/share/lychd/lab", "/library", "/work"]
        .map(|below| format!("/home/{user}{below}"))
        .into()
}

pub(super) fn read(project: &PackageName, table: &Table, errors: &mut Vec<Diagnostic>) -> ImageContract {
    const TITLE: &str = "[tool.lychd.image]";
    let mut contract = ImageContract::of_core(project);
    let mut reader = Reader::new(table, TITLE, errors);
    let (command, user, env) = (reader.strings("command"), reader.table("user"), reader.table("env"));
    let directories = reader.strings("directories");
    let (health, labels) = (reader.table("health"), reader.table("labels"));
    if let Some(user) = user {
        read_user(user, &mut contract.user, reader.errors());
        contract.env.extend(home_environment(&contract.user.name));
        contract.directories = home_directories(&contract.user.name);
    }
    if let Some(command) = command {
        let mut words = Vec::new();
        for word in &command {
            if is_plain(word.value) {
                words.push(word.value.to_owned());
            } else {
                let message =
                    format!("`command` in {TITLE}: a word is empty, too long or has control characters");
                reader.errors().push(Diagnostic::new(message).at(word.place.clone(), ""));
            }
        }
        if let (true, Some(node)) = (command.is_empty(), reader.node("command")) {
            let place = node.place.clone();
            reader.errors().push(Diagnostic::new(format!("`command` in {TITLE} is empty")).at(place, ""));
        }
        contract.command = words;
        contract.env.remove("LITESTAR_APP");
    }
    if let Some(directories) = directories {
        contract.directories = Vec::new();
        for directory in directories {
            let top = directory.value.split('/').nth(1).unwrap_or_default();
            if is_absolute(directory.value) && SEALED.contains(&top) {
                let message = format!("`directories` in {TITLE}: `/{top}` is the body's own");
                reader.errors().push(
                    Diagnostic::new(message).at(directory.place, "").help(
                        "what runs is never writable: use a directory of the user, or below /srv or /var",
                    ),
                );
            } else if is_absolute(directory.value) {
                contract.directories.push(directory.value.to_owned());
            } else {
                let message = format!(
                    "`directories` in {TITLE}: `{}` is not a plain absolute path",
                    directory.value.escape_debug()
                );
                reader.errors().push(Diagnostic::new(message).at(directory.place, ""));
            }
        }
        contract.directories.sort();
        contract.directories.dedup();
    }
    reader.finish();
    if let Some(env) = env {
        contract.env.extend(texts(env, "[tool.lychd.image.env]", is_variable, errors));
    }
    if let Some(labels) = labels {
        contract.labels = texts(labels, "[tool.lychd.image.labels]", is_label, errors);
    }
    contract.health =
        health.zip(table.field("health")).and_then(|(health, field)| read_health(health, &field.key, errors));
    contract
}

fn read_user(table: &Table, user: &mut User, errors: &mut Vec<Diagnostic>) {
    const TITLE: &str = "`user` of [tool.lychd.image]";
    let mut reader = Reader::new(table, TITLE, errors);
    if let Some(name) = reader.string("name") {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"_-".contains(&c);
        let first = name.value.bytes().next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_');
        if first && name.value.len() <= 32 && name.value.bytes().all(inner) && name.value != "root" {
            name.value.clone_into(&mut user.name);
        } else {
            let message = format!(
                "`name` in {TITLE}: `{}` is not an account name (a-z, 0-9, `_`, `-`; not root)",
                name.value.escape_debug()
            );
            reader.errors().push(Diagnostic::new(message).at(name.place, ""));
        }
    }
    // Below 1000 are the system's own accounts, from 65534 on nobody and what the kernel keeps.
    match reader.number("uid", 65_533).map(u32::try_from) {
        Some(Ok(uid)) if uid >= 1000 => user.uid = uid,
        Some(_) => {
            let place = reader.node("uid").map(|node| node.place.clone());
            let wrong = Diagnostic::new(format!("`uid` in {TITLE} must be between 1000 and 65533"));
            reader.errors().extend(place.map(|place| wrong.at(place, "")));
        }
        None => {}
    }
}

fn read_health(table: &Table, place: &Place, errors: &mut Vec<Diagnostic>) -> Option<Health> {
    const TITLE: &str = "`health` of [tool.lychd.image]";
    let mut reader = Reader::new(table, TITLE, errors);
    let path = reader.string("http");
    let port =
        reader.number(like("port", "8100"), u64::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
    if let (Some(0), Some(node)) = (port, table.get("port")) {
        let message = format!("`port` in {TITLE} must be between 1 and 65535");
        reader.errors().push(Diagnostic::new(message).at(node.place.clone(), ""));
    }
    let sound = |path: &str| {
        path.starts_with('/') && path.bytes().all(|c| c.is_ascii_graphic() && !b"\"'\\`$%{}<>".contains(&c))
    };
    match path {
        Some(path) if sound(path.value) => {
            let (port, place) = match table.get("port") {
                None => (ImageContract::PORT, place),
                Some(node) => (port.filter(|&port| port > 0)?, &node.place),
            };
            Some(Health { http: path.value.to_owned(), port, place: place.clone() })
        }
        Some(path) => {
            let message = format!("`http` in {TITLE}: `{}` is not a plain path", path.value.escape_debug());
            reader.errors().push(Diagnostic::new(message).at(path.place, ""));
            None
        }
        None => {
            if table.get("http").is_none() {
                let place = table.iter().next().map(|(_, field)| field.key.clone());
                let missing = Diagnostic::new(format!("{TITLE} has no `http`"));
                reader.errors().extend(Some(place.map_or(missing.clone(), |place| missing.at(place, ""))));
            }
            None
        }
    }
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
