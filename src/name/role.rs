//! What images of a body are for.

use std::{borrow::Cow, fmt, str::FromStr};

use super::NameError;
use crate::tree::{RelativePath, relative_path};

/// What an image of a body is for: the application's is the `vessel`, others are called by the core
/// (`[tool.lychd.images.NAME]`): a lower-case letter, then lower-case letters, digits and single `-`, 32 at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(RelativePath);

impl Role {
    /// The application.
    #[must_use]
    pub fn vessel() -> Self {
        Self(relative_path!("vessel"))
    }

    /// The organism's database, the Phylactery.
    #[must_use]
    pub fn database() -> Self {
        Self(relative_path!("database"))
    }

    /// The package of the flake that is its image: `lychd-image`, and `lychd-image-<role>` of others than the vessel's.
    #[must_use]
    pub fn package(&self) -> String {
        if *self == Self::vessel() { "lychd-image".to_owned() } else { format!("lychd-image-{self}") }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name as that of a directory.
    #[must_use]
    pub fn directory(&self) -> &RelativePath {
        &self.0
    }
}

impl FromStr for Role {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        let first = text.starts_with(|c: char| c.is_ascii_lowercase());
        let sound = first && text.len() <= 32 && text.split('-').all(plain);
        text.parse().ok().filter(|_| sound).map(Self).ok_or_else(|| NameError {
            text: text.to_owned(),
            what: "a name of an image",
            rule: "a lower-case letter, then lower-case letters, digits and single `-`, 32 at most",
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Role {
    fn schema_name() -> Cow<'static, str> {
        "role".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_can_be_part_of_a_file_name_and_of_a_repository() {
        for bad in ["", "1a", "A", "a--b", "-a", "a-", "a/b", "..", "a.b", "a_b", &"a".repeat(33)] {
            assert!(bad.parse::<Role>().is_err(), "{bad:?}");
        }
        assert_eq!("database".parse(), Ok(Role::database()));
        assert_eq!(Role::vessel().to_string().parse(), Ok(Role::vessel()));
        assert_eq!("a-1".parse::<Role>().unwrap().directory().as_str(), "a-1");
    }
}
