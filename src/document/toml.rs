//! A TOML document as a value that knows where each part was written.
//!
//! Stricter than TOML, since several programs read the same manifest and must see the same text: no byte order
//! mark, no carriage returns, no NUL, a size limit (depth is limited by the parser).

use std::{collections::BTreeMap, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source},
    host::file,
};

/// The most a configuration file or manifest may hold, in bytes.
pub const LIMIT: u64 = 1 << 20;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A TOML value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value (not its key) stands.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    String(String),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time or both.
    Datetime(toml::value::Datetime),
    /// An array, or an array of tables.
    Array(Vec<Node>),
    /// A table of any spelling.
    Table(Table),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where the key stands.
    pub key: Place,
    /// What it holds.
    pub node: Node,
}

/// A table, sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(BTreeMap<String, Field>);

impl Table {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key).map(|field| &field.node)
    }

    /// Key and value, with the key's own place.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.0.get(key)
    }

    /// The table at `key`, when there is one.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<&Table> {
        self.get(key).and_then(Node::as_table)
    }

    /// All fields, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(key, field)| (key.as_str(), field))
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table without its places, to be written out again.
    #[must_use]
    pub fn to_toml(&self) -> toml::Table {
        self.iter().map(|(key, field)| (key.to_owned(), field.node.to_toml())).collect()
    }
}

impl FromIterator<(String, Field)> for Table {
    fn from_iter<I: IntoIterator<Item = (String, Field)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Node {
    /// The string, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The table, when it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The array, when it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The value without its places, to be written out again or compared.
    #[must_use]
    pub fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::String(text) => toml::Value::String(text.clone()),
            Value::Integer(number) => toml::Value::Integer(*number),
            Value::Float(number) => toml::Value::Float(*number),
            Value::Boolean(truth) => toml::Value::Boolean(*truth),
            Value::Datetime(moment) => toml::Value::Datetime(*moment),
            Value::Array(items) => toml::Value::Array(items.iter().map(Node::to_toml).collect()),
            Value::Table(table) => toml::Value::Table(table.to_toml()),
        }
    }

    /// What kind of value it is, with its article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

/// Reads a document from disk, without following a link; `name` is what the user sees. `None` when nothing
/// is there.
///
/// # Errors
/// Refused when it is a link, no regular file, too large or no UTF-8; unable when the system says no.
pub fn read(path: &Path, name: &str) -> Result<Option<Source>, Failure> {
    let Some(kind) = file::kind(path)? else { return Ok(None) };
    if kind == file::Kind::Link {
        return Err(Diagnostic::new(format!("`{name}` is a symbolic link"))
            .help("put the file itself there: a link can change between two reads")
            .into());
    }
    let bytes = file::read(path, LIMIT).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::FileTooLarge => {
            Diagnostic::new(format!("`{name}`: {error}")).into()
        }
        _ => file::unable("read", path, &error),
    })?;
    source(name, bytes).map(Some)
}

/// Judges the bytes of a document before it is parsed.
///
/// # Errors
/// Refused when they are no UTF-8, or hold a byte order mark, a carriage return or NUL, with the place.
pub fn source(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Source, Failure> {
    source_within(name, bytes, LIMIT)
}

/// As [`source`], with a limit of its own in bytes: locks are larger than manifests.
///
/// # Errors
/// As [`source`].
pub fn source_within(name: &str, bytes: impl Into<Vec<u8>>, limit: u64) -> Result<Source, Failure> {
    let bytes = bytes.into();
    if bytes.len() as u64 > limit {
        return Err(Diagnostic::new(format!("`{name}` has more than {limit} bytes")).into());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default()).into_owned();
        let end = before.len();
        Diagnostic::new(format!("`{name}` is not UTF-8")).at(Source::new(name, before).at(end..end), "")
    })?;
    let source = Source::new(name, text);
    let found = |at: usize, width, what: &str, help: &str| {
        let place = source.at(at..at + width);
        Err(Diagnostic::new(format!("`{name}` has {what}")).at(place, "").help(help).into())
    };
    if source.text().starts_with('\u{feff}') {
        return found(0, 3, "a byte order mark", "save it as UTF-8 without byte order mark");
    }
    if let Some(at) = source.text().find('\r') {
        return found(at, 1, "a carriage return", "save it with Unix line ends (LF)");
    }
    if let Some(at) = source.text().find('\0') {
        return found(at, 1, "a NUL character", "remove it");
    }
    Ok(source)
}

