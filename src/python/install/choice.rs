//! Which file of a package is taken: the best wheel, or its source archive where that may be built.

use std::ops::Range;

use uv_pep440::Version;

use super::{selection::Selection, target::Target, wheel};
use crate::{
    diagnostic::{Diagnostic, Fault},
    digest::{DigestError, Integrity},
    python::lock::{Package, Sdist, Source, UvLock, Wheel, WheelLocation},
};

/// How many file names a message lists.
pub(super) const LISTED: usize = 12;

/// What a file of an environment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// It is installed as it is.
    Wheel,
    /// It is built into a wheel first.
    Sdist {
        /// Directory inside the archive that is the project.
        subdirectory: Option<String>,
    },
}

/// The file that is taken for a package.
pub(super) struct Chosen<'l> {
    pub(super) kind: FileKind,
    pub(super) location: &'l WheelLocation,
    pub(super) file_name: &'l str,
    pub(super) hash: &'l Option<Result<Integrity, DigestError>>,
    pub(super) size: Option<u64>,
    /// As the file's name has it.
    pub(super) version: Option<&'l Version>,
    pub(super) span: &'l Range<usize>,
}

impl<'l> From<&'l Wheel> for Chosen<'l> {
    fn from(wheel: &'l Wheel) -> Self {
        Self {
            kind: FileKind::Wheel,
            location: &wheel.location,
            file_name: &wheel.file_name,
            hash: &wheel.hash,
            size: wheel.size,
            version: Some(&wheel.tags.version),
            span: &wheel.span,
        }
    }
}

impl<'l> Chosen<'l> {
    /// `None` when the file has no sound name.
    fn sdist(sdist: &'l Sdist, source: &Source) -> Option<Self> {
        let subdirectory = match source {
            Source::Url { subdirectory, .. } => subdirectory.clone(),
            _ => None,
        };
        Some(Self {
            kind: FileKind::Sdist { subdirectory },
            location: &sdist.location,
            file_name: sdist.file_name.as_deref()?,
            hash: &sdist.hash,
            size: sdist.size,
            version: None,
            span: &sdist.span,
        })
    }
}

/// The best wheel, else the source archive where that may be built, else everything that stands against both.
pub(super) fn choose<'l>(
    lock: &UvLock,
    package: &'l Package,
    target: &Target,
    selection: &Selection,
) -> Result<Chosen<'l>, Box<Diagnostic>> {
    let (id, building) = (&package.id, &selection.building);
    let forbidden = building.forbids_wheel(&id.name);
    if !forbidden && let Some(wheel) = wheel::best(&package.wheels, target) {
        return Ok(wheel.into());
    }
    let is_allowed = building.allowed.contains(&id.name);
    let source = package.sdist.as_ref().and_then(|sdist| Chosen::sdist(sdist, &id.source));
    if let Some(chosen) = source
        && is_allowed
        && !building.forbids_build(&id.name)
    {
        return Ok(chosen);
    }
    let message = if forbidden {
        format!("{id} must be built from source (`no-binary`)")
    } else if package.wheels.is_empty() {
        format!("{id} has no wheel at all")
    } else {
        format!("{id} has no wheel for {}", target.describe())
    };
    let mut refusal = Diagnostic::new(message).of_kind(Fault::NoWheel).at(lock.at(&package.span), "");
    if !forbidden && !package.wheels.is_empty() {
        let names: Vec<&str> =
            package.wheels.iter().take(LISTED).map(|wheel| wheel.file_name.as_str()).collect();
        let more = package.wheels.len().saturating_sub(LISTED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        refusal = refusal.help(format!("the lock has {}{more}", names.join(", ").escape_debug()));
    }
    let source = if selection.to_build_with {
        "what is built with must have a wheel: constrain it with `build-constraint-dependencies`".to_owned()
    } else if package.sdist.is_none() {
        "the lock has no source archive of it".to_owned()
    } else if building.forbids_build(&id.name) {
        "there is a source archive, but a member's `no-build` forbids building it".to_owned()
    } else {
        format!("`[policy] allow-sdist = [\"{}\"]` in forge.toml lets it be built from source", id.name)
    };
    Err(Box::new(refusal.help(source).help("ask for a version that has a wheel, or drop what needs it")))
}
