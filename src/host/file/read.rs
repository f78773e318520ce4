//! Reading: regular files alone, no link followed, never without a limit.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    fs,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::digest::{HashWriter, Integrity, IntegrityHasher, Sha256};

/// The most a manifest, lock or source file may hold, in bytes.
pub const LIMIT: u64 = 64 << 20;

/// Opens a regular file for reading; the last component must not be a link.
///
/// # Errors
/// The system's, or `InvalidInput` when it is no regular file.
pub fn open(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => {
            io::Error::new(io::ErrorKind::InvalidInput, "a symbolic link, not a regular file")
        }
        // A socket, or a device that nothing serves.
        Some(rustix::io::Errno::NXIO) => io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"),
        _ => error,
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Reads a whole regular file of at most `limit` bytes, without following a link.
///
/// # Errors
/// As [`open`], or `FileTooLarge`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a UTF-8 text without byte order mark, of at most [`LIMIT`] bytes.
///
/// # Errors
/// As [`read`], or `InvalidData`.
pub fn read_text(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(read(path, LIMIT)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "starts with a byte order mark"));
    }
    Ok(text)
}

/// The sha256 of a regular file of any size.
///
/// # Errors
/// As [`open`].
pub fn sha256(path: &Path) -> io::Result<Sha256> {
    let mut hash = HashWriter::default();
    io::copy(&mut open(path)?, &mut hash)?;
    Ok(hash.finish().0)
}

/// The hash of a regular file of any size, of the same kind as `like`.
///
/// # Errors
/// As [`open`].
pub fn integrity(path: &Path, like: &Integrity) -> io::Result<Integrity> {
    let mut hasher = IntegrityHasher::new(like);
    let mut input = open(path)?;
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::file::{is_wrong, unreadable};

    #[test]
    fn only_regular_files_are_opened_and_the_fault_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let socket = directory.path().join("socket");
        std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let strange = [link.as_path(), &pipe, &socket, directory.path(), Path::new("/proc/self/task")];
        for path in strange {
            let error = open(path).unwrap_err();
            assert!(is_wrong(&error), "{}: {error}", path.display());
        }
        let error = open(&directory.path().join("missing")).unwrap_err();
        assert_eq!((is_wrong(&error), unreadable("x", &error).exit_code()), (false, 2));
    }
}
