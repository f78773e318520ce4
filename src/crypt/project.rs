//! `[project]`, `[build-system]` and `[dependency-groups]` of a manifest.

use std::{collections::BTreeMap, str::FromStr};

use uv_pep440::Version;
use uv_pep508::{Requirement, VerbatimUrl};

use super::manifest::{BuildSystem, Dependency, Project, is_inner_path};
use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source, refuse_any},
    document::{self, Located, Node, Table, reader::Reader},
    name::{ExtraName, GroupName, marker},
};

/// The tables below `[tool]` that are ours to look into.
pub(super) struct Sections<'a> {
    pub(super) uv: Option<&'a Table>,
    pub(super) lychd: Option<&'a Table>,
}

pub(super) fn sections<'a>(table: &'a Table, errors: &mut Vec<Diagnostic>) -> Sections<'a> {
    let Some(tool) = Reader::open(table, "the manifest", errors).table("tool") else {
        return Sections { uv: None, lychd: None };
    };
    let mut tool = Reader::open(tool, "[tool]", errors);
    Sections { uv: tool.table("uv"), lychd: tool.table("lychd") }
}

/// The most characters of a member's version: it becomes part of file and store names.
const VERSION: usize = 128;
/// The keys of `[project]` (PEP 621, 639 and 794).
const KEYS: [&str; 20] = [
    "authors",
    "classifiers",
    "dependencies",
    "description",
    "dynamic",
    "entry-points",
    "gui-scripts",
    "import-names",
    "import-namespaces",
    "keywords",
    "license",
    "license-files",
    "maintainers",
    "name",
    "optional-dependencies",
    "readme",
    "requires-python",
    "scripts",
    "urls",
    "version",
];
/// What the forge must know without running anything, so it may not be left to the build.
const NEVER_DYNAMIC: [&str; 4] = ["name", "dependencies", "optional-dependencies", "requires-python"];

pub(super) fn read(source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) -> Option<Project> {
    let Some(project) = Reader::open(table, "the manifest", errors).table("project") else {
        if table.get("project").is_none() {
            let message = format!("`{}` has no [project] table", source.name());
            errors.push(Diagnostic::new(message).at(source.at(0..0), "").help("add [project] with a `name`"));
        }
        return None;
    };
    let place = table.get("project").map(|node| node.place.clone());
    let mut reader = Reader::new(project, "[project]", &KEYS, errors);
    let dynamic = reader.strings("dynamic").unwrap_or_default();
    for field in &dynamic {
        if NEVER_DYNAMIC.contains(&field.value) {
            let message = format!("`{}` in [project] is dynamic", field.value);
            reader.errors().push(
                Diagnostic::new(message)
                    .at(field.place.clone(), "")
                    .help("write it out: the forge runs no third-party code to learn it"),
            );
        }
    }
    let is_dynamic = |key: &str| dynamic.iter().any(|field| field.value == key);
    let missing = |key: &str, help: &str| {
        Diagnostic {
            places: place.iter().map(|place| (place.clone(), String::new())).collect(),
            ..Diagnostic::new(format!("[project] has no `{key}`"))
        }
        .help(help)
    };
    let name = reader.parsed("name");
    if reader.node("name").is_none() {
        reader.errors().push(missing("name", "every member is a named distribution"));
    }
    let version = reader.parsed::<Version>("version");
    if let Some(version) = &version
        && version.value.to_string().len() > VERSION
    {
        let error = Diagnostic::new(format!("`version` in [project] is longer than {VERSION} characters"));
        reader.errors().push(error.at(version.place.clone(), ""));
    }
    if reader.node("version").is_none() && !is_dynamic("version") {
        reader.errors().push(missing("version", "write it, or list it in `dynamic`"));
    }
    let requires_python = reader.parsed("requires-python");
    let dependencies = dependencies(&mut reader, "dependencies", "[project]").unwrap_or_default();
    let scripts = reader.table("scripts");
    let extras = reader.table("optional-dependencies");
    let scripts = scripts.map(|table| read_scripts(table, errors)).unwrap_or_default();
    let optional_dependencies = extras.map(|table| read_extras(table, errors)).unwrap_or_default();
    Some(Project {
        name: name?,
        version,
        requires_python,
        dependencies,
        optional_dependencies,
        scripts,
        dynamic: dynamic.into_iter().map(|field| field.value.to_owned()).collect(),
    })
}

fn read_scripts(table: &Table, errors: &mut Vec<Diagnostic>) -> BTreeMap<String, Located<String>> {
    let mut scripts = BTreeMap::new();
    for (name, field) in table.iter() {
        // A script's name becomes a file name in `bin/` (threats.md P6).
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        if name.is_empty() || name.starts_with(['.', '-']) || !name.bytes().all(plain) {
            let message = format!("`{}` in [project.scripts] is not a command name", name.escape_debug());
            errors.push(Diagnostic::new(message).at(field.key.clone(), ""));
        } else if let Some(target) = field.node.as_str().filter(|target| is_object_reference(target)) {
            let target = Located { value: target.to_owned(), place: field.node.place.clone() };
            scripts.insert(name.to_owned(), target);
        } else {
            let message = format!("`{name}` in [project.scripts] must be `module:function`");
            errors.push(Diagnostic::new(message).at(field.node.place.clone(), ""));
        }
    }
    scripts
}

