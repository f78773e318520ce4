//! Hashes and what is named by them: one type each, every spelling parsed and printed in one place.

pub mod nar;
pub mod object_id;
pub mod serialize;
pub mod store_path;

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};
use sha2::Digest as _;

/// A SHA-256 value. Its text form is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// Why a text is no digest we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Not lower-case hex of the right length.
    #[error("`{}` is not {expected} lower-case hex digits", .text.escape_debug())]
    Hex {
        /// What was given.
        text: String,
        /// How many digits there should be.
        expected: usize,
    },
    /// Not `algorithm:hex` or an SRI entry.
    #[error("`{}` is not a hash (want `sha256:<hex>` or `sha512-<base64>`)", .0.escape_debug())]
    Malformed(String),
    /// md5, sha1 and the like.
    #[error("hash algorithm `{}` is too weak or unknown (want sha256, sha384 or sha512)", .0.escape_debug())]
    Weak(String),
}

impl Sha256 {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(sha2::Sha256::digest(bytes.as_ref()).into())
    }

    /// A hash that was computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw value.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `sha256-<base64>`, as in Subresource Integrity and Nix's `hash`.
    #[must_use]
    pub fn to_sri_string(&self) -> String {
        format!("sha256-{}", BASE64.encode(&self.0))
    }

    /// The first `digits` hex digits, for people.
    #[must_use]
    pub fn short(&self, digits: usize) -> String {
        self.to_string().chars().take(digits).collect()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decode_hex(text).map(Self)
    }
}

impl serde::Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Sha256 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "sha256".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

impl<'de> serde::Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn decode_hex<const N: usize>(text: &str) -> Result<[u8; N], DigestError> {
    let wrong = || DigestError::Hex { text: text.to_owned(), expected: N * 2 };
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| wrong())?;
    bytes.try_into().map_err(|_| wrong())
}

/// A hash strong enough to pin an artifact, as lock files spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Integrity {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-384.
    Sha384([u8; 48]),
    /// SHA-512.
    Sha512([u8; 64]),
}

impl Integrity {
    /// Subresource Integrity spelling, which Nix's `outputHash` takes as well.
    #[must_use]
    pub fn to_sri_string(&self) -> String {
        match self {
            Self::Sha256(hash) => hash.to_sri_string(),
            Self::Sha384(bytes) => format!("sha384-{}", BASE64.encode(bytes)),
            Self::Sha512(bytes) => format!("sha512-{}", BASE64.encode(bytes)),
        }
    }

    /// `sha256`, `sha384` or `sha512`, as Nix calls them.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha384(_) => "sha384",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The value in lower-case hex, without the algorithm.
    #[must_use]
    pub fn to_hex(&self) -> String {
        match self {
            Self::Sha256(hash) => hash.to_string(),
            Self::Sha384(bytes) => HEXLOWER.encode(bytes),
            Self::Sha512(bytes) => HEXLOWER.encode(bytes),
        }
    }

    /// The hash of `bytes` with the same algorithm.
    #[must_use]
    pub fn of_same_kind(&self, bytes: &[u8]) -> Self {
        match self {
            Self::Sha256(_) => Self::Sha256(Sha256::of(bytes)),
            Self::Sha384(_) => Self::Sha384(sha2::Sha384::digest(bytes).into()),
            Self::Sha512(_) => Self::Sha512(sha2::Sha512::digest(bytes).into()),
        }
    }
}

impl FromStr for Integrity {
    type Err = DigestError;

    /// Takes uv's `sha256:<hex>` and one SRI entry, `sha512-<base64>`. A weak algorithm is an error of
    /// its own, so that the caller can name it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || DigestError::Malformed(text.to_owned());
        if let Some((algorithm, hex)) = text.split_once(':') {
            return match algorithm {
                "sha256" => decode_hex(hex).map(|bytes| Self::Sha256(Sha256(bytes))),
                "sha384" => decode_hex(hex).map(Self::Sha384),
                "sha512" => decode_hex(hex).map(Self::Sha512),
                other => Err(DigestError::Weak(other.to_owned())),
            };
        }
        let (algorithm, base64) = text.split_once('-').ok_or_else(malformed)?;
        let decode = || BASE64.decode(base64.as_bytes()).map_err(|_| malformed());
        match algorithm {
            "sha256" => Ok(Self::Sha256(Sha256(decode()?.try_into().map_err(|_| malformed())?))),
            "sha384" => Ok(Self::Sha384(decode()?.try_into().map_err(|_| malformed())?)),
            "sha512" => Ok(Self::Sha512(decode()?.try_into().map_err(|_| malformed())?)),
            other => Err(DigestError::Weak(other.to_owned())),
        }
    }
}

/// Hashes with the algorithm of a pinned value.
#[derive(Clone, Debug)]
pub struct IntegrityHasher(Algorithm);

#[derive(Clone, Debug)]
enum Algorithm {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl IntegrityHasher {
    /// A hasher of the kind of `integrity`.
    #[must_use]
    pub fn new(integrity: &Integrity) -> Self {
        Self(match integrity {
            Integrity::Sha256(_) => Algorithm::Sha256(sha2::Sha256::new()),
            Integrity::Sha384(_) => Algorithm::Sha384(sha2::Sha384::new()),
            Integrity::Sha512(_) => Algorithm::Sha512(sha2::Sha512::new()),
        })
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Algorithm::Sha256(hasher) => hasher.update(bytes),
            Algorithm::Sha384(hasher) => hasher.update(bytes),
            Algorithm::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The hash of all bytes.
    #[must_use]
    pub fn finish(self) -> Integrity {
        match self.0 {
            Algorithm::Sha256(hasher) => Integrity::Sha256(Sha256(hasher.finalize().into())),
            Algorithm::Sha384(hasher) => Integrity::Sha384(hasher.finalize().into()),
            Algorithm::Sha512(hasher) => Integrity::Sha512(hasher.finalize().into()),
        }
    }
}

/// Hashes what is written to it and counts the bytes.
#[derive(Clone, Debug, Default)]
pub struct HashWriter {
    hasher: sha2::Sha256,
    length: u64,
}

impl HashWriter {
    /// The hash and the number of bytes so far.
    #[must_use]
    pub fn finish(self) -> (Sha256, u64) {
        (Sha256(self.hasher.finalize().into()), self.length)
    }
}

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn every_spelling_names_the_same_value() {
        let hash = Sha256::of(b"");
        assert_eq!(hash.to_string(), EMPTY);
        assert_eq!(format!("sha256:{EMPTY}").parse(), Ok(Integrity::Sha256(hash)));
        assert_eq!(hash.to_sri_string().parse(), Ok(Integrity::Sha256(hash)));
        assert_eq!(hash.to_sri_string(), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn weak_and_malformed_hashes_are_refused() {
        for weak in ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="] {
            assert!(matches!(weak.parse::<Integrity>(), Err(DigestError::Weak(_))), "{weak}");
        }
        let upper = format!("sha256:{}", EMPTY.to_uppercase());
        let list = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert!(list.parse::<Integrity>().is_err(), "a list is no hash");
        let short = format!("sha256:{}", &EMPTY[1..]);
        let spaced = format!("sha256:{EMPTY} ");
        for bad in [
            "",
            "sha256:",
            "sha256",
            &upper,
            &short,
            &spaced,
            "sha256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        ] {
            assert!(bad.parse::<Integrity>().is_err(), "{bad:?}");
        }
    }
}
