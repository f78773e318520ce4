//! Lists what version control would keep of a source tree.
//!
//! The rules are git's own, read from the `.gitignore` files alone: neither the user's global configuration nor
//! `.git/info/exclude` nor the index has a say, so two clones of the same files give the same list.
#![expect(clippy::disallowed_methods, reason = "this module walks the file system")]

use std::{fs, io, os::unix::fs::FileTypeExt as _, path::Path, sync::Arc};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use super::file;
use crate::diagnostic::{Diagnostic, Failure};

/// Names that are never source, ignored or not.
const NEVER: [&str; 7] = [".git", ".hg", ".jj", ".svn", "__pycache__", ".venv", "node_modules"];

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link, with its target (lossy where it is not UTF-8).
    Link {
        /// The target as it stands in the link.
        target: String,
    },
    /// A pipe, socket or device.
    Special(&'static str),
    /// Anything with a name that is not UTF-8; the path shows it lossily.
    BadName,
}

/// The `.gitignore` files that apply in a directory, innermost first.
struct Rules {
    own: Gitignore,
    above: Option<Arc<Rules>>,
}

impl Rules {
    fn of(directory: &Path, above: Option<Arc<Rules>>) -> Result<Arc<Self>, Failure> {
        let path = directory.join(".gitignore");
        let mut builder = GitignoreBuilder::new(directory);
        // Like git, a `.gitignore` that is a link is not followed.
        if file::kind(&path)? == Some(file::Kind::File) {
            let bytes = file::read(&path, 1 << 20).map_err(|error| file::unable("read", &path, &error))?;
            for line in String::from_utf8_lossy(&bytes).lines() {
                // Like git, a line that is no pattern ignores nothing.
                let _ = builder.add_line(None, line);
            }
        }
        let own = builder.build().map_err(|error| {
            let shown = path.display();
            Failure::from(Diagnostic::new(format!("`{shown}` cannot be understood: {error}")))
        })?;
        Ok(Arc::new(Self { own, above }))
    }

    fn ignore(&self, path: &Path, is_directory: bool) -> bool {
        match self.own.matched(path, is_directory) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => self.above.as_ref().is_some_and(|above| above.ignore(path, is_directory)),
        }
    }
}

/// All files, links and other entries below `directory` that are not ignored, with paths relative to it,
/// sorted. `.gitignore` files from `root` (at or above `directory`) downwards apply.
///
/// # Errors
/// Refused when there are more than `most`; unable when a directory cannot be read.
pub fn source_tree(root: &Path, directory: &Path, most: usize) -> Result<Vec<(String, Kind)>, Failure> {
    let mut rules = None;
    let outer: Vec<&Path> =
        directory.ancestors().skip(1).take_while(|above| above.starts_with(root)).collect();
    for above in outer.into_iter().rev() {
        rules = Some(Rules::of(above, rules)?);
    }
    let mut found = Vec::new();
    let mut pending = vec![(String::new(), rules)];
    while let Some((prefix, above)) = pending.pop() {
        let here = directory.join(&prefix);
        let rules = Rules::of(&here, above)?;
        let unable = |error: io::Error| file::unable("read", &here, &error);
        for entry in fs::read_dir(&here).map_err(unable)? {
            let entry = entry.map_err(unable)?;
            let kind = entry.file_type().map_err(unable)?;
            let name = entry.file_name();
            let shown = name.to_string_lossy();
            let is_bytecode = entry.path().extension().is_some_and(|extension| extension == "pyc");
            if NEVER.contains(&&*shown) || is_bytecode || rules.ignore(&entry.path(), kind.is_dir()) {
                continue;
            }
            let path = if prefix.is_empty() { shown.to_string() } else { format!("{prefix}/{shown}") };
            if name.to_str().is_none() {
                found.push((path, Kind::BadName));
            } else if kind.is_dir() {
                pending.push((path, Some(Arc::clone(&rules))));
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).map_err(unable)?;
                found.push((path, Kind::Link { target: target.to_string_lossy().into_owned() }));
            } else {
                found.push((path, if kind.is_file() { Kind::File } else { Kind::Special(special(kind)) }));
            }
            if found.len() + pending.len() > most {
                let message = format!("`{}` holds more than {most} files", directory.display());
                return Err(Diagnostic::new(message)
                    .help("list what is no source in its `.gitignore`")
                    .into());
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn special(kind: fs::FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
