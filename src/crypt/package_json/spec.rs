//! What a dependency in a `package.json` asks for (`npm help package-spec`).

use crate::{
    name::{NameError, npm::NpmName},
    tree::RelativePath,
};

/// What is wanted of a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A range of versions or a tag of the package of this name.
    Registry,
    /// Another package under this name: `npm:other@range`.
    Alias(NpmName),
    /// A directory or tarball of the member's own tree, below the member's root; `None` is the root.
    File(Option<RelativePath>),
}

/// Why a dependency cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// git, or a URL.
    #[error("`{}` comes from git or an address, not from the registry", .0.escape_debug())]
    Remote(String),
    /// pnpm's and yarn's own.
    #[error("npm does not know `{0}:`")]
    Protocol(&'static str),
    /// A path outside of the member.
    #[error("`{}` leaves the member", .0.escape_debug())]
    Outside(String),
    /// The name behind `npm:`.
    #[error("{0}")]
    Name(#[from] NameError),
    /// Nothing npm would understand.
    #[error("`{}` is not a range of versions or a tag", .0.escape_debug())]
    Malformed(String),
}

impl SpecError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Remote(_) => {
                "depend on a version in the registry, or put the package's tarball into the member: \
                 `file:vendor/<name>.tgz`"
            }
            Self::Protocol("catalog") => "write the range that the catalog of `pnpm-workspace.yaml` has",
            Self::Protocol(_) => {
                "name the package's directory in `workspaces` of `package.json`, or leave it to the member that has it, \
                 and write a range such as `*`: they find each other by name"
            }
            Self::Outside(_) => "members find each other by their packages' names: write a range such as `*`",
            Self::Name(_) => "write it like `npm:other@^1.0.0`",
            Self::Malformed(_) => "write it like `^1.2.0`, `1.x || 2.x` or `latest`",
        }
    }
}

impl Spec {
    /// Reads a dependency's text; `directory` is that of its `package.json` in the member's tree.
    ///
    /// # Errors
    /// [`SpecError`] says why it cannot be had.
    pub fn parse(text: &str, directory: Option<&RelativePath>) -> Result<Self, SpecError> {
        let spec = text.trim();
        if let Some(other) = spec.strip_prefix("npm:") {
            let at = other.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
            let (name, range) = other.split_at(at.unwrap_or(other.len()));
            return if is_range(range.trim_start_matches('@')) {
                Ok(Self::Alias(name.parse()?))
            } else {
                Err(SpecError::Malformed(text.to_owned()))
            };
        }
        for protocol in ["workspace", "link", "portal", "patch", "catalog"] {
            if spec.strip_prefix(protocol).is_some_and(|rest| rest.starts_with(':')) {
                return Err(SpecError::Protocol(protocol));
            }
        }
        let path = spec.strip_prefix("file:").or_else(|| spec.starts_with(['.', '/', '~']).then_some(spec));
        if let Some(path) = path.filter(|path| !is_tilde_range(path)) {
            return inside(path, directory).ok_or_else(|| SpecError::Outside(text.to_owned()));
        }
        if spec.contains([':', '/']) {
            return Err(SpecError::Remote(text.to_owned()));
        }
        if is_range(spec) { Ok(Self::Registry) } else { Err(SpecError::Malformed(text.to_owned())) }
    }
}

/// `~1.2` is a range, `~/x` a path.
fn is_tilde_range(text: &str) -> bool {
    text.strip_prefix('~').is_some_and(|rest| !rest.starts_with('/'))
}

fn is_range(text: &str) -> bool {
    text.len() <= 500 && text.bytes().all(|c| c.is_ascii_alphanumeric() || b" .<>=^~*|+-_".contains(&c))
}

/// A path relative to `directory`, below the member's root.
fn inside(path: &str, directory: Option<&RelativePath>) -> Option<Spec> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = directory.map(|at| at.components().collect()).unwrap_or_default();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    let path = if parts.is_empty() { None } else { Some(parts.join("/").parse().ok()?) };
    Some(Spec::File(path))
}
