//! `[spheres]` of `forge.toml`: directories of the user that the Vessel may see.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Located, Node, Table,
        reader::{Reader, like},
    },
    name::{MemberId, mount::HostPath},
};

/// The Vessel's view of the user's directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spheres {
    /// Work, which it may change: at `~/work/<name>`.
    pub outlands: Vec<Sphere>,
    /// Reading, which it cannot change: at `~/work/library/<name>`.
    pub library: Vec<Sphere>,
}

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sphere {
    /// Where it is on the host.
    pub path: Located<HostPath>,
    /// What it is called inside.
    pub name: String,
    /// Where it is written.
    pub place: Place,
}

const TITLE: &str = "[spheres]";

pub(super) fn read(table: &Table, errors: &mut Vec<Diagnostic>) -> Spheres {
    let mut reader = Reader::new(table, TITLE, errors);
    let mut of = |key: &str, example: &str| {
        let nodes = reader.array(like(key, example)).unwrap_or_default();
        let mut list: Vec<Sphere> = Vec::new();
        let mut names: BTreeMap<String, Place> = BTreeMap::new();
        for node in nodes {
            let Some(sphere) = sphere(node, key, reader.errors()) else { continue };
            if let Some(first) = names.insert(sphere.name.clone(), sphere.place.clone()) {
                let message = format!("`{key}` in {TITLE} has two directories called `{}`", sphere.name);
                let two = Diagnostic::new(message).at(sphere.place, "").at(first, "the first");
                reader.errors().push(two.help("give one a name: { path = \"…\", name = \"…\" }"));
                continue;
            }
            list.push(sphere);
        }
        list
    };
    let spheres =
        Spheres { outlands: of("outlands", r#"["~/src"]"#), library: of("library", r#"["~/books"]"#) };
    reader.finish();
    if let Some(hidden) = spheres.outlands.iter().find(|sphere| sphere.name == "library") {
        let message = format!("`outlands` in {TITLE}: the name `library` is that of the other sphere");
        let taken = Diagnostic::new(message).at(hidden.place.clone(), "");
        errors.push(taken.help("give it another: { path = \"…\", name = \"…\" }"));
    }
    spheres
}

const EXAMPLE: &str = "for example: `outlands = [\"~/src\", { path = \"/srv/data\", name = \"data\" }]`";

fn sphere(node: &Node, key: &str, errors: &mut Vec<Diagnostic>) -> Option<Sphere> {
    let place = node.place.clone();
    let (path, name) = match (node.as_str(), node.as_table()) {
        (Some(text), _) => match text.parse::<HostPath>() {
            Ok(value) => (Located { value, place: place.clone() }, None),
            Err(error) => {
                let message = format!("`{key}` in {TITLE}: {error}");
                errors.push(Diagnostic::new(message).at(place, "").help(EXAMPLE));
                return None;
            }
        },
        (_, Some(table)) => {
            let title = format!("`{key}` of {TITLE}");
            let mut reader = Reader::new(table, title, errors);
            reader.require("path", &place, EXAMPLE);
            let path = reader.parsed::<HostPath>(like("path", r#""~/src""#));
            let name = reader.parsed::<MemberId>("name").map(|name| name.value.to_string());
            (path?, name)
        }
        _ => {
            let message = format!("`{key}` in {TITLE} must be a path or a table, not {}", node.kind());
            errors.push(Diagnostic::new(message).at(place, "").help(EXAMPLE));
            return None;
        }
    };
    let name = name.unwrap_or_else(|| path.value.name().to_owned());
    Some(Sphere { path, name, place })
}
