//! `synthesis/git.lock.json`: which commit every git source means, and its tree's hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reference::{GitRequest, Reference, Revision};
use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    digest::Sha256,
    document::canonical_json,
    lock::{Change, Kind, Versions, Why},
    name::url::HostPolicy,
};

/// The schema's id and version.
pub const SCHEMA: &str = "lychd-forge/git-lock/1";

/// One pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitPin {
    /// The commit.
    pub revision: Revision,
    /// sha256 of the whole tree as a Nix archive.
    pub nar_sha256: Sha256,
}

/// All pins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitPins(BTreeMap<GitRequest, GitPin>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    sources: Vec<WireSource>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSource {
    url: String,
    reference: String,
    revision: String,
    nar_sha256: String,
}

impl GitPins {
    /// Reads the lock. A pin whose host `hosts` no longer allows is left out: it is asked for no more, or refused
    /// where it is asked for.
    ///
    /// # Errors
    /// Refused when it is no sound lock.
    pub fn parse(text: &Source, hosts: &HostPolicy) -> Result<Self, Failure> {
        let wrong = |reason: String| {
            Failure::from(
                Diagnostic::new(format!("`{}` is no git lock: {reason}", text.name()))
                    .help("repair it, or remove it to pin anew"),
            )
        };
        let wire: Wire = serde_json::from_str(text.text()).map_err(|error| wrong(error.to_string()))?;
        if wire.schema != SCHEMA {
            return Err(wrong(format!("its schema is `{}`, not `{SCHEMA}`", wire.schema.escape_debug())));
        }
        let mut pins = Self::default();
        for one in wire.sources {
            let reference: Reference = one.reference.parse().map_err(|error| wrong(format!("{error}")))?;
            let revision = one.revision.parse().map_err(|error| wrong(format!("{error}")))?;
            let nar_sha256 = one.nar_sha256.parse().map_err(|error| wrong(format!("{error}")))?;
            let Ok(url) = hosts.check(&one.url) else { continue };
            if pins.insert(GitRequest { url, reference }, GitPin { revision, nar_sha256 }).is_some() {
                return Err(wrong("a source occurs twice".to_owned()));
            }
        }
        Ok(pins)
    }

    /// Canonical JSON; `None` when there is nothing to pin.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let sources = self.0.iter().map(|(request, pin)| WireSource {
            url: request.url.to_string(),
            reference: request.reference.to_string(),
            revision: pin.revision.to_string(),
            nar_sha256: pin.nar_sha256.to_string(),
        });
        let wire = Wire { schema: SCHEMA.to_owned(), sources: sources.collect() };
        Some(canonical_json(&wire))
    }

    /// The pin of a request.
    #[must_use]
    pub fn get(&self, request: &GitRequest) -> Option<&GitPin> {
        self.0.get(request)
    }

    pub(super) fn insert(&mut self, request: GitRequest, pin: GitPin) -> Option<GitPin> {
        self.0.insert(request, pin)
    }

    /// What `self` has otherwise than `before`; revisions by their first 12 digits.
    #[must_use]
    pub fn moved(&self, before: &Self, moved: Why) -> Vec<Change> {
        let versions = |pins: &Self| -> Versions {
            let short = |pin: &GitPin| pin.revision.as_str().chars().take(12).collect::<String>();
            let name = |request: &GitRequest| format!("{} ({})", request.url, request.reference);
            pins.0.iter().map(|(request, pin)| (name(request), BTreeSet::from([short(pin)]))).collect()
        };
        Change::between(Kind::Git, &versions(before), &versions(self), moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::names::SHOWN_GIT;

    #[test]
    fn pins_are_written_and_read_back() {
        let text = Source::new(
            SHOWN_GIT,
            "{\n  \"schema\": \"lychd-forge/git-lock/1\",\n  \"sources\": [\n    {\n      \"nar_sha256\": \
             \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\n      \"reference\": \"branch main\",\n      \
             \"revision\": \"0123456789abcdef0123456789abcdef01234567\",\n      \"url\": \"https://git.example.org/a.git\"\n    }\n  ]\n}\n",
        );
        let hosts = HostPolicy::new(["git.example.org".to_owned()]);
        let pins = GitPins::parse(&text, &hosts).unwrap();
        assert_eq!(pins.to_text().as_deref(), Some(text.text()));
        assert_eq!(
            pins.moved(&GitPins::default(), Why::Required)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["https://git.example.org/a.git (branch main) 0123456789ab added"]
        );
        assert_eq!(GitPins::default().moved(&pins, Why::Required).len(), 1);
        assert_eq!(GitPins::parse(&text, &HostPolicy::new([])), Ok(GitPins::default()));
        for (from, to) in [
            ("git-lock/1", "git-lock/2"),
            ("0123456789abcdef0123456789", "0"),
            ("\"url\"", "\"uri\""),
            ("branch", "stash"),
        ] {
            let bad = Source::new(SHOWN_GIT, text.text().replace(from, to));
            let told = GitPins::parse(&bad, &hosts).unwrap_err().to_string();
            assert!(told.contains("`synthesis/git.lock.json` is no git lock"), "{told}");
        }
    }
}
