//! Container images: by name, and by the ID that podman gives them.

use std::{fmt, str::FromStr};

use crate::digest::Sha256;

/// A container image by name: `[host[:port]/]path[:tag][@sha256:<hex>]` (the OCI distribution grammar, in lower
/// case).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference {
    text: String,
    name: usize,
    digest: Option<Sha256>,
}

/// Why a text is no [`ImageReference`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an image reference (`host/path:tag@sha256:<64 hex digits>`; tag and digest may be missing)", .0.escape_debug())]
pub struct ImageReferenceError(String);

impl ImageReference {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and path, without tag and digest.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.text.get(..self.name).unwrap_or_default()
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        let rest = self.text.get(self.name..)?.strip_prefix(':')?;
        Some(rest.split_once('@').map_or(rest, |(tag, _)| tag))
    }

    /// The digest that pins it.
    #[must_use]
    pub fn digest(&self) -> Option<Sha256> {
        self.digest
    }
}

impl FromStr for ImageReference {
    type Err = ImageReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ImageReferenceError(text.to_owned());
        let (named, digest) = match text.split_once('@') {
            None => (text, None),
            Some((named, digest)) => {
                let hex = digest.strip_prefix("sha256:").ok_or_else(wrong)?;
                (named, Some(hex.parse().map_err(|_| wrong())?))
            }
        };
        let path = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named.get(path..).and_then(|last| last.find(':')) {
            None => (named.len(), None),
            Some(colon) => (path + colon, named.get(path + colon + 1..)),
        };
        let repository = named.get(..name).unwrap_or_default();
        let sound = text.len() <= 500 && is_repository(repository) && tag.is_none_or(is_tag);
        if sound { Ok(Self { text: text.to_owned(), name, digest }) } else { Err(wrong()) }
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.bytes().all(|c| inner(c) || b"._-".contains(&c))
            && part.bytes().next().is_some_and(inner)
            && part.bytes().last().is_some_and(inner)
            && !part.contains("..")
    };
    let (host, path) = text.split_once('/').map_or((None, text), |(host, path)| (Some(host), path));
    let host = host.is_none_or(|host| {
        let (domain, number) = host.split_once(':').unwrap_or((host, "1"));
        part(domain) && (1..=5).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit())
    });
    host && path.split('/').all(part)
}

fn is_tag(text: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|c| word(c) || b".-".contains(&c))
}

/// What a unit's `Image=` may say: an image by its ID, or by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitImage {
    /// One image, whatever its names: the sha256 of its configuration.
    Id(ImageId),
    /// What the name means when the unit starts.
    Named(ImageReference),
}

/// An image ID in full, as it was written: 64 hex digits, with `sha256:` before them or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageId {
    digest: Sha256,
    bare: bool,
}

/// Why a text is no [`UnitImage`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitImageError {
    /// It begins as an ID.
    #[error("`{}` is not an image ID (`sha256:` and 64 hex digits in lower case)", .0.escape_debug())]
    Id(String),
    /// Quadlet would look for a unit of that name.
    #[error("`{0}` names a unit to Quadlet, not an image (it ends in `.image` or `.build`)")]
    Unit(String),
    /// It is no name either.
    #[error("`{}` is not an image (`sha256:<64 hex digits>`, or `host/path:tag@sha256:<64 hex digits>`, where host, tag and digest may be missing)", .0.escape_debug())]
    Name(String),
}

impl ImageId {
    /// The hash itself.
    #[must_use]
    pub const fn digest(self) -> Sha256 {
        self.digest
    }
}

impl From<Sha256> for ImageId {
    fn from(digest: Sha256) -> Self {
        Self { digest, bare: false }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", if self.bare { "" } else { "sha256:" }, self.digest)
    }
}

impl UnitImage {
    /// The image ID, when that is how it is named.
    #[must_use]
    pub const fn id(&self) -> Option<Sha256> {
        match self {
            Self::Id(id) => Some(id.digest),
            Self::Named(_) => None,
        }
    }
}

/// As it was written.
impl fmt::Display for UnitImage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Named(name) => name.fmt(formatter),
        }
    }
}

impl FromStr for UnitImage {
    type Err = UnitImageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Without this, an ID that lost a digit would be the image `sha256` with a tag.
        if let Some(hex) = text.strip_prefix("sha256:") {
            let digest = hex.parse().map_err(|_| UnitImageError::Id(text.to_owned()))?;
            return Ok(Self::Id(ImageId { digest, bare: false }));
        }
        if let Ok(digest) = text.parse() {
            return Ok(Self::Id(ImageId { digest, bare: true }));
        }
        let name: ImageReference = text.parse().map_err(|_| UnitImageError::Name(text.to_owned()))?;
        if [".image", ".build"].iter().any(|end| text.ends_with(end)) {
            return Err(UnitImageError::Unit(text.to_owned()));
        }
        Ok(Self::Named(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";

    #[test]
    fn a_name_is_taken_apart() {
        let text = format!("docker.io/vllm/vllm-openai:v1@sha256:{HASH}");
        let image: ImageReference = text.parse().unwrap();
        assert_eq!((image.repository(), image.tag()), ("docker.io/vllm/vllm-openai", Some("v1")));
        assert_eq!(image.digest().unwrap().to_string(), HASH);
    }

    #[test]
    fn hostile_names_are_refused() {
        for bad in [
            "",
            "A/b",
            "a/b:",
            "a/b@sha256:00",
            "a/b@md5:00",
            "a b",
            "a/../b",
            "a/b:t\nExecStart=x",
            "-a/b",
            "a:123456/b",
            "a/b@",
            "${x}",
            "a//b",
            "a/b:-t",
            "http://a/b",
            "a/b:c:d",
        ] {
            assert!(bad.parse::<ImageReference>().is_err(), "{bad:?}");
        }
        for good in ["vllm", "vllm/vllm-openai:latest", "localhost:5000/a/b", "ghcr.io/a/b__c:V1.0-x"] {
            assert!(good.parse::<ImageReference>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_unit_names_its_image_by_id_or_name_and_says_it_as_it_was_written() {
        let image = |text: &str| text.parse::<UnitImage>().map_err(|error| error.to_string());
        for id in [format!("sha256:{HASH}"), HASH.to_owned()] {
            let read = image(&id).unwrap();
            assert_eq!((read.id().unwrap().to_string().as_str(), read.to_string()), (HASH, id));
        }
        for name in ["lychd:custom", "ghcr.io/a/b@sha256:", "localhost:5000/a/b", "0e5751c026e5"] {
            let name = if name.ends_with(':') { format!("{name}{HASH}") } else { name.to_owned() };
            let read = image(&name).unwrap();
            assert_eq!((read.id(), read.to_string()), (None, name));
        }
        for (bad, want) in [
            ("sha256:0e5751c026e5", "is not an image ID"),
            (&HASH.to_uppercase(), "is not an image ("),
            (&format!("sha256:{}", HASH.to_uppercase()), "is not an image ID"),
            (&format!("sha512:{HASH}{HASH}{HASH}"), "is not an image ("),
            ("docker-archive:/srv/a.tar", "is not an image ("),
            ("lychd.image", "names a unit to Quadlet"),
            ("localhost/a:1.build", "names a unit to Quadlet"),
            ("", "is not an image ("),
            ("a/b:t\nPodmanArgs=--privileged", "is not an image ("),
        ] {
            let error = image(bad).unwrap_err();
            assert!(error.contains(want), "{bad}: {error}");
        }
    }
}
