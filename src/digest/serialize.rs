//! How records write hashes, for serde's `serialize_with`.

use serde::{Serializer, ser::SerializeMap as _};

use super::{Integrity, Sha256};

/// As SRI: `sha256-…` in base 64.
///
/// # Errors
/// Those of the serializer.
pub fn sri<S: Serializer>(hash: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hash.to_sri_string())
}

/// Flattened: the hash in hex under the name of its algorithm, and `sri`.
///
/// # Errors
/// Those of the serializer.
pub fn integrity<S: Serializer>(integrity: &Integrity, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry(integrity.algorithm(), &integrity.to_hex())?;
    map.serialize_entry("sri", &integrity.to_sri_string())?;
    map.end()
}
