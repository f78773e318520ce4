//! Nix store paths, predicted: the same names that Nix computes, without Nix.
//!
//! Rule: `/nix/store/` + base32(first 160 bits, folded, of sha256(`<type>:sha256:<inner hex>:/nix/store:<name>`))
//! + `-` + name. Source: the Nix manual, "Store path specification".

use std::{fmt, str::FromStr};

use super::{Integrity, Sha256};

const STORE: &str = "/nix/store";
const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
const DIGITS: usize = 32;

/// A name that a store path may carry: 1 to 211 of `[A-Za-z0-9+._?=-]`, no leading dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreName(String);

/// A path `/nix/store/<digest>-<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorePath {
    digest: String,
    name: StoreName,
}

/// Why a text is no store path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a Nix store path", .0.escape_debug())]
pub struct StorePathError(String);

impl StoreName {
    /// Maps every character a store name cannot hold to `-`, as the emitted expressions do.
    #[must_use]
    pub fn mapped(text: &str) -> Self {
        let mapped: String = text.chars().take(211).map(|c| if allowed(c) { c } else { '-' }).collect();
        Self(if mapped.is_empty() || mapped.starts_with('.') {
            format!("-{}", mapped.trim_start_matches('.'))
        } else {
            mapped
        })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-._?=".contains(c)
}

impl fmt::Display for StoreName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl StorePath {
    /// Where a flat fixed-output derivation (a download) of this hash and name lies.
    #[must_use]
    pub fn of_flat_file(integrity: &Integrity, name: &StoreName) -> Self {
        let inner = Sha256::of(format!("fixed:out:{}:{}:", integrity.algorithm(), integrity.to_hex()));
        Self::make("output:out", &inner, name)
    }

    /// Where a source tree of this archive hash lies when it was added without references.
    #[must_use]
    pub fn of_source(nar_sha256: &Sha256, name: &StoreName) -> Self {
        Self::make("source", nar_sha256, name)
    }

    fn make(kind: &str, inner: &Sha256, name: &StoreName) -> Self {
        let outer = Sha256::of(format!("{kind}:sha256:{inner}:{STORE}:{name}"));
        let mut folded = [0_u8; 20];
        for (index, byte) in outer.as_bytes().iter().enumerate() {
            if let Some(slot) = folded.get_mut(index % 20) {
                *slot ^= byte;
            }
        }
        Self { digest: base32(&folded), name: name.clone() }
    }

    /// The part after the digest.
    #[must_use]
    pub fn name(&self) -> &StoreName {
        &self.name
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{STORE}/{}-{}", self.digest, self.name)
    }
}

impl serde::Serialize for StorePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for StorePath {
    type Err = StorePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || StorePathError(text.to_owned());
        let base = text.strip_prefix(STORE).and_then(|rest| rest.strip_prefix('/')).ok_or_else(wrong)?;
        let (digest, name) = base.split_at_checked(DIGITS).ok_or_else(wrong)?;
        let name = name.strip_prefix('-').ok_or_else(wrong)?;
        let sound =
            digest.bytes().all(|byte| ALPHABET.contains(&byte)) && StoreName::mapped(name).as_str() == name;
        if sound {
            Ok(Self { digest: digest.to_owned(), name: StoreName(name.to_owned()) })
        } else {
            Err(wrong())
        }
    }
}

/// Nix's own base 32: least significant five bits last, alphabet without e, o, t, u.
fn base32(bytes: &[u8]) -> String {
    let digits = (bytes.len() * 8).div_ceil(5);
    (0..digits)
        .rev()
        .filter_map(|digit| {
            let (byte, shift) = (digit * 5 / 8, digit * 5 % 8);
            let low = u16::from(*bytes.get(byte)?);
            let high = bytes.get(byte + 1).copied().map_or(0, u16::from);
            let value = usize::from(((high << 8 | low) >> shift) & 31);
            ALPHABET.get(value).map(|&c| char::from(c))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_names_are_accepted_by_nix() {
        assert_eq!(StoreName::mapped("libc6_1%3a2~b+c_amd64.deb").as_str(), "libc6_1-3a2-b+c_amd64.deb");
        assert_eq!(StoreName::mapped(".hidden").as_str(), "-hidden");
    }

    #[test]
    fn a_store_path_parses_back() {
        let path = StorePath::of_flat_file(&Integrity::Sha256(Sha256::of(b"")), &StoreName::mapped("x"));
        assert_eq!(path.to_string().parse::<StorePath>(), Ok(path));
        for bad in ["/nix/store/x", "/tmp/a", "/nix/store/00000000000000000000000000000000-a/b"] {
            assert!(bad.parse::<StorePath>().is_err(), "{bad}");
        }
    }
}
