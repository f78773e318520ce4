//! Reading the index from the mirrors: signature first, then the indexes it names, by their hash.

use lzma_rust2::XzReader;
use std::{io::Read as _, path::Path};

use super::{
    index::Index,
    keys::Keyring,
    release::{self, Release},
};
use crate::{
    codex::{Debian, Origin},
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::{
        file,
        http::{Client, HttpError},
        progress::{Progress, Unit},
    },
    name::{
        Platform,
        debian::{Archive, Suite},
    },
};

/// The most bytes an unpacked index may have; trixie's is 57 MB.
const UNPACKED: u64 = 512 << 20;
/// The most bytes a packed one may have.
const PACKED: u64 = 64 << 20;

/// Base URLs of the two archives, tried in order; where none is given it is Debian's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Of the main archive, e.g. `https://mirror.example.org/debian`.
    pub debian: Vec<String>,
    /// Of the security archive.
    pub security: Vec<String>,
}

impl Mirrors {
    /// The base URLs of an archive, without a slash at the end; never empty.
    pub fn of(&self, archive: Archive) -> impl Iterator<Item = &str> {
        let given = match archive {
            Archive::Debian => &self.debian,
            Archive::Security => &self.security,
        };
        let own = given.is_empty().then(|| archive.default_url());
        given.iter().map(|url| url.trim_end_matches('/')).chain(own)
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self, archive: Archive) -> &str {
        self.of(archive).next().unwrap_or(archive.default_url())
    }
}

/// Where an index comes from.
#[derive(Clone, Copy, Debug)]
pub struct SystemSources<'a> {
    /// For which platform.
    pub platform: Platform,
    /// Its suites, in the configured order.
    pub suites: &'a [Suite],
    /// Where the archives are.
    pub mirrors: &'a Mirrors,
    /// Bytes of a keyring to use instead of Debian's own keys.
    pub keyring: Option<&'a [u8]>,
}

/// Reads the index of `suites` from the mirrors of a Codex, which lies in a directory.
///
/// # Errors
/// As [`read_index`]; unable when the Codex's keyring cannot be read.
pub fn configured(
    client: &Client,
    (debian, codex_directory): (&Debian, &Path),
    suites: &[Suite],
    platform: Platform,
    now: u64,
    progress: &dyn Progress,
) -> Result<Index, Failure> {
    let own = |archive| {
        let given = debian.mirrors.get(&Origin::Debian(archive));
        given.into_iter().flatten().map(ToString::to_string).collect()
    };
    let mirrors = Mirrors { debian: own(Archive::Debian), security: own(Archive::Security) };
    let keyring = match &debian.keyring {
        Some(path) => {
            let path = codex_directory.join(path);
            Some(file::read(&path, file::LIMIT).map_err(|error| file::unable("read", &path, &error))?)
        }
        None => None,
    };
    let sources = SystemSources { platform, suites, mirrors: &mirrors, keyring: keyring.as_deref() };
    read_index(client, &sources, now, progress)
}

/// Downloads and verifies the index of all suites at `now` (seconds since 1970).
///
/// # Errors
/// [`Failure::Refused`] when a signature, date, size or hash is wrong; [`Failure::Unable`] when no
/// mirror can be reached.
pub fn read_index(
    client: &Client,
    sources: &SystemSources<'_>,
    now: u64,
    progress: &dyn Progress,
) -> Result<Index, Failure> {
    Index::new(sources.platform, read_packages(client, sources, now, progress)?)
}

/// Like [`read_index`], but gives the verified texts of the `Packages` files themselves.
///
/// # Errors
/// As [`read_index`].
pub fn read_packages(
    client: &Client,
    sources: &SystemSources<'_>,
    now: u64,
    progress: &dyn Progress,
) -> Result<Vec<(Suite, String)>, Failure> {
    let keyring = match sources.keyring {
        Some(bytes) => Keyring::parse(bytes)?,
        None => Keyring::debian()?,
    };
    let mut texts = Vec::new();
    for suite in sources.suites {
        progress.stage("index", suite.as_str());
        let bases: Vec<&str> = sources.mirrors.of(suite.archive()).collect();
        let mut failures = Vec::new();
        let text = bases.iter().find_map(|base| {
            read_suite(client, sources.platform, suite, base, &keyring, now, progress)
                .map_err(|failure| failures.push(failure))
                .ok()
        });
        match text {
            Some(text) => texts.push((suite.clone(), text)),
            None => return Err(worst(failures, suite)),
        }
    }
    Ok(texts)
}

/// A refusal weighs more than a mirror that is not there.
fn worst(failures: Vec<Failure>, suite: &Suite) -> Failure {
    let mut refused = Vec::new();
    let mut unable = None;
    for failure in failures {
        match failure {
            Failure::Refused(all) => refused.extend(all),
            Failure::Unable(_) => unable = Some(failure),
        }
    }
    if !refused.is_empty() {
        return Failure::Refused(refused);
    }
    unable.unwrap_or_else(|| Failure::unable(Diagnostic::new(format!("suite `{suite}` has no mirror"))))
}

