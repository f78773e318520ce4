//! `[tool.lychd]`: what a member asks of the image beyond Python.

use super::{
    assets::{self, Assets},
    image_contract::{self, ImageContract},
    rune::{self, RuneDefinition},
};
use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Located, Node, Table, Value, reader::Reader},
    name::{AttributePath, DebianName, MemberId, PackageName},
};

/// `[tool.lychd]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lychd {
    /// `system-dependencies`, in order.
    pub system_dependencies: Vec<SystemDependency>,
    /// `image` with its defaults: always there for the core, never for an extension.
    pub image: Option<ImageContract>,
    /// `assets`: a front end that npm builds.
    pub assets: Option<Assets>,
    /// `rune`, in order.
    pub runes: Vec<RuneDefinition>,
    /// `hook = false`: `register.py` beside the manifest is LychD's alone, and not run.
    pub leaves_hook: bool,
}

/// A system package that is wanted in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemDependency {
    /// As it was spelled: what reports show.
    pub name: DebianName,
    /// Debian's name for it.
    pub debian: DebianName,
    /// nixpkgs' attribute for it, when given.
    pub nixpkgs: Option<AttributePath>,
    /// Where it was asked for.
    pub place: Place,
}

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
    let mut reader = Reader::new(table, "[tool.lychd]", errors);
    for node in reader.array("system-dependencies").unwrap_or_default() {
        let title = "`system-dependencies` of [tool.lychd]";
        lychd.system_dependencies.extend(system_dependency(node, title, reader.errors()));
    }
    reader.knows(&["image"]);
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
    if let (Some(assets), Some(field)) = (reader.table("assets"), table.field("assets")) {
        lychd.assets = assets::read(assets, &field.key, reader.errors());
    }
    for node in reader.array("rune").unwrap_or_default() {
        lychd.runes.extend(rune::read(node, "[[tool.lychd.rune]]", reader.errors()));
    }
    lychd.leaves_hook = reader.boolean("hook") == Some(false);
    lychd
}

/// Reads one system dependency; `title` is what holds it, in messages. What is wrong goes to `errors`.
pub fn system_dependency(node: &Node, title: &str, errors: &mut Vec<Diagnostic>) -> Option<SystemDependency> {
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
            let mut reader = Reader::new(table, title, errors);
            let name: Option<Located<DebianName>> = reader.parsed("name");
            let debian = reader.parsed("debian");
            let nixpkgs: Option<Located<AttributePath>> = reader.parsed("nixpkgs");
            reader.finish();
            if table.get("name").is_none() {
                errors.push(
                    Diagnostic::new(format!("an entry of {title} has no `name`")).at(place.clone(), ""),
                );
            }
            let name = name?.value;
            let debian = debian.map_or_else(|| name.clone(), |debian| debian.value);
            let nixpkgs = nixpkgs.map(|attribute| attribute.value);
            Some(SystemDependency { name, debian, nixpkgs, place })
        }
        _ => {
            let message = format!("an entry of {title} must be a string or a table, not {}", node.kind());
            errors.push(Diagnostic::new(message).at(place, ""));
            None
        }
    }
}
