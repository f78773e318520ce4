//! Where an entry of a lock lies.

use std::{fmt, str::FromStr};

use crate::{
    name::npm::NpmName,
    tree::{RelativePath, RelativePathError},
};

/// A path below the root of an npm workspace: empty for the root itself, a plain directory such as
/// `extensions/altar/web`, or a package in `node_modules`, at any depth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstallPath(String);

/// Why a key of a lock is no [`InstallPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no place for a package", .0.escape_debug())]
pub struct InstallPathError(String);

impl From<RelativePathError> for InstallPathError {
    fn from(error: RelativePathError) -> Self {
        Self(error.to_string())
    }
}

impl InstallPath {
    /// The root.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name it is installed under; `None` for the root and for a plain directory.
    #[must_use]
    pub fn installed_as(&self) -> Option<NpmName> {
        let name = match self.0.rsplit_once("node_modules/") {
            Some((before, name)) if before.is_empty() || before.ends_with('/') => name,
            _ => return None,
        };
        name.parse().ok()
    }

    /// `<directory>/node_modules/<name>`, or without the first part for the root.
    pub(super) fn below(directory: &str, name: &NpmName) -> Self {
        if directory.is_empty() {
            Self(format!("node_modules/{name}"))
        } else {
            Self(format!("{directory}/node_modules/{name}"))
        }
    }
}

impl fmt::Display for InstallPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for InstallPath {
    type Err = InstallPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let wrong = || InstallPathError(text.to_owned());
        let path: RelativePath = text.parse().map_err(|_| wrong())?;
        let mut parts = path.as_str().split('/').skip_while(|part| *part != "node_modules");
        while parts.next().is_some() {
            let first = parts.next().ok_or_else(wrong)?;
            let name = if first.starts_with('@') {
                format!("{first}/{}", parts.next().ok_or_else(wrong)?)
            } else {
                first.to_owned()
            };
            name.parse::<NpmName>().map_err(|_| wrong())?;
            // What follows a package is again `node_modules`, or nothing.
            if parts.clone().next().is_some_and(|next| next != "node_modules") {
                return Err(wrong());
            }
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_that_npm_makes_are_taken() {
        let name =
            |text: &str| text.parse::<InstallPath>().unwrap().installed_as().map(|name| name.to_string());
        assert_eq!(name(""), None);
        assert_eq!(name("extensions/altar/web"), None);
        assert_eq!(name("node_modules/a").as_deref(), Some("a"));
        assert_eq!(name("web/node_modules/@a/b/node_modules/c").as_deref(), Some("c"));
        assert_eq!(name("node_modules/@a/b").as_deref(), Some("@a/b"));
        for bad in [
            "/etc",
            "../x",
            "node_modules",
            "node_modules/",
            "node_modules/../x",
            "node_modules/@a",
            "node_modules/a/b",
            "node_modules/a/node_modules",
            "node_modules/node_modules",
            "node_modules/.bin",
            "a\\b",
            "node_modules/a\n",
        ] {
            assert!(bad.parse::<InstallPath>().is_err(), "{bad:?}");
        }
    }
}
