//! The wire side: a table of the lock whose fields are taken one by one. What is wrong is collected with its
//! place, what is left over becomes a note.

use std::{collections::BTreeSet, ops::Range, str::FromStr};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};
use uv_pep508::MarkerTree;

use crate::{
    diagnostic::{Diagnostic, Source as Text},
    name::marker::{self, DEPTH_LIMIT, LITERAL_LIMIT},
};

/// The most bytes a string may have. uv's longest markers, with many conflicts, have some thousand.
const STRING_LIMIT: usize = 64 << 10;

/// What reading has found so far.
pub(super) struct Findings<'t> {
    pub(super) text: &'t Text,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) notes: Vec<Diagnostic>,
    /// Distinct literals of the markers so far.
    literals: BTreeSet<&'t str>,
}

/// A field's value and its place.
pub(super) type Field<'v, 'i> = &'v Spanned<DeValue<'i>>;

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t Text) -> Self {
        Self { text, errors: Vec::new(), notes: Vec::new(), literals: BTreeSet::new() }
    }

    /// Records an error at `span`.
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        let place = self.text.at(span);
        self.errors.push(Diagnostic::new(message).at(place, ""));
    }

    /// A string, or an error and `None`.
    pub(super) fn string<'v>(&mut self, field: Field<'v, '_>, what: &str) -> Option<&'v str> {
        let text = field.get_ref().as_str();
        match text {
            None => self.wrong_type(field, what, "a string"),
            Some(text) if text.len() > STRING_LIMIT => {
                self.error(
                    field.span(),
                    format!("`{what}` has {} bytes, more than {STRING_LIMIT}", text.len()),
                );
                return None;
            }
            Some(text) if marker::depth(text) > DEPTH_LIMIT => {
                self.error(field.span(), format!("`{what}` nests more than {DEPTH_LIMIT} parentheses"));
                return None;
            }
            Some(_) => {}
        }
        text
    }

    /// A string that is parsed, or an error and `None`.
    pub(super) fn parse<T>(&mut self, field: Field<'_, '_>, what: &str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = self.string(field, what)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().next().unwrap_or_default();
                self.error(field.span(), format!("`{what}` cannot be read: {}", reason.escape_debug()));
                None
            }
        }
    }

    /// A marker, or an error and `None`.
    pub(super) fn marker(&mut self, field: Field<'_, '_>, what: &str) -> Option<MarkerTree> {
        // The raw spelling: an escape in it makes more literals, never fewer.
        let raw = self.text.text().get(field.span()).unwrap_or_default();
        self.literals.extend(marker::literals(raw));
        if self.literals.len() > LITERAL_LIMIT {
            self.error(field.span(), format!("the markers have more than {LITERAL_LIMIT} different values"));
            return None;
        }
        self.parse(field, what)
    }

    /// A number that is not negative, or an error and `None`.
    pub(super) fn number(&mut self, field: Field<'_, '_>, what: &str) -> Option<u64> {
        let integer = field.get_ref().as_integer();
        let number = integer.and_then(|it| u64::from_str_radix(it.as_str(), it.radix()).ok());
        if number.is_none() {
            self.wrong_type(field, what, "a whole number");
        }
        number
    }

    /// The elements of an array; nothing, and an error, when it is none.
    pub(super) fn array<'v, 'i>(&mut self, field: Field<'v, 'i>, what: &str) -> &'v [Spanned<DeValue<'i>>] {
        if let Some(array) = field.get_ref().as_array() {
            elements(array)
        } else {
            self.wrong_type(field, what, "an array");
            &[]
        }
    }

    /// A table whose fields are to be taken, or an error and `None`.
    pub(super) fn table<'v, 'i>(&mut self, field: Field<'v, 'i>, what: &str) -> Option<Fields<'v, 'i>> {
        let table = field.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(field, what, "a table");
        }
        table.map(|table| Fields::new(table, field.span()))
    }

    /// A table used as a map, as pairs of key (with its place) and value.
    pub(super) fn map<'v, 'i>(&mut self, field: Field<'v, 'i>, what: &str) -> Vec<(Field<'v, 'i>, Key<'v>)> {
        let Some(table) = field.get_ref().as_table() else {
            self.wrong_type(field, what, "a table");
            return Vec::new();
        };
        table.iter().map(|(key, value)| (value, Key { text: key.get_ref(), span: key.span() })).collect()
    }

    /// Parses a map's key.
    pub(super) fn parse_key<T>(&mut self, key: &Key<'_>, what: &str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        if let Ok(value) = key.text.parse() {
            Some(value)
        } else {
            self.error(
                key.span.clone(),
                format!("`{}` is not a valid name in `{what}`", key.text.escape_debug()),
            );
            None
        }
    }

    fn wrong_type(&mut self, field: Field<'_, '_>, what: &str, wanted: &str) {
        let found = field.get_ref().type_str();
        self.error(field.span(), format!("`{what}` is {found}, not {wanted}"));
    }
}

pub(super) fn markers(
    fields: &mut Fields<'_, '_>,
    findings: &mut Findings<'_>,
    what: &'static str,
) -> Vec<MarkerTree> {
    let Some(field) = fields.take(what) else { return Vec::new() };
    findings.array(field, what).iter().filter_map(|element| findings.marker(element, what)).collect()
}

pub(super) fn names<T>(field: Field<'_, '_>, findings: &mut Findings<'_>, what: &str) -> BTreeSet<T>
where
    T: Ord + std::str::FromStr<Err: std::fmt::Display>,
{
    findings.array(field, what).iter().filter_map(|element| findings.parse(element, what)).collect()
}

pub(super) fn required<T>(
    fields: &mut Fields<'_, '_>,
    findings: &mut Findings<'_>,
    key: &'static str,
    what: &str,
) -> Option<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    if let Some(field) = fields.take(key) {
        findings.parse(field, key)
    } else {
        findings.error(fields.span.clone(), format!("{what} has no `{key}`"));
        None
    }
}

fn elements<'v, 'i>(array: &'v DeArray<'i>) -> &'v [Spanned<DeValue<'i>>] {
    array
}

/// A map's key.
pub(super) struct Key<'v> {
    pub(super) text: &'v str,
    pub(super) span: Range<usize>,
}

/// A table and which of its keys were asked for.
pub(super) struct Fields<'v, 'i> {
    table: &'v DeTable<'i>,
    /// Where the table is.
    pub(super) span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'v, 'i> Fields<'v, 'i> {
    pub(super) fn new(table: &'v DeTable<'i>, span: Range<usize>) -> Self {
        Self { table, span, known: Vec::new() }
    }

    /// The field `key`, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'v, 'i>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// The field under the first of its names that is there.
    pub(super) fn take_any(&mut self, keys: &[&'static str]) -> Option<Field<'v, 'i>> {
        self.known.extend(keys);
        keys.iter().find_map(|key| self.table.get(*key))
    }

    /// Keys that are known and carry nothing for us.
    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Notes every key that was not asked for.
    pub(super) fn finish(self, findings: &mut Findings<'_>, what: &str) {
        if self.table.len() <= self.known.len() && self.table.keys().all(|key| self.knows(key.get_ref())) {
            return;
        }
        for key in self.table.keys().filter(|key| !self.knows(key.get_ref())) {
            let message = format!("unknown key `{}` in {what} is ignored", key.get_ref().escape_debug());
            findings.notes.push(Diagnostic::new(message).at(findings.text.at(key.span()), ""));
        }
    }

    fn knows(&self, key: &str) -> bool {
        self.known.contains(&key)
    }
}
