//! What of the Federation shapes the inscription: the body's port, what brings its database to its schema, and the
//! members' runes.
//!
//! `federation.json` in a body's record keeps it, so the units of a body are those of the very sources it was forged
//! from, hooks included.

use std::{collections::BTreeMap, str::FromStr};

use serde_json::{Value as Json, json};

use super::question::Question;
use crate::{
    crypt::{
        Federation,
        image_contract::{CoreImage, LYCHD_MIGRATES},
        rune::{self, RuneDefinition},
    },
    diagnostic::{Diagnostic, Failure, Place, Source, refuse_any},
    document::{Table, canonical_json, json, reader::Reader, source_within},
    name::{MemberId, Role, unit_text::is_printable},
};

/// The file's name in a body's record.
pub const FILE: &str = "federation.json";
/// What the file says it is.
const SCHEMA: &str = "lychd-forge/federation/3";
/// The one before, of a forge that kept neither commands nor how images are asked whether they are well.
const BEFORE: &str = "lychd-forge/federation/2";
/// The first, of a forge by which every body is brought to its schema by LychD's own command.
const FIRST: &str = "lychd-forge/federation/1";
/// The most it may hold, in bytes.
const LIMIT: u64 = 16 << 20;

/// The port of the body's own server in the pod, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPort {
    /// The port.
    pub port: u16,
    /// Where.
    pub place: Option<Place>,
}

/// A rune with the member that brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRune {
    /// Whose it is.
    pub member: MemberId,
    /// Where it was written when the body was forged: `<file>:<line>:<column>`.
    pub written: String,
    /// The rune; its places are in the record when it was read from there.
    pub definition: RuneDefinition,
}

/// What of the Federation shapes the inscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuneRecord {
    /// The port of the body's own server, in the pod.
    pub web: WebPort,
    /// Argument vector that starts the application, as its image says; empty in an older record.
    pub command: Vec<String>,
    /// Argument vector that brings the database to the body's schema; empty when nothing has to.
    pub migrate: Vec<String>,
    /// How the body's images are asked whether they are well, by role.
    pub health: BTreeMap<Role, Question>,
    /// The members' runes, in the order of the members.
    pub runes: Vec<MemberRune>,
}

impl RuneRecord {
    /// Of a federation that has what its hooks registered.
    #[must_use]
    pub fn of(federation: &Federation) -> Self {
        let image = federation.core().and_then(|core| core.manifest.lychd.image.as_ref());
        let web = image.map_or(WebPort { port: CoreImage::PORT, place: None }, |image| WebPort {
            port: image.port.number,
            place: image.port.place.clone(),
        });
        let migrate = image.map(|image| image.migrate.clone()).unwrap_or_default();
        let command = image.map(|image| image.contract.command.clone()).unwrap_or_default();
        let vessel = image.and_then(|image| Some((Role::vessel(), image.contract.health.as_ref()?.into())));
        let further = federation.core().map(|core| core.manifest.lychd.images.as_slice()).unwrap_or_default();
        let further = further
            .iter()
            .filter_map(|image| Some((image.role.clone(), image.contract.health.as_ref()?.into())));
        let health = vessel.into_iter().chain(further).collect();
        let of = |member: &crate::crypt::Member| {
            let one = |definition: &RuneDefinition| MemberRune {
                member: member.id.clone(),
                written: definition.place.to_string(),
                definition: definition.clone(),
            };
            member.manifest.lychd.runes.iter().map(one).collect::<Vec<_>>()
        };
        let runes = federation.members().iter().flat_map(of).collect();
        Self { web, command, migrate, health, runes }
    }

