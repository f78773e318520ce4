//! Environment variables of a unit.

use std::str::FromStr;

use super::unit_text;

/// The name of an environment variable: a letter or `_`, then letters, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableName(String);
text_name!(VariableName);

/// What a variable holds, by LychD's law: printable, in one line, no backslash, `%%` for a percent sign. Unlike a
/// [`unit_text::UnitText`] it may have a `$`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableText(String);
text_name!(VariableText);

/// Why a text is no name or no content of a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {what}", .text.escape_debug())]
pub struct VariableError {
    text: String,
    what: &'static str,
}

impl FromStr for VariableName {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
        if first && text.len() <= 255 && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            Ok(Self(text.to_owned()))
        } else {
            let what = "is not the name of a variable (a letter or `_`, then letters, digits and `_`)";
            Err(VariableError { text: text.to_owned(), what })
        }
    }
}

impl FromStr for VariableText {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = if text.len() > 4096 {
            "cannot stand in a unit: it is longer than 4096 bytes"
        } else if !unit_text::is_printable(text) {
            "cannot stand in a unit: it must be printable and in one line"
        } else if text.contains('\\') {
            "cannot stand in a unit: it has a backslash"
        } else if text.replace("%%", "").contains('%') {
            "cannot stand in a unit: it has a `%`; write `%%`"
        } else if unit_text::has_lone_semicolon(text) {
            "cannot stand in a unit: it has `;` as a word of its own"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(VariableError { text: text.to_owned(), what })
    }
}

impl VariableText {
    /// The text that the process sees.
    #[must_use]
    pub fn meant(&self) -> String {
        self.0.replace("%%", "%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents_are_held_to_the_law() {
        for bad in ["", "1A", "A-B", "A=B", "A B", "Ä", "A\n"] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad:?}");
        }
        for bad in ["a\nb", "a\\b", "50%", "%h", "a\u{2028}", "a ; b", "';'"] {
            assert!(bad.parse::<VariableText>().is_err(), "{bad:?}");
        }
        let text: VariableText = "costs $5, 100%% \"local\"".parse().unwrap();
        assert_eq!(text.meant(), "costs $5, 100% \"local\"");
    }
}
