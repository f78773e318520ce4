//! The two identities of an image: ours, which is computed, and the engine's, which it answers.
//!
//! Podman today calls an image by the sha256 of its configuration, and announces that this ends
//! (containers/podman#27923). So the one is never taken for the other where an engine has answered.

use std::{fmt, str::FromStr};

use crate::digest::{DigestError, Sha256};

/// sha256 of the configuration's bytes: what an image is to us, whatever an engine calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ConfigDigest(Sha256);

impl ConfigDigest {
    /// That of these bytes.
    #[must_use]
    pub fn of(config: impl AsRef<[u8]>) -> Self {
        Self(Sha256::of(config))
    }

    /// The hash itself.
    #[must_use]
    pub const fn sha256(self) -> Sha256 {
        self.0
    }

    /// The first `digits` hex digits.
    #[must_use]
    pub fn short(self, digits: usize) -> String {
        self.0.short(digits)
    }
}

impl fmt::Display for ConfigDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for ConfigDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<Sha256> for ConfigDigest {
    fn from(sha256: Sha256) -> Self {
        Self(sha256)
    }
}

/// What an engine calls an image: at most 255 letters, digits, `:`, `_`, `+` and `-`, without the `sha256:` that
/// some answers begin with. What it is made from is the engine's affair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(String);

/// Why a text is no [`EngineId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no image ID", .0.escape_debug())]
pub struct EngineIdError(String);

impl EngineId {
    /// As the engine answers it, without `sha256:`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How a unit names the image: `sha256:` stands before what is one, so that it is never read as a name.
    #[must_use]
    pub fn reference(&self) -> String {
        if self.0.parse::<Sha256>().is_ok() { format!("sha256:{}", self.0) } else { self.0.clone() }
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for EngineId {
    type Err = EngineIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.strip_prefix("sha256:").unwrap_or(text);
        let fits = |c: char| c.is_ascii_alphanumeric() || ":_+-".contains(c);
        // An option or an empty word is no name of anything.
        if (1..=255).contains(&id.len()) && !id.starts_with('-') && id.chars().all(fits) {
            Ok(Self(id.to_owned()))
        } else {
            Err(EngineIdError(text.to_owned()))
        }
    }
}

impl serde::Serialize for EngineId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl schemars::JsonSchema for EngineId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "engine-id".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9:_+][A-Za-z0-9:_+-]*$", "maxLength": 255 })
    }
}

impl<'de> serde::Deserialize<'de> for EngineId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What today's engines call an image, for when none was asked.
impl From<ConfigDigest> for EngineId {
    fn from(digest: ConfigDigest) -> Self {
        digest.0.into()
    }
}

/// An ID in the form that today's engines give it.
impl From<Sha256> for EngineId {
    fn from(sha256: Sha256) -> Self {
        Self(sha256.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_s_id_is_opaque_and_fit_for_a_unit() {
        let hash = ConfigDigest::of("a");
        for text in [hash.to_string(), format!("sha256:{hash}")] {
            let id: EngineId = text.parse().unwrap();
            assert_eq!((&id, id.reference()), (&hash.into(), format!("sha256:{hash}")));
        }
        assert_eq!("sha512:ab-7".parse::<EngineId>().unwrap().reference(), "sha512:ab-7");
        let long = "a".repeat(256);
        for bad in ["", "sha256:", "-a", "a b", "a\nb", "lychd.image", "a/b", &long] {
            assert!(bad.parse::<EngineId>().is_err(), "{bad:?}");
        }
    }
}
