//! What a body is called.

use std::{fmt, str::FromStr};

use serde_json::json;

use crate::{
    digest::{DigestError, Sha256},
    document::canonical_json,
    image::ConfigDigest,
    name::Role,
};

/// sha256 of the canonical JSON of `federation` (the sha256 of the body's `federation.json`) and `images` (role ->
/// digest of the image's configuration). Equal bodies have equal IDs, whoever forged them, wherever and how.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct BodyId(Sha256);

impl BodyId {
    /// The ID of the body of these images and of the `federation.json` that has this sha256.
    pub fn of(images: impl IntoIterator<Item = (Role, ConfigDigest)>, federation: &Sha256) -> Self {
        let images: serde_json::Map<_, _> =
            images.into_iter().map(|(role, digest)| (role.as_str().to_owned(), json!(digest))).collect();
        Self(Sha256::of(canonical_json(&json!({ "federation": federation, "images": images }))))
    }

    /// The hash itself.
    #[must_use]
    pub const fn sha256(self) -> Sha256 {
        self.0
    }

    /// The first `digits` hex digits, for people.
    #[must_use]
    pub fn short(&self, digits: usize) -> String {
        self.0.short(digits)
    }
}

impl fmt::Display for BodyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for BodyId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
