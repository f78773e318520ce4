//! `lychd.toml`, LychD's own file: only what decides which extensions belong to the body is read.

use super::{Selection, document::Table, reader::Reader};
use crate::diagnostic::Diagnostic;

/// LychD's three sections.
const SECTIONS: [&str; 3] = ["server", "orchestration", "extensions"];

pub(super) fn read(table: &Table, errors: &mut Vec<Diagnostic>) -> Selection {
    let mut file = Reader::new(table, "lychd.toml", &SECTIONS, errors);
    for section in ["server", "orchestration"] {
        file.table(section);
    }
    let Some(extensions) = file.table("extensions") else { return Selection::default() };
    let mut extensions = Reader::new(extensions, "[extensions]", &["builtins", "crypt"], errors);
    Selection {
        crypt: extensions.parsed_list("crypt"),
        builtins: extensions.parsed_list("builtins").unwrap_or_default(),
    }
}
