//! tar: pax, GNU and old headers, as the `tar` crate reads them.

use std::io::Read;

use tar::{Archive, EntryType};

use super::{
    error::ArchiveError,
    judge::Judge,
    member::{Kind, Member},
};

/// Gives every member of an unpacked tar to the judge.
pub(super) fn read(judge: &mut Judge<'_>, reader: impl Read) -> Result<(), ArchiveError> {
    let limit = judge.rules().limits.unpacked;
    // The judge counts what files say they hold; this holds for headers, names and what is skipped.
    let mut reader = reader.take(limit);
    let mut archive = Archive::new(&mut reader);
    for entry in archive.entries().map_err(ArchiveError::malformed)? {
        let mut entry = entry.map_err(ArchiveError::malformed)?;
        let path = entry.path_bytes().into_owned();
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        let kind = match entry.header().entry_type() {
            // What `git archive` writes its commit into.
            EntryType::XGlobalHeader => continue,
            EntryType::Directory => Kind::Directory,
            EntryType::Regular | EntryType::Continuous => Kind::File {
                mode: entry.header().mode().map_err(ArchiveError::malformed)?,
                size: entry.size(),
                content: &mut entry,
            },
            EntryType::Symlink => Kind::Link { target },
            EntryType::Link => Kind::HardLink { target },
            _ => Kind::Other,
        };
        judge.add(Member { path, kind })?;
    }
    // What was cut off here would look like an end.
    if reader.limit() == 0 { Err(ArchiveError::Unpacked(limit)) } else { Ok(()) }
}
