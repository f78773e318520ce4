//! What `lychd.toml` says about units, with LychD's defaults filled in.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{
    diagnostic::Place,
    document::Located,
    name::{
        DatabaseName, SecretName,
        image::{UnitImage, UnitImageError},
        unit_text,
    },
};

/// A value, and where it is set; no place for LychD's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it is set.
    pub place: Option<Place>,
}

impl<T> From<Located<T>> for Setting<T> {
    fn from(located: Located<T>) -> Self {
        Self { value: located.value, place: Some(located.place) }
    }
}

/// The settings of LychD that shape units. The ports it publishes are
/// [`HostPorts`](crate::codex::HostPorts), the extensions [`Selection`](crate::codex::Selection).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lychd {
    /// `server.host`.
    pub host: Setting<Loopback>,
    /// `server.database`.
    pub database: Database,
    /// `server.web`.
    pub web: Web,
    /// `orchestration.switching`.
    pub switching: Switching,
}

/// `server.database`: the Phylactery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where a LychD outside the pod finds it.
    pub host: Setting<unit_text::UnitText>,
    /// `POSTGRES_USER`.
    pub user: Setting<DatabaseName>,
    /// `POSTGRES_DB`.
    pub database: Setting<DatabaseName>,
    /// The image it runs.
    pub image: Setting<DatabaseImage>,
    /// The Podman secret that holds its password.
    pub password_secret: Setting<SecretName>,
}

/// What the Phylactery runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseImage {
    /// `forged`: the body's own, the one for the role `database`.
    Forged,
    /// Somebody else's.
    Named(UnitImage),
}

impl FromStr for DatabaseImage {
    type Err = UnitImageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forged" { Ok(Self::Forged) } else { text.parse().map(Self::Named) }
    }
}

/// As it is written.
impl fmt::Display for DatabaseImage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forged => formatter.write_str("forged"),
            Self::Named(image) => image.fmt(formatter),
        }
    }
}

/// `server.web`: the Vessel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// The image it and the migration run.
    pub image: Setting<UnitImage>,
    /// The Podman secret that holds the key the application signs with; never the database's.
    pub secret_key_secret: Setting<SecretName>,
}

/// `orchestration.switching`: how one runtime is exchanged for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switching {
    /// Who carries it out.
    pub actuator: Setting<Actuator>,
    /// The inbox of the Host Reactor; `None` for `triggers/inbox` of the Crypt.
    pub host_reactor_dir: Option<Located<ReactorInbox>>,
}

/// LychD's defaults.
impl Default for Lychd {
    fn default() -> Self {
        Self {
            host: preset(Loopback::V4),
            database: Database {
                host: preset_text("localhost"),
                user: preset_text("lich"),
                database: preset_text("lychd"),
                image: preset_text("docker.io/pgvector/pgvector:pg18-trixie"),
                password_secret: preset_text("lychd_db_password"),
            },
            web: Web {
                image: preset_text("ghcr.io/hexanomicon/lychd:latest"),
                secret_key_secret: preset_text("lychd_app_secret_key"),
            },
            switching: Switching { actuator: preset(Actuator::HostReactor), host_reactor_dir: None },
        }
    }
}

fn preset<T>(value: T) -> Setting<T> {
    Setting { value, place: None }
}

/// Of a text in this file, which a test parses.
#[expect(clippy::panic, reason = "a default that is no value of its type cannot be compiled past the tests")]
fn preset_text<T: FromStr<Err: fmt::Display>>(text: &str) -> Setting<T> {
    match text.parse() {
        Ok(value) => preset(value),
        Err(error) => panic!("{error}"),
    }
}

/// The address the server listens at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// `127.0.0.1`
    V4,
    /// `::1`
    V6,
}

