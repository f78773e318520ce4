//! Archives of others, read in memory under rules; nothing of them is unpacked by a program on the host.
//!
//! ```text
//!   bytes ── tar, zip, deb ──► members ── Judge (the caller's Rules) ──► FileTree
//! ```
//!
//! Whatever the rules, every path is plain, relative and there once, everything is a file, a directory or a link, and
//! there is a limit to it all. Which files are wanted is the caller's to say: of the rest everything is judged but where
//! their links lead.

pub mod deb;
mod error;
mod judge;
mod member;
mod rules;
mod tar;
#[cfg(test)]
mod tests;
pub mod zip;

pub use deb::Deb;
pub use error::ArchiveError;
pub use rules::{Format, HardLinks, Limits, Links, Rules, SetId};

use self::judge::Judge;
use crate::tree::{FileTree, RelativePath};

/// The files and links of an archive that `wanted` takes, by their paths in the tree that is made.
///
/// # Errors
/// [`ArchiveError`] with the entry that breaks a rule, wanted or not.
pub fn read(
    format: Format,
    packed: &[u8],
    rules: &Rules,
    wanted: &dyn Fn(&RelativePath) -> bool,
) -> Result<FileTree, ArchiveError> {
    let mut judge = Judge::new(rules, wanted);
    judge.begin(packed)?;
    match format {
        Format::TarGz => tar::read(&mut judge, flate2::read::MultiGzDecoder::new(packed))?,
        Format::Zip => zip::read(&mut judge, packed)?,
    }
    judge.finish()
}
