//! A member's `package.json` files as typed values that know where they were written.
//!
//! Only what decides versions and builds is read; other keys are left to their tools.

mod find;
mod spec;

use std::collections::BTreeMap;

use nodejs_semver::Range;

pub(super) use find::of_member;
pub use spec::{Spec, SpecError};

use super::inputs::{Told, npm};
use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source, refuse_any},
    digest::Sha256,
    document::{
        self, Located, Node, Table, Value, json,
        reader::{Reader, sort_by_place},
    },
    name::{
        MemberId,
        npm::{NpmName, NpmScript, command_of, is_version},
    },
    tree::RelativePath,
};

/// The file's name.
pub const NAME: &str = "package.json";

/// A parsed `package.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct PackageJson {
    /// The text, named as `extensions/altar/web/package.json`.
    pub source: Source,
    /// Hash of the text.
    pub sha256: Sha256,
    /// Its directory in the member's tree; `None` for the root.
    pub directory: Option<RelativePath>,
    /// `name`.
    pub name: Option<Located<NpmName>>,
    /// `version`.
    pub version: Option<Located<String>>,
    /// All dependencies, by kind and then by name.
    pub dependencies: BTreeMap<Kind, BTreeMap<NpmName, NpmDependency>>,
    /// `peerDependenciesMeta`: the peers that may be missing.
    pub optional_peers: Vec<NpmName>,
    /// `scripts`, by name.
    pub scripts: BTreeMap<String, Located<String>>,
    /// `workspaces`: patterns of directories below this one, in order.
    pub workspaces: Vec<Located<String>>,
    /// `engines.node`.
    pub node: Option<Engine>,
    /// `engines.npm`.
    pub npm: Option<Engine>,
    /// `overrides`, as written.
    pub overrides: Option<Located<Table>>,
    /// `bin`: command to path in the package.
    pub bin: BTreeMap<String, String>,
    /// What a person should know of keys that are not taken.
    pub notes: Vec<String>,
}

/// In which of the four lists a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `dependencies`
    Production,
    /// `devDependencies`
    Development,
    /// `optionalDependencies`
    Optional,
    /// `peerDependencies`
    Peer,
}

