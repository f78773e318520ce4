//! An infrastructure rune: a container that an extension wants to run beside the body.
//!
//! Written as `[[tool.lychd.rune]]` or registered by a member's hook; both are read here.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    codex::{
        document::{Located, Node},
        reader::Reader,
    },
    diagnostic::{Diagnostic, Place},
    digest::Sha256,
    name::RuneName,
};

/// The keys of a rune.
const KEYS: [&str; 7] = ["name", "image", "capabilities", "groups", "port", "expose-port", "volumes"];

/// One rune, validated; each part that can collide with another rune's knows where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuneDefinition {
    /// Its name, to be unique in the federation.
    pub name: Located<RuneName>,
    /// The container image it runs.
    pub image: Located<ImageReference>,
    /// What it can do, for those who look for a service.
    pub capabilities: BTreeSet<RuneName>,
    /// The groups (Covens) it belongs to.
    pub groups: BTreeSet<RuneName>,
    /// The TCP port it listens on, 1 to 65535.
    pub port: Option<Located<u16>>,
    /// Whether the host may reach that port; never without a port.
    pub expose_port: bool,
    /// What it mounts, in order; no two at one path of the container.
    pub volumes: Vec<Volume>,
    /// Where the rune was written or registered.
    pub place: Place,
}

/// Reads one rune; `title` is what its table is called in messages. What is wrong goes to `errors`.
pub fn read(node: &Node, title: &str, errors: &mut Vec<Diagnostic>) -> Option<RuneDefinition> {
    let Some(table) = node.as_table() else {
        let message = format!("{title} must be a table, not {}", node.kind());
        errors.push(Diagnostic::new(message).at(node.place.clone(), ""));
        return None;
    };
    let before = errors.len();
    let mut reader = Reader::new(table, title, &KEYS, errors);
    let name = reader.parsed("name");
    let image = reader.parsed("image");
    let capabilities = values(reader.parsed_list("capabilities"));
    let groups = values(reader.parsed_list("groups"));
    let port = reader.number("port", u64::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
    let expose_port = reader.boolean("expose-port").unwrap_or(false);
    let volumes = volumes(&mut reader, title);
    let mut wrong = |message: String, key: &str| {
        let place = table.get(key).map_or_else(|| node.place.clone(), |node| node.place.clone());
        reader.errors().push(Diagnostic::new(message).at(place, ""));
    };
    for key in ["name", "image"] {
        if table.get(key).is_none() {
            wrong(format!("{title} has no `{key}`"), key);
        }
    }
    if port == Some(0) {
        wrong(format!("`port` in {title} must be between 1 and 65535"), "port");
    }
    if expose_port && table.get("port").is_none() {
        wrong(format!("`expose-port` in {title} needs a `port`"), "expose-port");
    }
    if errors.len() > before {
        return None;
    }
    let port = port.zip(table.get("port"));
    Some(RuneDefinition {
        name: name?,
        image: image?,
        capabilities,
        groups,
        port: port.map(|(value, node)| Located { value, place: node.place.clone() }),
        expose_port,
        volumes,
        place: node.place.clone(),
    })
}

fn values(list: Option<Vec<Located<RuneName>>>) -> BTreeSet<RuneName> {
    list.into_iter().flatten().map(|item| item.value).collect()
}

fn volumes(reader: &mut Reader<'_, '_>, title: &str) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for volume in reader.parsed_list::<Volume>("volumes").unwrap_or_default() {
        if volumes.iter().any(|other| other.container == volume.value.container) {
            let message = format!("`volumes` in {title} mount two at `{}`", volume.value.container);
            reader.errors().push(Diagnostic::new(message).at(volume.place, ""));
        } else {
            volumes.push(volume.value);
        }
    }
    volumes
}

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
    use crate::codex::document;

    const HASH: &str = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";

    fn rune(text: &str) -> Result<RuneDefinition, String> {
        let table = document::parse(&document::source("m.toml", text).unwrap()).unwrap();
        let mut errors = Vec::new();
        let node = &table.get("rune").unwrap().as_array().unwrap()[0];
        let rune = read(node, "[[rune]]", &mut errors);
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(rune.is_none(), !errors.is_empty(), "{text}");
        rune.ok_or(text)
    }

    #[test]
    fn a_whole_rune_is_read_with_its_places() {
        let text = format!(
            "[[rune]]\nname = 'vision'\nimage = 'docker.io/vllm/vllm-openai:v1@sha256:{HASH}'\n\
             capabilities = ['vision', 'ocr']\ngroups = ['night']\nport = 8000\nexpose-port = true\n\
             volumes = ['%h/models:/models:ro,Z', '/srv/x:/x']\n"
        );
        let rune = rune(&text).unwrap();
        let image = &rune.image.value;
        assert_eq!((image.repository(), image.tag()), ("docker.io/vllm/vllm-openai", Some("v1")));
        assert_eq!(image.digest().unwrap().to_string(), HASH);
        assert_eq!(rune.image.place.to_string(), "m.toml:3:9");
        let port = rune.port.unwrap();
        assert_eq!((port.value, port.place.to_string(), rune.expose_port), (8000, "m.toml:6:8".into(), true));
        let volume = &rune.volumes[0];
        assert_eq!((volume.host(), volume.container()), ("%h/models", "/models"));
        assert_eq!(volume.options().collect::<Vec<_>>(), ["Z", "ro"]);
        assert_eq!(
            (rune.capabilities.len(), rune.groups.len(), rune.place.to_string()),
            (2, 1, "m.toml:1:1".into())
        );
    }

    #[test]
    fn everything_wrong_in_a_rune_is_told() {
        let error =
            rune("[[rune]]\nname = '../x'\nport = 0\nexpose-port = 1\ngroups = ['a', 'a']\nfoo = 1\n");
        let error = error.unwrap_err();
        for want in [
            "`name` in [[rune]]: `../x` is not",
            "has no `image`",
            "between 1 and 65535",
            "`true` or `false`",
            "stands twice",
            "unknown key `foo`",
        ] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
        let error = rune(
            "[[rune]]\nname = 'x'\nimage = 'a/b'\nexpose-port = true\nvolumes = ['/a:/b', '/c:/b:ro']\n",
        );
        let error = error.unwrap_err();
        assert!(
            error.contains("needs a `port`\n  at m.toml:4") && error.contains("mount two at `/b`"),
            "{error}"
        );
    }

    #[test]
    fn hostile_images_and_mounts_are_refused() {
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
