//! Mounts: a path of the host at a path of a container.

use std::{collections::BTreeSet, str::FromStr};

/// A mount: `host:container[:options]`, as Podman's `Volume=` has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume {
    /// On the host: absolute, or below the user's home with `~/` or `%h/`.
    host: String,
    /// In the container: absolute.
    container: String,
    /// Options such as `ro`.
    options: BTreeSet<String>,
}

/// Why a text is no [`Volume`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a mount (`host:container[:options]`, plain paths that are absolute or begin with `~/` or `%h/`; options of {})", .0.escape_debug(), OPTIONS.join(", "))]
pub struct VolumeError(String);

/// The options LychD accepts.
const OPTIONS: [&str; 11] = ["O", "U", "Z", "copy", "nocopy", "nodev", "noexec", "nosuid", "ro", "rw", "z"];

impl Volume {
    /// The path on the host, as it was written.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path in the container.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The options, sorted.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(String::as_str)
    }
}

impl FromStr for Volume {
    type Err = VolumeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || VolumeError(text.to_owned());
        let mut parts = text.splitn(3, ':');
        let (host, container) = (parts.next().unwrap_or_default(), parts.next().ok_or_else(wrong)?);
        let words: Vec<&str> = parts.next().map(|words| words.split(',').collect()).unwrap_or_default();
        let options: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let home = host.strip_prefix("%h/").or_else(|| host.strip_prefix("~/"));
        let below = home.or_else(|| host.strip_prefix('/')).ok_or_else(wrong)?;
        let sound = text.len() <= 4096
            && is_plain_path(below)
            && container.strip_prefix('/').is_some_and(is_plain_path)
            && words.iter().all(|word| OPTIONS.contains(word))
            && options.len() == words.len()
            && !(options.contains("ro") && options.contains("rw"));
        let volume = Self { host: host.to_owned(), container: container.to_owned(), options };
        if sound { Ok(volume) } else { Err(wrong()) }
    }
}

/// Normal form, of characters that no unit file gives a meaning.
fn is_plain_path(path: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-+@=,".contains(&c);
    path.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_taken_apart() {
        let volume: Volume = "%h/models:/models:ro,Z".parse().unwrap();
        assert_eq!((volume.host(), volume.container()), ("%h/models", "/models"));
        assert_eq!(volume.options().collect::<Vec<_>>(), ["Z", "ro"]);
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
            "/a b:/c",
            "/a:/b\nX=1",
            "/a\\:/b",
        ] {
            assert!(bad.parse::<Volume>().is_err(), "{bad:?}");
        }
    }
}
