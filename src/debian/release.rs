//! A suite's `InRelease` file: the signature over it, its dates, and the hashes of its indexes.
//!
//! Format: Debian wiki, "DebianRepository/Format", and RFC 9580 section 7 for the clear-signed frame.

use std::collections::BTreeMap;

use pgp::composed::CleartextSignedMessage;
use time::{PrimitiveDateTime, macros::format_description};

use super::keys::{Keyring, SKEW};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    name::debian::Suite,
};

/// The most bytes an `InRelease` file may have.
pub const LIMIT: u64 = 4 << 20;

/// A verified release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Seconds since 1970 when it was made.
    pub date: u64,
    /// Size and hash of every index, by path below the suite.
    pub files: BTreeMap<String, (u64, Sha256)>,
    /// Whether indexes can be had by their hash.
    pub by_hash: bool,
}

/// Verifies an `InRelease` file of `suite` at `now` (seconds since 1970) and reads what is signed.
///
/// # Errors
/// [`Failure::Refused`]: no trusted signature, text outside the signed block, another suite's file, too
/// old, from the future, or malformed.
pub fn verify(suite: &Suite, bytes: &[u8], keyring: &Keyring, now: u64) -> Result<Release, Failure> {
    let refuse =
        |what: String| Failure::from(Diagnostic::new(format!("the release file of `{suite}` {what}")));
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("is not UTF-8".to_owned()))?;
    framed(text).map_err(|what| refuse(what.to_owned()))?;
    let (message, _) = CleartextSignedMessage::from_string(text)
        .map_err(|error| refuse(format!("is not properly clear-signed: {error}")))?;
    let signed = message.signed_text();
    let mut reasons = Vec::new();
    let trusted = message.signatures().iter().any(|signature| {
        keyring.check(signature, signed.as_bytes(), now).map_err(|reason| reasons.push(reason)).is_ok()
    });
    if !trusted {
        let mut diagnostic = Diagnostic::new(format!(
            "the release file of `{suite}` carries no signature that can be trusted"
        ));
        for reason in reasons {
            diagnostic = diagnostic.help(format!("a signature was not counted: {reason}"));
        }
        return Err(diagnostic.into());
    }
    read(suite, &signed, now).map_err(refuse)
}

/// Exactly one clear-signed block and nothing around it.
fn framed(text: &str) -> Result<(), &'static str> {
    const FRAME: [&str; 3] = [
        "-----BEGIN PGP SIGNED MESSAGE-----",
        "-----BEGIN PGP SIGNATURE-----",
        "-----END PGP SIGNATURE-----",
    ];
    let marks: Vec<&str> = text.lines().filter(|line| line.starts_with("-----")).collect();
    if marks != FRAME {
        return Err("is not one clear-signed block");
    }
    if !text.starts_with(FRAME[0]) || !text.trim_end_matches(['\r', '\n']).ends_with(FRAME[2]) {
        return Err("has text outside what is signed");
    }
    Ok(())
}

fn read(suite: &Suite, text: &str, now: u64) -> Result<Release, String> {
    let mut fields = BTreeMap::new();
    let mut files = BTreeMap::new();
    let mut list = "";
    for line in text.lines() {
        if let Some(entry) = line.strip_prefix(' ') {
            if list != "SHA256" {
                continue;
            }
            let words: Vec<&str> = entry.split_ascii_whitespace().collect();
            let [hash, size, path] = words[..] else {
                return Err(format!("has a malformed entry `{}`", entry.escape_debug()));
            };
            let hash: Sha256 = hash.parse().map_err(|error| format!("has a bad hash: {error}"))?;
            let size = size.parse().map_err(|_| format!("has a bad size `{}`", size.escape_debug()))?;
            if files.insert(path.to_owned(), (size, hash)).is_some_and(|old| old != (size, hash)) {
                return Err(format!("lists `{}` twice", path.escape_debug()));
            }
        } else if let Some((name, value)) = line.split_once(':') {
            list = name;
            if fields.insert(name, value.trim()).is_some() {
                return Err(format!("has the field `{}` twice", name.escape_debug()));
            }
        } else if !line.is_empty() {
            return Err(format!("has a malformed line `{}`", line.escape_debug()));
        }
    }
    let field = |name: &str| fields.get(name).copied();
    if field("Suite") != Some(suite.as_str()) && field("Codename") != Some(suite.as_str()) {
        let other = field("Codename").or(field("Suite")).unwrap_or_default();
        return Err(format!("is that of another suite, `{}`", other.escape_debug()));
    }
    let date = seconds(field("Date").ok_or("has no date")?)?;
    if date > now + SKEW {
        return Err(format!("is dated in the future ({})", field("Date").unwrap_or_default()));
    }
    if let Some(until) = field("Valid-Until")
        && seconds(until)? < now
    {
        return Err(format!("was valid until {until} only"));
    }
    Ok(Release { date, files, by_hash: field("Acquire-By-Hash") == Some("yes") })
}

