//! `[project]` of a manifest (PEP 621).

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use uv_pep440::{Version, VersionSpecifiers};

use super::{
    import_path::is_object_reference,
    requirement::{Dependency, dependencies},
};
use crate::{
    diagnostic::{Diagnostic, Place, Source},
    document::{Located, Table, reader::Reader},
    name::{ExtraName, PackageName},
};

/// `[project]` (PEP 621).
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The distribution's name, normalised.
    pub name: Located<PackageName>,
    /// The version; `None` when the build decides it (`dynamic`).
    pub version: Option<Located<Version>>,
    /// `requires-python`.
    pub requires_python: Option<Located<VersionSpecifiers>>,
    /// `dependencies`, in order, and what the dependency groups of the body ask for.
    pub dependencies: Vec<Dependency>,
    /// `optional-dependencies`.
    pub optional_dependencies: BTreeMap<ExtraName, Vec<Dependency>>,
    /// `scripts`: console scripts.
    pub scripts: BTreeMap<String, Located<String>>,
    /// `gui-scripts`: the same, of programs with windows; on Linux there is no difference.
    pub gui_scripts: BTreeMap<String, Located<String>>,
    /// `dynamic`: what the build decides.
    pub dynamic: BTreeSet<String>,
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
/// The tables that become files in `bin/`.
const SCRIPTS: &str = "[project.scripts]";
const GUI_SCRIPTS: &str = "[project.gui-scripts]";
/// What the forge must know without running anything, so it may not be left to the build.
const NEVER_DYNAMIC: [&str; 4] = ["name", "dependencies", "optional-dependencies", "requires-python"];

impl Project {
    /// Everything that becomes a program of the environment, by name; a name may be in both tables.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Located<String>)> {
        self.scripts.iter().chain(&self.gui_scripts).map(|(name, target)| (name.as_str(), target))
    }
}

pub(super) fn read(source: &Source, table: &Table, errors: &mut Vec<Diagnostic>) -> Option<Project> {
    let Some(project) = Reader::open(table, "the manifest", errors).table("project") else {
        if table.get("project").is_none() {
            let message = format!("`{}` has no [project] table", source.name());
            let tool = |name: &str| table.table("tool").and_then(|tool| tool.table(name));
            let help = if tool("poetry").is_some() {
                "[tool.poetry] is Poetry's alone: write [project] with `name` and `version`, and move its `dependencies` there"
            } else if tool("uv").is_some_and(|uv| uv.get("workspace").is_some()) {
                "the root of a uv workspace is no project: lay the one that is to run at this place, or add [project] that depends on it"
            } else {
                "add [project] with a `name`"
            };
            errors.push(Diagnostic::new(message).at(source.at(0..0), "").help(help));
        }
        return None;
    };
    let place = table.get("project").map(|node| node.place.clone());
    let mut reader = Reader::new(project, "[project]", errors);
    reader.knows(&KEYS);
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
    let gui_scripts = reader.table("gui-scripts");
    let extras = reader.table("optional-dependencies");
    reader.finish();
    let scripts = scripts.map(|table| read_scripts(table, SCRIPTS, errors)).unwrap_or_default();
    let gui_scripts = gui_scripts.map(|table| read_scripts(table, GUI_SCRIPTS, errors)).unwrap_or_default();
    let optional_dependencies = extras.map(|table| read_extras(table, errors)).unwrap_or_default();
    Some(Project {
        name: name?,
        version,
        requires_python,
        dependencies,
        optional_dependencies,
        scripts,
        gui_scripts,
        dynamic: dynamic.into_iter().map(|field| field.value.to_owned()).collect(),
    })
}

fn read_scripts(
    table: &Table,
    title: &str,
    errors: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Located<String>> {
    let mut scripts = BTreeMap::new();
    for (name, field) in table.iter() {
        // A script's name becomes a file name in `bin/` (threats.md P6).
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        if name.is_empty() || name.starts_with(['.', '-']) || !name.bytes().all(plain) {
            let message = format!("`{}` in {title} is not a command name", name.escape_debug());
            errors.push(Diagnostic::new(message).at(field.key.clone(), ""));
        } else if let Some(target) = field.node.as_str().filter(|target| is_object_reference(target)) {
            let target = Located { value: target.to_owned(), place: field.node.place.clone() };
            scripts.insert(name.to_owned(), target);
        } else {
            let message = format!("`{name}` in {title} must be `module:function`");
            errors.push(Diagnostic::new(message).at(field.node.place.clone(), ""));
        }
    }
    scripts
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
