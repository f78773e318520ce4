//! `[tool.lychd.assets]`: a front end that npm builds and the body serves.

use std::fmt;

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Table, reader::Reader},
    name::npm::NpmScript,
    tree::RelativePath,
};

/// A front end of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// Directory of the member's tree that holds `package.json`.
    pub source: AssetSource,
    /// The script of that `package.json` that builds it.
    pub script: NpmScript,
    /// Directory that the script writes, below the member's root.
    pub output: RelativePath,
    /// Where the table was written.
    pub place: Place,
}

/// A directory of a member: its root, or one below.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssetSource(Option<RelativePath>);

impl AssetSource {
    /// The directory below the member's root; `None` for the root itself.
    #[must_use]
    pub fn directory(&self) -> Option<&RelativePath> {
        self.0.as_ref()
    }
}

/// `None` is the member's root.
impl From<Option<RelativePath>> for AssetSource {
    fn from(directory: Option<RelativePath>) -> Self {
        Self(directory)
    }
}

impl fmt::Display for AssetSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_ref().map_or(".", RelativePath::as_str))
    }
}

const TITLE: &str = "[tool.lychd.assets]";

/// Reads the table; `place` is where its name stands.
pub(super) fn read(table: &Table, place: &Place, errors: &mut Vec<Diagnostic>) -> Option<Assets> {
    let mut reader = Reader::new(table, TITLE, errors);
    let source = match reader.string("source") {
        Some(text) if text.value == "." => Some(AssetSource(None)),
        Some(_) => reader.parsed("source").map(|path| AssetSource(Some(path.value))),
        None => None,
    };
    let script = reader.parsed("script");
    let output = reader.parsed::<RelativePath>("output");
    let missing: Vec<String> = ["source", "script", "output"]
        .iter()
        .filter(|key| table.get(key).is_none())
        .map(|key| format!("`{key}`"))
        .collect();
    if !missing.is_empty() {
        let message = format!("{TITLE} has no {}", missing.join(" and no "));
        reader.errors().push(Diagnostic::new(message).at(place.clone(), "").help(
            "`source` is the directory with package.json, `script` what npm runs there, \
             `output` what that writes, below the member's root",
        ));
    }
    let output = output?;
    if output.value.components().any(|part| part == "node_modules" || part.starts_with(".git")) {
        let message = format!("`output` in {TITLE}: `{}` cannot be a build's output", output.value);
        reader.errors().push(Diagnostic::new(message).at(output.place, ""));
        return None;
    }
    Some(Assets { source: source?, script: script?.value, output: output.value, place: place.clone() })
}
