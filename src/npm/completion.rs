//! What a lock lacks and the registry knows: the address and the hash of a tarball.
//!
//! The lock itself is npm's and is not touched. What the registry said is kept in a record of its own, beside the
//! lock, so that a later run needs no network and trusts what the first one saw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::requested_by::{RequestedBy, named};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault, Source, refuse_any},
    digest::Integrity,
    document::canonical_json,
    document::json,
    lock::names::SHOWN_NPM_COMPLETED,
    name::npm::NpmName,
    npm::lock::{Entry, From, NpmLock, Package, Pins},
};

/// The schema's id and version.
const SCHEMA: &str = "lychd-forge/npm-completed/1";
/// The most records.
const MOST: usize = 50_000;
/// How many packages are named one by one.
const NAMED: usize = 20;

/// What the registry said of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The tarball's address.
    pub resolved: String,
    /// Its hash: sha256 or sha512.
    pub integrity: Integrity,
}

/// What the registry said, by name and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions(BTreeMap<(NpmName, String), Completion>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    packages: BTreeMap<String, WireCompletion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCompletion {
    resolved: String,
    integrity: String,
}

impl Completions {
    /// What is known of a version.
    #[must_use]
    pub fn get(&self, name: &NpmName, version: &str) -> Option<&Completion> {
        self.0.get(&(name.clone(), version.to_owned()))
    }

    /// Adds what is known of a version.
    pub fn insert(&mut self, name: NpmName, version: String, completion: Completion) {
        self.0.insert((name, version), completion);
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Refused when it is damaged.
    pub fn read(source: &Source) -> Result<Self, Failure> {
        let damaged = |message: String| {
            Failure::from(
                Diagnostic::new(format!("`{}` is damaged: {message}", source.name()))
                    .at(source.at(0..1), "")
                    .help("restore it from version control, or remove it: the registry is then asked again"),
            )
        };
        // Places and duplicate keys first; `serde_json` would take the last of two.
        json::parse(source)?;
        let wire: Wire = serde_json::from_str(source.text()).map_err(|error| damaged(error.to_string()))?;
        if wire.schema != SCHEMA || wire.packages.len() > MOST {
            return Err(damaged(format!("it is no {SCHEMA}")));
        }
        let one = |(key, wire): (String, WireCompletion)| {
            let (name, version) = key.rsplit_once('@')?;
            let integrity = wire.integrity.parse().ok()?;
            if matches!(integrity, Integrity::Sha384(_)) {
                return None;
            }
            Some((
                (name.parse().ok()?, version.to_owned()),
                Completion { resolved: wire.resolved, integrity },
            ))
        };
        let mut all = BTreeMap::new();
        for (key, wire) in wire.packages {
            let shown = key.escape_debug().to_string();
            let (key, completion) =
                one((key, wire)).ok_or_else(|| damaged(format!("the entry `{shown}`")))?;
            all.insert(key, completion);
        }
        Ok(Self(all))
    }

    /// The record as text; `None` when there is nothing in it.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let packages = self.0.iter().map(|((name, version), one)| {
            let integrity = one.integrity.to_sri_string();
            (format!("{name}@{version}"), WireCompletion { resolved: one.resolved.clone(), integrity })
        });
        let wire = Wire { schema: SCHEMA.to_owned(), packages: packages.collect() };
        Some(canonical_json(&wire))
    }
}

/// A lock with what is known of it.
pub(super) struct Asked<'a> {
    pub(super) lock: &'a NpmLock,
    pub(super) requested_by: &'a RequestedBy,
    /// The text of the record.
    pub(super) record: Option<&'a str>,
    /// Whether the record must answer for everything.
    pub(super) locked: bool,
}

/// A version of which the lock lacks something.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a NpmName,
    pub(super) version: &'a str,
    pub(super) entry: &'a Entry,
    pub(super) requested_by: Vec<String>,
}

/// Whether the lock says all of a tarball that is to be downloaded.
pub(super) fn is_complete(from: &From, pins: &Pins) -> bool {
    matches!(from, From::File(_)) || (matches!(from, From::Address(_)) && matches!(pins, Pins::Pinned(_)))
}

