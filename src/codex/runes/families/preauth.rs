//! A standing approval. LychD reads it at run time; here it is judged.

use crate::{
    diagnostic::{Diagnostic, Source},
    document::{
        Table, Value,
        reader::{Reader, like},
    },
};

pub(super) fn judge(source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) {
    let mut reader = Reader::new(table, "this approval", errors);
    let place = source.at(0..0);
    reader.require("slug", &place, SLUG);
    if reader.string(like("slug", r#""night-swap""#)).is_some_and(|slug| slug.value.is_empty()) {
        reader.refuse("slug", "`slug` in this approval is empty", SLUG);
    }
    reader.integer(like("priority", "50"), 0..=100);
    let klass = reader.choice(like("klass", r#""standard""#), &[("standard", false), ("zte", true)]);
    reader.string(like("sigil_pattern", r#""*""#));
    reader.require(
        "tool_pattern",
        &place,
        "it says what is approved: `tool_pattern = \"request_coven_swap\"`",
    );
    reader.string(like("tool_pattern", r#""request_coven_swap""#));
    let constraints =
        reader.table(like("constraints", r#"{ coven = ["night"] }"#)).is_some_and(|table| !table.is_empty());
    reader.knows(&["expires_at"]);
    let expires = table.get("expires_at");
    reader.integer(like("max_uses", "3"), 1..=i64::MAX);
    if expires.is_some_and(|node| !is_moment(&node.value)) {
        let message = "`expires_at` in this approval must be a date and time";
        reader.refuse("expires_at", message, "for example: `expires_at = 2027-01-01T00:00:00Z`");
    }
    let bounded = constraints && expires.is_some() && table.get("max_uses").is_some();
    if klass.is_some_and(|zte| zte.value) && !bounded {
        let message = "an approval of the class `zte` needs `expires_at`, `max_uses` and `constraints`";
        reader.refuse("klass", message, "bound it by all three, or write `klass = \"standard\"`");
    }
}

const SLUG: &str = "it names the approval: `slug = \"night-swap\"`";

/// Whether LychD can read a moment out of it: a date with or without a time of day, as such or as text.
fn is_moment(value: &Value) -> bool {
    match value {
        Value::Datetime(moment) => moment.date.is_some(),
        Value::String(text) => {
            text.parse::<toml::value::Datetime>().is_ok_and(|moment| moment.date.is_some())
        }
        _ => false,
    }
}
