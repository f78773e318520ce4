//! What `npm ci` installs of a lock on one platform.
//!
//! npm reads the platform from the lock's entries, skips what is optional and foreign together with what only that
//! needs (arborist's `optional-set.js`), and refuses what is needed and foreign. Packages for development are
//! needed: front ends are built with them.

use std::collections::{BTreeMap, BTreeSet};

use nodejs_semver::Version;

use super::{
    flags,
    requested_by::{RequestedBy, named},
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::{MemberId, Platform},
    npm::lock::{Edge, EdgeKind, Entry, InstallPath, NpmLock, Package},
    tools::node::NPM,
};

/// What a lock is installed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTarget {
    cpu: &'static str,
    node: Version,
    npm: Version,
}

impl NodeTarget {
    /// Linux with glibc on `platform`, with this Node.
    ///
    /// # Errors
    /// Unable when `node` is no version.
    pub fn new(platform: Platform, node: &str) -> Result<Self, Failure> {
        let version = |text: &str| {
            Version::parse(text).map_err(|_| {
                Failure::unable(Diagnostic::new(format!("`{}` is not a version", text.escape_debug())))
            })
        };
        let cpu = match platform {
            Platform::X86_64Linux => "x64",
            Platform::Aarch64Linux => "arm64",
        };
        Ok(Self { cpu, node: version(node)?, npm: version(NPM)? })
    }

    fn takes_platform(&self, entry: &Entry) -> bool {
        flags::fits("linux", &entry.os)
            && flags::fits(self.cpu, &entry.cpu)
            && flags::fits("glibc", &entry.libc)
    }

    fn takes_engines(&self, entry: &Entry) -> bool {
        flags::meets(&self.node, entry.node.as_ref()) && flags::meets(&self.npm, entry.npm.as_ref())
    }
}

/// What is installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The places, members' own directories among them.
    pub places: BTreeSet<InstallPath>,
    /// Which members reach each place; also of places that are left out.
    pub requested_by: BTreeMap<InstallPath, BTreeSet<MemberId>>,
}

/// Selects from `lock` what the packages at `roots` need.
///
/// # Errors
/// Refused when something that is needed is missing, or is for other platforms.
pub fn select(
    lock: &NpmLock,
    roots: &BTreeMap<InstallPath, MemberId>,
    target: &NodeTarget,
) -> Result<Selected, Failure> {
    let graph = Graph::of(lock);
    let requested_by = reach(&graph, roots);
    refuse_any(missing(lock, &graph, &requested_by))?;
    let mut left_out: BTreeSet<&str> = BTreeSet::new();
    let mut errors = Vec::new();
    for path in requested_by.keys() {
        let Some(entry) = lock.entries.get(path) else { continue };
        if !matches!(entry.package, Package::Tarball { .. } | Package::Bundled) {
            continue;
        }
        let fits = target.takes_platform(entry);
        if entry.optional && !(fits && target.takes_engines(entry)) {
            left_out.extend(graph.optional_set(path));
        } else if !fits {
            errors.push(foreign(entry, &requested_by, target));
        }
    }
    refuse_any(errors)?;
    let stays = |path: &&InstallPath| {
        let mut above = Some(path.as_str());
        while let Some(here) = above {
            if left_out.contains(here) {
                return false;
            }
            above = here.rsplit_once('/').map(|(above, _)| above);
        }
        true
    };
    let places = requested_by.keys().filter(stays).cloned().collect();
    Ok(Selected { places, requested_by })
}

fn foreign(entry: &Entry, requested_by: &RequestedBy, target: &NodeTarget) -> Diagnostic {
    let wants: Vec<String> = [("os", &entry.os), ("cpu", &entry.cpu), ("libc", &entry.libc)]
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(key, list)| format!("{key} {}", list.join(", ").escape_debug()))
        .collect();
    let message = format!("`{}` is needed, and is not for linux, {}, glibc", entry.path, target.cpu);
    let mut diagnostic = Diagnostic::new(message)
        .at(entry.place.clone(), format!("is for {}", wants.join("; ")))
        .help("depend on it with `optionalDependencies`, or leave it out");
    diagnostic.requested_by = named(requested_by.get(&entry.path));
    diagnostic
}

