//! Who may have written a file of the Codex: LychD's law, judged before anything is bound.

use crate::{
    diagnostic::Diagnostic,
    host::file::{Kind, Status},
};

/// What forbids to bind by a file of the Codex: it must be a regular file of the user `uid`, and closed to the
/// group and to others. `shown` is what the user knows it by. Reading a Codex asks for none of this, so that one
/// in a repository can be synthesized.
#[must_use]
pub fn judge(shown: &str, status: &Status, uid: u32) -> Vec<Diagnostic> {
    let what = match status.kind {
        Kind::File => None,
        Kind::Directory => Some("a directory"),
        Kind::Link => Some("a symbolic link"),
        Kind::Other => Some("a device, pipe or socket"),
    };
    if let Some(what) = what {
        let message = format!("`{shown}` must be a regular file, not {what}");
        return vec![Diagnostic::new(message).help("put the file itself there")];
    }
    let mut wrong = Vec::new();
    if status.uid != uid {
        let message = format!("`{shown}` belongs to the user {}, not to you ({uid})", status.uid);
        wrong.push(Diagnostic::new(message).help("make a copy of your own, and read it before you use it"));
    }
    if status.mode & 0o077 != 0 {
        let message = format!("`{shown}` is open to the group or to others (mode {:04o})", status.mode);
        wrong.push(Diagnostic::new(message).help(format!("chmod 600 {shown}")));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_file_of_ones_own_is_bound_by() {
        let status = |kind, uid, mode| Status { kind, mode, uid, size: 1, identity: (1, 2), changed: (3, 4) };
        let told = |status: Status| {
            judge("lychd.toml", &status, 1000).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(told(status(Kind::File, 1000, mode)), [""; 0]);
        }
        for mode in [0o644, 0o620, 0o602, 0o601, 0o640] {
            let want = format!(
                "`lychd.toml` is open to the group or to others (mode {mode:04o})\n  help: chmod 600 lychd.toml"
            );
            assert_eq!(told(status(Kind::File, 1000, mode)), [want]);
        }
        let both = told(status(Kind::File, 0, 0o666));
        assert!(both[0].starts_with("`lychd.toml` belongs to the user 0, not to you (1000)"), "{both:?}");
        assert_eq!(both.len(), 2);
        for (kind, want) in
            [(Kind::Link, "a symbolic link"), (Kind::Directory, "a directory"), (Kind::Other, "a device")]
        {
            let told = told(status(kind, 0, 0o777));
            assert!(told.len() == 1 && told[0].contains(want), "{told:?}");
        }
    }
}