/// Parses a document.
///
/// # Errors
/// Refused with every syntax error and every duplicate key.
pub fn parse(source: &Source) -> Result<Table, Failure> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let mut all: Vec<Diagnostic> = errors
        .iter()
        .map(|error| {
            let message = format!("`{}` is not valid TOML: {}", source.name(), error.message().trim_end());
            let wrong = Diagnostic::new(message.replace('\n', ", "));
            wrong
                .at(source.at(error.span().unwrap_or(0..0)), "")
                .help("mend what stands there; the grammar is at https://toml.io/en/v1.0.0")
        })
        .collect();
    let table = convert_table(source, table.get_ref(), &mut all);
    crate::diagnostic::refuse_any(all)?;
    Ok(table)
}

fn convert_table(source: &Source, table: &DeTable<'_>, errors: &mut Vec<Diagnostic>) -> Table {
    let field = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<std::borrow::Cow<'_, str>> = key;
        let field = Field { key: source.at(key.span()), node: convert(source, value, errors) };
        (key.get_ref().clone().into_owned(), field)
    };
    Table(table.iter().map(field).collect())
}

fn convert(source: &Source, value: &Spanned<DeValue<'_>>, errors: &mut Vec<Diagnostic>) -> Node {
    let place = source.at(value.span());
    let mut number = |text: &dyn std::fmt::Display| {
        errors.push(Diagnostic::new(format!("`{text}` is too large a number")).at(place.clone(), ""));
    };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(integer) => {
            Value::Integer(i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or_else(|_| {
                number(integer);
                0
            }))
        }
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or_else(|_| {
            number(float);
            0.0
        })),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(moment) => Value::Datetime(*moment),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| convert(source, item, errors)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(source, table, errors)),
    };
    Node { place, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        parse(&source("a.toml", text).map_err(|failure| failure.to_string())?)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_part_knows_its_place() {
        let table = table("[tool]\nx = { \"é\" = [1, \"two\"] }\n").unwrap();
        let items = table.table("tool").unwrap().table("x").unwrap().get("é").unwrap();
        assert_eq!(items.place.to_string(), "a.toml:2:13");
        assert_eq!(items.as_array().unwrap()[1].place.to_string(), "a.toml:2:17");
        assert_eq!(table.table("tool").unwrap().field("x").unwrap().key.to_string(), "a.toml:2:1");
        assert_eq!(table.to_toml().to_string(), "[tool.x]\n\"é\" = [1, \"two\"]\n");
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for (text, want) in [
            ("\u{feff}a = 1\n", "byte order mark\n  at a.toml:1:1"),
            ("a = 1\r\nb = 2\r\n", "carriage return\n  at a.toml:1:6"),
            ("a = '\0'\n", "NUL character\n  at a.toml:1:6"),
            ("a = 1\na = 2\n", "duplicate key\n  at a.toml:2:1"),
            ("[a]\nb.c = 1\n[a.b]\nc = 2\n", "duplicate key\n  at a.toml:3:4"),
            ("a = 9223372036854775808\n", "too large a number\n  at a.toml:1:5"),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(want), "{text:?}: {error}");
        }
        assert!(source("a.toml", b"a = \"\xff\"".to_vec()).unwrap_err().to_string().contains("not UTF-8"));
        let deep = format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(table(&deep).is_err());
    }

    #[test]
    fn all_syntax_errors_are_told_at_once() {
        let error = table("a = \nb = 1\nb = 2\n").unwrap_err();
        assert!(error.contains("a.toml:1:") && error.contains("a.toml:3:1"), "{error}");
    }
}
