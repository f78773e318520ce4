//! An infrastructure rune: a container that an extension wants to run beside the body.
//!
//! Written as `[[tool.lychd.rune]]` or registered by a member's hook; both are read here.

use std::collections::BTreeSet;

pub use crate::name::{
    image::{ImageReference, ImageReferenceError},
    mount::{MountSource, Volume, VolumeError},
};
use crate::{
    codex::{Grants, grants},
    diagnostic::{Diagnostic, Place},
    document::{
        Located, Node,
        reader::{Reader, like},
    },
    name::{RuneName, unit_text::is_printable},
};

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
    pub volumes: Vec<Located<Volume<MountSource>>>,
    /// A program in its container, with arguments, that ends with 0 when it is well; empty when it is not asked.
    pub health: Vec<String>,
    /// What it asks for beyond the hardened default.
    pub grants: Grants,
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
    let mut reader = Reader::new(table, title, errors);
    let name = reader.parsed("name");
    let image = reader.parsed("image");
    let capabilities = values(reader.parsed_list(like("capabilities", r#"["vision"]"#)));
    let groups = values(reader.parsed_list(like("groups", r#"["night"]"#)));
    let port =
        reader.number(like("port", "8100"), u64::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
    let expose_port = reader.boolean("expose-port").unwrap_or(false);
    let volumes = volumes(&mut reader, title);
    let health = health(&mut reader, title);
    let grants = reader
        .table(like("grants", "{ writable = true }"))
        .map(|table| grants::read(table, &format!("`grants` of {title}"), reader.errors()));
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
    reader.finish();
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
        health,
        grants: grants.unwrap_or_default(),
        place: node.place.clone(),
    })
}

impl RuneDefinition {
    /// The rune as JSON, with the keys that [`read`] takes.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let Self { name, image, capabilities, groups, port, expose_port, volumes, health, grants, place: _ } =
            self;
        let volume = |volume: &Located<Volume<MountSource>>| volume.value.to_string();
        serde_json::json!({
            "name": name.value,
            "image": image.value.to_string(),
            "capabilities": capabilities,
            "groups": groups,
            "port": port.as_ref().map(|port| port.value),
            "expose-port": expose_port,
            "volumes": volumes.iter().map(volume).collect::<Vec<_>>(),
            "health": (!health.is_empty()).then(|| serde_json::json!({ "command": health })),
            "grants": grants.to_json(),
        })
    }
}

fn values(list: Option<Vec<Located<RuneName>>>) -> BTreeSet<RuneName> {
    list.into_iter().flatten().map(|item| item.value).collect()
}

fn volumes(reader: &mut Reader<'_, '_>, title: &str) -> Vec<Located<Volume<MountSource>>> {
    const EXAMPLE: &str = r#"["cache:/var/cache", "~/weights:/models:ro"]"#;
    let mut volumes: Vec<Located<Volume<MountSource>>> = Vec::new();
    for volume in reader.parsed_list::<Volume<MountSource>>(like("volumes", EXAMPLE)).unwrap_or_default() {
        match volumes.iter().find(|other| other.value.container() == volume.value.container()) {
            Some(other) => {
                let message = format!("`volumes` in {title} mount two at `{}`", volume.value.container());
                let two = Diagnostic::new(message).at(volume.place, "").at(other.place.clone(), "the first");
                reader.errors().push(two.help("give one of them another path in the container"));
            }
            None => volumes.push(volume),
        }
    }
    volumes
}

/// `health`: `{ command }`.
fn health(reader: &mut Reader<'_, '_>, title: &str) -> Vec<String> {
    const EXAMPLE: &str = r#"{ command = ["redis-cli", "ping"] }"#;
    let Some(table) = reader.table(like("health", EXAMPLE)) else { return Vec::new() };
    let title = format!("`health` of {title}");
    let mut health = Reader::new(table, title.as_str(), reader.errors());
    let given = health.strings(like("command", r#"["redis-cli", "ping"]"#)).unwrap_or_default();
    health.finish();
    let mut words = Vec::new();
    for word in given {
        if !word.value.is_empty() && word.value.len() <= 4096 && is_printable(word.value) {
            words.push(word.value.to_owned());
        } else {
            let message = format!("`command` in {title}: a word is empty, too long or cannot be shown");
            reader.errors().push(Diagnostic::new(message).at(word.place, ""));
        }
    }
    if words.is_empty()
        && let Some(node) = reader.node("health")
    {
        let place = node.place.clone();
        let wrong = Diagnostic::new(format!("{title} names no program")).at(place, "");
        reader.errors().push(wrong.help(format!("for example: `health = {EXAMPLE}`")));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

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
             volumes = ['%h/models:/models:ro,Z', '/srv/x:/x']\nhealth = {{ command = ['curl', '-f', 'x'] }}\n"
        );
        let rune = rune(&text).unwrap();
        let image = &rune.image.value;
        assert_eq!((image.repository(), image.tag()), ("docker.io/vllm/vllm-openai", Some("v1")));
        assert_eq!(image.digest().unwrap().to_string(), HASH);
        assert_eq!(rune.image.place.to_string(), "m.toml:3:9");
        assert_eq!(rune.health, ["curl", "-f", "x"]);
        let port = rune.port.unwrap();
        assert_eq!((port.value, port.place.to_string(), rune.expose_port), (8000, "m.toml:6:8".into(), true));
        assert_eq!(rune.volumes[1].place.to_string(), "m.toml:8:38");
        let volume = &rune.volumes[0].value;
        assert_eq!((volume.source().to_string().as_str(), volume.container()), ("%h/models", "/models"));
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
            "[[rune]]\nname = 'x'\nimage = 'a/b'\nexpose-port = true\nvolumes = ['/a:/b', '/c:/b:ro']\nhealth = { http = '/' }\n",
        );
        let error = error.unwrap_err();
        assert!(
            error.contains("needs a `port`\n  at m.toml:4")
                && error.contains("mount two at `/b`")
                && error.contains("unknown key `http` in `health` of [[rune]]\n  at m.toml:6")
                && error.contains("`health` of [[rune]] names no program\n  at m.toml:6"),
            "{error}"
        );
    }
}
