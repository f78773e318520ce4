//! A system package that a member asks for.

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Located, Node, Value, reader::Reader},
    name::{AttributePath, DebianName},
};

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

impl SystemDependency {
    /// A package that is called alike everywhere; `None` where that is no name of Debian's.
    pub(super) fn plain(name: &str, place: Place) -> Option<Self> {
        let name: DebianName = name.parse().ok()?;
        Some(Self { debian: name.clone(), name, nixpkgs: None, place })
    }
}

/// Reads one system dependency; `title` is what holds it, in messages. What is wrong goes to `errors`.
pub fn read(node: &Node, title: &str, errors: &mut Vec<Diagnostic>) -> Option<SystemDependency> {
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
