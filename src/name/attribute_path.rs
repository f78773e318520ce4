//! Attribute paths of nixpkgs.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// `python313Packages.numpy`: identifiers of the Nix language joined by dots, none of them quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AttributePath(String);

/// A text that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an attribute path (identifiers joined by `.`)", .0.escape_debug())]
pub struct AttributePathError(String);

impl AttributePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for AttributePath {
    type Err = AttributePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| {
            part.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
                && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-'".contains(&c))
        };
        if text.len() <= 200 && text.split('.').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AttributePathError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_identifiers_make_a_path() {
        for good in ["file", "stdenv.cc.cc.lib", "python313Packages.numpy", "llvmPackages_19.libllvm", "_7zz"]
        {
            assert!(good.parse::<AttributePath>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", "a..b", "0ad", "g++", "a${b}", "\"a b\"", "a b", "-a", "a\n"] {
            assert!(bad.parse::<AttributePath>().is_err(), "{bad}");
        }
    }
}
