//! What of a repository is meant: a branch, a tag, a commit.

use std::{fmt, str::FromStr};

use crate::name::url::ArtifactUrl;

/// A full commit id: 40 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(String);

/// What of a repository is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// What the repository itself calls `HEAD`.
    Head,
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit.
    Revision(Revision),
}

/// Why a text is no revision or name of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not 40 hex digits.
    #[error("`{}` is not a full revision (40 lower-case hex digits)", .0.escape_debug())]
    Revision(String),
    /// Not what `git check-ref-format` takes.
    #[error("`{}` is not the name of a branch or tag", .0.escape_debug())]
    Name(String),
}

impl FromStr for Revision {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 40 && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Revision(text.to_owned()))
        }
    }
}

impl Revision {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Reference {
    /// A branch by its name.
    ///
    /// # Errors
    /// [`ReferenceError::Name`].
    pub fn branch(name: &str) -> Result<Self, ReferenceError> {
        checked(name).map(Self::Branch)
    }

    /// A tag by its name.
    ///
    /// # Errors
    /// [`ReferenceError::Name`].
    pub fn tag(name: &str) -> Result<Self, ReferenceError> {
        checked(name).map(Self::Tag)
    }
}

/// git-check-ref-format(1), narrowed to plain characters.
fn checked(name: &str) -> Result<String, ReferenceError> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._/+-".contains(&c);
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with(['.'])
            && part.strip_suffix(".lock").is_none()
    };
    if name.len() <= 200 && name.bytes().all(plain) && !name.contains("..") && name.split('/').all(part) {
        Ok(name.to_owned())
    } else {
        Err(ReferenceError::Name(name.to_owned()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => formatter.write_str("HEAD"),
            Self::Branch(name) => write!(formatter, "branch {name}"),
            Self::Tag(name) => write!(formatter, "tag {name}"),
            Self::Revision(revision) => write!(formatter, "rev {revision}"),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            None if text == "HEAD" => Ok(Self::Head),
            Some(("branch", name)) => Self::branch(name),
            Some(("tag", name)) => Self::tag(name),
            Some(("rev", revision)) => revision.parse().map(Self::Revision),
            _ => Err(ReferenceError::Name(text.to_owned())),
        }
    }
}

/// A tree that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitRequest {
    /// Where the repository is; judged against the host policy.
    pub url: ArtifactUrl,
    /// What of it.
    pub reference: Reference,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_revisions_and_plain_names_are_taken() {
        for good in ["HEAD", "branch main", "tag v1.0/rc+1", "rev 0123456789abcdef0123456789abcdef01234567"] {
            assert_eq!(good.parse::<Reference>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "main",
            "branch ",
            "branch -u",
            "branch a..b",
            "branch a b",
            "tag x.lock",
            "tag /x",
            "tag a//b",
            "tag @{u}",
            "rev 0123",
            "rev 0123456789ABCDEF0123456789abcdef01234567",
            "branch a/.b",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
