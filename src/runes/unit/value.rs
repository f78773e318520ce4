//! Values of keys, and how each class of them is written.

use std::fmt;

use super::key::Key;

/// How podman's generator and systemd read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// systemd's own one-line text: `%` starts a specifier.
    Text,
    /// Unit names between spaces; nothing is quoted or expanded.
    Names,
    /// One argument of podman as it stands. The generator quotes it; systemd then expands `%` and `$` in it.
    Raw,
    /// Arguments of podman between spaces, quoted as systemd.syntax(7) says; then expanded as [`Class::Raw`].
    Words,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Text that must arrive as it is.
    Text(String),
    /// The user's home directory, which systemd fills in (`%h`).
    Home,
    /// The user's number, which systemd fills in (`%U`).
    UserId,
}

/// What stands behind a `=`: words, most often one, each of pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    words: Vec<Vec<Piece>>,
}

impl Value {
    /// One word of these pieces.
    #[must_use]
    pub fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self { words: vec![pieces.into_iter().collect()] }
    }

    /// Several words, for a key of [`Class::Words`].
    #[must_use]
    pub fn words(words: impl IntoIterator<Item = Value>) -> Self {
        Self { words: words.into_iter().flat_map(|value| value.words).collect() }
    }

    /// This value and `next` as one word each joined into one.
    #[must_use]
    pub fn then(mut self, next: impl Into<Value>) -> Self {
        let next = next.into().words.into_iter().flatten();
        match self.words.last_mut() {
            Some(last) => last.extend(next),
            None => self.words.push(next.collect()),
        }
        self
    }

    pub(super) fn encode(&self, class: Class) -> Result<String, Unwritable> {
        let words: Vec<String> =
            self.words.iter().map(|pieces| word(pieces, class)).collect::<Result<_, _>>()?;
        let several = words.len() != 1;
        if several && class != Class::Words {
            return Err(Unwritable::new("must be one value", self));
        }
        let line = words.join(" ");
        // A reader that joins continued lines would take the next line into this one.
        let soft = line.is_empty() || line.starts_with(' ') || line.ends_with(' ') || line.ends_with('\\');
        if soft && class != Class::Words {
            return Err(Unwritable::new("is empty, or begins or ends with a blank or a backslash", self));
        }
        Ok(line)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::of([Piece::Text(text.to_owned())])
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::of([Piece::Text(text)])
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

/// As a person reads it, with specifiers.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            formatter.write_str(if index > 0 { " " } else { "" })?;
            for piece in word {
                formatter.write_str(match piece {
                    Piece::Text(text) => text,
                    Piece::Home => "%h",
                    Piece::UserId => "%U",
                })?;
            }
        }
        Ok(())
    }
}

/// A value that its key cannot hold: nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value{} {what}: `{}`", .key.map(|key| format!(" of `{}=`", key.as_str())).unwrap_or_default(), .shown.escape_debug())]
pub struct Unwritable {
    key: Option<Key>,
    what: &'static str,
    shown: String,
}

impl Unwritable {
    fn new(what: &'static str, value: &Value) -> Self {
        Self { key: None, what, shown: value.to_string() }
    }

    pub(super) fn of(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }
}

fn word(pieces: &[Piece], class: Class) -> Result<String, Unwritable> {
    let mut plain = true;
    let mut encoded = String::new();
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => text,
            Piece::Home | Piece::UserId if class == Class::Names => {
                return Err(Unwritable::new("cannot hold a specifier", &Value::of(pieces.to_vec())));
            }
            Piece::Home => {
                encoded.push_str("%h");
                continue;
            }
            Piece::UserId => {
                encoded.push_str("%U");
                continue;
            }
        };
        for c in text.chars() {
            if is_unsafe(c) {
                let what = "has a control character, a line separator or one that hides text";
                return Err(Unwritable::new(what, &Value::of(pieces.to_vec())));
            }
            match (c, class) {
                (_, Class::Names) if !is_name(c) => {
                    return Err(Unwritable::new("is no list of unit names", &Value::of(pieces.to_vec())));
                }
                ('%', _) => encoded.push_str("%%"),
                ('$', Class::Raw | Class::Words) => encoded.push_str("$$"),
                ('\\' | '"', Class::Words) => {
                    plain = false;
                    encoded.extend(['\\', c]);
                }
                _ => {
                    plain &= is_bare(c);
                    encoded.push(c);
                }
            }
        }
    }
    let quoted = class == Class::Words && (!plain || encoded.is_empty());
    Ok(if quoted { format!("\"{encoded}\"") } else { encoded })
}

/// Characters that end a line for some reader, are cut by one, or show a person another text than the machine reads.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ' ')
}

/// What needs no quotes in a word, wherever in it.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:=,+@%$".contains(c)
}
