//! Families without a unit: standing approvals and the simulation. LychD reads them at run time; here they are judged.

use crate::{
    codex::{
        document::{Table, Value},
        reader::Reader,
    },
    diagnostic::{Diagnostic, Source},
};

pub(super) fn preauth(source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) {
    let known = [
        "slug",
        "priority",
        "klass",
        "sigil_pattern",
        "tool_pattern",
        "constraints",
        "expires_at",
        "max_uses",
    ];
    let mut reader = Reader::new(table, "this approval", &known, errors);
    for key in ["slug", "tool_pattern"] {
        match reader.string(key) {
            Some(text) if text.value.is_empty() && key == "slug" => {
                reader.refuse(key, format!("`{key}` in this approval is empty"));
            }
            None if table.get(key).is_none() => {
                let message = format!("this approval has no `{key}`");
                reader.errors().push(Diagnostic::new(message).at(source.at(0..0), ""));
            }
            _ => {}
        }
    }
    reader.integer("priority", 0..=100);
    reader.string("sigil_pattern");
    reader.integer("max_uses", 1..=i64::MAX);
    let constraints = reader.table("constraints").is_some_and(|table| !table.is_empty());
    let expires = table.get("expires_at");
    if let Some(node) = expires
        && !matches!(node.value, Value::Datetime(_) | Value::String(_))
    {
        reader.refuse("expires_at", "`expires_at` in this approval must be a date and time");
    }
    match reader.string("klass").map(|klass| klass.value) {
        None | Some("standard") => {}
        Some("zte") => {
            let bounded = constraints && expires.is_some() && table.get("max_uses").is_some();
            if !bounded {
                let message =
                    "an approval of the class `zte` needs `expires_at`, `max_uses` and `constraints`";
                reader.refuse("klass", message);
            }
        }
        Some(_) => {
            reader.refuse("klass", "`klass` in this approval is neither `standard` nor `zte`");
        }
    }
}

pub(super) fn simulation(table: &Table, errors: &mut Vec<Diagnostic>) {
    let mut reader = Reader::new(table, "this simulation", &["mode", "max_timelines"], errors);
    reader.string("mode");
    reader.integer("max_timelines", 1..=i64::MAX);
}
