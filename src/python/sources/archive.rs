//! A source archive (`.tar.gz` or `.zip`) as a tree.

use crate::{
    archive::{self, ArchiveError, Format, HardLinks, Limits, Links, Rules, SetId},
    tree::FileTree,
};

/// The most bytes an archive may hold packed.
pub const PACKED_LIMIT: u64 = 512 << 20;
/// PEP 625 and PEP 721: one directory at the top, links only inside it. It is read and never unpacked on the host.
const RULES: Rules = Rules {
    links: Links::Inside,
    hard_links: HardLinks::Refused,
    set_id: SetId::Dropped,
    strip_top: true,
    limits: Limits { packed: PACKED_LIMIT, unpacked: 1 << 30, entries: 200_000 },
};
/// Installers differ in what they make of a zip's links.
const ZIP_RULES: Rules = Rules { links: Links::Refused, ..RULES };

/// The tree of an archive called `name`, without the directory at its top.
///
/// # Errors
/// [`ArchiveError`] with the entry that is wrong, or where the name says another format.
pub fn read(name: &str, bytes: &[u8]) -> Result<FileTree, ArchiveError> {
    let format = Format::of(name)?;
    let rules = match format {
        Format::TarGz => &RULES,
        Format::Zip => &ZIP_RULES,
    };
    archive::read(format, bytes, rules, &|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_and_no_archives_are_refused() {
        assert!(matches!(read("a.tar.bz2", b""), Err(ArchiveError::Format)));
        assert!(matches!(read("a.tar.gz", b"x"), Err(ArchiveError::Malformed(_))));
        assert!(matches!(read("A.ZIP", b"x"), Err(ArchiveError::Malformed(_))));
    }
}
