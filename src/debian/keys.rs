//! Debian's archive keys and what makes one of them fit to sign a release.
//!
//! The armoured files in `keys/` are the `debian-archive-keyring` package's certificates of Debian 12
//! and 13: automatic signing, security and stable release keys, with their subkeys.

use pgp::{
    composed::{Deserializable as _, SignedPublicKey, SignedPublicSubKey},
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType},
    types::{KeyDetails as _, Tag},
};

use crate::diagnostic::{Diagnostic, Failure};

const EMBEDDED: [&str; 6] = [
    include_str!("keys/bookworm-automatic.asc"),
    include_str!("keys/bookworm-security-automatic.asc"),
    include_str!("keys/bookworm-stable.asc"),
    include_str!("keys/trixie-automatic.asc"),
    include_str!("keys/trixie-security-automatic.asc"),
    include_str!("keys/trixie-stable.asc"),
];

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// How far ahead of the clock something signed may be dated, in seconds.
pub const SKEW: u64 = 24 * 3600;

/// Certificates that may sign releases.
#[derive(Clone, Debug)]
pub struct Keyring {
    certificates: Vec<SignedPublicKey>,
}

impl Keyring {
    /// Debian's own keys.
    ///
    /// # Errors
    /// [`Failure::Unable`] when the embedded files cannot be read, which a test excludes.
    pub fn debian() -> Result<Self, Failure> {
        let mut certificates = Vec::new();
        for text in EMBEDDED {
            let (certificate, _) = SignedPublicKey::from_string(text).map_err(|error| {
                Failure::unable(Diagnostic::new(format!("embedded archive key: {error}")))
            })?;
            certificates.push(certificate);
        }
        Ok(Self { certificates })
    }

    /// The certificates of a keyring file, armoured (several blocks are fine) or binary.
    ///
    /// # Errors
    /// [`Failure::Refused`] when it holds no certificate or cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let malformed = |error: &dyn std::fmt::Display| {
            Failure::from(Diagnostic::new(format!("the keyring is malformed: {error}")))
        };
        let mut certificates = Vec::new();
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
            for block in text.split(BEGIN).skip(1) {
                let block = format!("{BEGIN}{block}");
                let (all, _) =
                    SignedPublicKey::from_string_many(&block).map_err(|error| malformed(&error))?;
                for certificate in all {
                    certificates.push(certificate.map_err(|error| malformed(&error))?);
                }
            }
        } else {
            for certificate in SignedPublicKey::from_bytes_many(bytes).map_err(|error| malformed(&error))? {
                certificates.push(certificate.map_err(|error| malformed(&error))?);
            }
        }
        if certificates.is_empty() {
            return Err(malformed(&"it holds no public key"));
        }
        Ok(Self { certificates })
    }

    /// Whether one of the keys made this signature over `text`, and could be trusted to at `now`
    /// (seconds since 1970): not expired, not revoked, allowed to sign. Else why not.
    ///
    /// # Errors
    /// The reason, for a person.
    pub fn check(&self, signature: &Signature, text: &[u8], now: u64) -> Result<(), String> {
        let strong = matches!(
            signature.hash_alg(),
            Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
        );
        if !strong {
            return Err("its hash algorithm is too weak".to_owned());
        }
        if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
            return Err("it is no signature of a document".to_owned());
        }
        let Some(created) = signature.created().map(|time| u64::from(time.as_secs())) else {
            return Err("it has no date".to_owned());
        };
        if created > now + SKEW {
            return Err("it is dated in the future".to_owned());
        }
        if expired(created, signature.signature_expiration_time(), now) {
            return Err("it has expired".to_owned());
        }
        let mut reason = format!("its key ({}) is not trusted", issuer(signature));
        for certificate in &self.certificates {
            let primary = &certificate.primary_key;
            if signature.verify(primary, text).is_ok() {
                match primary_fitness(certificate, now) {
                    Ok(true) => return Ok(()),
                    Ok(false) => reason = format!("key {} may not sign", primary.fingerprint()),
                    Err(why) => reason = format!("key {} {why}", primary.fingerprint()),
                }
            }
            for subkey in &certificate.public_subkeys {
                if signature.verify(&subkey.key, text).is_ok() {
                    let fit = primary_fitness(certificate, now)
                        .and_then(|_| subkey_fitness(certificate, subkey, now));
                    match fit {
                        Ok(()) => return Ok(()),
                        Err(why) => reason = format!("key {} {why}", subkey.key.fingerprint()),
                    }
                }
            }
        }
        Err(reason)
    }
}

fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(ToString::to_string);
    fingerprint
        .or_else(|| signature.issuer_key_id().first().map(ToString::to_string))
        .unwrap_or_else(|| "unnamed".to_owned())
}

fn expired(created: u64, lifetime: Option<pgp::types::Duration>, now: u64) -> bool {
    let lifetime = lifetime.map_or(0, |duration| u64::from(duration.as_secs()));
    lifetime > 0 && created + lifetime <= now
}

