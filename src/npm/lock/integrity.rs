//! `integrity`: one or more hashes of a tarball (Subresource Integrity), of which the strongest count.

use data_encoding::BASE64;

use crate::digest::Integrity;

/// What a lock says about a tarball's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pins {
    /// One hash that is strong enough, and that Nix can check: sha256 or sha512.
    Pinned(Integrity),
    /// Several of the strongest kind: the tarball has one of them. Which one must be asked.
    Either(Vec<Integrity>),
    /// Only hashes that are too weak to trust, or that Nix cannot check; the sha1 may still disagree.
    Weak {
        /// The sha1, in hex, when there is one.
        sha1: Option<String>,
        /// The algorithms.
        algorithms: Vec<String>,
    },
    /// None that can be read.
    Missing,
}

impl Pins {
    /// Reads the value of `integrity`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut strong: Vec<Integrity> = Vec::new();
        let (mut sha1, mut weak) = (None, Vec::new());
        for entry in text.split_ascii_whitespace() {
            // Options follow a question mark; nobody uses them.
            let entry = entry.split('?').next().unwrap_or_default();
            match entry.parse::<Integrity>() {
                Ok(Integrity::Sha384(_)) => weak.push("sha384".to_owned()),
                Ok(_) if entry.contains(':') => {}
                Ok(integrity) => strong.push(integrity),
                Err(_) => {
                    let Some((algorithm, value)) = entry.split_once('-') else { continue };
                    let Ok(bytes) = BASE64.decode(value.as_bytes()) else { continue };
                    if matches!((algorithm, bytes.len()), ("sha1", 20) | ("md5", 16)) {
                        weak.push(algorithm.to_owned());
                        if algorithm == "sha1" {
                            sha1 = Some(data_encoding::HEXLOWER.encode(&bytes));
                        }
                    }
                }
            }
        }
        let best: Vec<Integrity> = match strong.iter().any(|one| matches!(one, Integrity::Sha512(_))) {
            true => strong.into_iter().filter(|one| matches!(one, Integrity::Sha512(_))).collect(),
            // npm counts sha384 above sha256.
            false if weak.iter().any(|one| one == "sha384") => Vec::new(),
            false => strong,
        };
        let mut best = best;
        best.sort();
        best.dedup();
        match (best.as_slice(), weak.is_empty()) {
            ([one], _) => Self::Pinned(*one),
            ([_, ..], _) => Self::Either(best),
            ([], false) => Self::Weak { sha1, algorithms: weak },
            ([], true) => Self::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    const SHA256: &str = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const SHA512: &str =
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

    #[test]
    fn the_strongest_of_a_list_counts() {
        let pinned = |text: &str| Pins::Pinned(text.parse().unwrap());
        assert_eq!(Pins::parse(SHA512), pinned(SHA512));
        assert_eq!(Pins::parse(&format!("{SHA1} {SHA512}")), pinned(SHA512));
        assert_eq!(Pins::parse(&format!("{SHA512} {SHA256} {SHA1}")), pinned(SHA512));
        assert_eq!(Pins::parse(&format!("{SHA256}?x {SHA1}")), pinned(SHA256));
        assert_eq!(Pins::parse(&format!("{SHA512} {SHA512}")), pinned(SHA512));
        let other = SHA512.replace("z4Ph", "A4Ph");
        assert!(matches!(Pins::parse(&format!("{SHA512} {other}")), Pins::Either(two) if two.len() == 2));
        let sha1 = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned());
        assert_eq!(Pins::parse(SHA1), Pins::Weak { sha1, algorithms: vec!["sha1".to_owned()] });
    }

    #[test]
    fn what_cannot_be_read_is_missing() {
        let url_safe = SHA512.replace('/', "_");
        let short = &SHA512[..40];
        let hex = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in ["", " ", "sha512-", "sha512", "x-y", &url_safe, short, hex, "SHA512-AAAA"] {
            assert_eq!(Pins::parse(text), Pins::Missing, "{text}");
        }
    }
}
