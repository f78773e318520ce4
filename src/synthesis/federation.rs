//! The federation lock against the working copies: what moved, and what `--locked` refuses.

use std::collections::BTreeSet;

use crate::{
    crypt::{
        Federation, FederationLock, Member, WorkingCopy,
        federation_lock::{NAME, Repository},
    },
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    lock::{Change, Kind, Why, lock_missing},
    name::MemberId,
};

/// How many changed paths a message names.
const NAMED: usize = 5;

/// What the lock says now.
#[derive(Debug, PartialEq)]
pub struct FederationUpdate {
    /// The lock of the working copies as they were read.
    pub lock: FederationLock,
    /// Members whose repositories stand elsewhere, or hold other files; the core first.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Locks the federation as it lies in the Crypt. The forge builds what lies there, so without `locked` the lock
/// follows the working copies; with it every repository must be clean, at its locked revision and hash.
///
/// # Errors
/// Refused with every repository that is not, by name, with what it is at.
pub fn lock(
    federation: &Federation,
    before: Option<&FederationLock>,
    locked: bool,
) -> Result<FederationUpdate, Failure> {
    let lock = FederationLock::of(federation);
    if locked {
        refuse_any(refused(federation, before, &lock))?;
    }
    let empty = FederationLock::default();
    let before = before.unwrap_or(&empty);
    let ids: BTreeSet<&MemberId> = before.repositories().keys().chain(lock.repositories().keys()).collect();
    let change = |id: &MemberId| {
        let (from, to) = (before.repositories().get(id), lock.repositories().get(id));
        if from == to {
            return None;
        }
        // Where the revision alone would not tell them apart, the hash does.
        let exact = from.zip(to).is_some_and(|(from, to)| shown(from, false) == shown(to, false));
        let versions = |repository: Option<&Repository>| repository.map(|one| shown(one, exact));
        let (from, to) = (versions(from).into_iter().collect(), versions(to).into_iter().collect());
        Change::new(Kind::Member, id.to_string(), from, to, Why::Sources)
    };
    let (core, extensions): (Vec<&MemberId>, Vec<&MemberId>) = ids.into_iter().partition(|id| id.is_core());
    let moved = core.into_iter().chain(extensions).filter_map(change).collect();
    let unborn = federation.members().iter().filter(|member| member.checkout.unborn);
    let notes = unborn.map(|member| {
        format!(
            "nothing was committed yet in the repository of `{}`: it is locked by its hash alone",
            member.id
        )
    });
    Ok(FederationUpdate { notes: notes.collect(), moved, lock })
}

/// What a repository is at, short: its revision, with the hash where that says more, or `exact` is wanted.
fn shown(Repository { working_copy, nar_sha256, place: _ }: &Repository, exact: bool) -> String {
    let hash = nar_sha256.short(7);
    match working_copy {
        WorkingCopy::Unversioned => format!("sha256:{hash}"),
        WorkingCopy::Repository { revision, dirty, .. } if *dirty || exact => {
            let changed = if *dirty { ", changed" } else { "" };
            format!("{} (sha256:{hash}{changed})", revision.short())
        }
        WorkingCopy::Repository { revision, .. } => revision.short(),
    }
}

fn refused(
    federation: &Federation,
    before: Option<&FederationLock>,
    now: &FederationLock,
) -> Vec<Diagnostic> {
    let Some(before) = before else {
        return vec![lock_missing(NAME)];
    };
    let mut wrong: Vec<Diagnostic> = federation
        .members()
        .iter()
        .filter_map(|member| {
            let is = now.repositories().get(&member.id)?;
            refused_member(member, before.repositories().get(&member.id), is)
        })
        .collect();
    let gone = before.repositories().iter().filter(|(id, _)| federation.member(id).is_none());
    wrong.extend(gone.map(|(id, repository)| {
        let message = format!("`{id}` is locked, but no longer part of the federation");
        at(changed(message, id), repository).help("`lychd-forge synthesize` without --locked takes it out")
    }));
    wrong
}

/// A member that is not as it is locked.
fn changed(message: String, id: &MemberId) -> Diagnostic {
    Diagnostic::new(message).of_kind(Fault::LockChanged).requested_by(id.to_string())
}

fn at(diagnostic: Diagnostic, locked: &Repository) -> Diagnostic {
    match &locked.place {
        Some(place) => diagnostic.at(place.clone(), "locked here"),
        None => diagnostic,
    }
}

/// What is wrong with one member under `--locked`.
fn refused_member(member: &Member, locked: Option<&Repository>, is: &Repository) -> Option<Diagnostic> {
    let id = &member.id;
    let Some(locked) = locked else {
        let new = changed(format!("`{id}` is not in `{NAME}`"), id);
        return Some(new.help("`lychd-forge synthesize` without --locked adds it"));
    };
    let dirty = is.working_copy.dirty() == Some(true);
    if locked == is && !dirty {
        return None;
    }
    let (from, to) = (locked.working_copy.revision(), is.working_copy.revision());
    let message = match (from, to) {
        (Some(from), Some(to)) if from != to => {
            let changed = if dirty { " with changes that are not committed" } else { "" };
            format!("`{id}` is not at its locked revision {from}, but at {to}{changed}")
        }
        (Some(_), Some(to)) if dirty => format!("`{id}` has changes on {to} that are not committed"),
        (Some(from), None) => format!("`{id}` is locked at revision {from}, and is no repository"),
        (None, Some(to)) => format!("`{id}` is locked by its hash alone, and is a repository at {to}"),
        _ if locked.nar_sha256 == is.nar_sha256 => {
            let (from, to) = (locked.working_copy.vcs(), is.working_copy.vcs());
            format!("`{id}` is locked as `vcs = \"{from}\"`, and is `{to}`")
        }
        _ => format!("`{id}` holds other files than are locked"),
    };
    let mut diagnostic = at(changed(message, id), locked);
    if locked.nar_sha256 != is.nar_sha256 {
        let (from, to) = (locked.nar_sha256, is.nar_sha256);
        diagnostic = diagnostic.note(format!("its sources have sha256 {to}, locked is {from}"));
    }
    let changes = &member.checkout.changes;
    if dirty {
        let mut named: Vec<&str> = changes.iter().map(String::as_str).take(NAMED).collect();
        let more = format!("and {} more", changes.len().saturating_sub(NAMED));
        named.extend((changes.len() > NAMED).then_some(more.as_str()));
        diagnostic = diagnostic.note(format!("changed: {}", named.join(", ").escape_debug()));
        let help = "commit the changes or take them back; without --locked they are taken as they are";
        return Some(diagnostic.help(help));
    }
    Some(diagnostic.help("`lychd-forge synthesize --update federation` moves the lock"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    const OLD: &str = "1a2b3c41a2b3c41a2b3c41a2b3c41a2b3c41a2b3";
    const NEW: &str = "5d6e7f85d6e7f85d6e7f85d6e7f85d6e7f85d6e7";

    fn entry(id: &str, state: &str, hash: &str) -> String {
        let path = if id == "core" { id.to_owned() } else { format!("extensions/{id}") };
        let state = match state.split_once(' ') {
            Some((revision, dirty)) => format!("vcs = 'git'\nrevision = '{revision}'\ndirty = {dirty}"),
            None => "vcs = 'none'".to_owned(),
        };
        let hash = hash.repeat(64);
        format!("[[repository]]\nid = '{id}'\npath = '{path}'\n{state}\nnar-sha256 = '{hash}'\n")
    }

    fn parsed(entries: &[String]) -> FederationLock {
        let text = format!("version = 1\n{}", entries.concat());
        FederationLock::parse(&Source::new(NAME, text)).unwrap()
    }

    /// A federation that stands where these entries say.
    fn federation(entries: &[String]) -> Federation {
        let lock = parsed(entries);
        let members = lock.repositories().iter().map(|(id, repository)| {
            let mut member = crate::python::workspace::tests::member(id.as_str(), "");
            member.checkout.working_copy = repository.working_copy;
            if repository.working_copy.dirty() == Some(true) {
                member.checkout.changes = (0..7).map(|n| format!("src/{n}.py")).collect();
            }
            member.source.nar_sha256 = repository.nar_sha256;
            member
        });
        Federation::for_test(members.collect())
    }

    #[test]
    fn what_moved_is_told_and_the_lock_follows() {
        let same = entry("core", &format!("{OLD} false"), "0");
        let before = [
            same.clone(),
            entry("scribe", &format!("{OLD} false"), "1"),
            entry("loom", &format!("{OLD} false"), "2"),
            entry("relic", "none", "3"),
            entry("gone", "none", "4"),
        ];
        let now = [
            same,
            entry("scribe", &format!("{NEW} false"), "a"),
            entry("loom", &format!("{OLD} true"), "b"),
            entry("relic", "none", "c"),
            entry("altar", "none", "d"),
        ];
        let federated = lock(&federation(&now), Some(&parsed(&before)), false).unwrap();
        assert_eq!(
            federated.moved.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "altar sha256:ddddddd added",
                "gone sha256:4444444 removed",
                "loom 1a2b3c4 -> 1a2b3c4 (sha256:bbbbbbb, changed)",
                "relic sha256:3333333 -> sha256:ccccccc",
                "scribe 1a2b3c4 -> 5d6e7f8",
            ]
        );
        assert_eq!(federated.lock, parsed(&now));
        let again = lock(&federation(&now), Some(&federated.lock), false).unwrap();
        assert_eq!(again.moved, []);
    }

    #[test]
    fn locked_refuses_each_repository_by_name_with_what_it_is_at() {
        let before = parsed(&[
            entry("core", "none", "0"),
            entry("scribe", &format!("{OLD} false"), "1"),
            entry("loom", &format!("{OLD} true"), "2"),
            entry("relic", "none", "3"),
            entry("gone", "none", "4"),
            entry("moth", &format!("{OLD} false"), "5"),
        ]);
        let now = federation(&[
            entry("core", "none", "0"),
            entry("scribe", &format!("{NEW} false"), "a"),
            entry("loom", &format!("{OLD} true"), "2"),
            entry("relic", "none", "c"),
            entry("altar", "none", "d"),
            entry("moth", "none", "5"),
        ]);
        let refused = lock(&now, Some(&before), true).unwrap_err();
        assert_eq!((refused.exit_code(), refused.diagnostics().len()), (1, 6), "{refused}");
        let text = refused.to_string();
        for want in [
            &format!("`scribe` is not at its locked revision {OLD}, but at {NEW}\n  at lychd.lock:"),
            &format!("its sources have sha256 {}, locked is {}", "a".repeat(64), "1".repeat(64)),
            "`lychd-forge synthesize --update federation` moves the lock",
            &format!("`loom` has changes on {OLD} that are not committed"),
            "changed: src/0.py, src/1.py, src/2.py, src/3.py, src/4.py, and 2 more",
            "`relic` holds other files than are locked",
            "`altar` is not in `lychd.lock`",
            "`gone` is locked, but no longer part of the federation",
            &format!("`moth` is locked at revision {OLD}, and is no repository"),
        ] {
            assert!(text.contains(want), "{want}\n--- not in ---\n{text}");
        }
        assert!(!text.contains("`core`"), "{text}");
        let missing = lock(&now, None, true).unwrap_err().to_string();
        assert!(missing.contains("`lychd.lock` is missing"), "{missing}");
    }
}
