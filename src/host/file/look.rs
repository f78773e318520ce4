//! What lies at a path: told, missing, or an error. A look that is not allowed is never a "no".
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use super::failure::unable;
use crate::diagnostic::Failure;

/// What kind of thing is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Other,
}

impl From<fs::FileType> for Kind {
    fn from(kind: fs::FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}

/// What the system says about a path itself; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with set-user, set-group and sticky: 12 bits.
    pub mode: u32,
    /// Who owns it.
    pub uid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Device and inode: which thing it is while it exists.
    pub identity: (u64, u64),
    /// When content or attributes last changed: seconds and nanoseconds since 1970.
    pub changed: (i64, i64),
}

/// The status of what is at `path`.
///
/// # Errors
/// The system's.
pub fn status(path: &Path) -> io::Result<Status> {
    let meta = fs::symlink_metadata(path)?;
    Ok(Status {
        kind: meta.file_type().into(),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        size: meta.len(),
        identity: (meta.dev(), meta.ino()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}

/// The outcome of a look at what may be missing: `None` when nothing is there. Only the system's word counts for
/// that, which is also that nothing can be below a file; a look that was not allowed or failed says nothing.
///
/// # Errors
/// [`Failure::Unable`] when it could not be told.
pub fn if_there<T>(path: &Path, looked: io::Result<T>) -> Result<Option<T>, Failure> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(unable("read", path, &error)),
    }
}

/// What is at `path` itself, links not followed; `None` when nothing is.
///
/// # Errors
/// As [`if_there`].
pub fn kind(path: &Path) -> Result<Option<Kind>, Failure> {
    Ok(if_there(path, fs::symlink_metadata(path))?.map(|meta| meta.file_type().into()))
}

/// What is at `path`, or at the end of the links there; `None` when nothing is.
///
/// # Errors
/// As [`if_there`].
pub fn kind_behind(path: &Path) -> Result<Option<Kind>, Failure> {
    Ok(if_there(path, fs::metadata(path))?.map(|meta| meta.file_type().into()))
}

/// Whether something is at `path` (a dangling link counts).
///
/// # Errors
/// As [`if_there`].
pub fn exists(path: &Path) -> Result<bool, Failure> {
    Ok(kind(path)?.is_some())
}

/// The path with the links of as much as exists resolved; what does not exist stays as it is written. A link to nothing is
/// followed to where it would lead: what it leads to can be made at any time.
///
/// # Errors
/// As [`if_there`]; more links behind one another than a kernel follows.
pub fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match followed(&path)? {
            Followed::Whole(real) => return Ok(real),
            Followed::To(next) => path = next,
        }
    }
    Err(unable("find", &path, &io::Error::from_raw_os_error(libc::ELOOP)))
}

/// What comes of one look.
enum Followed {
    /// Everything is resolved.
    Whole(PathBuf),
    /// There was a link to nothing: where it leads.
    To(PathBuf),
}

fn followed(path: &Path) -> Result<Followed, Failure> {
    let mut rest = Vec::new();
    let mut known = path;
    loop {
        let with_rest = |real: PathBuf| rest.iter().rev().fold(real, |path: PathBuf, name| path.join(name));
        if let Some(real) = if_there(known, fs::canonicalize(known))? {
            return Ok(Followed::Whole(with_rest(real)));
        }
        let (Some(parent), Some(name)) = (known.parent(), known.file_name()) else {
            return Ok(Followed::Whole(path.to_owned()));
        };
        if kind(known)? == Some(Kind::Link) {
            let target = fs::read_link(known).map_err(|error| unable("read", known, &error))?;
            let parent = fs::canonicalize(parent).map_err(|error| unable("find", parent, &error))?;
            return Ok(Followed::To(with_rest(without_dots(&parent.join(target)))));
        }
        rest.push(name);
        known = parent;
    }
}

/// A path without `.` and `..`, by its text: for what does not exist.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Where a symbolic link points, as it is written.
///
/// # Errors
/// The system's.
pub fn link_target(path: &Path) -> io::Result<OsString> {
    fs::read_link(path).map(PathBuf::into_os_string)
}

