//! The Rune archive: `runes/**/*.toml`, one file an instance; the directory says which family owns it.
//!
//! The rules are LychD's: what it reads, this reads to the same values, in the same order. Beyond LychD, every file
//! that nobody will read is told.

mod anchor;
mod exllamav3;
mod llamacpp;
mod model;
mod passthrough;
mod phoenix;
mod policy;
mod portal;
mod soulstone;

pub use anchor::Family;
pub use exllamav3::TABBY_IMAGE;
pub use llamacpp::{LlamaCpp, Mode, stem as model_stem};
pub use model::{Capability, Model};
pub use phoenix::Phoenix;
pub use portal::Portal;
pub use soulstone::{Concurrency, Launch, Soulstone, loopback};

use anchor::Owner;

use super::{
    Builtin,
    document::{self, Table},
    reader::sort_by_place,
};
use crate::diagnostic::{Diagnostic, Source};

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
    let mut owned: Vec<(usize, Family, &Source)> = Vec::new();
    for source in sources.iter().copied() {
        let directory = source.name().rsplit_once('/').map_or("", |(directory, _)| directory);
        match anchor::owner(directory.strip_prefix("runes").unwrap_or(directory).trim_start_matches('/')) {
            Owner::Family(family) => match selected.iter().position(|one| *one == family) {
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
            Ok(table) => instance(family, source, &table, &mut runes, errors),
            Err(failure) => errors.extend(failure.diagnostics().iter().cloned()),
        }
        sort_by_place(errors.get_mut(already..).unwrap_or_default());
    }
    runes
}

fn instance(family: Family, source: &Source, table: &Table, runes: &mut Runes, errors: &mut Vec<Diagnostic>) {
    if is_placeholder(family, table) {
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
    match family {
        Family::Generic | Family::LlamaCpp | Family::Vllm | Family::Sglang | Family::ExLlamaV3 => {
            runes.soulstones.extend(soulstone::read(family, source, table, errors));
        }
        Family::OpenAi | Family::Gemini => runes.portals.extend(portal::read(family, source, table, errors)),
        Family::Phoenix => {
            let phoenix = phoenix::read(source, table, errors);
            match (&runes.phoenix, phoenix) {
                (Some(first), Some(second)) => errors.push(
                    Diagnostic::new("there are two Phoenix runes, and a body has at most one")
                        .at(second.place, "")
                        .at(first.place.clone(), "the first"),
                ),
                (None, phoenix) => runes.phoenix = phoenix,
                (Some(_), None) => {}
            }
        }
        Family::Preauth => policy::preauth(source, table, errors),
        Family::Simulation => policy::simulation(table, errors),
    }
}

/// What LychD's `init` left to be filled in.
fn is_placeholder(family: Family, table: &Table) -> bool {
    let starts = |text: Option<&str>| {
        text.is_some_and(|text| text.starts_with("<required:") || text.starts_with("<optional:"))
    };
    let name = table.get("name").and_then(|node| node.as_str());
    let image =
        table.table("quadlet").and_then(|quadlet| quadlet.get("image")).and_then(|node| node.as_str());
    starts(name) && !matches!(family, Family::Phoenix | Family::Preauth | Family::Simulation)
        || starts(image) && family.is_soulstone()
}