fn read_suite(
    client: &Client,
    platform: Platform,
    suite: &Suite,
    base: &str,
    keyring: &Keyring,
    now: u64,
    progress: &dyn Progress,
) -> Result<String, Failure> {
    let architecture = platform.debian_architecture();
    let index = format!("main/binary-{architecture}/Packages.xz");
    // The archive may be replaced between the two downloads: then the release is read again.
    for last in [false, true] {
        let signed = fetch(client, &format!("{base}/dists/{suite}/InRelease"), release::LIMIT, 0, progress)?;
        let release = release::verify(suite, &signed, keyring, now)?;
        let Some(&(size, sha256)) = release.files.get(&index) else {
            return Err(Diagnostic::new(format!("suite `{suite}` has no packages for {architecture}")).into());
        };
        if size > PACKED {
            return Err(Diagnostic::new(format!(
                "the package index of `{suite}` has {size} bytes, too many"
            ))
            .into());
        }
        let url = index_url(base, suite, architecture, &release, &sha256);
        let checked = fetch(client, &url, size, size, progress).and_then(|packed| {
            let found = Sha256::of(&packed);
            if found == sha256 && packed.len() as u64 == size {
                Ok(packed)
            } else {
                let message = format!("the package index of `{suite}` is not the signed one");
                Err(Diagnostic::new(message).help(format!("`{url}` has sha256 {found}, not {sha256}")).into())
            }
        });
        match checked {
            Ok(packed) => return unpack(suite, &packed),
            Err(failure) if last => return Err(failure),
            Err(_) => {}
        }
    }
    Err(Failure::unable(Diagnostic::new(format!("suite `{suite}` cannot be read"))))
}

fn index_url(base: &str, suite: &Suite, architecture: &str, release: &Release, sha256: &Sha256) -> String {
    let directory = format!("{base}/dists/{suite}/main/binary-{architecture}");
    if release.by_hash {
        format!("{directory}/by-hash/SHA256/{sha256}")
    } else {
        format!("{directory}/Packages.xz")
    }
}

/// Only an allowed host, and plain http from Debian's own alone.
fn fetch(
    client: &Client,
    url: &str,
    limit: u64,
    total: u64,
    progress: &dyn Progress,
) -> Result<Vec<u8>, Failure> {
    let checked = client
        .policy()
        .check(url)
        .map_err(|error| Failure::from(Diagnostic::new(format!("the mirror is refused: {error}"))))?;
    let read: Result<Vec<u8>, HttpError> =
        client.bytes(&checked, limit, &mut |done| progress.advance(done, total, Unit::Bytes));
    Ok(read?)
}

fn unpack(suite: &Suite, packed: &[u8]) -> Result<String, Failure> {
    let malformed = |what: &dyn std::fmt::Display| {
        Failure::from(Diagnostic::new(format!("the package index of `{suite}` is malformed: {what}")))
    };
    let mut bytes = Vec::with_capacity(packed.len().saturating_mul(6));
    XzReader::new(packed, true)
        .take(UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| malformed(&error))?;
    if bytes.len() as u64 > UNPACKED {
        return Err(malformed(&"it is too large when unpacked"));
    }
    String::from_utf8(bytes).map_err(|error| malformed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{host::progress::Silent, name::url::HostPolicy};

    #[test]
    fn plain_http_is_for_debians_own_hosts_alone() {
        let client = Client::new(HostPolicy::new(["mirror.example.org".to_owned()]));
        let suites = ["trixie".parse().unwrap()];
        for base in [
            "http://mirror.example.org/debian",
            "https://other.example.org/debian",
            "http://deb.debian.org.evil.example/debian",
            "http://169.254.169.254/debian",
            "file:///srv/debian",
            "https://mirror.example.org@evil.example/debian",
        ] {
            let mirrors = Mirrors { debian: vec![base.to_owned()], security: Vec::new() };
            let sources = SystemSources {
                platform: Platform::X86_64Linux,
                suites: &suites,
                mirrors: &mirrors,
                keyring: None,
            };
            let failure = read_index(&client, &sources, 0, &Silent).unwrap_err();
            assert!(failure.to_string().contains("the mirror is refused"), "{base}: {failure}");
            assert_eq!(failure.exit_code(), 1);
        }
    }

    #[test]
    fn mirrors_fall_back_to_debian_archives() {
        let mirrors = Mirrors { debian: vec!["https://a.example/debian/".to_owned()], security: Vec::new() };
        assert_eq!(mirrors.first(Archive::Debian), "https://a.example/debian");
        assert_eq!(mirrors.first(Archive::Security), "http://deb.debian.org/debian-security");
    }

    #[test]
    fn a_broken_index_is_refused() {
        let suite = "trixie".parse().unwrap();
        assert!(unpack(&suite, b"not xz").is_err());
    }
}
