//! What a body is called.

use std::{fmt, str::FromStr};

use serde_json::json;

use super::record::Images;
use crate::digest::{DigestError, Sha256};

/// sha256 of the canonical JSON of `federation` (the sha256 of the body's `federation.json`) and `images` (role ->
/// digest of the image's configuration). Equal bodies have equal IDs, whoever forged them, wherever and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct BodyId(Sha256);

impl BodyId {
    /// The ID of the body of these images and this `federation.json`.
    #[must_use]
    pub fn of(images: &Images, federation: &Sha256) -> Self {
        let images: serde_json::Map<_, _> = images
            .iter()
            .map(|(role, image)| (role.as_str().to_owned(), json!(image.config_digest)))
            .collect();
        Self(Sha256::of(format!("{:#}\n", json!({ "federation": federation, "images": images }))))
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