/// Edges that lead somewhere, both ways; places are numbered in their order.
struct Graph<'a> {
    paths: Vec<&'a InstallPath>,
    numbers: BTreeMap<&'a InstallPath, usize>,
    out: Vec<Vec<(&'a Edge, usize)>>,
    into: Vec<Vec<(&'a Edge, usize)>>,
}

impl<'a> Graph<'a> {
    fn of(lock: &'a NpmLock) -> Self {
        let paths: Vec<&InstallPath> = lock.entries.keys().collect();
        let numbers: BTreeMap<&InstallPath, usize> =
            paths.iter().enumerate().map(|(number, path)| (*path, number)).collect();
        let empty = vec![Vec::new(); paths.len()];
        let mut graph = Self { paths, numbers, out: empty.clone(), into: empty };
        for (from, (path, entry)) in lock.entries.iter().enumerate() {
            for (name, edge) in &entry.edges {
                if let Some(to) = lock.resolve(path, name) {
                    graph.add(edge, from, &to.path);
                }
            }
            if let Package::Link { target } = &entry.package {
                graph.add(&LINK, from, target);
            }
        }
        graph
    }

    fn add(&mut self, edge: &'a Edge, from: usize, to: &InstallPath) {
        let Some(&to) = self.numbers.get(to) else { return };
        if let (Some(out), Some(into)) = (self.out.get_mut(from), self.into.get_mut(to)) {
            out.push((edge, to));
            into.push((edge, from));
        }
    }

    fn number(&self, path: &InstallPath) -> Option<usize> {
        self.numbers.get(path).copied()
    }

    fn out(&self, number: usize) -> &[(&'a Edge, usize)] {
        self.out.get(number).map_or(&[], Vec::as_slice)
    }

    fn into(&self, number: usize) -> &[(&'a Edge, usize)] {
        self.into.get(number).map_or(&[], Vec::as_slice)
    }

    fn is_installed(&self, number: usize) -> bool {
        self.paths.get(number).is_some_and(|path| path.installed_as().is_some())
    }

    /// What goes when an optional package goes: what cannot do without it, and what only these need.
    fn optional_set(&self, path: &InstallPath) -> Vec<&'a str> {
        let mut core = BTreeSet::from_iter(self.number(path));
        let mut pending: Vec<usize> = core.iter().copied().collect();
        while let Some(here) = pending.pop() {
            for &(edge, from) in self.into(here) {
                if !edge.kind.is_optional() && self.is_installed(from) && core.insert(from) {
                    pending.push(from);
                }
            }
        }
        let mut set = core.clone();
        let mut pending: Vec<usize> = core.iter().copied().collect();
        while let Some(here) = pending.pop() {
            pending.extend(self.out(here).iter().map(|&(_, to)| to).filter(|&to| set.insert(to)));
        }
        // What is needed from outside stays, and then what that needs.
        let outside = |one: &usize, set: &BTreeSet<usize>| {
            !core.contains(one) && self.into(*one).iter().any(|(_, from)| !set.contains(from))
        };
        let mut pending: Vec<usize> = set.iter().copied().filter(|one| outside(one, &set)).collect();
        while let Some(here) = pending.pop() {
            if set.remove(&here) {
                pending.extend(self.out(here).iter().map(|&(_, to)| to).filter(|to| !core.contains(to)));
            }
        }
        set.into_iter().filter_map(|number| self.paths.get(number).map(|path| path.as_str())).collect()
    }
}

/// A link leads to its directory.
static LINK: Edge = Edge { kind: EdgeKind::Required, wants: String::new() };

/// Which members reach each place. A peer that may be missing is no reason to install anything.
fn reach(graph: &Graph<'_>, roots: &BTreeMap<InstallPath, MemberId>) -> RequestedBy {
    let mut requested_by = RequestedBy::new();
    for (root, member) in roots {
        let mut pending: Vec<usize> = graph.number(root).into_iter().collect();
        while let Some(here) = pending.pop() {
            let Some(path) = graph.paths.get(here) else { continue };
            if !requested_by.entry((*path).clone()).or_default().insert(member.clone()) {
                continue;
            }
            let needed = graph.out(here).iter().filter(|(edge, _)| edge.kind != EdgeKind::OptionalPeer);
            pending.extend(needed.map(|(_, to)| *to));
        }
    }
    requested_by
}

/// What is needed and not in the lock. npm itself would refuse such a lock.
fn missing(lock: &NpmLock, graph: &Graph<'_>, requested_by: &RequestedBy) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for (path, entry) in lock.entries.iter().filter(|(path, _)| requested_by.contains_key(path)) {
        if graph.number(path).is_some_and(|number| graph.out(number).len() >= entry.edges.len()) {
            continue;
        }
        for (name, edge) in entry.edges.iter().filter(|(_, edge)| edge.kind == EdgeKind::Required) {
            if lock.resolve(path, name).is_none() {
                let by = if path.is_root() { "the root" } else { path.as_str() };
                let mut diagnostic =
                    Diagnostic::new(format!("`{by}` needs `{name}`, which is not in the lock"))
                        .at(entry.place.clone(), format!("wants `{}`", edge.wants.escape_debug()))
                        .help("repair the lock, or remove it to lock anew");
                diagnostic.requested_by = named(requested_by.get(path));
                errors.push(diagnostic);
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn selected(packages: &str) -> Result<Vec<String>, String> {
        let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{{packages}}}}}");
        let lock = NpmLock::read(&Source::new("synthesis/package-lock.json", text)).unwrap();
        let roots = BTreeMap::from([("web".parse().unwrap(), "altar".parse().unwrap())]);
        let target = NodeTarget::new(Platform::X86_64Linux, "24.21.0").unwrap();
        select(&lock, &roots, &target)
            .map(|selected| selected.places.iter().map(ToString::to_string).collect())
            .map_err(|failure| failure.to_string())
    }

    fn package(name: &str, rest: &str) -> String {
        format!("\"node_modules/{name}\": {{\"version\": \"1.0.0\"{rest}}}")
    }

    #[test]
    fn optional_foreign_packages_go_with_what_only_they_need() {
        let lock = [
            r#""web": {"optionalDependencies": {"a": "1"}, "devDependencies": {"d": "1"}}"#.to_owned(),
            package("a", r#", "optional": true, "dependencies": {"b": "1", "shared": "1", "only": "1"}"#),
            package("b", r#", "optional": true, "os": ["darwin"]"#),
            package("only", r#", "optional": true, "dependencies": {"deep": "1"}"#),
            package("deep", r#", "optional": true"#),
            package("shared", ""),
            package(
                "d",
                r#", "dev": true, "dependencies": {"shared": "1"}, "optionalDependencies": {"e": "1"}"#,
            ),
            package("e", r#", "optional": true, "engines": {"node": ">=26"}"#),
            package("nobody", ""),
        ];
        assert_eq!(selected(&lock.join(",")).unwrap(), ["node_modules/d", "node_modules/shared", "web"]);
    }

    #[test]
    fn what_is_needed_and_foreign_or_missing_is_refused() {
        let web = r#""web": {"dependencies": {"a": "^1"}}"#.to_owned();
        let foreign =
            selected(&[web.clone(), package("a", r#", "cpu": ["arm64"], "libc": ["musl"]"#)].join(","));
        let error = foreign.unwrap_err();
        for want in [
            "`node_modules/a` is needed, and is not for linux, x64, glibc",
            "at synthesis/package-lock.json:1:74: is for cpu arm64; libc musl",
            "requested by altar",
        ] {
            assert!(error.contains(want), "{error}");
        }
        let error = selected(&web).unwrap_err();
        assert!(
            error.contains("`web` needs `a`, which is not in the lock") && error.contains("wants `^1`"),
            "{error}"
        );
    }
}
