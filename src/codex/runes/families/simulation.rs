//! Shadow simulation. LychD reads it at run time; here it is judged.

use crate::{
    diagnostic::{Diagnostic, Source},
    document::{
        Table,
        reader::{Reader, like},
    },
};

pub(super) fn judge(_: &Source, table: &Table, errors: &mut Vec<Diagnostic>) {
    let mut reader = Reader::new(table, "this simulation", errors);
    reader.string(like("mode", r#""tomb""#));
    reader.integer(like("max_timelines", "8"), 1..=i64::MAX);
}
