//! Asks the npm registry what a lock does not say: `GET <registry>/<name>/<version>`.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::completion::{Completion, Wanted};
use crate::{
    codex::{MirrorUrl, Origin},
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::Integrity,
    host::{
        http::{Client, HttpError},
        progress::{Progress, Unit},
    },
    name::url::HostPolicy,
    npm::lock::{Package, Pins},
};

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// The most bytes of what the registry says of one version.
const LIMIT: u64 = 8 << 20;

/// What is read of a version's document.
#[derive(Deserialize)]
struct Document {
    name: String,
    version: String,
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: String,
    integrity: Option<String>,
    shasum: Option<String>,
}

/// Asks for all that is wanted, [`CONNECTIONS`] at a time; answers in the same order.
pub(super) fn ask(
    client: &Client,
    policy: &HostPolicy,
    mirrors: &[MirrorUrl],
    wanted: &[Wanted<'_>],
    progress: &dyn Progress,
) -> Result<Vec<Completion>, Failure> {
    progress.stage("complete", &format!("npm packages without address or hash: {}", wanted.len()));
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let answers = Mutex::new(std::collections::BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS.min(wanted.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = wanted.get(index) else { break };
                    let answer = ask_one(client, policy, mirrors, one);
                    progress.advance(
                        done.fetch_add(1, Ordering::Relaxed) + 1,
                        wanted.len() as u64,
                        Unit::Items,
                    );
                    if let Ok(mut answers) = answers.lock() {
                        answers.insert(index, answer);
                    }
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (mut found, mut refused, mut unable) = (Vec::new(), Vec::new(), None);
    for answer in answers.into_values() {
        match answer {
            Ok(completion) => found.push(completion),
            Err(Failure::Refused(all)) => refused.extend(all),
            Err(other) => unable = unable.or(Some(other)),
        }
    }
    refuse_any(refused)?;
    unable.map_or(Ok(found), Err)
}

fn ask_one(
    client: &Client,
    policy: &HostPolicy,
    mirrors: &[MirrorUrl],
    wanted: &Wanted<'_>,
) -> Result<Completion, Failure> {
    let path = format!("{}/{}", wanted.name, wanted.version.replace('+', "%2B"));
    let registry = Origin::Npm.default_url();
    let bases = mirrors.iter().map(MirrorUrl::as_str).chain([registry]);
    let mut errors = Vec::new();
    for base in bases {
        match client.bytes_at(&format!("{base}/{path}"), LIMIT, &mut |_| ()) {
            Ok(bytes) => return judge(&bytes, policy, mirrors, wanted),
            Err(error) => errors.push(error),
        }
    }
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let title = format!("`{}` {}", wanted.name, wanted.version);
    if errors.iter().all(HttpError::is_gone) {
        return Err(about(
            wanted,
            Diagnostic::new(format!("{title} has no hash in the lock and is not in the npm registry")),
        )
        .help("`--update npm` moves to versions that are")
        .into());
    }
    Err(Failure::unable(about(
        wanted,
        Diagnostic::new(format!("{title} has no hash in the lock, and the npm registry cannot be asked"))
            .note(reasons.join("\n")),
    )))
}

fn about(wanted: &Wanted<'_>, mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.requested_by.clone_from(&wanted.requested_by);
    diagnostic.at(wanted.entry.place.clone(), "")
}

/// What a document says, when it is of the version that was asked for and its hash can be trusted.
fn judge(
    bytes: &[u8],
    policy: &HostPolicy,
    mirrors: &[MirrorUrl],
    wanted: &Wanted<'_>,
) -> Result<Completion, Failure> {
    let refused = |what: String| {
        let title = format!("what the npm registry says of `{}` {}", wanted.name, wanted.version);
        Failure::from(about(wanted, Diagnostic::new(format!("{title} cannot be used: {what}"))))
    };
    let document: Document = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    if document.name != wanted.name.as_str() || document.version != wanted.version {
        let (name, version) = (document.name.escape_debug(), document.version.escape_debug());
        return Err(refused(format!("it is of `{name}` {version}")));
    }
    let dist = document.dist;
    if let (Package::Tarball { pins: Pins::Weak { sha1: Some(sha1), .. }, .. }, Some(shasum)) =
        (&wanted.entry.package, &dist.shasum)
        && HEXLOWER.decode(shasum.as_bytes()).is_ok()
        && sha1 != shasum
    {
        return Err(refused(format!("its sha1 is {shasum}, that of the lock {sha1}")));
    }
    let integrity = match dist.integrity.as_deref().map(Pins::parse) {
        Some(Pins::Pinned(integrity)) => integrity,
        Some(Pins::Either(all)) => {
            either(&all, wanted).ok_or_else(|| refused("it has two hashes".to_owned()))?
        }
        _ => return Err(refused("it has no sha512".to_owned())),
    };
    let tarball = mirrors
        .iter()
        .find_map(|mirror| dist.tarball.strip_prefix(mirror.as_str()))
        .map_or_else(|| dist.tarball.clone(), |path| format!("{}{path}", Origin::Npm.default_url()));
    let url = policy.check(&tarball).map_err(|error| refused(error.to_string()))?;
    Ok(Completion { resolved: url.to_string(), integrity })
}

fn either(all: &[Integrity], wanted: &Wanted<'_>) -> Option<Integrity> {
    let Package::Tarball { pins: Pins::Pinned(pinned), .. } = &wanted.entry.package else { return None };
    all.contains(pinned).then_some(*pinned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Source, npm::lock::NpmLock};

    #[test]
    fn only_what_fits_the_lock_is_believed() {
        let text = "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/@s/a\": {\"version\": \"1.0.0\", \"integrity\": \"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\"}}}";
        let lock = NpmLock::read(&Source::new("synthesis/package-lock.json", text)).unwrap();
        let entry = lock.entries.values().next().unwrap();
        let name = "@s/a".parse().unwrap();
        let wanted = Wanted { name: &name, version: "1.0.0", entry, requested_by: vec!["altar".to_owned()] };
        let mirror: MirrorUrl = "http://mirror.example/npm".parse().unwrap();
        let judge = |name: &str, tarball: &str, dist: &str| {
            let document = format!(
                "{{\"name\": \"{name}\", \"version\": \"1.0.0\", \"dist\": {{\"tarball\": \"{tarball}\"{dist}}}, \"more\": 1}}"
            );
            judge(document.as_bytes(), &HostPolicy::new([]), std::slice::from_ref(&mirror), &wanted)
                .map(|completion| completion.resolved)
                .map_err(|failure| failure.to_string())
        };
        let url = "https://registry.npmjs.org/@s/a/-/a-1.0.0.tgz";
        let hash = ", \"integrity\": \"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\", \"shasum\": \"da39a3ee5e6b4b0d3255bfef95601890afd80709\"";
        assert_eq!(judge("@s/a", url, hash).unwrap(), url);
        assert_eq!(judge("@s/a", "http://mirror.example/npm/@s/a/-/a-1.0.0.tgz", hash).unwrap(), url);
        for (name, tarball, dist, want) in [
            ("@s/b", url, hash.to_owned(), "it is of `@s/b` 1.0.0"),
            ("@s/a", "https://evil.example/a.tgz", hash.to_owned(), "host `evil.example` is not allowed"),
            ("@s/a", url, String::new(), "it has no sha512"),
            (
                "@s/a",
                url,
                ", \"integrity\": \"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\"".to_owned(),
                "it has no sha512",
            ),
            ("@s/a", url, hash.replace("da39", "0000"), "its sha1 is 0000a3ee"),
        ] {
            let error = judge(name, tarball, dist.as_str()).unwrap_err();
            assert!(error.contains(want) && error.contains("requested by altar"), "{error}");
        }
    }
}
