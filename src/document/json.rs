//! A JSON document as the same located value that a TOML document is.
//!
//! Stricter than JSON where two programs could read two texts: duplicate keys are refused, and so is what
//! [`super::source`] refuses. A `null` member counts as missing.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{Field, Node, Table, Value};
use crate::diagnostic::{Diagnostic, Failure, Place, Source};

/// How deep values may lie in each other.
const DEPTH: usize = 64;

/// Parses a document whose outermost value is an object.
///
/// # Errors
/// Refused with the first thing that is wrong in it, and where.
pub fn parse(source: &Source) -> Result<Table, Failure> {
    let mut parser = Parser { source, text: source.text(), at: 0 };
    let read = parser.value(0).and_then(|node| {
        parser.space();
        if parser.at == parser.text.len() { Ok(node) } else { Err(parser.wrong("there is more behind it")) }
    });
    match read?.map(|node| node.value) {
        Some(Value::Table(table)) => Ok(table),
        _ => Err(Diagnostic::new(format!("`{}` is not a JSON object", source.name()))
            .at(source.at(0..1), "")
            .into()),
    }
}

/// Where each key of a document's outermost object stands, also one whose value is `null`.
///
/// # Errors
/// As [`parse`].
pub fn keys(source: &Source) -> Result<BTreeMap<String, Place>, Failure> {
    let mut parser = Parser { source, text: source.text(), at: 0 };
    parser.space();
    if parser.peek() != Some(b'{') {
        return Err(parser.wrong("`{` must stand here"));
    }
    Ok(parser.members(0)?.into_iter().map(|(name, member)| (name, member.key)).collect())
}

/// A key of an object with its value; `None` is `null`.
struct Member {
    key: Place,
    node: Option<Node>,
}

struct Parser<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong_at(&self, start: usize, end: usize, what: &str) -> Failure {
        let message = format!("`{}` is not valid JSON: {what}", self.source.name());
        Diagnostic::new(message).at(self.source.at(start..end), "").into()
    }

    fn wrong(&self, what: &str) -> Failure {
        self.wrong_at(self.at, self.at + 1, what)
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// A value; `None` is `null`.
    fn value(&mut self, depth: usize) -> Result<Option<Node>, Failure> {
        self.space();
        if depth > DEPTH {
            return Err(self.wrong("too many values in each other"));
        }
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => Value::Table(self.object(depth)?),
            Some(b'[') => Value::Array(self.array(depth)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ if self.word("true") => Value::Boolean(true),
            _ if self.word("false") => Value::Boolean(false),
            _ if self.word("null") => return Ok(None),
            Some(_) => return Err(self.wrong("no value stands here")),
            None => return Err(self.wrong("it ends too early")),
        };
        Ok(Some(Node { place: self.source.at(start..self.at), value }))
    }

    fn word(&mut self, word: &str) -> bool {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn object(&mut self, depth: usize) -> Result<Table, Failure> {
        let field = |(name, Member { key, node })| Some((name, Field { key, node: node? }));
        Ok(self.members(depth)?.into_iter().filter_map(field).collect())
    }

    fn members(&mut self, depth: usize) -> Result<BTreeMap<String, Member>, Failure> {
        self.at += 1;
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        if !self.takes(b'}') {
            loop {
                self.space();
                let start = self.at;
                if self.peek() != Some(b'"') {
                    return Err(self.wrong("a key in quotes must stand here"));
                }
                let name = self.string()?;
                let key = self.source.at(start..self.at);
                if !self.takes(b':') {
                    return Err(self.wrong("`:` must stand here"));
                }
                let node = self.value(depth + 1)?;
                match members.entry(name) {
                    Entry::Vacant(entry) => drop(entry.insert(Member { key, node })),
                    Entry::Occupied(entry) => {
                        let what = format!("duplicate key `{}`", entry.key().escape_debug());
                        return Err(self.wrong_at(start, start + 1, &what));
                    }
                }
                if self.takes(b'}') {
                    break;
                }
                if !self.takes(b',') {
                    return Err(self.wrong("`,` or `}` must stand here"));
                }
            }
        }
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, Failure> {
        self.at += 1;
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?.ok_or_else(|| self.wrong("`null` in an array"))?);
            if self.takes(b']') {
                return Ok(items);
            }
            if !self.takes(b',') {
                return Err(self.wrong("`,` or `]` must stand here"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Failure> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.wrong_at(start, start + 1, "this string does not end")),
            }
        }
        self.at += 1;
        let token = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(token)
            .map_err(|error| self.wrong_at(start, self.at, &format!("in this string: {}", plain(&error))))
    }

    fn number(&mut self) -> Result<Value, Failure> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let token = self.text.get(start..self.at).unwrap_or_default();
        let number: serde_json::Number = serde_json::from_str(token)
            .map_err(|error| self.wrong_at(start, self.at, &format!("in this number: {}", plain(&error))))?;
        Ok(number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(0.0)), Value::Integer))
    }
}

/// `serde_json`'s words without its line and column, which count from the token.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        parse(&Source::new("a.json", text)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_part_knows_its_place() {
        let table =
            table("{\n  \"x\": { \"\\u00e9\": [1, -2.5, \"two\"], \"n\": null },\n \"t\": true}\n").unwrap();
        let inner = table.table("x").unwrap();
        let items = inner.get("é").unwrap().as_array().unwrap();
        assert_eq!(items[2].place.to_string(), "a.json:2:30");
        assert_eq!((items[0].kind(), items[1].kind()), ("an integer", "a float"));
        assert_eq!(table.field("t").unwrap().key.to_string(), "a.json:3:2");
        assert!(inner.get("n").is_none());
        let keys = keys(&Source::new("a.json", " {\"a\": {\"b\": 1}, \"b\": null}")).unwrap();
        let keys: Vec<String> = keys.iter().map(|(key, place)| format!("{key} {place}")).collect();
        assert_eq!(keys, ["a a.json:1:3", "b a.json:1:18"]);
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for (text, want) in [
            ("{\"a\": 1, \"a\": null}", "duplicate key `a`\n  at a.json:1:10"),
            ("{\"a\": 1,}", "a key in quotes must stand here\n  at a.json:1:9"),
            ("{\"a\" 1}", "`:` must stand here\n  at a.json:1:6"),
            ("{'a': 1}", "a key in quotes"),
            ("{\"a\": 01}", "in this number"),
            ("{\"a\": NaN}", "no value stands here"),
            ("{\"a\": [null]}", "`null` in an array"),
            ("{\"a\": \"\u{1}\"}", "control character"),
            ("{\"a\": \"\\ud800\"}", "in this string"),
            ("{\"a\": \"x", "this string does not end"),
            ("{\"a\": \"x\\", "this string does not end"),
            ("{} {}", "there is more behind it"),
            ("// a\n{}", "no value stands here"),
            ("[1]", "is not a JSON object"),
            ("", "it ends too early"),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(want), "{text:?}: {error}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(table(&deep).unwrap_err().contains("too many values in each other"));
    }
}
