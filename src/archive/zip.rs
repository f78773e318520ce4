//! zip: what the central directory lists.

use std::io::{Cursor, Read, Seek};

use zip::ZipArchive;

use super::{
    error::ArchiveError,
    judge::{Judge, SET_ID},
    member::{Kind, Member},
    rules::Limits,
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

/// What a zip lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path as the zip has it, judged by nobody.
    pub path: String,
    /// The bytes of a file that is wanted.
    pub bytes: Option<Vec<u8>>,
}

/// Everything that a zip lists, with the bytes of the files that `wanted` takes. Nothing else of it is read.
///
/// # Errors
/// [`ArchiveError`] when it is no zip, lists more than `limits` allow, or wanted files have more bytes together.
pub fn list(
    zip: impl Read + Seek,
    limits: Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Listed>, ArchiveError> {
    let mut archive = ZipArchive::new(zip).map_err(ArchiveError::malformed)?;
    if archive.len() > limits.entries {
        return Err(ArchiveError::Entries(limits.entries));
    }
    let mut left = limits.unpacked;
    let mut listed = Vec::new();
    for index in 0..archive.len() {
        let name = archive.name_for_index(index).transpose().map_err(ArchiveError::malformed)?;
        let path = name.unwrap_or_default().into_owned();
        if !wanted(&path) {
            listed.push(Listed { path, bytes: None });
            continue;
        }
        let mut bytes = Vec::new();
        let file = archive.by_index(index).map_err(ArchiveError::malformed)?;
        file.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(ArchiveError::malformed)?;
        left = left.checked_sub(bytes.len() as u64).ok_or(ArchiveError::Unpacked(limits.unpacked))?;
        listed.push(Listed { path, bytes: Some(bytes) });
    }
    Ok(listed)
}