/// Size in bytes of what is at `path`.
///
/// # Errors
/// The system's.
pub fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::symlink_metadata(path)?.len())
}

/// Bytes that this user can still write on the file system of `path`, which exists.
///
/// # Errors
/// The system's.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let space = rustix::fs::statvfs(path)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Whether this user may write to what is at `path`.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// When a file was last written.
///
/// # Errors
/// The system's.
pub fn modified(path: &Path) -> io::Result<std::time::SystemTime> {
    fs::symlink_metadata(path)?.modified()
}

/// The absolute path with all links resolved.
///
/// # Errors
/// The system's.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Whether a path, or the nearest above it that is there, is on btrfs.
///
/// # Errors
/// The system's.
pub fn is_on_btrfs(path: &Path) -> io::Result<bool> {
    /// `BTRFS_SUPER_MAGIC`, as statfs(2) has it.
    const MAGIC: i64 = 0x9123_683e;
    for at in path.ancestors() {
        match rustix::fs::statfs(at) {
            Ok(found) => return Ok(found.f_type == MAGIC),
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Whether a directory is a subvolume of btrfs; nothing there is none.
///
/// # Errors
/// The system's.
pub fn is_subvolume(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        // The root of each has this number.
        Ok(meta) => Ok(meta.is_dir() && meta.ino() == 256 && is_on_btrfs(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::file::{canonical, create};

    /// A link to itself fails every look through it, for root as well.
    fn loops() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        create(&directory.path().join("file"), b"x").unwrap();
        for (link, target) in
            [("loop", "loop"), ("gone", "nowhere"), ("to-file", "file"), ("below", "file/x")]
        {
            std::os::unix::fs::symlink(target, directory.path().join(link)).unwrap();
        }
        directory
    }

    #[test]
    fn a_look_that_fails_is_not_a_no() {
        let directory = loops();
        let at = |path: &str| directory.path().join(path);
        for (path, itself, behind) in [
            ("", Some(Kind::Directory), Some(Kind::Directory)),
            ("file", Some(Kind::File), Some(Kind::File)),
            ("to-file", Some(Kind::Link), Some(Kind::File)),
            ("gone", Some(Kind::Link), None),
            ("below", Some(Kind::Link), None),
            ("missing", None, None),
            ("missing/x", None, None),
            ("file/x", None, None),
        ] {
            assert_eq!(kind(&at(path)), Ok(itself), "{path}");
            assert_eq!(exists(&at(path)), Ok(itself.is_some()), "{path}");
            assert_eq!(kind_behind(&at(path)), Ok(behind), "{path}");
        }
        assert_eq!(kind(&at("loop")), Ok(Some(Kind::Link)));
        let failed = [
            kind_behind(&at("loop")).unwrap_err(),
            kind(&at("loop/x")).unwrap_err(),
            exists(&at("loop/x")).unwrap_err(),
            resolved(&at("loop/x")).unwrap_err(),
        ];
        for failure in failed {
            assert_eq!(failure.exit_code(), 2, "{failure}");
            let text = failure.to_string();
            assert!(text.contains(&format!("cannot read `{}", at("loop").display())), "{text}");
        }
    }

    #[test]
    fn a_path_is_resolved_as_far_as_it_exists() {
        let directory = loops();
        let base = canonical(directory.path()).unwrap();
        let resolved = |path: &str| resolved(&directory.path().join(path)).unwrap();
        std::os::unix::fs::symlink("./there/../gone", directory.path().join("far")).unwrap();
        for (path, want) in [
            ("to-file", "file"),
            ("new/deep", "new/deep"),
            // A link to nothing is where it leads.
            ("gone", "nowhere"),
            ("gone/x", "nowhere/x"),
            ("far/x", "nowhere/x"),
            ("to-file/x", "file/x"),
        ] {
            assert_eq!(resolved(path), base.join(want), "{path}");
        }
    }
}
