//! JSON as Python sees it: objects keep the order of their keys, and the text form is that of
//! `json.dumps(value, indent=4)`. Both are part of an image's ID.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value without fractions, which no image configuration holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i128),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An object from keys and values, in this order.
    pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The texts of a list; `None` when this is anything else.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        let Self::List(items) = self else { return None };
        items
            .iter()
            .map(|item| if let Self::Text(text) = item { Some(text.as_str()) } else { None })
            .collect()
    }

    /// The value of an object's key; `None` when there is none, or this is anything else.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// What the value is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text of `json.dumps(value, indent=4)`, which is ASCII.
    pub(super) fn to_python_text(&self) -> String {
        let mut out = String::new();
        self.print(&mut out, 0);
        out
    }

    fn print(&self, out: &mut String, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(value) => out.push_str(&value.to_string()),
            Self::Text(text) => print_text(out, text),
            Self::List(items) => {
                print_items(out, depth, ['[', ']'], items, |out, item| item.print(out, depth + 1));
            }
            Self::Object(members) => print_items(out, depth, ['{', '}'], members, |out, (key, value)| {
                print_text(out, key);
                out.push_str(": ");
                value.print(out, depth + 1);
            }),
        }
    }
}

fn print_items<T>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    items: &[T],
    mut print: impl FnMut(&mut String, &T),
) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        print(out, item);
    }
    if !items.is_empty() {
        line(out, depth);
    }
    out.push(close);
}

/// A string as Python's encoder writes it: everything outside space to tilde is escaped, characters
/// above U+FFFF as surrogate pairs, with lower-case hex.
fn print_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `str([…])` of Python for a list of printable ASCII strings.
pub(super) fn python_list(items: &[String]) -> String {
    let quoted = |item: &String| {
        let escaped = item.replace('\\', "\\\\");
        match (item.contains('\''), item.contains('"')) {
            (true, false) => format!("\"{escaped}\""),
            _ => format!("'{}'", escaped.replace('\'', "\\'")),
        }
    };
    format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without fractions")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = members.next_entry::<String, Json>()? {
            if object.iter().any(|(name, _)| *name == key) {
                return Err(A::Error::custom(format!("the key `{}` occurs twice", key.escape_debug())));
            }
            object.push((key, value));
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_pythons() {
        let text = r#"{"z": {}, "a": [], "n": [1, -2, true, null], "t": "é\u007f\ud83d\ude00\b\"\\/"}"#;
        let value: Json = serde_json::from_str(text).unwrap();
        // python3 -c 'import json; print(json.dumps(json.loads(TEXT), indent=4))'
        let python = r#"{
    "z": {},
    "a": [],
    "n": [
        1,
        -2,
        true,
        null
    ],
    "t": "\u00e9\u007f\ud83d\ude00\b\"\\/"
}"#;
        assert_eq!(value.to_python_text(), python);
    }

    #[test]
    fn fractions_and_double_keys_are_refused() {
        for bad in ["1.5", "1e3", r#"{"a": 1, "a": 2}"#, "123456789012345678901234567890"] {
            assert!(serde_json::from_str::<Json>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_is_printed_as_python_prints_it() {
        let items = ["/a", "it's", "a\"b", "'\"", "\\"].map(str::to_owned);
        assert_eq!(python_list(&items), r#"['/a', "it's", 'a"b', '\'"', '\\']"#);
        assert_eq!(python_list(&[]), "[]");
    }
}
