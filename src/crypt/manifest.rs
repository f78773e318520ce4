//! A member's `pyproject.toml` as typed values that know where they were written.

use std::collections::BTreeSet;

use super::{
    build_system,
    groups::{self, Groups},
    project, tool_lychd,
};
pub use super::{
    build_system::BuildSystem,
    image_contract::{CoreImage, FurtherImage, Health, ImageContract, User},
    project::Project,
    requirement::Dependency,
    system_dependency::SystemDependency,
    tool_lychd::Lychd,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    digest::Sha256,
    document::{
        self, Table,
        reader::{Reader, sort_by_place},
    },
    name::{GroupName, MemberId},
};

/// A parsed `pyproject.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The text, named `core/pyproject.toml` or `extensions/<id>/pyproject.toml`.
    pub source: Source,
    /// Hash of the text.
    pub sha256: Sha256,
    /// `[project]`.
    pub project: Project,
    /// `[build-system]` with PEP 517's defaults; `None` for a member that is not a package.
    pub build_system: Option<BuildSystem>,
    /// The dependency groups that belong to the body; what they ask for is among the project's dependencies.
    pub groups: BTreeSet<GroupName>,
    /// The other dependency groups.
    pub left_groups: BTreeSet<GroupName>,
    /// `[tool.uv]`, as written; empty when missing.
    pub uv: Table,
    /// `[tool.lychd]`.
    pub lychd: Lychd,
}

impl Manifest {
    /// Parses a manifest from the bytes of the file.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it.
    pub fn parse(member: &MemberId, name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        Self::parsed(member, name, bytes, true)
    }

    /// Parses the manifest of a project that is no member, but one that a member's workspace or sources lead to: no
    /// dependency group of it belongs to the body, as uv has it.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn of_further(member: &MemberId, name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        Self::parsed(member, name, bytes, false)
    }

    fn parsed(member: &MemberId, name: &str, bytes: &[u8], is_member: bool) -> Result<Self, Failure> {
        let source = document::source(name, bytes)?;
        let table = document::parse(&source)?;
        let mut errors = Vec::new();
        let manifest = read(member, &source, &table, is_member, &mut errors);
        sort_by_place(&mut errors);
        for error in &mut errors {
            error.requested_by.push(member.to_string());
        }
        refuse_any(errors)?;
        manifest.ok_or_else(|| Diagnostic::new(format!("`{name}` has no [project] name")).into())
    }
}

fn read(
    member: &MemberId,
    source: &Source,
    table: &Table,
    is_member: bool,
    errors: &mut Vec<Diagnostic>,
) -> Option<Manifest> {
    let sections = sections(table, errors);
    let mut project = project::read(source, table, errors);
    let mut lychd = tool_lychd::read(member, project.as_ref(), sections.lychd, errors);
    let uv = sections.uv.cloned().unwrap_or_default();
    let named = lychd.groups.take();
    let groups = if is_member { groups::of_body(table, &uv, named, errors) } else { Groups::default() };
    if let Some(project) = &mut project {
        project.dependencies.extend(groups.dependencies);
    }
    let build_system = build_system::read(table, &uv, errors);
    if let (Some(assets), None) = (&lychd.assets, &build_system) {
        errors.push(
            Diagnostic::new("a front end needs a package that carries it, and this member is none")
                .at(assets.place.clone(), "")
                .help("add [build-system], and the directory of `output` to the package"),
        );
    }
    Some(Manifest {
        sha256: Sha256::of(source.text()),
        source: source.clone(),
        project: project?,
        build_system,
        groups: groups.names,
        left_groups: groups.left,
        uv,
        lychd,
    })
}

/// The tables below `[tool]` that are ours to look into.
struct Sections<'a> {
    uv: Option<&'a Table>,
    lychd: Option<&'a Table>,
}

fn sections<'a>(table: &'a Table, errors: &mut Vec<Diagnostic>) -> Sections<'a> {
    let Some(tool) = Reader::open(table, "the manifest", errors).table("tool") else {
        return Sections { uv: None, lychd: None };
    };
    let mut tool = Reader::open(tool, "[tool]", errors);
    Sections { uv: tool.table("uv"), lychd: tool.table("lychd") }
}

#[cfg(test)]
mod tests;
