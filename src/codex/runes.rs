//! The Rune archive: `runes/**/*.toml`, one file an instance; the directory says which family owns it.
//!
//! The rules are LychD's: what it reads, this reads to the same values, in the same order. Beyond LychD, every file
//! that nobody will read is told.

mod address;
mod anchor;
mod families;
mod gaps;
mod model;
mod phoenix;
mod portal;
mod quadlet;
mod soulstone;
mod stone_family;
#[cfg(test)]
mod tests;

pub use address::loopback;
pub use model::{Capability, Model, stem as model_stem};
pub use phoenix::Phoenix;
pub use portal::Portal;
pub use soulstone::{Concurrency, Control, Launch, Soulstone, StoneHealth, Word};

use anchor::Owner;
use families::{Family, Kind};

use super::selection::Builtin;
use crate::{
    diagnostic::{Diagnostic, Source},
    document::{self, Table, reader::sort_by_place, toml_1_0},
};

/// The first line of a file that LychD wrote as an example.
const SAMPLE: &str = "# lychd: sample-rune";

/// All runes of the Codex that shape units, in LychD's load order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runes {
    /// Local containers that serve models.
    pub soulstones: Vec<Soulstone>,
    /// Remote providers: no container, but a secret of the Vessel.
    pub portals: Vec<Portal>,
    /// The tracing UI.
    pub phoenix: Option<Phoenix>,
    /// Files that nobody reads, and why.
    pub notes: Vec<Diagnostic>,
}

/// Reads the archive. `sources` are named by their path in the Codex (`runes/…`); what is wrong goes to `errors`.
pub(super) fn read(sources: &[&Source], builtins: &[Builtin], errors: &mut Vec<Diagnostic>) -> Runes {
    let mut runes = Runes::default();
    let selected = anchor::in_load_order(builtins);
    let mut owned: Vec<(usize, &Family, &Source)> = Vec::new();
    let mut sources = sources.to_vec();
    sources.sort_by_key(|source| source.name());
    for source in sources {
        let directory = source.name().rsplit_once('/').map_or("", |(directory, _)| directory);
        match anchor::owner(directory.strip_prefix("runes").unwrap_or(directory).trim_start_matches('/')) {
            Owner::Family(family) => match selected.iter().position(|one| one.anchor == family.anchor) {
                Some(order) => owned.push((order, family, source)),
                None => runes.notes.push(anchor::unselected(family, source)),
            },
            Owner::Branch => errors.push(anchor::misplaced(source, directory)),
            Owner::Nobody => runes.notes.push(anchor::foreign(source, directory)),
        }
    }
    owned.sort_by(|a, b| (a.0, a.2.name()).cmp(&(b.0, b.2.name())));
    for (_, family, source) in owned {
        if source.text().lines().map(str::trim).find(|line| !line.is_empty()) == Some(SAMPLE) {
            continue;
        }
        let already = errors.len();
        match document::parse(source) {
            Ok(table) => {
                errors.extend(toml_1_0::judge(source));
                instance(family, source, &table, &mut runes, errors);
            }
            Err(failure) => errors.extend(failure.diagnostics().iter().cloned()),
        }
        sort_by_place(errors.get_mut(already..).unwrap_or_default());
    }
    runes
}

fn instance(
    family: &Family,
    source: &Source,
    table: &Table,
    runes: &mut Runes,
    errors: &mut Vec<Diagnostic>,
) {
    if let Some(filled) = gaps::with_placeholders(family, table) {
        // LychD passes it over, but not before it has judged the rest of it.
        instance(family, source, &filled, &mut Runes::default(), errors);
        return;
    }
    if let Some(model) = table.field("model").filter(|field| field.node.as_table().is_some()) {
        errors.push(
            Diagnostic::new(format!("`{}` wraps its rune in [model]", source.name()))
                .at(model.key.clone(), "")
                .help("write its keys at the top of the file, without [model]"),
        );
        return;
    }
    let name = family.name();
    match family.kind {
        Kind::Soulstone(stone) => runes.soulstones.extend(stone.read(name, source, table, errors)),
        Kind::Portal(portal) => runes.portals.extend(portal.read(name, source, table, errors)),
        Kind::Phoenix => {
            let phoenix = phoenix::read(source, table, errors);
            match (&runes.phoenix, phoenix) {
                (Some(first), Some(second)) => errors.push(
                    Diagnostic::new("there are two Phoenix runes, and a body has at most one")
                        .at(second.place, "")
                        .at(first.place.clone(), "the first")
                        .help("remove one of the two files"),
                ),
                (None, phoenix) => runes.phoenix = phoenix,
                (Some(_), None) => {}
            }
        }
        Kind::Judged(judge) => judge(source, table, errors),
    }
}