/// Answers for versions, in the same order.
pub(super) type Ask<'a> = &'a dyn Fn(&[Wanted<'_>]) -> Result<Vec<Completion>, Failure>;

/// Completes what the lock lacks: from the record, else by `ask`.
pub(super) fn complete(asked: &Asked<'_>, ask: Ask<'_>) -> Result<Completions, Failure> {
    let record = match asked.record {
        Some(text) => Completions::read(&Source::new(SHOWN_NPM_COMPLETED, text))?,
        None => Completions::default(),
    };
    let mut completions = Completions::default();
    let mut wanted: BTreeMap<(&NpmName, &str), Wanted<'_>> = BTreeMap::new();
    let mut entries = Vec::new();
    for (path, entry) in asked.lock.entries.iter().filter(|(path, _)| asked.requested_by.contains_key(path)) {
        let Package::Tarball { name, version, from, pins, .. } = &entry.package else { continue };
        if is_complete(from, pins) {
            continue;
        }
        entries.push((entry, name, version));
        if let Some(known) = record.get(name, version) {
            completions.insert(name.clone(), version.clone(), known.clone());
        } else {
            let requested_by = named(asked.requested_by.get(path));
            wanted.entry((name, version)).or_insert(Wanted { name, version, entry, requested_by });
        }
    }
    let wanted: Vec<Wanted<'_>> = wanted.into_values().collect();
    if !wanted.is_empty() {
        if asked.locked {
            return Err(unanswered(asked, &wanted, "--locked forbids asking the registry")
                .of_kind(Fault::LockChanged)
                .into());
        }
        for (wanted, completion) in wanted.iter().zip(ask(&wanted)?) {
            completions.insert(wanted.name.clone(), wanted.version.to_owned(), completion);
        }
    }
    let contradicted = entries.into_iter().filter_map(|(entry, name, version)| {
        contradicts(entry, completions.get(name, version)?, asked.requested_by.get(&entry.path))
    });
    refuse_any(contradicted.collect())?;
    Ok(completions)
}

/// The refusal when nobody can be asked.
pub(super) fn offline(asked: &Asked<'_>, wanted: &[Wanted<'_>]) -> Failure {
    unanswered(asked, wanted, "--offline forbids asking the registry").of_kind(Fault::Offline).into()
}

fn unanswered(asked: &Asked<'_>, wanted: &[Wanted<'_>], why: &str) -> Diagnostic {
    let names: Vec<String> =
        wanted.iter().take(NAMED).map(|one| format!("{} {}", one.name, one.version)).collect();
    let more = match wanted.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\nand {more} more"),
    };
    let count = match wanted.len() {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    };
    let message = format!("{count} of `{}` lack an address or a hash, and {why}", asked.lock.source.name());
    let mut diagnostic = Diagnostic::new(message)
        .note(format!("incomplete:\n{}{more}", names.join("\n")))
        .help("run `lychd-forge synthesize` once without it: the registry's answer is kept beside the lock");
    for one in wanted.iter().take(3) {
        diagnostic = diagnostic.at(one.entry.place.clone(), "");
    }
    let by: std::collections::BTreeSet<&String> = wanted.iter().flat_map(|one| &one.requested_by).collect();
    diagnostic.requested_by = by.into_iter().cloned().collect();
    diagnostic
}

