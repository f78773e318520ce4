//! Which directory of the archive belongs to which family, and which families are read.

use super::families::{self, Family};
use crate::{
    codex::selection::Builtin,
    diagnostic::{Diagnostic, Source},
    document::nearest::nearest,
};

/// The families that are read with these extensions, in LychD's order: the core's, then each extension's. The order
/// decides automatic ports.
pub(super) fn in_load_order(builtins: &[Builtin]) -> Vec<&'static Family> {
    let order = std::iter::once(None).chain(builtins.iter().copied().map(Some));
    order.flat_map(|builtin| families::ALL.iter().filter(move |family| family.builtin == builtin)).collect()
}

/// Whose a directory is.
pub(super) enum Owner {
    /// One family's.
    Family(&'static Family),
    /// Directories of families are below it; it holds no runes itself.
    Branch,
    /// No family that is known here.
    Nobody,
}

/// Whose `directory`, below `runes/`, is.
pub(super) fn owner(directory: &str) -> Owner {
    if let Some(family) = families::ALL.iter().find(|family| family.anchor == directory) {
        return Owner::Family(family);
    }
    let above = |family: &Family| directory.is_empty() || family.anchor.starts_with(&format!("{directory}/"));
    if families::ALL.iter().any(above) { Owner::Branch } else { Owner::Nobody }
}

pub(super) fn misplaced(source: &Source, directory: &str) -> Diagnostic {
    let below = directory.strip_prefix("runes").unwrap_or_default().trim_start_matches('/');
    let homes: Vec<String> = families::ALL
        .iter()
        .filter(|family| below.is_empty() || family.anchor.starts_with(&format!("{below}/")))
        .map(|family| format!("`runes/{}`", family.anchor))
        .collect();
    Diagnostic::new(format!("`{}` is misplaced: no family of runes owns `{directory}`", source.name()))
        .at(source.at(0..0), "")
        .help(format!("move it into the directory of its family: {}", homes.join(", ")))
}

pub(super) fn foreign(source: &Source, directory: &str) -> Diagnostic {
    let anchors: Vec<String> =
        families::ALL.iter().map(|family| format!("runes/{}", family.anchor)).collect();
    let note =
        Diagnostic::new(format!("`{}` is not read: no known family owns `{directory}`", source.name()));
    match nearest(directory, anchors.iter().map(String::as_str)) {
        Some(near) => note.help(format!("did you mean `{near}`?")),
        None => note.help(format!("LychD passes it over too; the known ones: {}", anchors.join(", "))),
    }
}

pub(super) fn unselected(family: &Family, source: &Source) -> Diagnostic {
    let builtin = family.builtin.map_or("", Builtin::as_str);
    Diagnostic::new(format!(
        "`{}` is not read: `{builtin}` is not among `extensions.builtins`",
        source.name()
    ))
    .help(format!("add \"{builtin}\" to `builtins` under [extensions] in lychd.toml"))
}