impl Kind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Production, Self::Development, Self::Optional, Self::Peer];

    /// The key in `package.json`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Production => "dependencies",
            Self::Development => "devDependencies",
            Self::Optional => "optionalDependencies",
            Self::Peer => "peerDependencies",
        }
    }
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmDependency {
    /// What is wanted.
    pub spec: Spec,
    /// How it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// A range of an engine's versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// The range.
    pub range: Range,
    /// How it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

impl PackageJson {
    /// Parses the bytes of the file that messages call `shown`.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it.
    pub fn parse(
        member: &MemberId,
        shown: &str,
        directory: Option<&RelativePath>,
        bytes: &[u8],
    ) -> Result<Self, Failure> {
        let read = || {
            let source = document::source(shown, bytes)?;
            let table = json::parse(&source)?;
            let mut errors = Vec::new();
            let mut package = read(source, directory, &table, &mut errors);
            let told = judged(&table, member);
            errors.extend(told.refused);
            package.notes = told.notes;
            sort_by_place(&mut errors);
            refuse_any(errors)?;
            Ok(package)
        };
        read().map_err(|failure| match failure {
            Failure::Refused(mut all) => {
                for error in &mut all {
                    error.requested_by = vec![member.to_string()];
                }
                Failure::Refused(all)
            }
            unable @ Failure::Unable(_) => unable,
        })
    }

    /// Every dependency with its kind.
    pub fn asked(&self) -> impl Iterator<Item = (Kind, &NpmName, &NpmDependency)> {
        self.dependencies
            .iter()
            .flat_map(|(kind, all)| all.iter().map(|(name, dependency)| (*kind, name, dependency)))
    }
}

/// What is told of the keys of the file and of those tables in it that others than npm read.
fn judged(table: &Table, member: &MemberId) -> Told {
    let mut told = npm::PACKAGE_JSON.judge_table(table, member);
    if let Some(pnpm) = table.table("pnpm") {
        told.extend(npm::PNPM.judge_table(pnpm, member));
    }
    told
}

fn read(
    source: Source,
    directory: Option<&RelativePath>,
    table: &Table,
    errors: &mut Vec<Diagnostic>,
) -> PackageJson {
    const TITLE: &str = "package.json";
    let mut reader = Reader::open(table, TITLE, errors);
    let name = reader.parsed("name");
    let version = reader.string("version").and_then(|version| {
        // npm takes it with the letter of a tag as well.
        let plain = version.value.trim_start_matches(['v', '=']);
        if is_version(plain) {
            return Some(Located { value: plain.to_owned(), place: version.place });
        }
        let message = format!("`version`: `{}` is not a version", version.value.escape_debug());
        reader.errors().push(Diagnostic::new(message).at(version.place, ""));
        None
    });
    let own = name.as_ref().map(|name: &Located<NpmName>| name.value.clone());
    let bin = bin(&mut reader, own.as_ref());
    let mut dependencies = BTreeMap::new();
    for kind in Kind::ALL {
        if let Some(list) = reader.table(kind.key()) {
            dependencies.insert(kind, list_of(list, kind, directory, reader.errors()));
        }
    }
    let mut optional_peers = Vec::new();
    for (peer, field) in reader.table("peerDependenciesMeta").into_iter().flat_map(Table::iter) {
        let optional = field.node.as_table().and_then(|meta| meta.get("optional"));
        if let (Ok(peer), Some(Value::Boolean(true))) = (peer.parse(), optional.map(|node| &node.value)) {
            optional_peers.push(peer);
        }
    }
    let mut scripts = BTreeMap::new();
    for (script, field) in reader.table("scripts").into_iter().flat_map(Table::iter) {
        if let (Ok(_), Some(text)) = (script.parse::<NpmScript>(), field.node.as_str()) {
            let place = field.node.place.clone();
            scripts.insert(script.to_owned(), Located { value: text.to_owned(), place });
        }
    }
    let (node, npm) = engines(&mut reader);
    let overrides = table.field("overrides").and_then(|field| {
        reader.table("overrides").map(|table| Located { value: table.clone(), place: field.key.clone() })
    });
    PackageJson {
        sha256: Sha256::of(source.text()),
        source,
        directory: directory.cloned(),
        name,
        version,
        dependencies,
        optional_peers,
        scripts,
        workspaces: workspaces(&mut reader),
        node,
        npm,
        overrides,
        bin,
        notes: Vec::new(),
    }
}

fn list_of(
    list: &Table,
    kind: Kind,
    directory: Option<&RelativePath>,
    errors: &mut Vec<Diagnostic>,
) -> BTreeMap<NpmName, NpmDependency> {
    let mut dependencies = BTreeMap::new();
    for (name, field) in list.iter() {
        let name = match name.parse::<NpmName>() {
            Ok(name) => name,
            Err(error) => {
                errors.push(Diagnostic::new(format!("`{}`: {error}", kind.key())).at(field.key.clone(), ""));
                continue;
            }
        };
        let place = field.node.place.clone();
        let Some(text) = field.node.as_str() else {
            let message = format!("`{name}` in `{}` must be a string, not {}", kind.key(), field.node.kind());
            errors.push(Diagnostic::new(message).at(place, ""));
            continue;
        };
        match Spec::parse(text, directory) {
            Ok(spec) => {
                dependencies.insert(name, NpmDependency { spec, text: text.to_owned(), place });
            }
            Err(error) => {
                let refused = Diagnostic::new(format!("`{name}` in `{}`: {error}", kind.key()));
                errors.push(refused.at(place, "").help(error.help()));
            }
        }
    }
    dependencies
}

/// `bin`: one path, whose command is the package's name, or a table.
fn bin(reader: &mut Reader<'_, '_>, name: Option<&NpmName>) -> BTreeMap<String, String> {
    let commands: Vec<(String, &Node)> = match reader.node("bin").map(|node| (node, &node.value)) {
        Some((node, Value::String(_))) => {
            name.map(|name| (name.base().to_owned(), node)).into_iter().collect()
        }
        Some((_, Value::Table(table))) => {
            table.iter().map(|(command, field)| (command.to_owned(), &field.node)).collect()
        }
        _ => Vec::new(),
    };
    let mut all = BTreeMap::new();
    for (command, node) in commands {
        match node.as_str().and_then(|path| command_of(&command, path)) {
            Some((command, path)) => drop(all.insert(command, path)),
            None => reader.errors().push(
                Diagnostic::new(format!("`bin`: `{}` is no command with a file", command.escape_debug()))
                    .at(node.place.clone(), ""),
            ),
        }
    }
    all
}

fn engines(reader: &mut Reader<'_, '_>) -> (Option<Engine>, Option<Engine>) {
    let Some(table) = reader.node("engines").and_then(Node::as_table) else { return (None, None) };
    let mut engine = |key: &str| {
        let node = table.get(key)?;
        let text = node.as_str()?;
        let place = node.place.clone();
        if let Ok(range) = Range::parse(text) {
            return Some(Engine { range, text: text.to_owned(), place });
        }
        let message = format!("`engines.{key}`: `{}` is not a range of versions", text.escape_debug());
        reader.errors().push(Diagnostic::new(message).at(place, ""));
        None
    };
    (engine("node"), engine("npm"))
}

/// An array of patterns, or a table that holds one under `packages`.
fn workspaces(reader: &mut Reader<'_, '_>) -> Vec<Located<String>> {
    let node = match reader.node("workspaces") {
        Some(Node { value: Value::Table(table), .. }) => table.get("packages"),
        other => other,
    };
    let mut patterns = Vec::new();
    for item in node.and_then(Node::as_array).unwrap_or_default() {
        let text = item.as_str().unwrap_or_default();
        let pattern = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
        if !pattern.is_empty() && super::glob::is_supported(pattern.trim_start_matches('!')) {
            patterns.push(Located { value: pattern.to_owned(), place: item.place.clone() });
        } else {
            let message = format!("`workspaces`: `{}` is not a pattern of directories", text.escape_debug());
            reader.errors().push(
                Diagnostic::new(message)
                    .at(item.place.clone(), "")
                    .help("write names with `*`, `?` and `**`, below the package's directory"),
            );
        }
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PackageJson, String> {
        let id: MemberId = "altar".parse().unwrap();
        let directory = "web".parse().unwrap();
        PackageJson::parse(&id, "extensions/altar/web/package.json", Some(&directory), text.as_bytes())
            .map_err(|failure| failure.to_string())
    }

    const WHOLE: &str = r#"{
  "name": "@altar/web", "version": "1.0.0-rc.1", "private": true,
  "dependencies": { "react": "^19.0.0", "old": "npm:react@18" },
  "devDependencies": { "vite": "latest", "own": "file:../own" },
  "peerDependencies": { "x": "1.x || >=2.5 <3" },
  "peerDependenciesMeta": { "x": { "optional": true } },
  "scripts": { "build": "vite build", "odd name": "x" },
  "engines": { "node": ">=24.18 <25", "npm": ">=11" },
  "workspaces": { "packages": ["./packages/*/", "!packages/old"] },
  "overrides": { "left-pad": "1.3.0" },
  "bin": "./bin/web.js"
}"#;

    #[test]
    fn every_part_is_read_with_its_place() {
        let package = parse(WHOLE).unwrap();
        let asked: Vec<String> = package
            .asked()
            .map(|(kind, name, dependency)| {
                format!("{} {name} {} {}", kind.key(), dependency.text, dependency.place)
            })
            .collect();
        assert_eq!(
            asked,
            [
                "dependencies old npm:react@18 extensions/altar/web/package.json:3:48",
                "dependencies react ^19.0.0 extensions/altar/web/package.json:3:30",
                "devDependencies own file:../own extensions/altar/web/package.json:4:49",
                "devDependencies vite latest extensions/altar/web/package.json:4:32",
                "peerDependencies x 1.x || >=2.5 <3 extensions/altar/web/package.json:5:30",
            ]
        );
        assert_eq!(package.scripts.keys().collect::<Vec<_>>(), ["build"]);
        assert_eq!(package.bin, BTreeMap::from([("web".to_owned(), "bin/web.js".to_owned())]));
        assert_eq!(package.optional_peers, ["x".parse().unwrap()]);
        assert!(package.node.unwrap().range.satisfies(&"24.21.0".parse().unwrap()));
        let patterns: Vec<&str> = package.workspaces.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(patterns, ["packages/*", "!packages/old"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let dependency = |spec: &str| format!("{{\"dependencies\": {{\"a\": {spec:?}}}}}");
        for (text, want) in [
            ("{\"name\": \"../x\"}".to_owned(), "`../x` is not an npm package name"),
            ("{\"version\": \"1;2\"}".to_owned(), "is not a version"),
            (
                "{\"dependencies\": {\"a/b\": \"1\"}}".to_owned(),
                "`dependencies`: `a/b` is not an npm package name",
            ),
            ("{\"dependencies\": {\"a\": 1}}".to_owned(), "must be a string, not an integer"),
            ("{\"dependencies\": []}".to_owned(), "must be a table, not an array"),
            (dependency("git+ssh://x/y.git"), "comes from git or an address"),
            (dependency("github:x/y"), "comes from git or an address"),
            (dependency("x/y"), "comes from git or an address"),
            (dependency("https://evil.example/x.tgz"), "comes from git or an address"),
            (dependency("workspace:*"), "npm does not know `workspace:`"),
            (dependency("link:../x"), "npm does not know `link:`"),
            (dependency("file:../../../x"), "leaves the member"),
            (dependency("file:/etc"), "leaves the member"),
            (dependency("~/x"), "leaves the member"),
            (dependency("npm:../x@1"), "is not an npm package name"),
            (dependency("1 $(id)"), "is not a range of versions or a tag"),
            (dependency("1\n2"), "is not a range of versions or a tag"),
            ("{\"engines\": {\"node\": \"new\"}}".to_owned(), "`engines.node`: `new` is not a range"),
            ("{\"workspaces\": [\"../x\"]}".to_owned(), "is not a pattern of directories"),
            ("{\"bin\": {\"a;b\": \"x\"}}".to_owned(), "is no command with a file"),
            ("{\"bin\": {\"a\": \"../../x\"}}".to_owned(), "is no command with a file"),
            ("{\"name\": 1}".to_owned(), "`name` in package.json must be a string"),
            ("{\"name\": \"a\", \"name\": \"b\"}".to_owned(), "duplicate key `name`"),
        ] {
            let error = parse(&text).expect_err(&text);
            assert!(error.contains(want), "{text}\n{want}\n--- not in ---\n{error}");
            assert!(error.contains("extensions/altar/web/package.json:1:"), "{error}");
            assert!(error.contains("requested by altar"), "{error}");
        }
    }
}