/// What the lock does say must not be given up for what the registry says.
fn contradicts(
    entry: &Entry,
    completion: &Completion,
    members: Option<&std::collections::BTreeSet<crate::name::MemberId>>,
) -> Option<Diagnostic> {
    let Package::Tarball { name, version, from, pins, .. } = &entry.package else { return None };
    let what = match (from, pins) {
        (From::Address(url), _) if *url != completion.resolved => {
            format!(
                "the lock has it from `{}`, the registry at `{}`",
                url.escape_debug(),
                completion.resolved
            )
        }
        (_, Pins::Pinned(pinned)) if *pinned != completion.integrity => {
            format!(
                "its hash is {}, that of the registry {}",
                pinned.to_sri_string(),
                completion.integrity.to_sri_string()
            )
        }
        (_, Pins::Either(some)) if !some.contains(&completion.integrity) => {
            format!("none of its hashes is that of the registry, {}", completion.integrity.to_sri_string())
        }
        _ => return None,
    };
    let mut diagnostic = Diagnostic::new(format!("`{name}` {version}: {what}"))
        .at(entry.place.clone(), "")
        .help("one of the two was changed: find out which before you trust it");
    diagnostic.requested_by = named(members);
    Some(diagnostic)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    const URL: &str = "https://registry.npmjs.org/a/-/a-1.0.0.tgz";

    fn completed(
        rest: &str,
        record: Option<&str>,
        locked: bool,
        offline_: bool,
    ) -> Result<Option<String>, String> {
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\n\"node_modules/a\": {{\"version\": \"1.0.0\"{rest}}}}}}}"
        );
        let lock = NpmLock::read(&Source::new("synthesis/package-lock.json", text)).unwrap();
        let requested_by: RequestedBy =
            BTreeMap::from([("node_modules/a".parse().unwrap(), ["altar".parse().unwrap()].into())]);
        let asked = Asked { lock: &lock, requested_by: &requested_by, record, locked };
        let answer = Completion { resolved: URL.to_owned(), integrity: HASH.parse().unwrap() };
        complete(&asked, &|wanted| {
            if offline_ { Err(offline(&asked, wanted)) } else { Ok(vec![answer.clone(); wanted.len()]) }
        })
        .map(|completions| completions.to_text())
        .map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_lacking_is_asked_once_and_kept() {
        let record = completed("", None, false, false).unwrap().unwrap();
        assert!(
            record.contains("\"a@1.0.0\"") && record.contains(HASH) && record.contains(SCHEMA),
            "{record}"
        );
        assert_eq!(completed("", Some(&record), true, true).unwrap().as_ref(), Some(&record));
        let whole = format!(", \"resolved\": \"{URL}\", \"integrity\": \"{HASH}\"");
        assert_eq!(
            completed(&whole, Some(&record), true, true).unwrap(),
            None,
            "nothing is lacking any more"
        );
        for weak in ["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "nonsense"] {
            let entry = format!(", \"resolved\": \"{URL}\", \"integrity\": \"{weak}\"");
            assert!(completed(&entry, None, false, false).unwrap().is_some(), "{weak}");
        }
    }

    #[test]
    fn nothing_is_believed_without_a_hash() {
        let error = completed("", None, false, true).unwrap_err();
        for want in [
            "1 package of `synthesis/package-lock.json` lack an address or a hash, and --offline forbids asking",
            "at synthesis/package-lock.json:2:1",
            "requested by altar",
            "a 1.0.0",
        ] {
            assert!(error.contains(want), "{error}");
        }
        assert!(
            completed("", None, true, false).unwrap_err().contains("--locked forbids asking the registry")
        );
        let other = HASH.replace("z4Ph", "A4Ph");
        let error = completed(&format!(", \"integrity\": \"{other}\""), None, false, false).unwrap_err();
        assert!(error.contains("`a` 1.0.0: its hash is sha512-A4Ph"), "{error}");
        let error =
            completed(", \"resolved\": \"https://evil.example/a.tgz\"", None, false, false).unwrap_err();
        assert!(
            error.contains("the lock has it from `https://evil.example/a.tgz`, the registry at"),
            "{error}"
        );
        let two = format!(", \"integrity\": \"{other} {}\"", HASH.replace("z4Ph", "B4Ph"));
        assert!(completed(&two, None, false, false).unwrap_err().contains("none of its hashes"));
        let either = format!(", \"integrity\": \"{other} {HASH}\"");
        assert!(completed(&either, None, false, false).is_ok());
    }

    #[test]
    fn a_damaged_record_is_refused() {
        for (record, want) in [
            ("{}", "is damaged"),
            ("{\"schema\": \"x\", \"packages\": {}}", "it is no lychd-forge/npm-completed/1"),
            (
                "{\"schema\": \"lychd-forge/npm-completed/1\", \"packages\": {\"../x@1\": {\"resolved\": \"\", \"integrity\": \"\"}}}",
                "the entry `../x@1`",
            ),
            ("{\"schema\": \"a\", \"schema\": \"b\"}", "duplicate key"),
        ] {
            let error = Completions::read(&Source::new(SHOWN_NPM_COMPLETED, record)).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
