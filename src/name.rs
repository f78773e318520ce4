//! Validated names. A value of one of these types can be put in a path, a store name or a report.

macro_rules! text_name {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub mod attribute_path;
pub mod debian;
pub mod derivation;
pub mod image;
pub mod locale;
pub mod marker;
pub mod mount;
pub mod npm;
pub mod purl;
pub mod role;
pub mod signal;
pub mod tree_ref;
pub mod unit_text;
pub mod url;
pub mod variable;

use std::{fmt, str::FromStr};

pub use attribute_path::AttributePath;
pub use locale::LocaleName;
pub use role::Role;
pub use signal::StopSignal;
pub use uv_normalize::{ExtraName, GroupName, PackageName};

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what} ({rule})", .text.escape_debug())]
pub struct NameError {
    text: String,
    what: &'static str,
    rule: &'static str,
}

/// A member of the federation: `core`, or an extension's path below `extensions/`, such as `vision/ocr`.
/// Each part follows LychD's segment grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(String);
text_name!(MemberId);

impl schemars::JsonSchema for MemberId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "member-id".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl MemberId {
    /// The directory of the Crypt that holds all extensions.
    pub const EXTENSIONS: &str = "extensions";

    /// The id of the core.
    #[must_use]
    pub fn core() -> Self {
        Self("core".to_owned())
    }

    /// Whether this is the core.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.0 == "core"
    }

    /// Where the member lies in the Crypt, and in whatever mirrors it, such as the npm workspace: `core`, or
    /// `extensions/<id>`.
    #[must_use]
    pub fn directory(&self) -> String {
        if self.is_core() { self.0.clone() } else { format!("{}/{}", Self::EXTENSIONS, self.0) }
    }

    /// The id as one part of a path, with `__` for `/`. Two ids may share it (`a/b` and `a__b`): who writes both
    /// side by side has to refuse that.
    #[must_use]
    pub fn flat(&self) -> String {
        self.0.replace('/', "__")
    }
}

impl FromStr for MemberId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() <= 200 && text.split('/').all(is_segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "a member id",
                rule: "parts of a-z, 0-9, `-` and `_`, starting and ending with a letter or digit, joined by `/`",
            })
        }
    }
}

/// LychD's segment grammar: `^[a-z0-9](?:[a-z0-9_-]{0,48}[a-z0-9])?$`.
fn is_segment(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 50
        && text.bytes().all(|c| inner(c) || c == b'-' || c == b'_')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

/// The name of a rune, of a group of runes (a Coven) or of a capability: one segment of LychD's grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuneName(String);
text_name!(RuneName);

impl FromStr for RuneName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_segment(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "a name of the rune grammar",
                rule: "at most 50 of a-z, 0-9, `-` and `_`, starting and ending with a letter or digit",
            })
        }
    }
}

/// A Debian binary package name (Debian policy 5.6.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DebianName(String);
text_name!(DebianName);

impl FromStr for DebianName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.bytes().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let rest = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+-.".contains(&c);
        if first && (2..=128).contains(&text.len()) && text.bytes().all(rest) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "a Debian package name",
                rule: "at least two of a-z, 0-9, `+`, `-` and `.`, starting with a letter or digit",
            })
        }
    }
}

/// The name of a Podman secret, in LychD's grammar: `^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$`. It is a file name below
/// `/run/secrets`, and has no option after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);
text_name!(SecretName);

impl FromStr for SecretName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = |c: u8| c.is_ascii_alphanumeric() || b"_.-".contains(&c);
        let first = text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if first && text.len() <= 127 && text.bytes().all(rest) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "the name of a secret",
                rule: "at most 127 of A-Z, a-z, 0-9, `_`, `.` and `-`, starting with a letter or digit; never the secret itself",
            })
        }
    }
}

/// The name of a database of `PostgreSQL`, or of its user. It stands in the environment of one unit and is used
/// by another, so it holds nothing that systemd would change on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName(String);
text_name!(DatabaseName);

impl FromStr for DatabaseName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = (1..=63).contains(&text.len()) && !text.contains('%');
        if sound && text.parse::<unit_text::UnitText>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                what: "a name for PostgreSQL in a unit",
                rule: "1 to 63 bytes of printable text in one line, without `\\`, `$` and `%`, and without `;` as a word",
            })
        }
    }
}

/// What an image is built for, in Nix's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// `x86_64-linux`
    X86_64Linux,
    /// `aarch64-linux`
    Aarch64Linux,
}

impl Platform {
    /// The one this program was built for, which runs the forge's own tools.
    #[must_use]
    pub const fn host() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Aarch64Linux } else { Self::X86_64Linux }
    }

    /// Nix's `system`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64Linux => "x86_64-linux",
            Self::Aarch64Linux => "aarch64-linux",
        }
    }

    /// Debian's architecture.
    #[must_use]
    pub const fn debian_architecture(self) -> &'static str {
        match self {
            Self::X86_64Linux => "amd64",
            Self::Aarch64Linux => "arm64",
        }
    }

    /// OCI's (Go's) architecture.
    #[must_use]
    pub const fn oci_architecture(self) -> &'static str {
        self.debian_architecture()
    }

    /// `platform_machine` and the last part of a wheel's platform tag.
    #[must_use]
    pub const fn machine(self) -> &'static str {
        match self {
            Self::X86_64Linux => "x86_64",
            Self::Aarch64Linux => "aarch64",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "x86_64-linux" => Ok(Self::X86_64Linux),
            "aarch64-linux" => Ok(Self::Aarch64Linux),
            _ => Err(NameError {
                text: text.to_owned(),
                what: "a platform",
                rule: "`x86_64-linux` or `aarch64-linux`",
            }),
        }
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Platform {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for bad in ["", "../x", "a//b", "A", "-a", "a-", "a b", "${x}", "a\n", "''", "a.b"] {
            assert!(bad.parse::<MemberId>().is_err(), "{bad:?}");
        }
        for bad in ["", "a/b", "-a", "a_", "A", "a.b", "a b", "a\n", "%h", &"a".repeat(51)] {
            assert!(bad.parse::<RuneName>().is_err(), "{bad:?}");
        }
        for bad in ["", "a", "-r/etc/passwd", "Ab", "a b", "a;b", "a/b", "a\nb", "$(x)"] {
            assert!(bad.parse::<DebianName>().is_err(), "{bad:?}");
        }
        for bad in ["", ".a", "-a", "a/b", "a,mode=0444", "a b", "a\n", "ä", "a\0", &"a".repeat(128)] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
        for good in ["lychd_db_password", "A.b-c", "0", &"a".repeat(127)] {
            assert_eq!(good.parse::<SecretName>().unwrap().as_str(), good);
        }
        for bad in ["", "a\nX=1", "a\\", "$x", "50%", "50%%", "a ; b", "a\u{200b}", &"a".repeat(64)] {
            assert!(bad.parse::<DatabaseName>().is_err(), "{bad:?}");
        }
        for good in ["lich", "my user", "ä-1"] {
            assert_eq!(good.parse::<DatabaseName>().unwrap().as_str(), good);
        }
        assert!("vision/ocr_2".parse::<MemberId>().is_ok());
        assert!("libstdc++6".parse::<DebianName>().is_ok());
    }
}
