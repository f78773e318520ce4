//! Words of the Debian archive, validated: versions, pool paths, suites, archives.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// Why a text is no value of the Debian archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}", .text.escape_debug())]
pub struct ArchiveTextError {
    text: String,
    what: &'static str,
}

macro_rules! archive_text {
    ($name:ident, $what:literal, $sound:expr) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ArchiveTextError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let sound: fn(&str) -> bool = $sound;
                if sound(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ArchiveTextError { text: text.chars().take(200).collect(), what: $what })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// A Debian version (policy 5.6.12): `[epoch:]upstream[-revision]`, at most 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DebianVersion(String);
archive_text!(DebianVersion, "a Debian version", |text| {
    let rest = match text.split_once(':') {
        Some((epoch, rest)) => {
            if epoch.is_empty() || epoch.len() > 9 || !epoch.bytes().all(|c| c.is_ascii_digit()) {
                return false;
            }
            rest
        }
        None => text,
    };
    text.len() <= 200
        && rest.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
        && rest.bytes().all(|c| c.is_ascii_alphanumeric() || b".+~-:".contains(&c))
});

/// A file of the archive's pool: `pool/…/<name>_<version>_<architecture>.deb`, without dot segments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolPath(String);
archive_text!(PoolPath, "a path of the archive's pool", |text| {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b".+~_-".contains(&c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    text.len() <= 1000
        && text.starts_with("pool/")
        && text.as_bytes().ends_with(b".deb")
        && text.split('/').all(part)
});

impl PoolPath {
    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// The name of a suite, e.g. `trixie-updates`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suite(String);
archive_text!(Suite, "a Debian suite (a-z, 0-9 and `-`)", |text| {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=40).contains(&text.len())
        && text.bytes().next().is_some_and(|c| c.is_ascii_lowercase())
        && text.split('-').all(|part| !part.is_empty() && part.bytes().all(inner))
});

impl Suite {
    /// The suites of Debian 13 that bodies are made of unless the Codex says otherwise.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        ["trixie", "trixie-updates", "trixie-security"].map(|suite| Self(suite.to_owned())).to_vec()
    }

    /// The archive that publishes it.
    #[must_use]
    pub fn archive(&self) -> Archive {
        if self.0.ends_with("-security") { Archive::Security } else { Archive::Debian }
    }
}

/// One of Debian's two archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Archive {
    /// The main archive.
    #[serde(rename = "debian")]
    Debian,
    /// The security archive.
    #[serde(rename = "debian-security")]
    Security,
}

impl Archive {
    /// Its name in locks and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Security => "debian-security",
        }
    }

    /// Where it is when no mirror is configured.
    #[must_use]
    pub const fn default_url(self) -> &'static str {
        match self {
            Self::Debian => "http://deb.debian.org/debian",
            Self::Security => "http://deb.debian.org/debian-security",
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
