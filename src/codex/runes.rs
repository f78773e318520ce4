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
#[cfg(test)]
mod tests;

pub use anchor::Family;
pub use exllamav3::TABBY_IMAGE;
pub use llamacpp::{LlamaCpp, Mode, stem as model_stem};
pub use model::{Capability, Model};
pub use phoenix::Phoenix;
pub use portal::Portal;
pub use soulstone::{Concurrency, Launch, Soulstone, loopback};

use anchor::Owner;

use super::Builtin;
use crate::{
    diagnostic::{Diagnostic, Source},
    document::{self, Field, Node, Table, Value, reader::sort_by_place, toml_1_0},
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
    let mut owned: Vec<(usize, Family, &Source)> = Vec::new();
    let mut sources = sources.to_vec();
    sources.sort_by_key(|source| source.name());
    for source in sources {
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

fn instance(family: Family, source: &Source, table: &Table, runes: &mut Runes, errors: &mut Vec<Diagnostic>) {
    if let Some(filled) = filled(family, table) {
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
                        .at(first.place.clone(), "the first")
                        .help("remove one of the two files"),
                ),
                (None, phoenix) => runes.phoenix = phoenix,
                (Some(_), None) => {}
            }
        }
        Family::Preauth => policy::preauth(source, table, errors),
        Family::Simulation => policy::simulation(table, errors),
    }
}

/// What LychD's `init` left to be filled in, with something in the gaps; `None` for a rune that has none.
fn filled(family: Family, table: &Table) -> Option<Table> {
    let gap = |node: Option<&Node>| {
        let text = node.and_then(Node::as_str);
        text.is_some_and(|text| text.starts_with("<required:") || text.starts_with("<optional:"))
    };
    let quadlet = table.table("quadlet").filter(|_| family.is_soulstone());
    let image = quadlet.filter(|quadlet| gap(quadlet.get("image")));
    let named = !matches!(family, Family::Phoenix | Family::Preauth | Family::Simulation);
    let name = gap(table.get("name")) && named;
    if !name && image.is_none() {
        return None;
    }
    let mut filled = table.clone();
    if let Some(quadlet) = image {
        let image = if family == Family::ExLlamaV3 { TABBY_IMAGE } else { "localhost/placeholder" };
        filled =
            with(&filled, "quadlet", Value::Table(with(quadlet, "image", Value::String(image.to_owned()))));
    }
    if name {
        filled = with(&filled, "name", Value::String("placeholder".to_owned()));
    }
    // What a runtime offers is judged of runes alone that are not passed over.
    if family == Family::Generic && table.get("runtime").is_none_or(|node| node.as_str().is_some()) {
        filled = with(&filled, "runtime", Value::String("openai".to_owned()));
    }
    Some(filled)
}

/// The table with another value of `key`, which keeps its place.
fn with(table: &Table, key: &str, value: Value) -> Table {
    let own = |(name, field): (&str, &Field)| (name.to_owned(), field.clone());
    let field = table.field(key).or_else(|| Some(table.iter().next()?.1)).cloned();
    let field = field.map(|field| Field { node: Node { value, ..field.node }, ..field });
    table.iter().map(own).chain(field.map(|field| (key.to_owned(), field))).collect()
}
