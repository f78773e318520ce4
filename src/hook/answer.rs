//! What a run wrote, read as the outside data it is: one JSON object of this shape and nothing else.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use super::sandbox::Run;

/// What the hook did.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(super) enum Answer {
    /// It ended, and registered this.
    Registered(Registered),
    /// It did not.
    Failed(Failed),
}

/// What it registered, in order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registered {
    pub(super) system_dependencies: Vec<Entry>,
    pub(super) runes: Vec<Entry>,
    /// What the context of the forge does not know, by name.
    pub(super) ignored: Vec<Ignored>,
}

/// A part of LychD's own context that the hook used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignored {
    /// The first line of the hook that has it, from 1; 0 when it is not known.
    pub(super) line: usize,
    /// Its name, as `soulstones.add`.
    pub(super) name: String,
}

/// One registration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The line of the hook, from 1; 0 when it is not known.
    pub(super) line: usize,
    /// The fields as they were given.
    pub(super) value: Strict,
}

/// How it failed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failed {
    pub(super) kind: Kind,
    /// The line of the hook, from 1; 0 when it is not known.
    pub(super) line: usize,
    /// The exception's type and text.
    pub(super) message: String,
    /// The module that was not found.
    pub(super) missing: Option<String>,
    /// `file:line in function`, outermost first.
    pub(super) trace: Vec<String>,
}

/// When it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// While it was imported.
    Import,
    /// It has no `register`.
    Missing,
    /// While `register(context)` ran.
    Register,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// It was killed at a bound of the forge's.
    #[error("stopped")]
    Stopped,
    /// It ended without having written anything.
    #[error("nothing was written")]
    Nothing,
    /// It wrote something else.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

pub(super) fn read(run: &Run) -> Result<Answer, Unanswered> {
    if run.stopped.is_some() {
        return Err(Unanswered::Stopped);
    }
    if run.output.stdout.is_empty() || !run.output.success() {
        return Err(Unanswered::Nothing);
    }
    Ok(serde_json::from_slice(&run.output.stdout)?)
}

/// A JSON value without duplicate keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strict(pub(super) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor).map(Self)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("duplicate key `{}`", key.escape_debug())));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Output;

    fn answer(text: &str) -> Result<Answer, Unanswered> {
        let output = Output { code: Some(0), stdout: text.into(), stderr: String::new() };
        read(&Run { output, stopped: None })
    }

    #[test]
    fn only_the_one_shape_is_taken() {
        let good = r#"{"registered":{"system_dependencies":[{"line":1,"value":{"name":"xy"}}],"runes":[],"ignored":[{"line":2,"name":"a"}]}}"#;
        assert!(answer(good).is_ok());
        for bad in [
            "",
            "null",
            "{}",
            "[]",
            &format!("{good}{good}"),
            &format!("hello\n{good}"),
            &good.replace("\"runes\":[],", ""),
            &good.replace("\"runes\":[],", "\"runes\":[],\"runes\":[],"),
            &good.replace("\"runes\":[],", "\"runes\":[],\"more\":1,"),
            &good.replace("\"name\":\"xy\"", "\"name\":\"xy\",\"name\":\"z\""),
            &good.replace("\"line\":1", "\"line\":-1"),
            &good.replace("\"line\":1", "\"line\":1e99"),
            &good.replace("xy", "\\ud800"),
            &good.replace("\"xy\"", "NaN"),
            &good.replace("\"xy\"", &format!("{}{}", "[".repeat(5000), "]".repeat(5000))),
        ] {
            assert!(answer(bad).is_err(), "{bad}");
        }
        assert!(answer(&good.as_bytes().escape_ascii().to_string()).is_err());
    }
}