/// `package.module:object.attribute`, or without the colon where `bare` modules are allowed.
fn is_object_reference(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(module, object)| is_dotted(module.trim_end()) && is_dotted(object.trim_start()))
}

fn is_dotted(text: &str) -> bool {
    let letter = |c: char| c == '_' || c.is_alphabetic();
    text.split('.')
        .all(|part| part.starts_with(letter) && part.chars().all(|c| letter(c) || c.is_alphanumeric()))
}

fn read_extras(table: &Table, errors: &mut Vec<Diagnostic>) -> BTreeMap<ExtraName, Vec<Dependency>> {
    let mut extras = BTreeMap::new();
    let keys: Vec<&str> = table.iter().map(|(key, _)| key).collect();
    let mut reader = Reader::open(table, "[project.optional-dependencies]", errors);
    for key in keys {
        let list = dependencies(&mut reader, key, "[project.optional-dependencies]").unwrap_or_default();
        let place = table.field(key).map(|field| field.key.clone());
        match ExtraName::from_str(key) {
            Ok(name) => {
                if extras.insert(name, list).is_some() {
                    let twice =
                        format!("the extra `{}` stands twice under two spellings", key.escape_debug());
                    reader.errors().push(with_place(Diagnostic::new(twice), place));
                }
            }
            Err(error) => reader.errors().push(with_place(Diagnostic::new(error.to_string()), place)),
        }
    }
    extras
}

fn with_place(diagnostic: Diagnostic, place: Option<Place>) -> Diagnostic {
    match place {
        Some(place) => diagnostic.at(place, ""),
        None => diagnostic,
    }
}

/// A list of PEP 508 requirements.
fn dependencies(reader: &mut Reader<'_, '_>, key: &str, title: &str) -> Option<Vec<Dependency>> {
    let mut list = Vec::new();
    for text in reader.strings(key)? {
        match dependency(&text) {
            Ok(dependency) => list.push(dependency),
            Err(reason) => {
                let shown = shortened(text.value);
                let message = format!("`{shown}` in `{key}` of {title} is not a requirement: {reason}");
                reader.errors().push(Diagnostic::new(message).at(text.place, ""));
            }
        }
    }
    Some(list)
}

/// The start of a foreign text, for a message: the place shows the rest.
fn shortened(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", start.escape_debug())
}

fn dependency(text: &Located<&str>) -> Result<Dependency, String> {
    marker::check_requirement(text.value).map_err(str::to_owned)?;
    let requirement = Requirement::<VerbatimUrl>::from_str(text.value)
        .map_err(|error| error.message.to_string().replace('\n', " "))?;
    Ok(Dependency { requirement, text: text.value.to_owned(), place: text.place.clone() })
}

pub(super) fn build_system(table: &Table, uv: &Table, errors: &mut Vec<Diagnostic>) -> Option<BuildSystem> {
    let package = Reader::open(uv, "[tool.uv]", errors).boolean("package");
    let present = Reader::open(table, "the manifest", errors).table("build-system");
    let written = present.map(|table| {
        let known = ["requires", "build-backend", "backend-path"];
        let mut reader = Reader::new(table, "[build-system]", &known, errors);
        let requires = dependencies(&mut reader, "requires", "[build-system]");
        if reader.node("requires").is_none() {
            let place = table.iter().next().map(|(_, field)| field.key.clone());
            reader.errors().push(with_place(Diagnostic::new("[build-system] has no `requires`"), place));
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
pub fn build_system_of(source: &Source) -> Result<BuildSystem, Failure> {
    let table = document::parse(source)?;
    let mut errors = Vec::new();
    let written = build_system(&table, &Table::default(), &mut errors);
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

/// A requirement of a file that is no manifest, written at `place`.
///
/// # Errors
/// The reason why `text` is none.
pub fn requirement_at(text: &str, place: Place) -> Result<Dependency, Diagnostic> {
    let located = Located { value: text, place };
    dependency(&located).map_err(|reason| {
        Diagnostic::new(format!("`{}` is not a requirement: {reason}", shortened(text)))
            .at(located.place.clone(), "")
    })
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

pub(super) fn groups(table: &Table, errors: &mut Vec<Diagnostic>) -> BTreeMap<GroupName, Node> {
    let groups = Reader::open(table, "the manifest", errors).table("dependency-groups");
    let mut read = BTreeMap::new();
    for (key, field) in groups.iter().flat_map(|groups| groups.iter()) {
        match GroupName::from_str(key) {
            Ok(name) => {
                read.insert(name, field.node.clone());
            }
            Err(error) => errors.push(Diagnostic::new(error.to_string()).at(field.key.clone(), "")),
        }
    }
    read
}
