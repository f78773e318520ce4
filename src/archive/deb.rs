//! Debian packages, unpacked into a tree without dpkg.
//!
//! A `.deb` is an `ar` archive (deb(5)): `debian-binary`, `control.tar.*`, `data.tar.*`. Only the last is unpacked.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    error::ArchiveError,
    judge::Judge,
    rules::{HardLinks, Limits, Links, Rules, SetId},
    tar,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file,
    tree::{FileTree, RelativePath, relative_path},
};

/// What a package may hold. Links lead anywhere in the root, so they are followed; nothing in an image gains rights.
const RULES: Rules = Rules {
    links: Links::Rooted,
    hard_links: HardLinks::Copied,
    set_id: SetId::Refused,
    strip_top: false,
    limits: Limits { packed: 256 << 20, unpacked: 1 << 30, entries: 100_000 },
};

/// As much, of a package that nothing is taken from.
const TO_LOOK: Rules = Rules { set_id: SetId::Dropped, ..RULES };
/// Its control files: some texts.
const CONTROL: Rules = Rules {
    links: Links::Refused,
    limits: Limits { packed: RULES.limits.packed, unpacked: 32 << 20, entries: 1000 },
    ..RULES
};

/// A downloaded package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deb {
    /// Where it is.
    pub path: PathBuf,
    /// What it must hash to.
    pub sha256: Sha256,
}

/// Unpacks packages over each other into one tree of the files that `wanted` takes; the others are judged all the same.
///
/// # Errors
/// Refused with the package and entry that is wrong; unable when a file cannot be read.
pub fn unpack(debs: &[Deb], wanted: &dyn Fn(&RelativePath) -> bool) -> Result<FileTree, Failure> {
    let mut judge = Judge::new(&RULES, wanted);
    for deb in debs {
        let refuse = |why: &dyn std::fmt::Display| {
            Failure::from(Diagnostic::new(format!("`{}`: {why}", name(&deb.path))))
        };
        let bytes = file::read(&deb.path, RULES.limits.packed)
            .map_err(|error| file::unable("read", &deb.path, &error))?;
        let actual = Sha256::of(&bytes);
        if actual != deb.sha256 {
            return Err(refuse(&format!("its sha256 is {actual}, not {}", deb.sha256)));
        }
        read(&mut judge, &bytes).map_err(|error| refuse(&error))?;
    }
    judge.finish().map_err(|error| Diagnostic::new(format!("the packages together: {error}")).into())
}

/// What one package has of the files and links that `wanted` takes, and, below `DEBIAN`, its control files. It is to
/// be looked at alone: nothing of it is run or comes into an image.
///
/// # Errors
/// [`ArchiveError`] when it cannot be read to its end, or breaks a rule.
pub fn look(deb: &[u8], wanted: &dyn Fn(&RelativePath) -> bool) -> Result<FileTree, ArchiveError> {
    let mut data = Judge::new(&TO_LOOK, wanted);
    read(&mut data, deb)?;
    let mut tree = data.finish()?;
    let mut control = Judge::new(&CONTROL, &|_| true);
    control.begin(deb)?;
    tar::read(&mut control, part(deb, "control.tar")?)?;
    tree.insert_tree(&relative_path!("DEBIAN"), &control.finish()?);
    Ok(tree)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().escape_debug().to_string()
}

/// Gives every member of a package's data to the judge.
pub(super) fn read(judge: &mut Judge<'_>, deb: &[u8]) -> Result<(), ArchiveError> {
    judge.begin(deb)?;
    tar::read(judge, part(deb, "data.tar")?)
}

/// A member of a package whose name begins so, unpacked.
fn part<'d>(deb: &'d [u8], name: &str) -> Result<Box<dyn Read + 'd>, ArchiveError> {
    let (compression, packed) = member(deb, name)?;
    Ok(match compression {
        "" => Box::new(packed),
        ".gz" => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        ".xz" => Box::new(lzma_rust2::XzReader::new(packed, true)),
        other => return Err(ArchiveError::Malformed(format!("`{name}` is compressed as `{other}`"))),
    })
}

/// A member of a package whose name begins so: how it is compressed, and its bytes.
fn member<'d>(deb: &'d [u8], wanted: &str) -> Result<(&'d str, &'d [u8]), ArchiveError> {
    let cut = || ArchiveError::malformed("it ends too early");
    let mut rest =
        deb.strip_prefix(b"!<arch>\n").ok_or_else(|| ArchiveError::malformed("no `ar` archive"))?;
    while !rest.is_empty() {
        let (header, after) = rest.split_at_checked(60).ok_or_else(cut)?;
        let field =
            |range| header.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim_end);
        if header.get(58..) != Some(b"`\n") {
            return Err(ArchiveError::malformed("an `ar` header without its mark"));
        }
        let name = field(0..16).map(|name| name.trim_end_matches('/')).ok_or_else(cut)?;
        let size: usize = field(48..58)
            .filter(|text| text.bytes().all(|c| c.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ArchiveError::malformed("an `ar` header without a size"))?;
        let (content, after) = after.split_at_checked(size).ok_or_else(cut)?;
        if let Some(compression) = name.strip_prefix(wanted) {
            return Ok((compression, content));
        }
        rest = if size % 2 == 1 { after.get(1..).unwrap_or_default() } else { after };
    }
    Err(ArchiveError::Malformed(format!("no `{wanted}`")))
}

#[cfg(test)]
mod tests {
    use super::member;

    #[test]
    fn what_is_no_package_is_refused() {
        for bad in [b"".as_slice(), b"!<arch>\n", b"!<arch>\nshort", b"PK"] {
            assert!(member(bad, "data.tar").is_err());
        }
    }
}
