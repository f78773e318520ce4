//! Where an artifact may come from: a URL that was parsed and held against an exact list of hosts.

use std::{collections::BTreeSet, fmt};

use url::{Host, Url};

/// The hosts artifacts may come from: the public indexes and what `[policy] hosts` adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPolicy {
    secure: BTreeSet<String>,
}

/// Debian's archives are signed as a whole, so these two may be read over plain http.
const SIGNED_ARCHIVES: [&str; 2] = ["deb.debian.org", "security.debian.org"];
/// The public indexes.
const PUBLIC_INDEXES: [&str; 3] = ["pypi.org", "files.pythonhosted.org", "registry.npmjs.org"];

/// An absolute URL of an artifact on an allowed host, without user, port, query, or dot segments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactUrl(String);

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute URL in its normal form.
    #[error("`{}` is not a URL in normal form", .0.escape_debug())]
    Malformed(String),
    /// Not https (or Debian's http).
    #[error("`{}` uses `{scheme}:`, not https", .url.escape_debug())]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// A user name, a port, a query, a fragment, an IP address or a punycode host.
    #[error("`{}` has {part}", .url.escape_debug())]
    Part {
        /// The URL.
        url: String,
        /// What it must not have.
        part: &'static str,
    },
    /// A host nobody allowed.
    #[error("host `{}` is not allowed", .host.escape_debug())]
    Host {
        /// The host.
        host: String,
    },
}

impl HostPolicy {
    /// The public indexes plus `extra` (exact host names, https only).
    pub fn new(extra: impl IntoIterator<Item = String>) -> Self {
        let public = PUBLIC_INDEXES.iter().chain(&SIGNED_ARCHIVES).map(|&host| host.to_owned());
        Self { secure: public.chain(extra).collect() }
    }

    /// Parses and judges a URL.
    ///
    /// # Errors
    /// [`UrlError`] names what is wrong with it; `https` and an allowed host are needed, plain `http`
    /// is taken from Debian's signed archives alone.
    pub fn check(&self, text: &str) -> Result<ArtifactUrl, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed(text.to_owned()))?;
        let part = |part| UrlError::Part { url: text.to_owned(), part };
        let Some(Host::Domain(host)) = url.host() else {
            return Err(if url.host().is_some() {
                part("an IP address for a host")
            } else {
                UrlError::Scheme { url: text.to_owned(), scheme: url.scheme().to_owned() }
            });
        };
        let signed = url.scheme() == "http" && SIGNED_ARCHIVES.contains(&host);
        if url.scheme() != "https" && !signed {
            return Err(UrlError::Scheme { url: text.to_owned(), scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(part("a user name"));
        }
        if url.port().is_some() {
            return Err(part("a port"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(part("a query or fragment"));
        }
        if host.split('.').any(|label| label.starts_with("xn--")) {
            return Err(part("a punycode host"));
        }
        let lower = url.path().to_ascii_lowercase();
        if ["%2f", "%5c", "%2e", "%00", "//"].iter().any(|hidden| lower.contains(hidden)) {
            return Err(part("an encoded slash, dot or NUL, or an empty part in its path"));
        }
        if url.as_str() != text {
            return Err(UrlError::Malformed(text.to_owned()));
        }
        if !self.secure.contains(host) {
            return Err(UrlError::Host { host: host.to_owned() });
        }
        Ok(ArtifactUrl(text.to_owned()))
    }
}

impl ArtifactUrl {
    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path, still percent-encoded.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for ArtifactUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_hosts_in_normal_form_are_taken() {
        let policy = HostPolicy::new(["wheels.example.org".to_owned()]);
        for good in [
            "https://files.pythonhosted.org/packages/a/b-1.0%2Bcpu-py3-none-any.whl",
            "https://wheels.example.org/x.whl",
            "http://deb.debian.org/debian/pool/main/b/bash/bash_5.2_amd64.deb",
        ] {
            assert_eq!(policy.check(good).map(|url| url.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "https://pythonhcsted.org/x.whl",
            "https://pypi.org@evil.example/x.whl",
            "https://user@pypi.org/x.whl",
            "https://pypi.org.evil.example/x.whl",
            "https://pypi.org:8443/x.whl",
            "http://pypi.org/x.whl",
            "git+ssh://pypi.org/x",
            "file:///etc/passwd",
            "https://169.254.169.254/latest",
            "https://[::1]/x",
            "https://xn--pyp-jma.org/x.whl",
            "https://pуpi.org/x.whl",
            "https://pypi.org/a/..%2fb.whl",
            "https://pypi.org/a/../b.whl",
            "https://pypi.org/a?b",
            "https://PyPI.org/x.whl",
            "ext::sh -c id",
            "",
        ] {
            assert!(policy.check(bad).is_err(), "{bad}");
        }
    }
}
