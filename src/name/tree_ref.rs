//! A pinned reference to a tree of Nix expressions, in the words of flakes (`nix flake`, "Flake references").

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::Serialize;

/// Where nixpkgs is taken from: a repository at a full revision, or an archive of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeRef {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// `github:<owner>/<repo>/<rev>` or `gitlab:…`.
    Forge { host: &'static str, owner: String, repo: String, rev: String },
    /// `https://…/<rev>….tar.gz`.
    Archive,
}

/// Why a text is no such reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeRefError {
    /// Neither form.
    #[error(
        "`{}` is not `github:OWNER/REPO/REVISION`, `gitlab:OWNER/REPO/REVISION` or the `https:` address of an archive",
        .0.escape_debug()
    )]
    Form(String),
    /// A branch, a tag or a shortened revision: it names another tree tomorrow.
    #[error("`{}` does not name a revision in full: 40 hex digits", .0.escape_debug())]
    Revision(String),
}

impl FromStr for TreeRef {
    type Err = TreeRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || TreeRefError::Form(text.to_owned());
        let unpinned = || TreeRefError::Revision(text.to_owned());
        let kind = match text.split_once(':').ok_or_else(form)? {
            (host @ ("github" | "gitlab"), rest) => {
                let host = if host == "github" { "github" } else { "gitlab" };
                let mut parts = rest.splitn(3, '/');
                let (Some(owner), Some(repo)) = (parts.next(), parts.next()) else { return Err(form()) };
                if !is_name(owner) || !is_name(repo) {
                    return Err(form());
                }
                let rev = parts.next().filter(|rev| is_revision(rev)).ok_or_else(unpinned)?;
                Kind::Forge { host, owner: owner.to_owned(), repo: repo.to_owned(), rev: rev.to_owned() }
            }
            ("https", _) => {
                if !is_archive(text) {
                    return Err(form());
                }
                let pinned = text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_revision);
                if !pinned {
                    return Err(unpinned());
                }
                Kind::Archive
            }
            _ => return Err(form()),
        };
        Ok(Self { text: text.to_owned(), kind })
    }
}

fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

fn is_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

/// A plain address that Nix takes for an archive without being told.
fn is_archive(text: &str) -> bool {
    let ends = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"];
    text.len() <= 500
        && ends.iter().any(|end| text.ends_with(end))
        && !text.contains(['%', '+', '$', '\''])
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.host(), Some(url::Host::Domain(_)))
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.as_str() == text
        })
}

impl TreeRef {
    /// As it was written: what stands in `flake.nix`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its attributes in a `flake.lock`.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<&'static str, &str> {
        match &self.kind {
            Kind::Forge { host, owner, repo, rev } => {
                [("owner", owner.as_str()), ("repo", repo), ("rev", rev), ("type", host)].into()
            }
            Kind::Archive => [("type", "tarball"), ("url", self.text.as_str())].into(),
        }
    }
}

impl fmt::Display for TreeRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for TreeRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REV: &str = "531670d871c0e29724a02f3cbcac170adc65b58c";

    #[test]
    fn a_revision_in_full_is_wanted() {
        let forge: TreeRef = format!("github:NixOS/nixpkgs/{REV}").parse().unwrap();
        assert_eq!(
            forge.attributes(),
            [("owner", "NixOS"), ("repo", "nixpkgs"), ("rev", REV), ("type", "github")].into()
        );
        let text = format!("https://github.com/NixOS/nixpkgs/archive/{REV}.tar.gz");
        let archive: TreeRef = text.parse().unwrap();
        assert_eq!(archive.attributes(), [("type", "tarball"), ("url", text.as_str())].into());
        for unpinned in [
            "github:NixOS/nixpkgs",
            "github:NixOS/nixpkgs/nixos-26.05",
            "github:NixOS/nixpkgs/531670d",
            &format!("github:NixOS/nixpkgs/{}", REV.to_uppercase()),
            &format!("github:NixOS/nixpkgs/{REV}?dir=x"),
            &format!("github:NixOS/nixpkgs/{REV}/x"),
            "https://github.com/NixOS/nixpkgs/archive/nixos-26.05.tar.gz",
            &format!("https://github.com/NixOS/nixpkgs/archive/0{REV}.tar.gz"),
        ] {
            let error = unpinned.parse::<TreeRef>().unwrap_err();
            assert!(matches!(error, TreeRefError::Revision(_)), "{unpinned}: {error}");
        }
        for bad in [
            "",
            "nixpkgs",
            "path:/nixpkgs",
            &format!("git+https://github.com/NixOS/nixpkgs?rev={REV}"),
            "github:NixOS",
            &format!("github:../nixpkgs/{REV}"),
            &format!("github:NixOS/nix${{pkgs}}/{REV}"),
            &format!("http://github.com/NixOS/nixpkgs/archive/{REV}.tar.gz"),
            &format!("https://user@github.com/NixOS/nixpkgs/archive/{REV}.tar.gz"),
            &format!("https://github.com/NixOS/nixpkgs/archive/{REV}.tar.gz?x"),
            &format!("https://github.com/NixOS/nixpkgs/../archive/{REV}.tar.gz"),
            &format!("https://github.com/NixOS/nixpkgs/archive/{REV}"),
            &format!("https://127.0.0.1/{REV}.tar.gz"),
        ] {
            let error = bad.parse::<TreeRef>().unwrap_err();
            assert!(matches!(error, TreeRefError::Form(_)), "{bad}: {error}");
        }
    }
}
