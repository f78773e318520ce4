//! A kind of input: rows of keys, each with its fate, and how keys that were written are judged by them.

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Node, Table, Value, nearest::nearest},
    name::MemberId,
};

/// The most unknown keys that a note names.
const NAMED: usize = 12;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is read and has its effect.
    Taken,
    /// It ends the run, at its place.
    Refused,
    /// The result is made without it, and a note says so.
    Noted,
    /// Nothing of a body depends on it.
    Harmless,
}

impl Fate {
    /// As the documentation has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Noted => "noted",
            Self::Harmless => "harmless",
        }
    }
}

/// Keys with one fate.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The keys; one may have a `*` for any characters.
    pub keys: &'static [&'static str],
    /// What becomes of them.
    pub fate: Fate,
    /// What they are taken for, or why they are not.
    pub why: &'static str,
    /// What to do instead; of what is refused.
    pub help: Option<&'static str>,
}

impl Row {
    pub(super) const fn of(fate: Fate, keys: &'static [&'static str], why: &'static str) -> Self {
        Self { keys, fate, why, help: None }
    }

    pub(super) const fn taken(keys: &'static [&'static str], why: &'static str) -> Self {
        Self::of(Fate::Taken, keys, why)
    }

    pub(super) const fn refused(
        keys: &'static [&'static str],
        why: &'static str,
        help: &'static str,
    ) -> Self {
        Self { help: Some(help), ..Self::of(Fate::Refused, keys, why) }
    }

    pub(super) const fn noted(keys: &'static [&'static str], why: &'static str) -> Self {
        Self::of(Fate::Noted, keys, why)
    }

    pub(super) const fn harmless(keys: &'static [&'static str], why: &'static str) -> Self {
        Self::of(Fate::Harmless, keys, why)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|pattern| matches(pattern, key))
    }
}

/// A kind of input.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// What it is called in messages.
    pub name: &'static str,
    /// Where it is looked for, and whose it is.
    pub about: &'static str,
    /// The rows, in groups that several kinds may share.
    pub rows: &'static [&'static [Row]],
    /// What becomes of a key that no row has.
    pub others: Fate,
}

/// A key as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// Whether its value asks for nothing: `false`, or an empty list.
    pub is_off: bool,
}

/// What a person is told of an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// What ends the run.
    pub refused: Vec<Diagnostic>,
    /// What is only noted.
    pub notes: Vec<String>,
}

impl Told {
    /// Adds what is told of another input.
    pub fn extend(&mut self, other: Self) {
        self.refused.extend(other.refused);
        self.notes.extend(other.notes);
    }
}

impl Input {
    /// The row of a key; the first that has it.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&'static Row> {
        self.rows.iter().copied().flatten().find(|row| row.has(key))
    }

    /// Judges the keys of a table.
    #[must_use]
    pub fn judge_table(&self, table: &Table, member: &MemberId) -> Told {
        self.judge(written(table), member)
    }

    /// Judges keys in the order in which they are given.
    #[must_use]
    pub fn judge(&self, keys: impl IntoIterator<Item = Written>, member: &MemberId) -> Told {
        let mut told = Told::default();
        let mut strangers = Vec::new();
        for written in keys.into_iter().filter(|written| !written.is_off) {
            let Written { key, place, .. } = &written;
            let key = key.escape_debug();
            match self.row(&written.key) {
                None if self.others == Fate::Noted => strangers.push(written),
                None if self.others == Fate::Refused => {
                    let unknown = Diagnostic::new(format!("`{key}` in {} is not known", self.name))
                        .at(place.clone(), "")
                        .requested_by(member.to_string());
                    let near = self.near(&written.key).map(|near| format!("did you mean `{near}`?"));
                    told.refused.push(near.into_iter().fold(unknown, Diagnostic::help));
                }
                Some(Row { fate: Fate::Refused, why, help, .. }) => {
                    let refused = Diagnostic::new(format!("`{key}` in {} is not taken: {why}", self.name))
                        .at(place.clone(), "")
                        .requested_by(member.to_string());
                    told.refused.push(help.iter().fold(refused, |refused, help| refused.help(*help)));
                }
                Some(Row { fate: Fate::Noted, why, .. }) => {
                    told.notes.push(format!("{place}: `{key}` in {} is not taken: {why}", self.name));
                }
                _ => {}
            }
        }
        told.notes.extend(self.unknown(&strangers));
        told
    }

    /// The known key that was meant, as it seems.
    fn near(&self, key: &str) -> Option<&'static str> {
        let known = self.rows.iter().copied().flatten().flat_map(|row| row.keys).copied();
        nearest(key, known.filter(|key| !key.contains('*')))
    }

    /// One note of all keys that nobody here knows.
    fn unknown(&self, strangers: &[Written]) -> Option<String> {
        let first = strangers.first()?;
        let say = |written: &Written| {
            let key = written.key.escape_debug();
            match self.near(&written.key) {
                Some(near) => format!("`{key}` (did you mean `{near}`?)"),
                None => format!("`{key}`"),
            }
        };
        let mut keys: Vec<String> = strangers.iter().take(NAMED).map(say).collect();
        if strangers.len() > NAMED {
            keys.push(format!("and {} more", strangers.len() - NAMED));
        }
        Some(format!(
            "{}: {} in {}: the forge does not know {}",
            first.place,
            keys.join(", "),
            self.name,
            if keys.len() == 1 {
                "this key, and nothing of the body is made by it"
            } else {
                "these keys, and nothing of the body is made by them"
            },
        ))
    }
}

/// The keys of a table with their places.
pub fn written(table: &Table) -> impl Iterator<Item = Written> {
    table.iter().map(|(key, field)| Written {
        key: key.to_owned(),
        place: field.key.clone(),
        is_off: is_off(&field.node),
    })
}

/// Whether a value asks for nothing.
fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Boolean(is_on) => !is_on,
        Value::Array(items) => items.is_empty(),
        Value::Table(table) => table.is_empty(),
        _ => false,
    }
}

/// Whether a key is one that a pattern with at most one `*` means.
fn matches(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((before, after)) => {
            key.len() >= before.len() + after.len() && key.starts_with(before) && key.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stands_for_any_characters() {
        for (pattern, key, is_one) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("@*:registry", "@x:registry", true),
            ("@*:registry", "registry", false),
            ("//*", "//host/:_authToken", true),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, key), is_one, "{pattern} {key}");
        }
    }
}
