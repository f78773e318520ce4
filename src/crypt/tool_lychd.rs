//! `[tool.lychd]`: what a member asks of the image beyond Python.

use super::{
    image_contract::{self, ImageContract},
    manifest::{Lychd, SystemDependency},
};
use crate::{
    codex::{
        document::{Located, Node, Table, Value},
        reader::Reader,
    },
    diagnostic::Diagnostic,
    name::{DebianName, MemberId, PackageName},
};

const KEYS: [&str; 4] = ["system-dependencies", "image", "assets", "rune"];
const ASSETS: [&str; 3] = ["source", "script", "output"];
const RUNE: [&str; 7] = ["name", "image", "capabilities", "groups", "port", "expose-port", "volumes"];

pub(super) fn read(
    member: &MemberId,
    project: Option<&PackageName>,
    table: Option<&Table>,
    errors: &mut Vec<Diagnostic>,
) -> Lychd {
    let mut lychd = Lychd::default();
    let core = project.filter(|_| member.is_core());
    lychd.image = core.map(ImageContract::of_core);
    let Some(table) = table else { return lychd };
    let mut reader = Reader::new(table, "[tool.lychd]", &KEYS, errors);
    for node in reader.array("system-dependencies").unwrap_or_default() {
        lychd.system_dependencies.extend(system_dependency(node, reader.errors()));
    }
    if !member.is_core()
        && let Some(field) = table.field("image")
    {
        reader.errors().push(
            Diagnostic::new("an extension cannot have [tool.lychd.image]")
                .at(field.key.clone(), "")
                .help("the image contract is the core's: move it to `core/pyproject.toml`"),
        );
    } else if let (Some(project), Some(image)) = (core, reader.table("image")) {
        lychd.image = Some(image_contract::read(project, image, reader.errors()));
    }
    if let Some(assets) = reader.table("assets") {
        Reader::new(assets, "[tool.lychd.assets]", &ASSETS, reader.errors());
        lychd.assets = Some(assets.clone());
    }
    for rune in reader.array("rune").unwrap_or_default() {
        if let Some(table) = rune.as_table() {
            Reader::new(table, "[[tool.lychd.rune]]", &RUNE, reader.errors());
            lychd.runes.push(table.clone());
        } else {
            let message =
                format!("`rune` in [tool.lychd] must be an array of tables, not of {}", rune.kind());
            reader.errors().push(Diagnostic::new(message).at(rune.place.clone(), ""));
        }
    }
    lychd
}

fn system_dependency(node: &Node, errors: &mut Vec<Diagnostic>) -> Option<SystemDependency> {
    const TITLE: &str = "`system-dependencies` of [tool.lychd]";
    let place = node.place.clone();
    match &node.value {
        Value::String(text) => match text.parse::<DebianName>() {
            Ok(name) => Some(SystemDependency { debian: name.clone(), name, nixpkgs: None, place }),
            Err(error) => {
                errors.push(Diagnostic::new(error.to_string()).at(place, ""));
                None
            }
        },
        Value::Table(table) => {
            let mut reader = Reader::new(table, TITLE, &["name", "debian", "nixpkgs"], errors);
            let name: Option<Located<DebianName>> = reader.parsed("name");
            let debian = reader.parsed("debian");
            let nixpkgs = reader.string("nixpkgs");
            if table.get("name").is_none() {
                errors.push(
                    Diagnostic::new(format!("an entry of {TITLE} has no `name`")).at(place.clone(), ""),
                );
            }
            if let Some(attribute) = nixpkgs.as_ref().filter(|attribute| !is_attribute_path(attribute.value))
            {
                let message = format!(
                    "`nixpkgs` in {TITLE}: `{}` is not an attribute path",
                    attribute.value.escape_debug()
                );
                errors.push(Diagnostic::new(message).at(attribute.place.clone(), ""));
            }
            let name = name?.value;
            let debian = debian.map_or_else(|| name.clone(), |debian| debian.value);
            let nixpkgs = nixpkgs.map(|attribute| attribute.value.to_owned());
            Some(SystemDependency { name, debian, nixpkgs, place })
        }
        _ => {
            let message = format!("an entry of {TITLE} must be a string or a table, not {}", node.kind());
            errors.push(Diagnostic::new(message).at(place, ""));
            None
        }
    }
}

/// `python313Packages.numpy`: identifiers joined by dots, never quoted.
fn is_attribute_path(text: &str) -> bool {
    let part = |part: &str| {
        part.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-'".contains(&c))
    };
    text.len() <= 200 && text.split('.').all(part)
}
