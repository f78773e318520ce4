//! Names of objects in git repositories; Jujutsu keeps its commits as git's.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;

use super::DigestError;

/// The full id of an object: 40 hex digits in a repository of SHA-1 objects, 64 in one of SHA-256.
///
/// SHA-1 names a revision for people and tools; what pins the files is always their NAR hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    /// `extensions.objectFormat = sha1`, git's default.
    Sha1([u8; 20]),
    /// `extensions.objectFormat = sha256`.
    Sha256([u8; 32]),
}

impl ObjectId {
    /// The id a blob of these bytes has in the repository that `self` is of.
    #[must_use]
    pub fn of_blob_beside(&self, bytes: &[u8]) -> Self {
        let head = format!("blob {}\0", bytes.len());
        match self {
            Self::Sha1(_) => {
                use sha1::Digest as _;
                Self::Sha1(sha1::Sha1::new().chain_update(head).chain_update(bytes).finalize().into())
            }
            Self::Sha256(_) => {
                use sha2::Digest as _;
                Self::Sha256(sha2::Sha256::new().chain_update(head).chain_update(bytes).finalize().into())
            }
        }
    }

    /// The first seven digits, as git shortens an id for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(7).collect()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: &[u8] = match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        };
        formatter.write_str(&HEXLOWER.encode(bytes))
    }
}

impl FromStr for ObjectId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let long = text.len() == 64;
        let wrong = || DigestError::Hex { text: text.to_owned(), expected: if long { 64 } else { 40 } };
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| wrong())?;
        if long {
            bytes.try_into().map(Self::Sha256).map_err(|_| wrong())
        } else {
            bytes.try_into().map(Self::Sha1).map_err(|_| wrong())
        }
    }
}

impl serde::Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_get_the_ids_that_git_gives_them() {
        // `printf 'hello\n' | git hash-object --stdin`, in a repository of each format.
        let sha1: ObjectId = "ce013625030ba8dba906f756967f9e9ca394464a".parse().unwrap();
        assert_eq!(sha1.of_blob_beside(b"hello\n"), sha1);
        assert_eq!(sha1.short(), "ce01362");
        let sha256: ObjectId =
            "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4".parse().unwrap();
        assert_eq!(sha256.of_blob_beside(b"hello\n"), sha256);
    }

    #[test]
    fn only_full_ids_are_taken() {
        for bad in ["", "ce01362", "HEAD", "main", &"A".repeat(40), &"0".repeat(41), &"0".repeat(63)] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
        }
    }
}
