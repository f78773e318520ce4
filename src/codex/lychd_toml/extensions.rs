//! `[extensions]`: what belongs to the body besides the core.

use std::collections::BTreeSet;

use super::section::{EXTENSIONS, Keys};
use crate::{
    codex::selection::{Builtin, Selection},
    diagnostic::Diagnostic,
    document::Table,
};

pub(super) fn read(table: &Table, own: &mut Selection, errors: &mut Vec<Diagnostic>) {
    let mut extensions = Keys::of(&EXTENSIONS, table, errors);
    own.crypt = extensions.read("crypt", |reader| {
        let before = reader.errors().len();
        let list = reader.parsed_list("crypt");
        for error in reader.errors().iter_mut().skip(before) {
            error
                .help
                .push("directories below `extensions/` in the Crypt, each once; none with `[]`".to_owned());
        }
        list
    });
    let builtins = extensions.read("builtins", |reader| reader.choices("builtins", &Builtin::ALL));
    let mut seen = BTreeSet::new();
    for builtin in builtins.unwrap_or_default() {
        if seen.insert(builtin.value) {
            own.builtins.push(builtin);
        } else {
            let message = format!("`{}` stands twice in `builtins` of [extensions]", builtin.value);
            extensions.errors().push(Diagnostic::new(message).at(builtin.place, "").help("once is enough"));
        }
    }
}