/// `Sat, 12 Sep 2026 07:55:41 UTC` as seconds since 1970.
fn seconds(text: &str) -> Result<u64, String> {
    let format = format_description!(
        "[weekday repr:short], [day padding:none] [month repr:short] [year] [hour padding:none]:[minute]:[second]"
    );
    text.strip_suffix(" UTC")
        .or_else(|| text.strip_suffix(" +0000"))
        .and_then(|text| PrimitiveDateTime::parse(text, &format).ok())
        .and_then(|date| u64::try_from(date.assume_utc().unix_timestamp()).ok())
        .ok_or_else(|| format!("has a malformed date `{}`", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// trixie-security as it was published: signed by two security keys, both through a subkey.
    const SECURITY: &str = include_str!("testdata/trixie-security.InRelease");
    /// When it was made, and until when it is valid.
    const MADE: u64 = 1_795_040_263;
    const UNTIL: u64 = MADE + 7 * 86_400;

    fn suite(name: &str) -> Suite {
        name.parse().unwrap()
    }

    fn check(text: &str, now: u64) -> Result<Release, String> {
        verify(&suite("trixie-security"), text.as_bytes(), &Keyring::debian().unwrap(), now)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_published_release_is_trusted_while_it_is_valid() {
        let release = check(SECURITY, MADE + 60).unwrap();
        assert_eq!(release.date, MADE);
        assert!(release.by_hash);
        assert!(release.files.contains_key("main/binary-amd64/Packages.xz"));
        assert!(check(SECURITY, UNTIL).is_ok());
        assert!(check(SECURITY, UNTIL + 1).unwrap_err().contains("was valid until"));
        assert!(check(SECURITY, MADE - SKEW - 1).unwrap_err().contains("in the future"));
        // The keys themselves end in 2031 and 2035.
        assert!(check(SECURITY, 2_100_000_000).unwrap_err().contains("has expired"));
    }

    #[test]
    fn only_what_is_signed_is_believed() {
        let now = MADE + 60;
        let cases = [
            (SECURITY.replace("Version: 13", "Version: 14"), "no signature that can be trusted"),
            (format!("Suite: stable\n{SECURITY}"), "outside what is signed"),
            (format!("{SECURITY}Suite: stable\n"), "outside what is signed"),
            (format!("{SECURITY}{SECURITY}"), "not one clear-signed block"),
            (SECURITY.replace("-----BEGIN PGP SIGNED MESSAGE-----", ""), "not one clear-signed block"),
            (String::new(), "not one clear-signed block"),
        ];
        for (text, expected) in cases {
            let error = check(&text, now).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let other = verify(&suite("trixie"), SECURITY.as_bytes(), &Keyring::debian().unwrap(), now);
        assert!(other.unwrap_err().to_string().contains("another suite, `trixie-security`"));
        // The stable keys did not sign it.
        let stable = Keyring::parse(include_bytes!("keys/trixie-stable.asc")).unwrap();
        let error = verify(&suite("trixie-security"), SECURITY.as_bytes(), &stable, now).unwrap_err();
        assert!(
            error.to_string().contains("89c87acea5dd6b8e6a7068808e9f831205b4ba95) is not trusted"),
            "{error}"
        );
    }

    #[test]
    fn malformed_entries_are_refused() {
        let hash = "0".repeat(64);
        let head = "Suite: s1\nDate: Sat, 12 Sep 2026 07:55:41 UTC\nSHA256:\n";
        let now = 1_789_200_000;
        let good = read(&suite("s1"), &format!("{head} {hash} 5 main/x\n"), now).unwrap();
        assert_eq!(good.files.len(), 1);
        for bad in [
            format!(" {hash} 5\n"),
            format!(" {hash} -5 x\n"),
            format!(" {}A 5 x\n", &hash[1..]),
            " sha256: 5 x\n".to_owned(),
            format!(" {hash} 5 x\n {hash} 6 x\n"),
            "junk\n".to_owned(),
            "Suite: s2\n".to_owned(),
        ] {
            assert!(read(&suite("s1"), &format!("{head}{bad}"), now).is_err(), "{bad:?}");
        }
        for date in ["", "yesterday", "Sat, 12 Sep 2026 07:55:41 CET", "Sat, 99 Sep 2026 07:55:41 UTC"] {
            assert!(seconds(date).is_err(), "{date:?}");
        }
    }
}