impl Loopback {
    /// Each with its spelling.
    pub const ALL: [(&'static str, Self); 2] = [("127.0.0.1", Self::V4), ("::1", Self::V6)];
}

/// Who exchanges one runtime for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actuator {
    /// A service of the host that reads intents from its inbox.
    HostReactor,
    /// LychD itself, which then does not run in a container.
    Systemd,
}

impl Actuator {
    /// Each with its spelling.
    pub const ALL: [(&'static str, Self); 2] =
        [("host-reactor", Self::HostReactor), ("systemd", Self::Systemd)];
}

/// The directory the Host Reactor takes intents from: absolute or below the user's home (`~/`), in normal form,
/// called `inbox`, of characters that a mount and a unit can have. Its journal is the directory `journal` beside
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactorInbox {
    in_home: bool,
    /// Its parent, without `/` at the start and the end; from a home it may begin with `..`.
    parent: String,
}

/// Why a text is no [`ReactorInbox`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReactorInboxError {
    /// Relative, or below another user's home.
    #[error("`{}` must be an absolute path, or begin with `~/`", .0.escape_debug())]
    Relative(String),
    /// Called otherwise.
    #[error("`{}` must be a directory called `inbox`", .0.escape_debug())]
    Name(String),
    /// A character with a meaning to systemd or to mounts, or none that people see.
    #[error("`{}` has a character that cannot stand in a unit (`%`, `\\`, `$`, `:`, a quote, or one that is not printable)", .0.escape_debug())]
    Character(String),
}

impl ReactorInbox {
    /// The inbox, for a user with this home.
    #[must_use]
    pub fn path(&self, home: &Path) -> PathBuf {
        self.beside(home, "inbox")
    }

    /// The journal beside it.
    #[must_use]
    pub fn journal(&self, home: &Path) -> PathBuf {
        self.beside(home, "journal")
    }

    fn beside(&self, home: &Path, name: &str) -> PathBuf {
        let mut path = PathBuf::from(if self.in_home { home } else { Path::new("/") });
        for part in self.parent.split('/').filter(|part| !part.is_empty()) {
            if part == ".." {
                path.pop();
            } else {
                path.push(part);
            }
        }
        path.join(name)
    }
}

impl FromStr for ReactorInbox {
    type Err = ReactorInboxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(['%', '\\', '$', ':', '"', '\'']) || !unit_text::is_printable(text) {
            return Err(ReactorInboxError::Character(text.to_owned()));
        }
        let (in_home, path) = match text.strip_prefix('~') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !(path.starts_with('/') || in_home && path.is_empty()) {
            return Err(ReactorInboxError::Relative(text.to_owned()));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
            match (part, parts.last()) {
                ("..", None) if !in_home => {}
                ("..", Some(&last)) if last != ".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        if parts.pop() != Some("inbox") {
            return Err(ReactorInboxError::Name(text.to_owned()));
        }
        Ok(Self { in_home, parent: parts.join("/") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_is_one_place_however_it_is_spelled() {
        let home = Path::new("/home/magus");
        for (text, inbox) in [
            ("/srv/lychd/inbox", "/srv/lychd/inbox"),
            ("//srv/./lychd//x/../inbox/", "/srv/lychd/inbox"),
            ("/../inbox", "/inbox"),
            ("~/a b/inbox", "/home/magus/a b/inbox"),
            ("~/../shared/inbox", "/home/shared/inbox"),
            ("~/a/../../../../srv/inbox", "/srv/inbox"),
        ] {
            let read: ReactorInbox = text.parse().unwrap();
            assert_eq!(read.path(home), Path::new(inbox), "{text}");
            assert_eq!(read.journal(home), Path::new(inbox).with_file_name("journal"), "{text}");
        }
        for (bad, want) in [
            ("", "absolute"),
            ("inbox", "absolute"),
            ("./inbox", "absolute"),
            ("~other/inbox", "absolute"),
            ("~", "called `inbox`"),
            ("/", "called `inbox`"),
            ("/srv/outbox", "called `inbox`"),
            ("/srv/inbox/..", "called `inbox`"),
            ("~/inbox/..", "called `inbox`"),
            ("/srv/%h/inbox", "cannot stand"),
            ("/srv\\x/inbox", "cannot stand"),
            ("/srv:ro/inbox", "cannot stand"),
            ("/srv\n/inbox", "cannot stand"),
            ("/\u{202e}srv/inbox", "cannot stand"),
        ] {
            let error = bad.parse::<ReactorInbox>().unwrap_err().to_string();
            assert!(error.contains(want), "{bad:?}: {error}");
        }
    }
}
