//! `[build-system]` (PEP 517, 518), of a member and of a source tree that is none.

use super::{
    import_path::{is_dotted, is_object_reference},
    requirement::{Dependency, dependencies, dependency, requirement_at},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    document::{self, Located, Table, reader::Reader},
    tree::RelativePath,
};

/// `[build-system]` (PEP 517, 518).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSystem {
    /// `requires`, in order.
    pub requires: Vec<Dependency>,
    /// Import path of the backend object, such as `hatchling.build`.
    pub backend: String,
    /// `backend-path`: directories of the source tree that are put on `sys.path` first; `.` is kept as such.
    pub backend_path: Vec<String>,
}

pub(super) fn read(table: &Table, uv: &Table, errors: &mut Vec<Diagnostic>) -> Option<BuildSystem> {
    let package = Reader::open(uv, "[tool.uv]", errors).boolean("package");
    let present = Reader::open(table, "the manifest", errors).table("build-system");
    let written = present.map(|table| {
        let mut reader = Reader::new(table, "[build-system]", errors);
        let requires = dependencies(&mut reader, "requires", "[build-system]");
        if reader.node("requires").is_none() {
            let place = table.iter().next().map(|(_, field)| field.key.clone());
            let missing = Diagnostic::new("[build-system] has no `requires`");
            reader.errors().push(match place {
                Some(place) => missing.at(place, ""),
                None => missing,
            });
        }
        BuildSystem {
            requires: requires.unwrap_or_default(),
            backend: backend(&mut reader).unwrap_or_else(|| LEGACY_BACKEND.to_owned()),
            backend_path: backend_path(&mut reader),
        }
    });
    match (package, written) {
        (Some(false), _) | (None, None) => None,
        (_, Some(written)) => Some(written),
        (Some(true), None) => {
            let place = uv.get("package").map(|node| node.place.clone())?;
            let requires = dependency(&Located { value: LEGACY_REQUIRES, place }).into_iter().collect();
            Some(BuildSystem { requires, backend: LEGACY_BACKEND.to_owned(), backend_path: Vec::new() })
        }
    }
}

/// The build system of a source tree that is no member: its `[build-system]`, or PEP 517's default. `source` is
/// its `pyproject.toml`, empty when there is none; the rest of it is not judged.
///
/// # Errors
/// Refused when it is no TOML or `[build-system]` is no sound one.
pub fn of_tree(source: &Source) -> Result<BuildSystem, Failure> {
    let table = document::parse(source)?;
    let mut errors = Vec::new();
    let written = read(&table, &Table::default(), &mut errors);
    refuse_any(errors)?;
    match written {
        Some(written) => Ok(written),
        None => Ok(BuildSystem {
            requires: vec![requirement_at(LEGACY_REQUIRES, source.at(0..0))?],
            backend: LEGACY_BACKEND.to_owned(),
            backend_path: Vec::new(),
        }),
    }
}

/// What PEP 517 gives to a source tree without `[build-system]` or without `build-backend`.
const LEGACY_BACKEND: &str = "setuptools.build_meta:__legacy__";
const LEGACY_REQUIRES: &str = "setuptools>=40.8.0";

fn backend(reader: &mut Reader<'_, '_>) -> Option<String> {
    let backend = reader.string("build-backend")?;
    if is_dotted(backend.value) || is_object_reference(backend.value) {
        return Some(backend.value.to_owned());
    }
    let message = format!(
        "`build-backend` in [build-system]: `{}` is not an import path",
        backend.value.escape_debug()
    );
    reader.errors().push(Diagnostic::new(message).at(backend.place, ""));
    None
}

fn backend_path(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let mut directories = Vec::new();
    for directory in reader.strings("backend-path").unwrap_or_default() {
        if is_inner_path(directory.value) {
            directories.push(directory.value.to_owned());
        } else {
            let message = format!(
                "`backend-path` in [build-system]: `{}` is not a directory of the source tree",
                directory.value.escape_debug()
            );
            reader.errors().push(Diagnostic::new(message).at(directory.place, ""));
        }
    }
    directories
}

/// A directory of the member's own tree, as a manifest may name one.
fn is_inner_path(text: &str) -> bool {
    text == "." || text.parse::<RelativePath>().is_ok()
}
