//! What the embedded substrate starts from.

use crate::{
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure},
    digest::DigestError,
    name::url::HostPolicy,
};

const SEED_URL: &str =
    "http://deb.debian.org/debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb";
const SEED_SHA256: &str = "598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53";

/// The one package that the embedded substrate starts from (`nix/debian/busybox-static.nix`).
///
/// # Errors
/// Never: the pin is tested.
pub fn seed() -> Result<Artifact, Failure> {
    let broken =
        |error: String| Failure::unable(Diagnostic::new(format!("the substrate's own pin: {error}")));
    let url = HostPolicy::new([]).check(SEED_URL).map_err(|error| broken(error.to_string()))?;
    let sha256 = SEED_SHA256.parse().map_err(|error: DigestError| broken(error.to_string()))?;
    Ok(Artifact { system: true, ..Artifact::of_tool(&url, sha256, None) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_s_pin_is_the_library_s() {
        let path = "debian/busybox-static.nix".parse().unwrap();
        let library = crate::transmute::library();
        let text = String::from_utf8_lossy(library.file(&path).unwrap()).into_owned();
        let seed = seed().unwrap();
        for part in [&seed.url, &seed.integrity.to_hex(), &seed.file().to_owned()] {
            assert!(text.contains(part.as_str()), "{part}");
        }
    }
}