fn date(signature: &Signature) -> u64 {
    signature.created().map_or(0, |time| u64::from(time.as_secs()))
}

/// Whether the certificate stands at `now`, and then whether its primary key may sign.
fn primary_fitness(certificate: &SignedPublicKey, now: u64) -> Result<bool, &'static str> {
    let key = &certificate.primary_key;
    let details = &certificate.details;
    if details.revocation_signatures.iter().any(|revocation| revocation.verify_key(key).is_ok()) {
        return Err("is revoked");
    }
    let direct = details.direct_signatures.iter().filter(|signature| signature.verify_key(key).is_ok());
    let users = details.users.iter().filter_map(|user| {
        let own = user
            .signatures
            .iter()
            .filter(|signature| signature.verify_certification(key, Tag::UserId, &user.id).is_ok());
        let newest = own.max_by_key(|signature| date(signature))?;
        (newest.typ() != Some(SignatureType::CertRevocation)).then_some(newest)
    });
    // Signatures that only name a designated revoker say nothing about use or lifetime.
    let telling = |signature: &&Signature| {
        let flags = signature.key_flags();
        flags.certify() || flags.sign() || signature.key_expiration_time().is_some()
    };
    let newest = direct
        .chain(users)
        .filter(telling)
        .filter(|signature| date(signature) <= now + SKEW)
        .max_by_key(|signature| date(signature))
        .ok_or("has no valid certification of its own")?;
    if expired(date(newest), newest.signature_expiration_time(), now)
        || expired(u64::from(key.created_at().as_secs()), newest.key_expiration_time(), now)
    {
        return Err("has expired");
    }
    Ok(newest.key_flags().sign())
}

fn subkey_fitness(
    certificate: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    now: u64,
) -> Result<(), &'static str> {
    let key = &certificate.primary_key;
    let bound = |signature: &&Signature| signature.verify_subkey_binding(key, &subkey.key).is_ok();
    let (revocations, bindings): (Vec<_>, Vec<_>) = subkey
        .signatures
        .iter()
        .filter(bound)
        .partition(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation));
    if !revocations.is_empty() {
        return Err("is revoked");
    }
    let newest = bindings
        .into_iter()
        .filter(|signature| date(signature) <= now + SKEW)
        .max_by_key(|signature| date(signature))
        .ok_or("is not bound to its certificate")?;
    if expired(date(newest), newest.signature_expiration_time(), now)
        || expired(u64::from(subkey.key.created_at().as_secs()), newest.key_expiration_time(), now)
    {
        return Err("has expired");
    }
    if !newest.key_flags().sign() {
        return Err("may not sign");
    }
    // A signing subkey must itself claim the certificate, else anybody's key could be bound to it.
    newest
        .embedded_signature()
        .filter(|back| back.verify_primary_key_binding(&subkey.key, key).is_ok())
        .map(|_| ())
        .ok_or("does not claim its certificate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_keys_are_debians_and_stand_until_they_expire() {
        let keyring = Keyring::debian().unwrap();
        let fingerprints: Vec<String> =
            keyring.certificates.iter().map(|key| key.primary_key.fingerprint().to_string()).collect();
        assert_eq!(
            fingerprints,
            [
                "b8b80b5b623eab6ad8775c45b7c5d7d6350947f8",
                "05ab90340c0c5e797f44a8c8254cf3b5aec0a8f0",
                "4d64fec119c2029067d6e791f8d2585b8783d481",
                "04b54c3cdca79751b16bc6b5225629df75b188bd",
                "5e04a1e3223a19a20706e20f9904613d4cce68c6",
                "41587f7db8c774bccf131416762f67a0b2c39de4",
            ]
        );
        let (in_2026, in_2036) = (1_780_000_000, 2_100_000_000);
        for certificate in &keyring.certificates {
            assert_eq!(primary_fitness(certificate, in_2026), Ok(true));
            assert_eq!(primary_fitness(certificate, in_2036), Err("has expired"));
            assert!(primary_fitness(certificate, 1).is_err());
            for subkey in &certificate.public_subkeys {
                assert_eq!(subkey_fitness(certificate, subkey, in_2026), Ok(()));
                assert!(subkey_fitness(certificate, subkey, in_2036).is_err());
            }
        }
        // The automatic and security keys sign through one subkey each.
        assert_eq!(keyring.certificates.iter().map(|key| key.public_subkeys.len()).sum::<usize>(), 4);
    }

    #[test]
    fn a_keyring_file_is_read_armoured_or_refused() {
        let both = format!("{}\n{}", EMBEDDED[2], EMBEDDED[5]);
        assert_eq!(Keyring::parse(both.as_bytes()).unwrap().certificates.len(), 2);
        assert!(Keyring::parse(b"").is_err());
        assert!(Keyring::parse(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n").is_err());
        assert!(Keyring::parse(b"not a key").is_err());
    }
}
