//! A member's source tree: what version control would keep, read once and hashed as read.

use std::path::Path;

use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{Sha256, nar::nar_sha256},
    host::{
        file,
        walk::{self, Kind},
    },
    name::MemberId,
    tree::{Entry, FileTree, RelativePath, link},
};

/// The most files and links a member may have.
const MOST_ENTRIES: usize = 100_000;
/// The most bytes a member's files may have together.
const MOST_BYTES: u64 = 512 << 20;

/// A member's files and their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTree {
    /// The files.
    pub tree: FileTree,
    /// sha256 of the tree's Nix archive.
    pub nar_sha256: Sha256,
}

impl SourceTree {
    /// Reads the tree of `member` at `directory`. `.gitignore` files count up to and including `root`.
    ///
    /// # Errors
    /// Refused with every entry that a source tree cannot hold; unable when the system says no.
    pub fn read(member: &MemberId, root: &Path, directory: &Path) -> Result<Self, Failure> {
        let shown = member.directory();
        let entries = walk::source_tree(root, directory, MOST_ENTRIES)?;
        let mut tree = FileTree::new();
        let mut errors = Vec::new();
        let mut bytes = 0;
        for (path, kind) in entries {
            let on_disk = directory.join(&path);
            let Ok(path) = path.parse::<RelativePath>() else {
                let message = format!("`{shown}/{}` is not a plain file name", path.escape_debug());
                errors.push(Diagnostic::new(message));
                continue;
            };
            match kind {
                Kind::File => {
                    let entry = match file::read_entry(&on_disk) {
                        Err(error) if file::is_wrong(&error) => {
                            errors.push(Diagnostic::new(format!("`{shown}/{path}` cannot be read: {error}")));
                            continue;
                        }
                        other => other.map_err(|error| file::unable("read", &on_disk, &error))?,
                    };
                    let Entry::File { bytes: content, .. } = &entry else {
                        errors.push(Diagnostic::new(format!("`{shown}/{path}` changed while it was read")));
                        continue;
                    };
                    bytes += content.len() as u64;
                    if bytes > MOST_BYTES {
                        let most = MOST_BYTES >> 20;
                        errors.push(
                            Diagnostic::new(format!("`{shown}` holds more than {most} MiB"))
                                .help("list what is no source in its `.gitignore`"),
                        );
                        break;
                    }
                    tree.insert(path, entry);
                }
                Kind::Link { target } => match link::escape(path.as_str(), &target) {
                    None => tree.insert(path, Entry::Link { target }),
                    Some(why) => errors.push(
                        Diagnostic::new(format!(
                            "the link `{shown}/{path}` -> `{}` {why}",
                            target.escape_debug()
                        ))
                        .help("a source tree must hold all that it means: copy the file in"),
                    ),
                },
                Kind::Special(what) => {
                    errors.push(Diagnostic::new(format!("`{shown}/{path}` is {what}, not a file")));
                }
                Kind::BadName => {
                    errors.push(Diagnostic::new(format!("the name of `{shown}/{path}` is not UTF-8")));
                }
            }
        }
        for error in &mut errors {
            error.requested_by.push(member.to_string());
        }
        refuse_any(errors)?;
        let nar_sha256 = nar_sha256(&tree).map_err(|error| file::unable("hash", directory, &error))?;
        Ok(Self { tree, nar_sha256 })
    }
}
