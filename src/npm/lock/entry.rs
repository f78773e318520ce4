//! One entry of `packages`: from the wire to what it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{InstallPath, Pins};
use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Node, Table, Value},
    name::npm::{NpmName, command_of, is_version},
    tree::RelativePath,
};

/// What a lock knows of one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it lies.
    pub path: InstallPath,
    /// Where its key stands in the lock.
    pub place: Place,
    /// What it is.
    pub package: Package,
    /// What it depends on, by the name it is found under.
    pub edges: BTreeMap<NpmName, Edge>,
    /// Whether a place that needs it can do without: `optional`.
    pub optional: bool,
    /// Commands, with their paths in the package.
    pub bin: BTreeMap<String, String>,
    /// `os`, `cpu` and `libc`, each as written; empty for any.
    pub os: Vec<String>,
    /// See `os`.
    pub cpu: Vec<String>,
    /// See `os`.
    pub libc: Vec<String>,
    /// `engines.node`, as written.
    pub node: Option<String>,
    /// `engines.npm`, as written.
    pub npm: Option<String>,
}

/// What lies at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Package {
    /// The root, or a directory of a member.
    Directory {
        /// Its name, when it has one.
        name: Option<NpmName>,
    },
    /// A link to such a directory.
    Link {
        /// The directory.
        target: InstallPath,
    },
    /// Part of the tarball of a package above.
    Bundled,
    /// A tarball of its own.
    Tarball {
        /// The name it has there; a place may call it otherwise.
        name: NpmName,
        /// Its version.
        version: String,
        /// Where it is had from.
        from: From,
        /// What it hashes to.
        pins: Pins,
        /// Whether it has install scripts.
        scripts: bool,
    },
}

/// Where a tarball is had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// An address, not judged yet.
    Address(String),
    /// A file below the workspace's root.
    File(RelativePath),
    /// The lock does not say.
    Unsaid,
}

/// A dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its kind.
    pub kind: EdgeKind,
    /// What is wanted, as written.
    pub wants: String,
}

/// How a package depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// It must be there.
    Required,
    /// It may be missing.
    Optional,
    /// A peer that must be there.
    Peer,
    /// A peer that may be missing; nothing is installed for it.
    OptionalPeer,
}

impl EdgeKind {
    /// Whether the package works without.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalPeer)
    }
}

/// Keys that npm writes (arborist's `shrinkwrap.js`) and that are read here or say nothing about a build.
const KNOWN: [&str; 39] = [
    "allowScripts",
    "bin",
    "bundleDependencies",
    "bundledDependencies",
    "cpu",
    "dependencies",
    "deprecated",
    "dev",
    "devDependencies",
    "devOptional",
    "engines",
    "extraneous",
    "funding",
    "gypfile",
    "hasInstallScript",
    "hasShrinkwrap",
    "ideallyInert",
    "inBundle",
    "integrity",
    "libc",
    "license",
    "link",
    "main",
    "name",
    "optional",
    "optionalDependencies",
    "os",
    "overrides",
    "packageExtensions",
    "packageManager",
    "patched",
    "peer",
    "peerDependencies",
    "peerDependenciesMeta",
    "private",
    "resolved",
    "scripts",
    "version",
    "workspaces",
];

pub(super) fn read(
    path: &InstallPath,
    table: &Table,
    key: &Place,
    unknown: &mut BTreeSet<String>,
    errors: &mut Vec<Diagnostic>,
) -> Option<Entry> {
    unknown.extend(table.iter().map(|(key, _)| key).filter(|key| !KNOWN.contains(key)).map(str::to_owned));
    let before = errors.len();
    let mut wrong = |place: &Place, message: String| {
        errors.push(Diagnostic::new(format!("`{}`: {message}", shown(path))).at(place.clone(), ""));
    };
    let name = match table.get("name") {
        Some(node) => match node.as_str().unwrap_or_default().parse::<NpmName>() {
            Ok(name) => Some(name),
            Err(error) => {
                wrong(&node.place, error.to_string());
                None
            }
        },
        None => path.installed_as(),
    };
    let package = if is(table, "link") {
        link(table, key, &mut wrong)
    } else if path.installed_as().is_none() {
        Some(Package::Directory { name: name.clone() })
    } else if is(table, "inBundle") {
        Some(Package::Bundled)
    } else {
        tarball(table, name.as_ref(), key, &mut wrong)
    };
    let edges = edges(table, package.as_ref(), &mut wrong);
    let bin = bin(table, name.as_ref(), &mut wrong);
    let engines = |key: &str| table.table("engines")?.get(key)?.as_str().map(str::to_owned);
    let entry = Entry {
        path: path.clone(),
        place: key.clone(),
        package: package?,
        edges,
        optional: is(table, "optional"),
        bin,
        os: words(table, "os"),
        cpu: words(table, "cpu"),
        libc: words(table, "libc"),
        node: engines("node"),
        npm: engines("npm"),
    };
    (errors.len() == before).then_some(entry)
}

fn shown(path: &InstallPath) -> &str {
    if path.is_root() { "the root" } else { path.as_str() }
}

