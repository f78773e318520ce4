//! Artifacts brought to this host: mirror by mirror, in parallel, resumed, checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::air_gap::AirGap;
use crate::{
    artifact::Artifact,
    codex::{MirrorUrl, Origin},
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    host::{
        file,
        http::{Client, Expected, HttpError},
        progress::{Progress, Unit},
    },
};

/// Connections at a time.
const CONNECTIONS: usize = 8;

/// Where downloads come from and stay.
#[derive(Debug)]
pub struct Downloads<'a> {
    /// `<cache>/artifacts`.
    pub cache: &'a Path,
    /// A folder that everything is taken from instead of the network.
    pub from: Option<&'a AirGap>,
    /// `None` when the network must not be used.
    pub client: Option<&'a Client>,
    /// The operator's mirrors, tried before the address in the lock.
    pub mirrors: &'a BTreeMap<Origin, Vec<MirrorUrl>>,
}

impl Downloads<'_> {
    /// Where an artifact lies once it was brought: its hash, then its store name, which `nix-store
    /// --add-fixed` takes from the file.
    pub(super) fn place(&self, artifact: &Artifact) -> PathBuf {
        self.cache.join(artifact.integrity.to_hex()).join(artifact.file())
    }

    /// Puts an artifact whose bytes are at hand where [`Downloads::download`] finds it.
    ///
    /// # Errors
    /// Unable when the cache cannot be written.
    pub fn keep(&self, artifact: &Artifact, bytes: &[u8]) -> Result<(), Failure> {
        let place = self.place(artifact);
        file::write(&place, bytes).map_err(|error| file::unable("write", &place, &error))
    }

    /// Addresses in the order they are tried.
    fn addresses(&self, artifact: &Artifact) -> Vec<String> {
        let mirrored = self.mirrors.iter().filter_map(|(origin, mirrors)| {
            let base = origin.default_url();
            let path = artifact.url.strip_prefix(base)?.strip_prefix('/')?;
            Some(mirrors.iter().map(move |mirror| format!("{mirror}/{path}")))
        });
        mirrored.flatten().chain([artifact.url.clone()]).collect()
    }

    /// Downloads one artifact; `progress` gets its bytes so far.
    ///
    /// # Errors
    /// [`Failure::Unable`] when no mirror has it or there is no network; refused when all that was
    /// found has another hash.
    pub fn download(&self, artifact: &Artifact, progress: &mut dyn FnMut(u64)) -> Result<PathBuf, Failure> {
        let place = self.place(artifact);
        if file::exists(&place)? {
            // A disk may fail and a cache may be shared: what is there is believed by its hash alone.
            match file::integrity(&place, &artifact.integrity) {
                Ok(found) if found == artifact.integrity => return measured(artifact, place),
                Err(error) if !file::is_wrong(&error) => return Err(file::unable("read", &place, &error)),
                _ => {}
            }
            file::remove(&place).map_err(|error| file::unable("remove", &place, &error))?;
        }
        if let Some(folder) = self.from {
            folder.take(artifact, &place).map_err(|failure| match failure {
                Failure::Refused(all) => {
                    Failure::Refused(all.into_iter().map(|one| about(artifact, one)).collect())
                }
                unable @ Failure::Unable(_) => unable,
            })?;
            progress(file::size(&place).unwrap_or_default());
            return measured(artifact, place);
        }
        let Some(client) = self.client else {
            return Err(Failure::unable(about(
                artifact,
                Diagnostic::new(format!(
                    "`{}` is not in the cache and --offline forbids the network",
                    artifact.label
                ))
                .of_kind(Fault::Offline)
                .help("run once without --offline"),
            )));
        };
        let expected = Expected { integrity: artifact.integrity, size: artifact.size };
        let mut errors = Vec::new();
        for address in self.addresses(artifact) {
            match client.file_at(&address, &place, &expected, progress) {
                Ok(()) => return Ok(place),
                Err(error) => errors.push(error),
            }
        }
        Err(failed(artifact, &errors))
    }

    /// Downloads all, `CONNECTIONS` at a time; the paths are in the order of `artifacts`.
    ///
    /// # Errors
    /// All failures at once, as [`Downloads::download`].
    pub fn all(&self, artifacts: &[Artifact], progress: &dyn Progress) -> Result<Vec<PathBuf>, Failure> {
        // uv's locks do not always have sizes; then the total is unknown.
        let total = artifacts.iter().map(|artifact| artifact.size).sum::<Option<u64>>().unwrap_or(0);
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        let results = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS.min(artifacts.len()) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(artifact) = artifacts.get(index) else { break };
                        let mut counted = 0;
                        let done = self.download(artifact, &mut |so_far: u64| {
                            let more = so_far.saturating_sub(counted);
                            counted = counted.max(so_far);
                            progress.advance(
                                bytes.fetch_add(more, Ordering::Relaxed) + more,
                                total,
                                Unit::Bytes,
                            );
                        });
                        if let Ok(mut results) = results.lock() {
                            results.insert(index, done);
                        }
                    }
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut paths = Vec::new();
        let (mut refused, mut unable) = (Vec::new(), Vec::new());
        for result in results.into_values() {
            match result {
                Ok(path) => paths.push(path),
                Err(Failure::Refused(all)) => refused.extend(all),
                Err(Failure::Unable(one)) => unable.push(*one),
            }
        }
        refuse_any(refused)?;
        match unable.into_iter().reduce(merge) {
            None => Ok(paths),
            Some(all) => Err(Failure::unable(all)),
        }
    }
}

