//! Locales of the C library.

use std::str::FromStr;

/// A locale in UTF-8, as `LANG` has it: `de_DE.UTF-8`, `sr_RS.UTF-8@latin`. Whether Debian has it is found in the build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocaleName(String);
text_name!(LocaleName);

/// Why a text is no locale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {}", .text.escape_debug(), .why)]
pub struct LocaleError {
    text: String,
    why: String,
}

impl LocaleName {
    /// The grammar, for messages.
    const GRAMMAR: &'static str = "a language in lower case, `_` and a country in upper case, `.UTF-8`, and `@` with a \
                                   modifier where there is one";
}

impl FromStr for LocaleName {
    type Err = LocaleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, modifier) = text.split_once('@').map_or((text, None), |(rest, end)| (rest, Some(end)));
        let (place, encoding) = rest.split_once('.').map_or((rest, None), |(place, end)| (place, Some(end)));
        let utf8 = || {
            let modifier = modifier.map(|modifier| format!("@{modifier}")).unwrap_or_default();
            format!("{place}.UTF-8{modifier}")
        };
        let why = if matches!(place, "C" | "POSIX") {
            "needs no word: every image has `C.UTF-8`, and it is the locale where there is no list".to_owned()
        } else if !is_place(place) || !modifier.is_none_or(is_modifier) {
            format!("is not a locale ({})", Self::GRAMMAR)
        } else if encoding != Some("UTF-8") {
            format!("does not end in `.UTF-8`, which alone is made: write `{}`", utf8())
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(LocaleError { text: text.chars().take(80).collect(), why })
    }
}

/// A language of two or three letters, and a country of two.
fn is_place(text: &str) -> bool {
    text.split_once('_').is_some_and(|(language, country)| {
        matches!(language.len(), 2 | 3)
            && language.bytes().all(|c| c.is_ascii_lowercase())
            && country.len() == 2
            && country.bytes().all(|c| c.is_ascii_uppercase())
    })
}

fn is_modifier(text: &str) -> bool {
    matches!(text.len(), 1..=20) && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_in_utf_8_and_of_a_language_and_a_country() {
        for good in ["de_DE.UTF-8", "ast_ES.UTF-8", "sr_RS.UTF-8@latin", "ca_ES.UTF-8@valencia"] {
            assert_eq!(good.parse::<LocaleName>().unwrap().as_str(), good);
        }
        for (bad, want) in [
            ("", "is not a locale"),
            ("german", "is not a locale (a language in lower case"),
            ("DE_de.UTF-8", "is not a locale"),
            ("de-DE.UTF-8", "is not a locale"),
            ("de_DE_x.UTF-8", "is not a locale"),
            ("de_DE.UTF-8@", "is not a locale"),
            ("de_DE.UTF-8@a b", "is not a locale"),
            ("de_DE.UTF-8 UTF-8", "does not end in `.UTF-8`"),
            ("de_DE", "does not end in `.UTF-8`, which alone is made: write `de_DE.UTF-8`"),
            ("de_DE@euro", "write `de_DE.UTF-8@euro`"),
            ("de_DE.ISO-8859-1", "write `de_DE.UTF-8`"),
            ("de_DE.utf8", "write `de_DE.UTF-8`"),
            ("C.UTF-8", "every image has `C.UTF-8`"),
            ("de_DE.UTF-8\n", "`de_DE.UTF-8\\n` does not end"),
        ] {
            let told = bad.parse::<LocaleName>().unwrap_err().to_string();
            assert!(told.contains(want), "{told}");
        }
    }
}