fn is(table: &Table, key: &str) -> bool {
    table.get(key).is_some_and(|node| node.value == Value::Boolean(true))
}

/// One word or a list of words.
fn words(table: &Table, key: &str) -> Vec<String> {
    match table.get(key).map(|node| (&node.value, node)) {
        Some((Value::String(word), _)) => vec![word.clone()],
        Some((_, node)) => {
            node.as_array().unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_owned).collect()
        }
        None => Vec::new(),
    }
}

fn link(table: &Table, key: &Place, wrong: &mut impl FnMut(&Place, String)) -> Option<Package> {
    let node = table.get("resolved");
    let text = node.and_then(Node::as_str).unwrap_or_default();
    match text.parse::<InstallPath>() {
        Ok(target) if !target.is_root() && target.installed_as().is_none() => Some(Package::Link { target }),
        _ => {
            let place = node.map_or(key, |node| &node.place);
            wrong(
                place,
                format!("a link to `{}`, which is no directory below the root", text.escape_debug()),
            );
            None
        }
    }
}

fn tarball(
    table: &Table,
    name: Option<&NpmName>,
    key: &Place,
    wrong: &mut impl FnMut(&Place, String),
) -> Option<Package> {
    let version = match table.get("version").map(|node| (node, node.as_str().unwrap_or_default())) {
        Some((_, text)) if is_version(text) => text.to_owned(),
        Some((node, text)) => {
            wrong(&node.place, format!("`{}` is not a version", text.escape_debug()));
            return None;
        }
        None => {
            wrong(key, "it has no `version`".to_owned());
            return None;
        }
    };
    let from = match table.get("resolved").map(|node| (node, node.as_str().unwrap_or_default())) {
        None => From::Unsaid,
        Some((_, text)) if text.starts_with("https://") || text.starts_with("http://") => {
            From::Address(text.to_owned())
        }
        Some((node, text)) if text.starts_with("file:") => {
            match text.trim_start_matches("file:").trim_start_matches("./").parse::<RelativePath>() {
                Ok(path) => From::File(path),
                Err(error) => {
                    wrong(&node.place, error.to_string());
                    return None;
                }
            }
        }
        Some((node, text)) => {
            let what =
                if text.contains("git") { "comes from git" } else { "has an address nobody can fetch" };
            wrong(&node.place, format!("it {what}: `{}`", text.escape_debug()));
            return None;
        }
    };
    let pins = match table.get("integrity") {
        Some(node) => Pins::parse(node.as_str().unwrap_or_default()),
        None => Pins::Missing,
    };
    let scripts = is(table, "hasInstallScript");
    Some(Package::Tarball { name: name?.clone(), version, from, pins, scripts })
}

/// The dependencies of an entry. What is optional is not required, whatever the other lists say; development
/// counts for the members' own packages alone.
fn edges(
    table: &Table,
    package: Option<&Package>,
    wrong: &mut impl FnMut(&Place, String),
) -> BTreeMap<NpmName, Edge> {
    let own = matches!(package, Some(Package::Directory { .. }));
    let optional_peer = |name: &str| {
        let meta = table.table("peerDependenciesMeta").and_then(|all| all.table(name));
        meta.is_some_and(|meta| is(meta, "optional"))
    };
    let mut edges = BTreeMap::new();
    let lists = [
        ("peerDependencies", EdgeKind::Peer),
        ("devDependencies", EdgeKind::Required),
        ("dependencies", EdgeKind::Required),
        ("optionalDependencies", EdgeKind::Optional),
    ];
    for (key, kind) in lists.into_iter().filter(|(key, _)| own || *key != "devDependencies") {
        for (name, field) in table.table(key).into_iter().flat_map(Table::iter) {
            let kind = match kind {
                EdgeKind::Peer if optional_peer(name) => EdgeKind::OptionalPeer,
                kind => kind,
            };
            match name.parse::<NpmName>() {
                Ok(name) => {
                    let wants = field.node.as_str().unwrap_or_default().to_owned();
                    edges.insert(name, Edge { kind, wants });
                }
                Err(error) => wrong(&field.key, error.to_string()),
            }
        }
    }
    edges
}

fn bin(
    table: &Table,
    name: Option<&NpmName>,
    wrong: &mut impl FnMut(&Place, String),
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let commands: Vec<(&str, &Node)> = match table.get("bin").map(|node| (node, &node.value)) {
        Some((node, Value::String(_))) => name.map(|name| (name.base(), node)).into_iter().collect(),
        Some((_, Value::Table(table))) => table.iter().map(|(key, field)| (key, &field.node)).collect(),
        _ => Vec::new(),
    };
    for (command, node) in commands {
        let path = node.as_str().unwrap_or_default();
        match command_of(command, path) {
            Some((command, path)) => drop(all.insert(command, path)),
            None => wrong(
                &node.place,
                format!(
                    "the command `{}` is no plain file `{}`",
                    command.escape_debug(),
                    path.escape_debug()
                ),
            ),
        }
    }
    all
}