/// Several failures to reach the network as one message.
fn merge(mut first: Diagnostic, other: Diagnostic) -> Diagnostic {
    first.message = format!("{}\n{}", first.message, other.message).into_boxed_str();
    for help in other.help {
        if !first.help.contains(&help) {
            first.help.push(help);
        }
    }
    first
}

/// An artifact with the right hash, unless the lock says another size of it.
fn measured(artifact: &Artifact, place: PathBuf) -> Result<PathBuf, Failure> {
    let Some(said) = artifact.size else { return Ok(place) };
    let found = file::size(&place).map_err(|error| file::unable("read", &place, &error))?;
    if found == said {
        return Ok(place);
    }
    let message = format!("`{}` has {found} bytes, and the lock says {said}", artifact.label);
    let help = "its hash is the locked one: mend or remove the `size` in the lock";
    Err(about(artifact, Diagnostic::new(message).of_kind(Fault::Hash).help(help)).into())
}

/// Names the members that need the artifact.
pub(super) fn about(artifact: &Artifact, mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.requested_by.extend(artifact.requested_by.iter().map(ToString::to_string));
    diagnostic
}

fn failed(artifact: &Artifact, errors: &[HttpError]) -> Failure {
    let tried: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
    let reasons = tried.into_iter().collect::<Vec<_>>().join("; ");
    let mut diagnostic =
        about(artifact, Diagnostic::new(format!("cannot bring `{}`: {reasons}", artifact.label)));
    if artifact.system && errors.iter().all(HttpError::is_gone) {
        diagnostic = diagnostic.help(
            "the archive no longer has this version: `lychd-forge synthesize --update system` moves the pins",
        );
    }
    if errors.iter().any(|error| {
        matches!(error, HttpError::Hash { .. } | HttpError::Size { .. } | HttpError::TooLarge { .. })
    }) {
        diagnostic.of_kind(Fault::Hash).into()
    } else {
        Failure::unable(diagnostic.of_kind(Fault::Network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    };

    #[test]
    fn a_pin_that_every_mirror_lost_names_the_command() {
        let artifact = Artifact {
            label: "libx 1.0".to_owned(),
            url: "http://deb.debian.org/debian/pool/libx.deb".to_owned(),
            integrity: Integrity::Sha256(Sha256::of("x")),
            size: Some(1),
            store_path: StorePath::of_flat_file(
                &Integrity::Sha256(Sha256::of("x")),
                &StoreName::mapped("libx.deb"),
            ),
            requested_by: ["scribe".parse().unwrap()].into(),
            system: true,
        };
        let gone = [HttpError::Gone { url: artifact.url.clone() }];
        let failure = failed(&artifact, &gone);
        assert_eq!(failure.exit_code(), 2);
        let text = failure.to_string();
        assert!(
            text.contains("synthesize --update system") && text.contains("requested by scribe"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_copy_in_the_cache_is_not_believed() {
        let sha512 = Integrity::of_same_kind(&Integrity::Sha512([0; 64]), b"good");
        for integrity in [Integrity::Sha256(Sha256::of("good")), sha512] {
            let cache = tempfile::tempdir().unwrap();
            let downloads =
                Downloads { cache: cache.path(), from: None, client: None, mirrors: &BTreeMap::new() };
            let artifact = Artifact {
                label: "x 1.0".to_owned(),
                url: "https://files.pythonhosted.org/x".to_owned(),
                integrity,
                size: Some(4),
                store_path: StorePath::of_flat_file(&integrity, &StoreName::mapped("x")),
                requested_by: BTreeSet::new(),
                system: false,
            };
            let place = downloads.place(&artifact);
            file::write(&place, b"good").unwrap();
            assert_eq!(downloads.download(&artifact, &mut |_| ()), Ok(place.clone()));
            let lied = Artifact { size: Some(5), ..artifact.clone() };
            let failure = downloads.download(&lied, &mut |_| ()).unwrap_err();
            assert_eq!((failure.exit_code(), failure.is(Fault::Hash)), (1, true));
            assert!(failure.to_string().contains("has 4 bytes, and the lock says 5"), "{failure}");
            file::write(&place, b"gooe").unwrap();
            let failure = downloads.download(&artifact, &mut |_| ()).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().contains("not in the cache"), "{failure}");
            assert!(!file::exists(&place).unwrap());
        }
    }
}
