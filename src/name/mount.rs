//! Mounts: a path of the host, or a volume of podman's, at a path of a container.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{RuneName, unit_text::is_printable};

/// A path of the host: absolute, or below the user's home. In normal form, of characters that no unit file gives a
/// meaning: LychD's law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPath {
    /// Below the home directory; without `/` at either end.
    Home(String),
    /// With `/` before it and none behind.
    Absolute(String),
}

/// What a member's rune may mount: a path of the host, or a volume of podman's that is the member's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountSource {
    /// A path of the host.
    Host(HostPath),
    /// A volume, by the name that the member knows it by.
    Own(RuneName),
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

impl From<HostPath> for MountSource {
    fn from(path: HostPath) -> Self {
        Self::Host(path)
    }
}

impl FromStr for MountSource {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<RuneName>() {
            Ok(_) if text.starts_with("lychd-") => {
                let what = "a volume of the member's own by its short name: the forge puts `lychd-<member>-` before it";
                Err(PathError { text: text.to_owned(), what })
            }
            Ok(name) => Ok(Self::Own(name)),
            Err(_) if text.starts_with(['/', '~', '%']) || text.ends_with(".volume") => {
                text.parse().map(Self::Host)
            }
            Err(_) => {
                let what = "a path of the host (absolute or with `~/` before it) or the name of a volume of the member's own";
                Err(PathError { text: text.to_owned(), what })
            }
        }
    }
}

/// As a person writes it.
impl fmt::Display for MountSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(path) => path.fmt(formatter),
            Self::Own(name) => name.fmt(formatter),
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

/// A mount: `host:container[:options]`, as Podman's `Volume=` has it. What a Soulstone may mount is a path of the host
/// alone: LychD, which reads the Codex as well, knows no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume<S = HostPath> {
    source: S,
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
        &self.source
    }
}

/// Whether a mount with these options changes what is mounted: what is written there stays, or everything gets another
/// owner (`U`).
#[must_use]
pub fn is_writable<'a>(options: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut keeps, mut owns) = (true, false);
    for option in options {
        keeps &= !matches!(option, "ro" | "O");
        owns |= option == "U";
    }
    keeps || owns
}

impl<S> Volume<S> {
    /// What is mounted.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
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

    /// As [`is_writable`].
    #[must_use]
    pub fn is_writable(&self) -> bool {
        is_writable(self.options())
    }
}

/// As it is written, with `%h/` for the home.
impl<S: fmt::Display> fmt::Display for Volume<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.source, self.container)?;
        let options: Vec<&str> = self.options().collect();
        if options.is_empty() { Ok(()) } else { write!(formatter, ":{}", options.join(",")) }
    }
}

impl<S: FromStr<Err = PathError>> FromStr for Volume<S> {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(source), Some(container)) = (parts.next(), parts.next()) else {
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
        Ok(Self { source: source.parse()?, container: container.parse()?, options })
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
    fn a_member_mounts_a_path_or_a_volume_of_its_own() {
        let own: Volume<MountSource> = "cache-2:/var/cache:U".parse().unwrap();
        assert!(matches!(own.source(), MountSource::Own(name) if name.as_str() == "cache-2"), "{own:?}");
        assert_eq!((own.to_string().as_str(), own.is_writable()), ("cache-2:/var/cache:U", true));
        let host: Volume<MountSource> = "~/m:/m:ro".parse().unwrap();
        assert!(matches!(host.source(), MountSource::Host(_)) && !host.is_writable(), "{host:?}");
        for (options, writable) in
            [("", true), ("Z,rw", true), ("O", false), ("ro,z", false), ("U,ro", true), ("nodev,ro", false)]
        {
            assert_eq!(is_writable(options.split(',')), writable, "{options}");
        }
        for (bad, want) in [
            ("lychd-other-data:/x", "by its short name"),
            ("Data:/x", "or the name of a volume of the member's own"),
            ("../x:/x", "or the name of a volume"),
            ("x.volume:/x", "takes it for a unit"),
            ("~x:/x", "is not a path of the host"),
            (":/x", "or the name of a volume"),
        ] {
            let told = bad.parse::<Volume<MountSource>>().unwrap_err().to_string();
            assert!(told.contains(want), "{bad}: {told}");
        }
        assert!("cache:/x".parse::<Volume>().is_err(), "a Soulstone");
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
