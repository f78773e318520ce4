//! Where a Soulstone is asked: an address on this host.

use url::{Host, Url};

/// The port of an address on this host, in LychD's form.
///
/// # Errors
/// What is wrong with it, to stand behind its name.
pub fn loopback(text: &str) -> Result<u16, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with `http://` or `https://`");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("cannot have a user, a query or a fragment");
    }
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !local {
        return Err("must be on this host: `localhost` or a loopback address (another host is a portal's)");
    }
    // A scheme's own port is dropped by LychD's parser as by this one: to LychD it is not said either.
    url.port().ok_or("must say its port, another than 80 for `http:` and 443 for `https:`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_this_host_says_its_port() {
        for (good, port) in [
            ("http://localhost:8100/v1", 8100),
            ("http://LOCALHOST:8100", 8100),
            ("https://127.9.9.9:1/", 1),
            ("http://[::1]:65535/v1", 65535),
            ("https://localhost:80/", 80),
        ] {
            assert_eq!(loopback(good), Ok(port), "{good}");
        }
        for (bad, want) in [
            ("", "is no URL"),
            ("localhost:8100", "must begin with"),
            ("ftp://localhost:21", "must begin with"),
            ("http://localhost", "must say its port"),
            ("http://localhost:80/", "must say its port"),
            ("https://localhost:443/", "must say its port"),
            ("http://localhost.evil:8100", "must be on this host"),
            ("http://10.0.0.1:8100", "must be on this host"),
            ("http://0.0.0.0:8100", "must be on this host"),
            ("http://[::2]:8100", "must be on this host"),
            ("http://u@localhost:8100", "cannot have a user"),
            ("http://localhost:8100?x", "cannot have a user, a query"),
            ("http://localhost:8100#", "cannot have a user, a query or a fragment"),
            ("http://localhost:99999", "is no URL"),
        ] {
            let error = loopback(bad).unwrap_err();
            assert!(error.contains(want), "{bad}: {error}");
        }
    }
}
