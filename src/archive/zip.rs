//! zip: what the central directory lists.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::{
    error::ArchiveError,
    judge::{Judge, SET_ID},
    member::{Kind, Member},
};

/// The kinds of stat(2) in the upper half of a mode; zip tools of other systems leave them out.
const KINDS: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// One more than a link's target may have.
const TARGET: u64 = 4097;

/// Gives every member of a zip to the judge.
pub(super) fn read(judge: &mut Judge<'_>, packed: &[u8]) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(packed)).map_err(ArchiveError::malformed)?;
    // The crate keeps the last of equal names; which one counts is what readers differ in.
    if archive.has_duplicate_names() {
        return Err(ArchiveError::malformed("a name is there twice"));
    }
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(ArchiveError::malformed)?;
        let path = file.name_raw().to_owned();
        // The crate clears the bits that the rules are about.
        let set_id = (file.external_attributes() >> 16) & SET_ID;
        let mode = file.unix_mode().map_or(0o644, |mode| mode | set_id);
        let kind = if file.is_dir() {
            Kind::Directory
        } else {
            match mode & KINDS {
                0 | FILE => Kind::File { mode, size: file.size(), content: &mut file },
                LINK => {
                    let mut target = Vec::new();
                    (&mut file).take(TARGET).read_to_end(&mut target).map_err(ArchiveError::malformed)?;
                    Kind::Link { target }
                }
                _ => Kind::Other,
            }
        };
        judge.add(Member { path, kind })?;
    }
    Ok(())
}
