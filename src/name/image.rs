//! Container images: by name, and by the ID that podman gives them.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use crate::digest::Sha256;

/// A container image by name: `[host[:port]/]path[:tag][@sha256:<hex>]`.
///
/// The grammar is that of <https://github.com/distribution/reference>, with podman's answer to what a host is: the
/// first part of several is one when it has a dot or a port, is an IPv6 address in brackets, or is `localhost`.
/// (Docker alone takes a capital letter for a host as well; podman refuses `A/b`, and so does this.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference {
    text: String,
    /// How long the host is, without its slash; 0 for none.
    host: usize,
    /// How long host and path are.
    name: usize,
    digest: Option<Sha256>,
}

/// Why a text is no [`ImageReference`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageReferenceError {
    /// It does not have the form of one.
    #[error("`{}` is not an image reference (`host/path:tag@sha256:<64 hex digits>`; tag and digest may be missing)", .0.escape_debug())]
    Form(String),
    /// Podman would read it as a place of another kind.
    #[error("`{}` is not an image of a registry: `{transport}:` is a transport to podman, which verifies no digest (write `host/path:tag@sha256:<64 hex digits>`)", .text.escape_debug())]
    Transport {
        /// The whole text.
        text: String,
        /// The transport's name.
        transport: &'static str,
    },
}

/// What podman reads as the kind of a place when `:` stands behind it. `docker:` is no such name without `//`, which
/// no reference has.
///
/// Source: the transports of <https://github.com/containers/image>, each tried with podman.
const TRANSPORTS: [&str; 9] = [
    "containers-storage",
    "dir",
    "docker-archive",
    "docker-daemon",
    "oci",
    "oci-archive",
    "ostree",
    "sif",
    "tarball",
];

impl ImageReference {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The registry, with its port when it has one; `None` for a short name.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.text.get(..self.host).filter(|host| !host.is_empty())
    }

    /// What the registry knows it by.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.text.get(self.host..self.name).unwrap_or_default();
        path.strip_prefix('/').unwrap_or(path)
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
        let wrong = || ImageReferenceError::Form(text.to_owned());
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        if let Some(transport) = TRANSPORTS.into_iter().find(|known| Some(*known) == scheme) {
            return Err(ImageReferenceError::Transport { text: text.to_owned(), transport });
        }
        let (named, digest) = match text.split_once('@') {
            None => (text, None),
            Some((named, digest)) => {
                let hex = digest.strip_prefix("sha256:").ok_or_else(wrong)?;
                (named, Some(hex.parse().map_err(|_| wrong())?))
            }
        };
        let last = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named.get(last..).and_then(|last| last.find(':')) {
            None => (named.len(), None),
            Some(colon) => (last + colon, named.get(last + colon + 1..)),
        };
        let repository = named.get(..name).unwrap_or_default();
        let (host, path) = repository
            .split_once('/')
            .filter(|(first, _)| *first == "localhost" || first.contains(['.', ':']))
            .unwrap_or(("", repository));
        let sound = text.len() <= 500
            && (host.is_empty() || is_host(host))
            && path.split('/').all(is_component)
            && tag.is_none_or(is_tag);
        if sound { Ok(Self { text: text.to_owned(), host: host.len(), name, digest }) } else { Err(wrong()) }
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A domain name or an address, and a port.
fn is_host(text: &str) -> bool {
    let (address, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').unwrap_or(("", text)),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_address = if text.starts_with('[') {
        address.parse::<Ipv6Addr>().is_ok()
    } else {
        address.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
    };
    let is_port = |port: &str| port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_address && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Lower-case letters and digits in runs, with `.`, `_`, `__` or dashes between two of them.
fn is_component(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |between: &str| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|c| c == b'-');
    text.starts_with(is_inner) && text.ends_with(is_inner) && text.split(is_inner).all(is_separator)
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
    /// It names a place of another kind.
    #[error(transparent)]
    Transport(ImageReferenceError),
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
        let name: ImageReference = text.parse().map_err(|error| match error {
            ImageReferenceError::Form(text) => UnitImageError::Name(text),
            transport @ ImageReferenceError::Transport { .. } => UnitImageError::Transport(transport),
        })?;
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
    fn what_is_a_registry_is_what_podman_takes_for_one() {
        let pinned = format!("registry:5000/x/y@sha256:{HASH}");
        for (text, host, path) in [
            (pinned.as_str(), Some("registry:5000"), "x/y"),
            ("registry:5000/x/y:1", Some("registry:5000"), "x/y"),
            ("docker:5000/x", Some("docker:5000"), "x"),
            ("localhost/x", Some("localhost"), "x"),
            ("localhost:1/x/y/z", Some("localhost:1"), "x/y/z"),
            ("10.0.0.7/x", Some("10.0.0.7"), "x"),
            ("[::1]/x", Some("[::1]"), "x"),
            ("[fd00::7]:5000/x:1", Some("[fd00::7]:5000"), "x"),
            ("Registry.LAN/x", Some("Registry.LAN"), "x"),
            ("REGISTRY:5000/x", Some("REGISTRY:5000"), "x"),
            ("ghcr.io/a/b__c.d--e_f", Some("ghcr.io"), "a/b__c.d--e_f"),
            ("registry/x/y", None, "registry/x/y"),
            ("localhost", None, "localhost"),
            ("localhost:5000", None, "localhost"),
            ("a.b:1", None, "a.b"),
            ("vllm", None, "vllm"),
            (HASH, None, HASH),
        ] {
            let image: ImageReference = text.parse().unwrap();
            assert_eq!((image.host(), image.path()), (host, path), "{text}");
            let slash = if host.is_some() { "/" } else { "" };
            assert_eq!(image.repository(), format!("{}{slash}{path}", host.unwrap_or_default()), "{text}");
        }
        // Podman refuses each of them too.
        for bad in [
            "A/b",
            "a.b/C",
            "a_b:5000/x",
            "a-.b/x",
            "a..b/x",
            ".b/x",
            "a.b:/x",
            "a.b:x/y",
            "a.b:65536/x",
            "a.b:+1/x",
            "[::1/x",
            "::1/x",
            "[::1]x/y",
            "[::g]/x",
            "[]/x",
            "[a.b]/x",
            "a.b/x___y",
            "a.b/x._y",
            "a.b/x-",
            "a.b/x/",
            "a.b/",
            "a.b:1/x:2/y",
        ] {
            let error = bad.parse::<ImageReference>().unwrap_err();
            assert!(matches!(error, ImageReferenceError::Form(_)), "{bad}");
        }
        for transport in TRANSPORTS {
            for text in ["9/x", "/srv/x", "x", ""].map(|rest| format!("{transport}:{rest}")) {
                let error = text.parse::<ImageReference>().unwrap_err();
                assert!(matches!(error, ImageReferenceError::Transport { .. }), "{text}");
            }
            for text in [transport.to_owned(), format!("{transport}/x"), format!("{transport}.b:1/x")] {
                assert!(text.parse::<ImageReference>().is_ok(), "{text}");
            }
        }
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
            ("docker-archive:/srv/a.tar", "`docker-archive:` is a transport to podman"),
            ("docker://a.b/c", "is not an image ("),
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
