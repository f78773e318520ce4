//! Passwords for hosts, from a netrc file (curl's `docs/NETRC`): the one place the forge takes credentials from.
//!
//! `default` entries are left out: a password is for the host it was written for and no other.

use std::{collections::BTreeMap, fmt};

use data_encoding::BASE64;
use url::Url;

use crate::{
    diagnostic::{Diagnostic, Failure},
    host::{environment, file},
};

/// The most bytes of a netrc.
const LIMIT: u64 = 1 << 20;

/// Passwords by host; they are never printed.
#[derive(Clone, Default)]
pub struct Netrc(BTreeMap<String, Login>);

#[derive(Clone, Default)]
struct Login {
    name: String,
    password: String,
}

impl fmt::Debug for Netrc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Netrc {
    /// Reads the file that `NETRC` names, or `~/.netrc` when there is one.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it is there and cannot be read.
    pub fn load() -> Result<Self, Failure> {
        let Some(path) = environment::netrc()? else { return Ok(Self::default()) };
        let unreadable = |error: &dyn fmt::Display| {
            Failure::unable(Diagnostic::new(format!("`{}` cannot be read: {error}", path.display())))
        };
        // A link is a user's own choice here.
        let real = file::canonical(&path).map_err(|error| unreadable(&error))?;
        let bytes = file::read(&real, LIMIT).map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut all = BTreeMap::new();
        let mut host: Option<String> = None;
        let mut words = Words { rest: text };
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" => {
                    host = words.next();
                    if let Some(host) = &host {
                        // The first entry of a host counts, as for curl.
                        if all.contains_key(host) {
                            words.skip_entry();
                        } else {
                            all.insert(host.clone(), Login::default());
                        }
                    }
                }
                "default" => host = None,
                "macdef" => words.skip_macro(),
                "login" | "password" | "account" => {
                    let value = words.next().unwrap_or_default();
                    let Some(login) = host.as_ref().and_then(|host| all.get_mut(host)) else { continue };
                    match word.as_str() {
                        "login" => login.name = value,
                        "password" => login.password = value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self(all)
    }

    /// The `authorization` header for a URL: https and a host with a password alone have one.
    pub(super) fn authorization(&self, url: &str) -> Option<ureq::http::HeaderValue> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "https" && url.port().is_none())?;
        let login = self.0.get(url.host_str()?)?;
        let pair = BASE64.encode(format!("{}:{}", login.name, login.password).as_bytes());
        let mut value = ureq::http::HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Words of a netrc: parted by white space, `"…"` with `\"` for one that holds some, `#` to the end of a line.
struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                break;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, after)| after);
        }
        if self.rest.is_empty() {
            return None;
        }
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
            let (word, after) = self.rest.split_at(end);
            self.rest = after;
            return Some(word.to_owned());
        };
        let mut word = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = quoted.get(at + 1..).unwrap_or_default();
                    return Some(word);
                }
                '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
                other => word.push(other),
            }
        }
        self.rest = "";
        Some(word)
    }

    /// To the next `machine` or `default`.
    fn skip_entry(&mut self) {
        loop {
            let before = self.rest;
            match self.next().as_deref() {
                Some("machine" | "default") => {
                    self.rest = before;
                    return;
                }
                Some("login" | "password" | "account") => drop(self.next()),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        self.rest = self.rest.split_once("\n\n").map_or("", |(_, after)| after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\nmachine index.example.org login anna password \"s3 cr\\\"et\"\n\
                        macdef init\nmachine evil.example login x password y\n\nmachine git.example.org\n  login bob\n  password p#1\n\
                        machine index.example.org login other password other\ndefault login nobody password nothing\n";

    #[test]
    fn a_password_goes_to_its_own_host_over_https_alone() {
        let netrc = Netrc::parse(TEXT);
        let sent = |url: &str| {
            let value = netrc.authorization(url)?;
            assert!(value.is_sensitive());
            let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
            String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).ok()
        };
        assert_eq!(sent("https://index.example.org/simple/x").as_deref(), Some("anna:s3 cr\"et"));
        assert_eq!(sent("https://git.example.org/x").as_deref(), Some("bob:p#1"));
        for url in [
            "http://index.example.org/simple",
            "https://index.example.org:8443/simple",
            "https://example.org/",
            "https://x.index.example.org/",
            "https://evil.example/",
            "https://pypi.org/",
        ] {
            assert_eq!(sent(url), None, "{url}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let shown = format!("{:?}", Netrc::parse(TEXT));
        assert_eq!(shown, "{\"git.example.org\", \"index.example.org\"}");
    }
}
