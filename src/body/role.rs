//! What images of a body are for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tree::{RelativePath, relative_path};

/// What an image of a body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The application.
    Vessel,
}

impl Role {
    /// Its name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vessel => "vessel",
        }
    }

    /// The name as that of a directory.
    pub(super) fn directory(self) -> RelativePath {
        match self {
            Self::Vessel => relative_path!(Role::Vessel.as_str()),
        }
    }
}
