//! Why an archive is refused.

/// How many characters of an entry's path are shown.
const SHOWN: usize = 200;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Its name says another format.
    #[error("it is neither a `.tar.gz` nor a `.zip`")]
    Format,
    /// It cannot be read.
    #[error("it cannot be unpacked: {0}")]
    Malformed(String),
    /// An entry that breaks a rule.
    #[error("`{}` in it {reason}", .path.escape_debug())]
    Entry {
        /// The entry's path, as far as it is text; a long one by its start.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Packed, it is larger than what it is for could be.
    #[error("it is larger than {} MiB", .0 >> 20)]
    Packed(u64),
    /// It would fill memory or disk.
    #[error("it unpacks to more than {} MiB", .0 >> 20)]
    Unpacked(u64),
    /// So many that counting is all one would do.
    #[error("it holds more than {0} entries")]
    Entries(usize),
    /// Not one directory at its top, though the rules strip it.
    #[error("it does not hold one directory at its top")]
    Top,
}

impl ArchiveError {
    /// What a reader of a format says.
    pub(super) fn malformed(error: impl std::fmt::Display) -> Self {
        Self::Malformed(error.to_string())
    }

    pub(super) fn entry(path: &str, reason: &'static str) -> Self {
        // A name may be as long as the archive unpacked: a message of it would be a bomb of its own.
        let path = match path.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
            None => path.to_owned(),
        };
        Self::Entry { path, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_shown_by_its_start() {
        let told = ArchiveError::entry(&"\u{1}é".repeat(1 << 20), "is odd").to_string();
        assert!(
            told.len() < 2_000 && told.starts_with("`\\u{1}é") && told.ends_with("…` in it is odd"),
            "{told}"
        );
    }
}
