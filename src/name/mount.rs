//! Mounts: a path of the host at a path of a container.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::unit_text::is_printable;

/// A path of the host: absolute, or below the user's home. In normal form, of characters that no unit file gives a
/// meaning: LychD's law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPath {
    /// Below the home directory; without `/` at either end.
    Home(String),
    /// With `/` before it and none behind.
    Absolute(String),
}

/// A path in a container: absolute, in normal form, of the same characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerPath(String);
text_name!(ContainerPath);

/// Why a text is no path of a mount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}, without any of `: ' \" $ % \\`", .text.escape_debug())]
pub struct PathError {
    text: String,
    what: &'static str,
}

impl HostPath {
    /// A path that was found on the host; `None` when a unit cannot hold it.
    #[must_use]
    pub fn found(path: &Path, home: &Path) -> Option<Self> {
        let text = path.to_str()?;
        match path.strip_prefix(home).ok().and_then(Path::to_str) {
            Some(below) if !below.is_empty() => format!("~/{below}").parse().ok(),
            _ => text.parse().ok(),
        }
    }

    /// The path on a host with this home directory.
    #[must_use]
    pub fn on(&self, home: &Path) -> PathBuf {
        match self {
            Self::Home(below) => home.join(below),
            Self::Absolute(path) => PathBuf::from(path),
        }
    }

    /// Its last part.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Home(text) | Self::Absolute(text)) = self;
        text.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for HostPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let short = shortened(text);
        if short.ends_with(".volume") {
            let what = "a directory to Quadlet, which takes it for a unit by its ending `.volume`";
            return Err(PathError { text: text.to_owned(), what });
        }
        let home = short.strip_prefix("%h/").or_else(|| short.strip_prefix("~/"));
        match (home, short.strip_prefix('/')) {
            (Some(below), _) if is_plain(below) => Ok(Self::Home(below.to_owned())),
            // Podman copies an absolute one into RequiresMountsFor=, where a blank ends it.
            (None, Some(below)) if is_plain(below) && !below.contains(' ') => {
                Ok(Self::Absolute(short.to_owned()))
            }
            (None, Some(below)) if is_plain(below) => {
                let what = "a path that podman can mount: below the home directory, or without a blank";
                Err(PathError { text: text.to_owned(), what })
            }
            _ => {
                let what = "a path of the host: absolute or with `~/` before it";
                Err(PathError { text: text.to_owned(), what })
            }
        }
    }
}

/// As a person and systemd write it: `%h/…`, or absolute.
impl fmt::Display for HostPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home(below) => write!(formatter, "%h/{below}"),
            Self::Absolute(path) => formatter.write_str(path),
        }
    }
}

impl FromStr for ContainerPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let short = shortened(text);
        if short.strip_prefix('/').is_some_and(is_plain) {
            Ok(Self(short.to_owned()))
        } else {
            Err(PathError { text: text.to_owned(), what: "an absolute path in a container" })
        }
    }
}

/// Without the one `/` that people write behind a directory.
fn shortened(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}

fn is_plain(path: &str) -> bool {
    let sound = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.trim() == part
            && !part.contains([':', '\'', '"', '$', '%', '\\'])
            && is_printable(part)
    };
    path.len() <= 4096 && path.split('/').all(sound)
}

/// A mount: `host:container[:options]`, as Podman's `Volume=` has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume {
    host: HostPath,
    container: ContainerPath,
    options: BTreeSet<String>,
}

/// Why a text is no [`Volume`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VolumeError {
    /// Its shape.
    #[error("`{}` is not a mount (`host:container` or `host:container:options`)", .0.escape_debug())]
    Shape(String),
    /// One of its paths.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Its options.
    #[error("`{}` has unknown, repeated or contrary options (known: {})", .0.escape_debug(), OPTIONS.join(", "))]
    Options(String),
}

/// The options LychD accepts.
const OPTIONS: [&str; 11] = ["O", "U", "Z", "copy", "nocopy", "nodev", "noexec", "nosuid", "ro", "rw", "z"];

impl Volume {
    /// The path on the host.
    #[must_use]
    pub fn host(&self) -> &HostPath {
        &self.host
    }

    /// The path in the container.
    #[must_use]
    pub fn container(&self) -> &str {
        self.container.as_str()
    }

    /// The options, sorted.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(String::as_str)
    }
}

/// As it is written, with `%h/` for the home.
impl fmt::Display for Volume {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.container)?;
        let options: Vec<&str> = self.options().collect();
        if options.is_empty() { Ok(()) } else { write!(formatter, ":{}", options.join(",")) }
    }
}

impl FromStr for Volume {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(container)) = (parts.next(), parts.next()) else {
            return Err(VolumeError::Shape(text.to_owned()));
        };
        let words: Vec<&str> = parts.next().map(|words| words.split(',').collect()).unwrap_or_default();
        let options: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let sound = words.iter().all(|word| OPTIONS.contains(word))
            && options.len() == words.len()
            && !(options.contains("ro") && options.contains("rw"));
        if !sound {
            return Err(VolumeError::Options(text.to_owned()));
        }
        Ok(Self { host: host.parse()?, container: container.parse()?, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_taken_apart() {
        let volume: Volume = "%h/models/:/models:ro,Z".parse().unwrap();
        assert_eq!((volume.host().to_string().as_str(), volume.container()), ("%h/models", "/models"));
        assert_eq!(volume.options().collect::<Vec<_>>(), ["Z", "ro"]);
        let volume: Volume = "~/My Models:/m".parse().unwrap();
        assert_eq!(volume.host().on(Path::new("/home/x")), Path::new("/home/x/My Models"));
        let found =
            |path: &str| HostPath::found(Path::new(path), Path::new("/home/x")).map(|path| path.to_string());
        assert_eq!(found("/home/x/a b").as_deref(), Some("%h/a b"));
        assert_eq!(found("/home/xy").as_deref(), Some("/home/xy"));
        assert_eq!(found("/srv/50%"), None);
    }

    #[test]
    fn hostile_mounts_are_refused() {
        for bad in [
            "",
            "/a",
            "a:/b",
            "/a:b",
            "/:/b",
            "/a:/",
            "/a/../b:/c",
            "/a:/b:",
            "/a:/b:ro,rw",
            "/a:/b:exec",
            "/a:/b:ro:ro",
            "/a:/b:ro,ro",
            "/a$:/b",
            "/%h/a:/b",
            "%u/a:/b",
            "~:/b",
            "~a:/b",
            "/a :/c",
            "/a: /c",
            "/a:/b\nX=1",
            "/a\\:/b",
            "/a//b:/c",
            "/a'b:/c",
            "/a b:/c",
        ] {
            assert!(bad.parse::<Volume>().is_err(), "{bad:?}");
        }
    }
}
