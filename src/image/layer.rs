//! A layer's bytes: an uncompressed tar, of packages at their places or of store paths as upstream's streamer writes
//! them.

use std::{
    io::{self, Write},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use super::{
    content::Content,
    order::python_order,
    placed,
    store_root::StoreRoot,
    tar::Type,
    writer::{Attributes, Broken, Writer},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::store_path::StorePath,
    host::file::{self, Kind},
};

/// The customisation layer's tar.
pub(super) fn customisation_tar(store: &StoreRoot, path: &StorePath) -> PathBuf {
    store.locate(path).join("layer.tar")
}

/// The file that says the tar's sha256.
pub(super) fn customisation_checksum(store: &StoreRoot, path: &StorePath) -> PathBuf {
    store.locate(path).join("checksum")
}

/// Writes the layer's tar to `out`; the number of bytes.
pub(super) fn write(
    content: &Content,
    attributes: &Attributes,
    store: &StoreRoot,
    out: &mut dyn Write,
) -> Result<u64, Broken> {
    let mut writer = Writer::new(attributes, out);
    match content {
        Content::Customisation(path) => {
            let tar = customisation_tar(store, path);
            let size = file::size(&tar).map_err(|error| file::unable("read", &tar, &error))?;
            writer.copy(&tar, size)?;
            Ok(size)
        }
        Content::Placed { contents, .. } => {
            placed::write(contents, store, &mut writer)?;
            writer.end()
        }
        Content::Store(paths) => {
            for directory in ["/nix/", "/nix/store/"] {
                writer.header(directory.as_bytes(), Type::Directory, 0o755, 0, b"")?;
            }
            for path in paths {
                tree(&mut writer, &mut store.locate(path), &mut path.to_string().into_bytes())?;
            }
            writer.end()
        }
    }
}

/// What is at `physical`, called `logical`, and all below it: sorted by path component.
fn tree(writer: &mut Writer<'_>, physical: &mut PathBuf, logical: &mut Vec<u8>) -> Result<(), Broken> {
    let unable = |error: io::Error| file::unable("read", physical, &error);
    let status = file::status(physical).map_err(unable)?;
    match status.kind {
        // A second name of one inode is a file like the first.
        Kind::File => {
            writer.header(logical, Type::File, status.mode, status.size, b"")?;
            writer.content(physical, status.size)?;
        }
        Kind::Link => {
            let target = file::link_target(physical).map_err(unable)?;
            writer.header(logical, Type::Link, status.mode, 0, target.as_bytes())?;
        }
        Kind::Directory => {
            let mut names = file::names(physical).map_err(unable)?;
            names.sort_by(|a, b| python_order(a, b));
            let length = logical.len();
            logical.push(b'/');
            writer.header(logical, Type::Directory, status.mode, 0, b"")?;
            for name in names {
                logical.extend_from_slice(name.as_bytes());
                physical.push(&name);
                tree(writer, physical, logical)?;
                physical.pop();
                logical.truncate(length + 1);
            }
            logical.truncate(length);
        }
        Kind::Other => {
            let message = format!("`{}` is no file, link or directory", physical.display());
            return Err(Failure::from(Diagnostic::new(message)).into());
        }
    }
    Ok(())
}
