//! Text that may stand in a unit file, by LychD's law.

use std::str::FromStr;

/// Text for one value of a unit: printable, in one line, and without what systemd gives a meaning to. `%%` is a
/// percent sign.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitText(String);
text_name!(UnitText);

impl UnitText {
    /// The text that it stands for: with `%` where `%%` was written.
    #[must_use]
    pub fn meant(&self) -> String {
        self.0.replace("%%", "%")
    }
}

/// Why a text is no [`UnitText`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot stand in a unit: {what}", .text.escape_debug())]
pub struct UnitTextError {
    text: String,
    what: &'static str,
}

/// The most such a text may hold, in bytes.
const LIMIT: usize = 4096;

impl FromStr for UnitText {
    type Err = UnitTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = if text.len() > LIMIT {
            "it is longer than 4096 bytes"
        } else if !is_printable(text) {
            "it must be printable and in one line"
        } else if text.contains('\\') {
            "it has a backslash"
        } else if text.contains('$') {
            "it has a `$`"
        } else if has_lone_semicolon(text) {
            "it has `;` as a word of its own"
        } else if text.replace("%%", "").contains('%') {
            "it has a `%`; write `%%`"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(UnitTextError { text: text.to_owned(), what })
    }
}

/// Whether `;` is a word of its own, in quotes or without: systemd would begin another command with it.
#[must_use]
pub fn has_lone_semicolon(text: &str) -> bool {
    text.split(' ').any(|word| word.trim_matches(['\'', '"']) == ";")
}

/// Whether every character is one that people see, or a space: no control, no line end, nothing invisible that
/// changes how the rest is shown, nothing unassigned.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    // The escapes of the standard library are for just those; behind a letter, accents stay as they are.
    text.chars().all(|c| {
        let shown: String = format!("a{c}").escape_debug().skip(1).collect();
        matches!(c, '\\' | '\'' | '"') || shown.chars().eq([c])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_would_read_otherwise_is_refused() {
        for (bad, want) in [
            ("a\nExecStart=/bin/sh", "in one line"),
            ("a\u{85}b", "printable"),
            ("a\u{2028}b", "printable"),
            ("a\u{202e}b", "printable"),
            ("a\u{a0}b", "printable"),
            ("a\tb", "printable"),
            ("a\\", "a backslash"),
            ("${HOME}", "a `$`"),
            ("a ';' b", "a word of its own"),
            ("%h/x", "write `%%`"),
            ("%%%", "write `%%`"),
            (&"a".repeat(4097), "longer"),
        ] {
            let error = bad.parse::<UnitText>().unwrap_err().to_string();
            assert!(error.contains(want), "{bad:?}: {error}");
        }
        for good in ["", "localhost", "a; b", "100%% 'of' \"it\"", "e\u{301}té ß 中"] {
            assert_eq!(good.parse::<UnitText>().unwrap().as_str(), good);
        }
    }
}
