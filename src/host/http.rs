//! Downloads: over https (or Debian's signed http), from hosts the policy allows, with hash and size
//! checked as the bytes arrive.
//!
//! Trust roots come from the platform's verifier, which reads `SSL_CERT_FILE`; a proxy comes from the
//! usual variables, a password from the user's netrc.
#![expect(clippy::disallowed_methods, reason = "this is the module that writes downloads")]

mod netrc;

use std::{
    fs,
    io::{self, Read, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use super::{clock, file};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::{Integrity, IntegrityHasher},
    name::url::{ArtifactUrl, HostPolicy},
};
pub use netrc::Netrc;

/// Waits between tries of one download, in milliseconds; one more try than there are waits.
const WAITS: [u64; 3] = [300, 1_000, 3_000];
/// The most redirects that are followed.
const REDIRECTS: usize = 5;
const BUFFER: usize = 1 << 16;
/// The most bytes of a file whose lock says no size; the largest wheels of today have a third of it.
const UNSIZED: u64 = 8 << 30;

/// A synchronous downloader; cheap to share between threads.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    policy: HostPolicy,
    netrc: Netrc,
}

/// What a downloaded file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its hash.
    pub integrity: Integrity,
    /// Its size in bytes, when it is known.
    pub size: Option<u64>,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server has no such file (404, 410).
    #[error("`{url}` does not exist on the server")]
    Gone {
        /// What was asked for.
        url: String,
    },
    /// Another status than success.
    #[error("`{url}` was answered with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// A redirect to a place the policy refuses, or too many of them.
    #[error("`{url}` redirects to `{}`: {reason}", .to.escape_debug())]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it points.
        to: String,
        /// Why that is refused.
        reason: String,
    },
    /// More bytes than were allowed or announced.
    #[error("`{url}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The most that was allowed.
        limit: u64,
    },
    /// Fewer bytes than expected.
    #[error("`{url}` has {found} bytes, not {expected}")]
    Size {
        /// What was asked for.
        url: String,
        /// As pinned.
        expected: u64,
        /// As received.
        found: u64,
    },
    /// Other bytes than expected.
    #[error("`{url}` has hash {found}, not {expected}")]
    Hash {
        /// What was asked for.
        url: String,
        /// As pinned, in SRI spelling.
        expected: String,
        /// As received, in SRI spelling.
        found: String,
    },
    /// The connection failed, also after the last try.
    #[error("cannot download `{url}`: {reason}")]
    Connection {
        /// What was asked for.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// The local file could not be written.
    #[error("cannot write `{}`: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl HttpError {
    /// Whether the server says the file is not there: another mirror may have it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }

    /// Whether another try may help.
    fn is_passing(&self) -> bool {
        match self {
            Self::Connection { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            _ => false,
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let mut diagnostic = Diagnostic::new(error.to_string());
        if matches!(error, HttpError::Status { status: 401 | 403, .. }) {
            diagnostic =
                diagnostic.help("the host wants a login: `~/.netrc`, or the file NETRC names, has them");
        }
        match error {
            HttpError::Hash { .. } | HttpError::Size { .. } | HttpError::TooLarge { .. } => {
                diagnostic.of_kind(Fault::Hash).into()
            }
            HttpError::Redirect { .. } => diagnostic.of_kind(Fault::Network).into(),
            _ => Failure::unable(diagnostic.of_kind(Fault::Network)),
        }
    }
}

/// One answer of a server.
struct Answer {
    status: u16,
    length: Option<u64>,
    range_start: Option<u64>,
    body: Box<dyn Read>,
}

impl Client {
    /// A client that talks to the hosts of `policy` only.
    #[must_use]
    pub fn new(policy: HostPolicy) -> Self {
        let tls = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::Rustls)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("lychd-forge/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .timeout_per_read(Some(Duration::from_mins(1)))
            .build();
        Self { agent: config.new_agent(), policy, netrc: Netrc::default() }
    }

    /// The same with passwords. Each is sent to its own host alone, over https, and never shown.
    #[must_use]
    pub fn with_netrc(self, netrc: Netrc) -> Self {
        Self { netrc, ..self }
    }

    /// The hosts this client talks to.
    #[must_use]
    pub fn policy(&self) -> &HostPolicy {
        &self.policy
    }

    /// Downloads at most `limit` bytes into memory; `progress` gets the bytes so far.
    ///
    /// # Errors
    /// [`HttpError`], after some tries when the trouble may pass.
    pub fn bytes(
        &self,
        url: &ArtifactUrl,
        limit: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u8>, HttpError> {
        self.bytes_at(url.as_str(), limit, progress)
    }

    /// As [`Client::bytes`], from an address the operator configured.
    ///
    /// # Errors
    /// As [`Client::bytes`].
    pub fn bytes_at(
        &self,
        url: &str,
        limit: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u8>, HttpError> {
        retry(|| {
            let mut answer = self.request(url, 0)?;
            check_status(url, answer.status)?;
            if answer.length.is_some_and(|length| length > limit) {
                return Err(HttpError::TooLarge { url: url.to_owned(), limit });
            }
            let mut bytes = Vec::new();
            copy(url, &mut answer.body, limit, |chunk| {
                bytes.extend_from_slice(chunk);
                progress(bytes.len() as u64);
                Ok(())
            })?;
            complete(url, answer.length, bytes.len() as u64)?;
            Ok(bytes)
        })
    }

    /// Downloads a file of known content to `target`. What an earlier try left in `<target>.part` is
    /// taken up again; `target` appears only when hash and size fit. `progress` gets the bytes
    /// so far. The address may be one that the operator configured.
    ///
    /// # Errors
    /// [`HttpError`], after some tries when the trouble may pass.
    pub fn file_at(
        &self,
        url: &str,
        target: &Path,
        expected: &Expected,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HttpError> {
        let wrong = |error| HttpError::File { path: target.to_owned(), error };
        if let Some(directory) = target.parent() {
            file::create_directory(directory).map_err(wrong)?;
        }
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        // What cannot be looked at cannot be opened either, and that is told.
        let resumed = file::size(&part).is_ok();
        let mut outcome = retry(|| self.part(url, &part, expected, progress));
        // A stale beginning is no proof against the mirror: once more from nothing.
        if resumed && matches!(outcome, Err(HttpError::Hash { .. } | HttpError::TooLarge { .. })) {
            file::remove(&part).map_err(wrong)?;
            outcome = retry(|| self.part(url, &part, expected, progress));
        }
        match outcome {
            Ok(()) => fs::rename(&part, target).map_err(wrong),
            Err(error) => {
                let wrong_bytes = matches!(
                    error,
                    HttpError::Hash { .. } | HttpError::TooLarge { .. } | HttpError::Size { .. }
                );
                if wrong_bytes || file::size(&part).is_ok_and(|size| size == 0) {
                    file::remove(&part).map_err(wrong)?;
                }
                Err(error)
            }
        }
    }

    /// Brings `part` to its full length and checks it.
    fn part(
        &self,
        url: &str,
        part: &Path,
        expected: &Expected,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HttpError> {
        let wrong = |error| HttpError::File { path: part.to_owned(), error };
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0),
        );
        let mut output = options.open(part).map_err(wrong)?;
        let mut hasher = IntegrityHasher::new(&expected.integrity);
        let mut length = 0_u64;
        let mut buffer = vec![0_u8; BUFFER];
        loop {
            let count = output.read(&mut buffer).map_err(wrong)?;
            let chunk = buffer.get(..count).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            hasher.update(chunk);
            length += count as u64;
        }
        if expected.size != Some(length) || length == 0 {
            let mut answer = self.request(url, length)?;
            if length > 0 && (answer.status != 206 || answer.range_start != Some(length)) {
                // No ranges here (or none left): from the beginning.
                if answer.status != 200 {
                    answer = self.request(url, 0)?;
                }
                output.set_len(0).and_then(|()| output.rewind()).map_err(wrong)?;
                hasher = IntegrityHasher::new(&expected.integrity);
                length = 0;
            }
            check_status(url, answer.status)?;
            let limit = expected.size.unwrap_or(UNSIZED).saturating_sub(length);
            if answer.length.is_some_and(|announced| announced > limit) {
                return Err(HttpError::TooLarge { url: url.to_owned(), limit: limit + length });
            }
            let begun = length;
            let copied = copy(url, &mut answer.body, limit, |chunk| {
                output.write_all(chunk).map_err(wrong)?;
                hasher.update(chunk);
                length += chunk.len() as u64;
                progress(length);
                Ok(())
            });
            match copied {
                Err(HttpError::TooLarge { url, .. }) => {
                    return Err(HttpError::TooLarge { url, limit: limit + begun });
                }
                other => other?,
            }
            complete(url, answer.length, length - begun)?;
        }
        if let Some(size) = expected.size.filter(|&size| size != length) {
            return Err(HttpError::Size { url: url.to_owned(), expected: size, found: length });
        }
        let found = hasher.finish();
        if found != expected.integrity {
            return Err(HttpError::Hash {
                url: url.to_owned(),
                expected: expected.integrity.to_sri_string(),
                found: found.to_sri_string(),
            });
        }
        output.sync_all().map_err(wrong)
    }

    /// Asks, following redirects to places the policy allows.
    fn request(&self, url: &str, from: u64) -> Result<Answer, HttpError> {
        let mut current = url.to_owned();
        for _ in 0..=REDIRECTS {
            tracing::debug!(url = %current, from, "get");
            let mut request = self.agent.get(&current);
            if let Some(value) = self.netrc.authorization(&current) {
                request = request.header("authorization", value);
            }
            if from > 0 {
                request = request.header("range", format!("bytes={from}-"));
            }
            let response = request
                .call()
                .map_err(|error| HttpError::Connection { url: current.clone(), reason: error.to_string() })?;
            let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let length = header("content-length").and_then(|text| text.parse().ok());
                let range_start = header("content-range").and_then(range_start);
                let body = Box::new(response.into_body().into_reader());
                return Ok(Answer { status, length, range_start, body });
            }
            let to = header("location").unwrap_or_default().to_owned();
            let refused =
                |reason: String| HttpError::Redirect { url: url.to_owned(), to: to.clone(), reason };
            let next = Url::parse(&current)
                .and_then(|base| base.join(&to))
                .map_err(|error| refused(error.to_string()))?;
            current =
                self.policy.check(next.as_str()).map_err(|error| refused(error.to_string()))?.to_string();
        }
        Err(HttpError::Redirect { url: url.to_owned(), to: current, reason: "too many redirects".to_owned() })
    }
}

/// The first byte of `bytes 10-19/20`.
fn range_start(text: &str) -> Option<u64> {
    text.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn check_status(url: &str, status: u16) -> Result<(), HttpError> {
    match status {
        200 | 206 => Ok(()),
        404 | 410 => Err(HttpError::Gone { url: url.to_owned() }),
        _ => Err(HttpError::Status { url: url.to_owned(), status }),
    }
}

/// A connection that closed early may be tried again.
fn complete(url: &str, announced: Option<u64>, found: u64) -> Result<(), HttpError> {
    match announced {
        Some(length) if length != found => Err(HttpError::Connection {
            url: url.to_owned(),
            reason: format!("the connection ended after {found} of {length} bytes"),
        }),
        _ => Ok(()),
    }
}

fn copy(
    url: &str,
    body: &mut dyn Read,
    limit: u64,
    mut sink: impl FnMut(&[u8]) -> Result<(), HttpError>,
) -> Result<(), HttpError> {
    let mut buffer = vec![0_u8; BUFFER];
    let mut total = 0_u64;
    loop {
        let count = body
            .read(&mut buffer)
            .map_err(|error| HttpError::Connection { url: url.to_owned(), reason: error.to_string() })?;
        if count == 0 {
            return Ok(());
        }
        total += count as u64;
        if total > limit {
            return Err(HttpError::TooLarge { url: url.to_owned(), limit });
        }
        sink(buffer.get(..count).unwrap_or_default())?;
    }
}

fn retry<T>(mut attempt: impl FnMut() -> Result<T, HttpError>) -> Result<T, HttpError> {
    for wait in WAITS {
        match attempt() {
            Err(error) if error.is_passing() => {
                tracing::debug!(%error, wait, "try again");
                clock::pause(Duration::from_millis(wait));
            }
            done => return done,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests;
