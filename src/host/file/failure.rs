//! What a failed operation on a file says.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

use crate::diagnostic::{Diagnostic, Failure, Fault};

/// A failed file operation as an exit-2 failure that names the path, and what keeps it from being read.
#[must_use]
pub fn unable(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot {doing} `{}`: {error}", path.display());
    let mut told = Diagnostic::new(message).of_kind(Fault::File);
    if doing == "read" && error.kind() == io::ErrorKind::PermissionDenied {
        told.help.extend(closed(path));
    }
    Failure::unable(told)
}

/// A failed reading of what others wrote: refused when the thing itself is wrong (no file, no text, too large),
/// unable when the system says no. `shown` names it.
#[must_use]
pub fn unreadable(shown: &str, error: &io::Error) -> Failure {
    let message = format!("`{}` cannot be read: {error}", shown.escape_debug());
    let diagnostic = Diagnostic::new(message).of_kind(Fault::File);
    if is_wrong(error) { diagnostic.into() } else { Failure::unable(diagnostic) }
}

/// Whether an error is the fault of what lies at the path, not of the system.
#[must_use]
pub fn is_wrong(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, IsADirectory, NotADirectory};
    matches!(error.kind(), FileTooLarge | InvalidData | InvalidInput | IsADirectory | NotADirectory)
}

/// Who owns what may not be read: the path itself, or the last directory on the way to it that can be seen.
fn closed(path: &Path) -> Option<String> {
    let (at, meta) = path.ancestors().find_map(|at| Some((at, fs::symlink_metadata(at).ok()?)))?;
    (!meta.is_symlink()).then(|| {
        format!(
            "`{}` belongs to user {} and has mode {:04o}, and the forge runs as user {}: change its owner or its mode",
            at.display(),
            meta.uid(),
            meta.mode() & 0o7777,
            rustix::process::geteuid().as_raw()
        )
    })
}
