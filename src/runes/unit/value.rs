//! Values of keys, and how each class of them is written.

use std::fmt;

/// How podman's generator and systemd read a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// systemd's own one-line text: `%` starts a specifier.
    Text,
    /// Unit names or other plain words between spaces; nothing is quoted or expanded.
    Names,
    /// One argument of podman as it stands. The generator quotes it; systemd then expands `%` and `$` in it.
    Raw,
    /// One argument of podman, quoted as systemd.syntax(7) says; then expanded as [`Class::Raw`].
    Word,
    /// One argument of podman, quoted but without escapes; then expanded as [`Class::Raw`].
    Unescaped,
    /// Arguments of podman between spaces, each as a [`Class::Word`] that may also begin with `-`.
    Words,
}

/// The longest value that is written, in bytes: far below what systemd takes for a line.
const LIMIT: usize = 64 << 10;

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Text that must arrive as it is.
    Text(String),
    /// The user's home directory, which systemd fills in (`%h`).
    Home,
    /// The user's number, which systemd fills in (`%U`).
    UserId,
    /// The number of the user's own group, which systemd fills in (`%G`).
    GroupId,
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

    /// Several words, for a key of [`Class::Words`] or [`Class::Names`].
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

    /// The words that a process gets, of a user with this home, number and group.
    #[cfg(test)]
    pub(super) fn meant(&self, [home, user, group]: [&str; 3]) -> Vec<String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Home => home.to_owned(),
            Piece::UserId => user.to_owned(),
            Piece::GroupId => group.to_owned(),
        };
        self.words.iter().map(|pieces| pieces.iter().map(text).collect()).collect()
    }

    pub(super) fn encode(&self, class: Class) -> Result<String, Unwritable> {
        let words: Vec<String> =
            self.words.iter().map(|pieces| word(pieces, class)).collect::<Result<_, _>>()?;
        match words.len() {
            // To an assignment of nothing both readers say: forget the ones before.
            0 => return Err(Unwritable::new("is empty", self)),
            1 => {}
            _ if matches!(class, Class::Words | Class::Names) => {}
            _ => return Err(Unwritable::new("must be one value", self)),
        }
        let line = words.join(" ");
        if line.len() > LIMIT {
            return Err(Unwritable::new("is too long", self));
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
                    Piece::GroupId => "%G",
                })?;
            }
        }
        Ok(())
    }
}

/// A value that its key cannot hold: nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value{} {what}: `{}`", .key.map(|key| format!(" of `{key}=`")).unwrap_or_default(), .shown.escape_debug())]
pub struct Unwritable {
    /// The key's name.
    key: Option<&'static str>,
    what: &'static str,
    shown: String,
}

impl Unwritable {
    fn new(what: &'static str, value: &Value) -> Self {
        Self { key: None, what, shown: value.to_string().chars().take(200).collect() }
    }

    pub(super) fn of(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }
}

fn word(pieces: &[Piece], class: Class) -> Result<String, Unwritable> {
    let refused = |what| Err(Unwritable::new(what, &Value::of(pieces.to_vec())));
    let mut plain = true;
    let mut encoded = String::new();
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => text,
            Piece::Home | Piece::UserId | Piece::GroupId if class == Class::Names => {
                return refused("cannot hold a specifier");
            }
            Piece::Home => {
                encoded.push_str("%h");
                continue;
            }
            Piece::UserId => {
                encoded.push_str("%U");
                continue;
            }
            Piece::GroupId => {
                encoded.push_str("%G");
                continue;
            }
        };
        for c in text.chars() {
            if is_unsafe(c) {
                return refused("has a control character, a line separator or one that hides text");
            }
            match (c, class) {
                (_, Class::Names) if !is_name(c) => return refused("is no plain word"),
                ('%', _) => encoded.push_str("%%"),
                ('$', _) if class != Class::Text => encoded.push_str("$$"),
                ('\\' | '"', Class::Unescaped) => return refused("has a quote or a backslash"),
                ('\\' | '"', Class::Word | Class::Words) => {
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
    // Podman reads an empty word as the end of the line.
    if encoded.is_empty() {
        return refused("is empty");
    }
    match class {
        // It may quote a word that has a blank, but never this one, which ends a command for systemd.
        _ if encoded == ";" && class != Class::Text => refused("is a `;` alone"),
        // An option where a value is meant.
        Class::Raw | Class::Word | Class::Unescaped if encoded.starts_with('-') => {
            refused("begins with a `-`")
        }
        // A reader that joins continued lines would take the next line into this one.
        Class::Text | Class::Raw if encoded.starts_with(char::is_whitespace) => refused(SOFT),
        Class::Text | Class::Raw if encoded.ends_with(|c: char| c.is_whitespace() || c == '\\') => {
            refused(SOFT)
        }
        // Of some keys podman takes them away.
        Class::Raw if encoded.starts_with('"') || encoded.ends_with('"') => refused(SOFT),
        Class::Word | Class::Unescaped | Class::Words if !plain => Ok(format!("\"{encoded}\"")),
        _ => Ok(encoded),
    }
}

const SOFT: &str = "begins or ends with a blank, a quote or a backslash";

/// Characters that end a line for some reader, are cut by one, or show a person another text than the machine reads.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@')
}

/// What needs no quotes in a word, wherever in it.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:=,+@%$".contains(c)
}
