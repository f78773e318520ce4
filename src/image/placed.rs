//! Packages at their places: what several store paths hold, put together as one tree of the root.
//!
//! A directory of several packages is one; every other path is of one package alone, as the root's plan has it. Where
//! the root has a directory link (`/lib`), what a package has there lies behind it: a directory in an upper layer
//! would replace the link. Each directory on the way is written too, with the same mode and owner in every layer.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::{
    content::Placed,
    order::python_order,
    plan::{Owned, Plan},
    store_root::StoreRoot,
    tar::Type,
    writer::{Broken, Writer},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file::{self, Kind, Status},
};

/// Writes the tree of these contents, sorted by path component.
pub(super) fn write(contents: &[Placed], store: &StoreRoot, writer: &mut Writer<'_>) -> Result<(), Broken> {
    let mut walk =
        Walk { plan: &writer.attributes.plan, passed: BTreeSet::new(), written: BTreeSet::new(), writer };
    let top = walk.tree(contents, store);
    walk.directory(top, &mut Vec::new())
}

/// A directory: those that are certainly in it, and where on disk its entries are.
#[derive(Default)]
struct Folder {
    children: BTreeMap<OsString, Folder>,
    sources: Vec<PathBuf>,
}

impl Folder {
    fn at<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> &mut Self {
        names.into_iter().fold(self, |folder, name| folder.children.entry(name.into()).or_default())
    }
}

enum Node {
    Folder(Folder),
    Leaf(PathBuf, Status),
}

struct Walk<'a, 'w> {
    plan: &'a Plan,
    /// Paths on disk that are not where they would be.
    passed: BTreeSet<PathBuf>,
    /// Files with further names that are in the layer already.
    written: BTreeSet<Vec<u8>>,
    writer: &'a mut Writer<'w>,
}

impl Walk<'_, '_> {
    fn tree(&mut self, contents: &[Placed], store: &StoreRoot) -> Folder {
        let mut top = Folder::default();
        for Placed { path, at } in contents {
            let here = store.locate(path);
            if let Some(names) = self.plan.left_out.get(&path.to_string()) {
                self.passed.extend(names.iter().map(|name| here.join(name)));
            }
            for (link, target) in &self.plan.links {
                let mut inside = link.split('/');
                if !at.iter().all(|name| inside.next() == Some(name)) {
                    continue;
                }
                let moved = here.join(inside.collect::<PathBuf>());
                if file::status(&moved).is_ok_and(|status| status.kind == Kind::Directory) {
                    top.at(target.split('/')).sources.push(moved.clone());
                    self.passed.insert(moved);
                }
            }
            top.at(at.iter().map(String::as_str)).sources.push(here);
        }
        top
    }

    fn directory(&mut self, folder: Folder, place: &mut Vec<u8>) -> Result<(), Broken> {
        let name = [if place.is_empty() { b"." } else { place.as_slice() }, b"/"].concat();
        self.writer.placed(&name, Type::Directory, self.plan.owned(place, true), 0, b"")?;
        let mut found: BTreeMap<OsString, Node> =
            folder.children.into_iter().map(|(name, child)| (name, Node::Folder(child))).collect();
        for source in folder.sources {
            for name in file::names(&source).map_err(|error| file::unable("read", &source, &error))? {
                let path = source.join(&name);
                if self.passed.contains(&path) {
                    continue;
                }
                let status = file::status(&path).map_err(|error| file::unable("read", &path, &error))?;
                match (found.get_mut(&name), status.kind) {
                    (Some(Node::Folder(known)), Kind::Directory) => known.sources.push(path),
                    (None, Kind::Directory) => {
                        let child = Folder { sources: vec![path], ..Folder::default() };
                        found.insert(name, Node::Folder(child));
                    }
                    (None, _) => {
                        found.insert(name, Node::Leaf(path, status));
                    }
                    (Some(_), _) => {
                        let message = format!(
                            "`{}` is in the image at a path that another package of the layer has",
                            path.display()
                        );
                        return Err(Failure::from(Diagnostic::new(message)).into());
                    }
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|(a, _), (b, _)| python_order(a, b));
        let length = place.len();
        for (name, node) in found {
            if length > 0 {
                place.push(b'/');
            }
            place.extend_from_slice(name.as_bytes());
            match node {
                Node::Folder(folder) => self.directory(folder, place)?,
                Node::Leaf(path, status) => self.leaf(place, &path, &status)?,
            }
            place.truncate(length);
        }
        Ok(())
    }

    fn leaf(&mut self, place: &[u8], path: &Path, status: &Status) -> Result<(), Broken> {
        match status.kind {
            Kind::Link => {
                let target = file::link_target(path).map_err(|error| file::unable("read", path, &error))?;
                let owned = Owned { mode: 0o777, uid: 0, gid: 0 };
                self.writer.placed(place, Type::Link, owned, 0, target.as_bytes())
            }
            Kind::File => {
                let owned = self.plan.owned(place, status.mode & 0o100 != 0);
                if let Some(first) = self.plan.twin(place) {
                    if !self.written.contains(first.as_bytes()) {
                        let message = format!(
                            "`{}` is another name of `{first}`, which does not come before it in the layer",
                            path.display()
                        );
                        return Err(Failure::from(Diagnostic::new(message)).into());
                    }
                    return self.writer.placed(place, Type::HardLink, owned, 0, first.as_bytes());
                }
                if self.plan.is_first(place) {
                    self.written.insert(place.to_owned());
                }
                self.writer.placed(place, Type::File, owned, status.size, b"")?;
                self.writer.content(path, status.size)
            }
            Kind::Directory | Kind::Other => {
                let message = format!("`{}` is no file, link or directory", path.display());
                Err(Failure::from(Diagnostic::new(message)).into())
            }
        }
    }
}