    /// `federation.json`: canonical JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let rune = |rune: &MemberRune| {
            json!({
                "member": rune.member.to_string(),
                "place": rune.written,
                "rune": rune.definition.to_json(),
            })
        };
        let health: BTreeMap<&str, Json> =
            self.health.iter().map(|(role, question)| (role.as_str(), question.to_json())).collect();
        let document: Json = json!({
            "command": self.command,
            "health": health,
            "migrate": self.migrate,
            "schema": SCHEMA,
            "web_port": self.web.port,
            "runes": self.runes.iter().map(rune).collect::<Vec<_>>(),
        });
        canonical_json(&document)
    }

    /// Adds where runes were written to what points into the record.
    pub(super) fn trace(&self, errors: &mut [Diagnostic]) {
        for error in errors {
            for rune in self.runes.iter().filter(|rune| rune.written != rune.definition.place.to_string()) {
                let whole = &rune.definition.place;
                let inside = error.places.iter().any(|(place, _)| {
                    place.source() == whole.source() && whole.span().contains(&place.span().start)
                });
                if inside {
                    let name = &rune.definition.name.value;
                    error
                        .notes
                        .push(format!("rune `{name}` of `{}` is written at {}", rune.member, rune.written));
                }
            }
        }
    }

    /// Reads `federation.json`; `name` is what the user knows it by.
    ///
    /// # Errors
    /// Refused when it is not what [`RuneRecord::to_json`] writes.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, Failure> {
        let source: Source = source_within(name, bytes, LIMIT)?;
        let table = json::parse(&source)?;
        let mut errors = Vec::new();
        let mut reader = Reader::new(&table, "the record", &mut errors);
        let schema = reader.string("schema").map(|text| text.value);
        if schema.is_none_or(|schema| ![SCHEMA, BEFORE, FIRST].contains(&schema)) {
            reader.errors().push(Diagnostic::new(format!("`{name}` is not of the schema `{SCHEMA}`")));
        }
        let port = reader.port("web_port");
        let migrate: Option<Vec<String>> = match schema {
            Some(FIRST) => Some(LYCHD_MIGRATES.split_whitespace().map(str::to_owned).collect()),
            _ => reader
                .strings("migrate")
                .map(|words| words.iter().map(|word| word.value.to_owned()).collect()),
        };
        let mut health = BTreeMap::new();
        let (command, asked) = if schema == Some(SCHEMA) {
            let words = reader.strings("command");
            (
                words.map(|words| words.iter().map(|word| word.value.to_owned()).collect()),
                reader.table("health"),
            )
        } else {
            (Some(Vec::new()), None)
        };
        for (role, field) in asked.into_iter().flat_map(Table::iter) {
            match (role.parse::<Role>(), Question::read(&field.node, reader.errors())) {
                (Ok(role), Some(question)) => {
                    health.insert(role, question);
                }
                _ => reader
                    .errors()
                    .push(Diagnostic::new(format!("`{name}`: `health` of an image makes no sense"))),
            }
        }
        let nodes = reader.array("runes").unwrap_or_default();
        reader.finish();
        let mut runes = Vec::new();
        for node in nodes {
            let Some(table) = node.as_table() else { continue };
            let mut entry = Reader::new(table, "a rune", &mut errors);
            let member = entry.parsed::<MemberId>("member");
            let written = entry.parsed::<Written>("place");
            entry.knows(&["rune"]);
            let definition = entry.node("rune").and_then(|node| rune::read(node, "a rune", entry.errors()));
            if let (Some(member), Some(written), Some(definition)) = (member, written, definition) {
                runes.push(MemberRune { member: member.value, written: written.value.0, definition });
            }
        }
        let known = errors.len();
        refuse_any(errors)?;
        match (port, command, migrate) {
            (Some(port), Some(command), Some(migrate)) if runes.len() == nodes.len() && known == 0 => {
                let web = WebPort { port: port.value, place: Some(port.place) };
                Ok(Self { web, command, migrate, health, runes })
            }
            _ => Err(Diagnostic::new(format!("`{name}` is incomplete"))
                .help("forge the body again: `lychd-forge forge`")
                .into()),
        }
    }
}

/// A place as the record has it: shown to people, never opened.
struct Written(String);

impl FromStr for Written {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = !text.is_empty() && text.len() <= 4096 && is_printable(text);
        if sound { Ok(Self(text.to_owned())) } else { Err("not a place in a file") }
    }
}
