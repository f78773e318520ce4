//! What is staged for one check.

use std::{collections::BTreeMap, path::Path};

use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    tree::{Entry, FileTree},
};

/// What is staged for one check: paths as text.
pub(super) struct Stage {
    pub(super) quadlets: String,
    pub(super) out: String,
    pub(super) run: String,
    pub(super) empty: String,
}

impl Stage {
    pub(super) fn at(scratch: &Path, quadlets: &FileTree) -> Result<Self, Failure> {
        let below = |name: &str| -> Result<String, Failure> {
            let path = scratch.join(name);
            file::create_directory(&path).map_err(|error| file::unable("create", &path, &error))?;
            Ok(plain(&path)?.to_owned())
        };
        let stage = Self {
            quadlets: below("quadlets")?,
            out: below("out")?,
            run: below("run")?,
            empty: below("empty")?,
        };
        let path = Path::new(&stage.quadlets);
        file::write_tree(path, quadlets).map_err(|error| file::unable("write", path, &error))?;
        Ok(stage)
    }

    /// The units that the generator wrote, with their texts.
    pub(super) fn made(&self) -> Result<BTreeMap<String, String>, Failure> {
        let out = Path::new(&self.out);
        let names = file::list(out).map_err(|error| file::unable("read", out, &error))?;
        let mut made = BTreeMap::new();
        for (name, is_directory) in names {
            let path = out.join(&name);
            // Of a template with an instance there is a link as well.
            if is_directory || file::kind(&path)? == Some(file::Kind::Link) {
                continue;
            }
            let text = file::read_text(&path).map_err(|error| file::unable("read", &path, &error))?;
            made.insert(name, text);
        }
        Ok(made)
    }

    /// Puts units where the generator would have written them.
    pub(super) fn put<'a>(
        &self,
        units: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Result<(), Failure> {
        // A name with `/` is no unit's, and would be written elsewhere.
        for (name, text) in units.filter(|(name, _)| !name.contains('/')) {
            let path = Path::new(&self.out).join(name);
            file::create(&path, text.as_bytes()).map_err(|error| file::unable("write", &path, &error))?;
        }
        Ok(())
    }

    /// Puts plain units beside the generated ones.
    pub(super) fn add(&self, units: &FileTree) -> Result<Vec<Diagnostic>, Failure> {
        let mut findings = Vec::new();
        for (path, entry) in units.iter() {
            let target = Path::new(&self.out).join(path.as_str());
            let Entry::File { bytes, .. } = entry else {
                findings.push(Diagnostic::new(format!("the unit `{path}` is a link, not a file")));
                continue;
            };
            match file::create(&target, bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    let message = format!("`{path}` is a unit of its own and made of a Quadlet file as well");
                    findings.push(Diagnostic::new(message));
                }
                done => done.map_err(|error| file::unable("write", &target, &error))?,
            }
        }
        Ok(findings)
    }
}

/// A path as both programs read it: in lists with `:`, and in units with `%`.
pub(super) fn plain(path: &Path) -> Result<&str, Failure> {
    let special = |c: char| c.is_control() || c.is_whitespace() || ":;$%\\\"'".contains(c);
    path.to_str().filter(|text| !text.contains(special)).ok_or_else(|| {
        let message = format!("units cannot be checked below `{}`: its name is not plain", path.display());
        Failure::unable(
            Diagnostic::new(message).help("set XDG_CACHE_HOME to a path without special characters"),
        )
    })
}
