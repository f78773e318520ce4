//! The traversal of a lock's edges, in uv's order: selected conflicts, then (only when the lock declares conflicts)
//! a pass that finds the extras which edges switch on, then the pass that takes edges.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
};

use uv_pep508::MarkerTree;

use super::{
    reached::{Closure, Reached},
    selection::Selection,
    target::Target,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::{ExtraName, GroupName, PackageName},
    python::lock::{ConflictItem, ConflictKind, Dependency, Package, PackageIndex, Requirement, UvLock},
};

/// A part of a package that can be switched on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'l> {
    /// Name and production dependencies.
    Base,
    /// An extra.
    Extra(&'l ExtraName),
    /// A group of a root.
    Group(&'l GroupName),
}

type Node<'l> = (PackageIndex, Part<'l>);

/// A walk under way.
pub(super) struct Walk<'l> {
    lock: &'l UvLock,
    target: &'l Target,
    /// Conflict items that are active, in the encoding of edge markers; empty without conflicts.
    active: Vec<ExtraName>,
    /// The extras among them, each with the edge that switched it on; `None` for the selection's own.
    active_extras: BTreeMap<(&'l PackageName, &'l ExtraName), Option<&'l Dependency>>,
    /// What is still to be followed.
    queue: VecDeque<Node<'l>>,
    /// Under which conditions a node is reached, for the first pass over a lock with conflicts.
    conditions: BTreeMap<Node<'l>, MarkerTree>,
    edges: BTreeMap<Node<'l>, BTreeSet<Node<'l>>>,
    installed: BTreeSet<PackageIndex>,
    roots: BTreeSet<PackageIndex>,
    /// Answers for markers that do not depend on what is active.
    answers: RefCell<BTreeMap<MarkerTree, bool>>,
}

impl<'l> Walk<'l> {
    pub(super) fn new(lock: &'l UvLock, target: &'l Target) -> Self {
        Self {
            lock,
            target,
            active: Vec::new(),
            active_extras: BTreeMap::new(),
            queue: VecDeque::new(),
            conditions: BTreeMap::new(),
            edges: BTreeMap::new(),
            installed: BTreeSet::new(),
            roots: BTreeSet::new(),
            answers: RefCell::default(),
        }
    }

    /// Two items of one set that the selection itself names.
    pub(super) fn refuse_selected_conflicts(&self, selection: &Selection) -> Result<(), Failure> {
        let selected = |item: &&ConflictItem| {
            let Some(root) = selection.roots.get(&item.package) else { return false };
            match &item.kind {
                ConflictKind::Project => selection.production,
                ConflictKind::Extra(extra) => selection.production && root.extras.contains(extra),
                ConflictKind::Group(group) => root.groups.contains(group),
            }
        };
        let clash = |set: &BTreeSet<ConflictItem>| {
            let items: Vec<String> = set.iter().filter(selected).map(ToString::to_string).collect();
            (items.len() > 1).then(|| conflict(&items))
        };
        refuse_any(self.lock.conflicts.iter().filter_map(clash).collect())
    }

    /// Two extras of one set of which edges switched on one at least.
    pub(super) fn refuse_active_conflicts(&self) -> Result<(), Failure> {
        let active = |item: &ConflictItem| match &item.kind {
            ConflictKind::Extra(extra) => self.active_extras.get(&(&item.package, extra)).copied(),
            ConflictKind::Project | ConflictKind::Group(_) => None,
        };
        let clash = |set: &BTreeSet<ConflictItem>| {
            let items: Vec<_> = set.iter().filter_map(|item| Some((item, active(item)?))).collect();
            let names: Vec<String> = items.iter().map(|(item, _)| item.to_string()).collect();
            (names.len() > 1).then(|| {
                let places = items.iter().filter_map(|(item, edge)| Some((item, (*edge)?)));
                places.fold(conflict(&names), |refusal, (item, edge)| {
                    refusal.at(self.lock.at(&edge.span), format!("switches on {item}"))
                })
            })
        };
        refuse_any(self.lock.conflicts.iter().filter_map(clash).collect())
    }

    /// Puts the roots, their extras and their groups on the queue.
    pub(super) fn start(&mut self, roots: &[PackageIndex], selection: &Selection) -> Result<(), Failure> {
        let lock = self.lock;
        let packages: Vec<(PackageIndex, &'l Package)> =
            roots.iter().filter_map(|index| Some((*index, lock.package(*index)?))).collect();
        self.roots.extend(roots);
        for (_, package) in &packages {
            let Some(root) = selection.roots.get(&package.id.name) else { continue };
            if selection.production {
                self.activate(&ConflictKind::Project, &package.id.name);
                for extra in package.optional.keys().filter(|extra| root.extras.contains(extra)) {
                    self.activate_extra(&package.id.name, extra, None);
                }
            }
            for group in package.groups.keys().filter(|group| root.groups.contains(group)) {
                self.activate(&ConflictKind::Group(group.clone()), &package.id.name);
            }
        }
        for (index, package) in &packages {
            let Some(root) = selection.roots.get(&package.id.name) else { continue };
            if selection.production {
                self.installed.insert(*index);
                self.enqueue((*index, Part::Base), MarkerTree::TRUE);
                for extra in package.optional.keys().filter(|extra| root.extras.contains(extra)) {
                    self.enqueue((*index, Part::Extra(extra)), MarkerTree::TRUE);
                }
            }
            for (group, edges) in package.groups.iter().filter(|(group, _)| root.groups.contains(group)) {
                for edge in edges {
                    self.follow_group_edge((*index, Part::Group(group)), edge);
                }
            }
        }
        if selection.production {
            for requirement in &lock.manifest.requirements {
                self.follow_requirement(requirement)?;
            }
        }
        for (_, requirements) in
            lock.manifest.groups.iter().filter(|(group, _)| selection.manifest_groups.contains(group))
        {
            for requirement in requirements {
                self.follow_requirement(requirement)?;
            }
        }
        Ok(())
    }

    fn follow_group_edge(&mut self, from: Node<'l>, edge: &'l Dependency) {
        let fresh = self.extras_switched_on(edge);
        if !self.holds_with(edge.marker, &fresh) {
            return;
        }
        for (name, extra) in fresh {
            self.activate_extra(name, extra, Some(edge));
        }
        self.take(from, edge);
        for node in nodes_of(edge) {
            self.enqueue(node, edge.marker);
        }
    }

    /// A requirement of the manifest means the entry whose fork covers the target.
    fn follow_requirement(&mut self, requirement: &'l Requirement) -> Result<(), Failure> {
        if !self.target.satisfies(requirement.marker, &[]) {
            return Ok(());
        }
        let lives = |package: &Package| {
            package.forks.is_empty() || package.forks.iter().any(|fork| self.target.satisfies(*fork, &[]))
        };
        let mut entries =
            self.lock.entries().filter(|(_, package)| package.id.name == requirement.name && lives(package));
        let (Some((index, package)), None) = (entries.next(), entries.next()) else {
            let message = format!("the lock does not have one `{}` for this requirement", requirement.name);
            return Err(Diagnostic::new(message).at(self.lock.at(&requirement.span), "").into());
        };
        drop(entries);
        self.installed.insert(index);
        self.enqueue((index, Part::Base), MarkerTree::TRUE);
        for extra in &requirement.extras {
            if !self.lock.conflicts.is_empty() {
                self.activate_extra(&package.id.name, extra, None);
            }
            self.enqueue((index, Part::Extra(extra)), MarkerTree::TRUE);
        }
        Ok(())
    }

    /// First pass, only for locks with conflicts: finds all extras that edges switch on, because the markers of
    /// other edges ask for them. An edge's marker only means something together with the conditions under which
    /// its package is reached, so these are carried along.
    pub(super) fn activate_extras(&mut self) {
        let mut queue = self.queue.clone();
        let mut conditions = self.conditions.clone();
        while let Some(node) = queue.pop_front() {
            let Some(above) = conditions.get(&node).copied() else { continue };
            for edge in self.edges_of(node) {
                let condition = edge.marker.and(above);
                let fresh = self.extras_switched_on(edge);
                if !self.holds_with(condition, &fresh) {
                    continue;
                }
                for (name, extra) in fresh {
                    self.activate_extra(name, extra, Some(edge));
                }
                for next in nodes_of(edge) {
                    let before = conditions.get(&next).copied();
                    let after = before.map_or(condition, |before| before.or(condition));
                    if before != Some(after) {
                        conditions.insert(next, after);
                        queue.push_back(next);
                    }
                }
            }
        }
    }

    /// Second pass: takes every edge whose marker holds.
    pub(super) fn follow(&mut self) {
        let mut seen: BTreeSet<Node<'l>> = BTreeSet::new();
        while let Some(node) = self.queue.pop_front() {
            if !seen.insert(node) {
                continue;
            }
            for edge in self.edges_of(node) {
                if self.holds(edge.marker) {
                    self.take(node, edge);
                    self.queue.extend(nodes_of(edge));
                }
            }
        }
    }

    pub(super) fn finish(self) -> Closure {
        let name_of = |index: &PackageIndex| self.lock.package(*index).map(|package| &package.id.name);
        let mut reached: BTreeMap<PackageIndex, Reached> =
            self.installed.iter().map(|index| (*index, Reached::default())).collect();
        let mut parts: BTreeMap<PackageIndex, Vec<Node<'l>>> = BTreeMap::new();
        for (node, nexts) in &self.edges {
            parts.entry(node.0).or_default().push(*node);
            if let Some(entry) = reached.get_mut(&node.0) {
                let others = nexts.iter().filter(|next| next.0 != node.0);
                entry.dependencies.extend(others.filter_map(|next| name_of(&next.0)).cloned());
            }
        }
        let is_tree = |index: &PackageIndex| {
            self.lock.package(*index).is_some_and(|package| package.id.source.is_tree())
        };
        let sources: BTreeSet<PackageIndex> =
            parts.keys().filter(|index| is_tree(index) || self.roots.contains(index)).copied().collect();
        for source in sources {
            let Some(name) = name_of(&source) else { continue };
            let mut pending = parts.get(&source).cloned().unwrap_or_default();
            let mut seen: BTreeSet<Node<'l>> = pending.iter().copied().collect();
            while let Some(node) = pending.pop() {
                for next in self.edges.get(&node).into_iter().flatten() {
                    if seen.insert(*next) {
                        pending.push(*next);
                    }
                }
            }
            for index in seen.iter().map(|node| node.0).filter(|index| *index != source) {
                if let Some(entry) = reached.get_mut(&index) {
                    entry.requested_by.insert(name.clone());
                }
            }
        }
        Closure { reached }
    }

    fn enqueue(&mut self, node: Node<'l>, condition: MarkerTree) {
        let before = self.conditions.get(&node).copied().unwrap_or(MarkerTree::FALSE);
        self.conditions.insert(node, before.or(condition));
        self.queue.push_back(node);
    }

    fn take(&mut self, from: Node<'l>, edge: &'l Dependency) {
        self.installed.insert(edge.package);
        self.edges.entry(from).or_default().extend(nodes_of(edge));
    }

    fn edges_of(&self, node: Node<'l>) -> &'l [Dependency] {
        let Some(package) = self.lock.package(node.0) else { return &[] };
        match node.1 {
            Part::Base => &package.dependencies,
            Part::Extra(extra) => package.optional.get(extra).map(Vec::as_slice).unwrap_or_default(),
            // Followed once, at the start: only a root's groups count.
            Part::Group(_) => &[],
        }
    }

    fn extras_switched_on(&self, edge: &'l Dependency) -> Vec<(&'l PackageName, &'l ExtraName)> {
        let Some(package) = self.lock.package(edge.package) else { return Vec::new() };
        let pairs = edge.extras.iter().map(|extra| (&package.id.name, extra));
        pairs.filter(|pair| !self.active_extras.contains_key(pair)).collect()
    }

    fn activate_extra(&mut self, package: &'l PackageName, extra: &'l ExtraName, by: Option<&'l Dependency>) {
        if let Entry::Vacant(entry) = self.active_extras.entry((package, extra)) {
            entry.insert(by);
            self.activate(&ConflictKind::Extra(extra.clone()), package);
        }
    }

    fn activate(&mut self, kind: &ConflictKind, package: &PackageName) {
        // Without conflicts no marker can ask for them.
        if !self.lock.conflicts.is_empty() {
            self.active.extend(encoded(kind, package));
        }
    }

    fn holds(&self, marker: MarkerTree) -> bool {
        if marker.is_true() {
            return true;
        }
        if let Some(answer) = self.answers.borrow().get(&marker) {
            return *answer;
        }
        let answer = self.target.satisfies(marker, &self.active);
        self.answers.borrow_mut().insert(marker, answer);
        answer
    }

    fn holds_with(&self, marker: MarkerTree, fresh: &[(&PackageName, &ExtraName)]) -> bool {
        if marker.is_true() {
            return true;
        }
        let mut active = self.active.clone();
        let kind = |extra: &ExtraName| ConflictKind::Extra(extra.clone());
        active.extend(fresh.iter().filter_map(|(package, extra)| encoded(&kind(extra), package)));
        self.target.satisfies(marker, &active)
    }
}

/// What an edge leads to: the package, and its extras.
fn nodes_of(edge: &Dependency) -> impl Iterator<Item = Node<'_>> {
    let extras = edge.extras.iter().map(|extra| (edge.package, Part::Extra(extra)));
    std::iter::once((edge.package, Part::Base)).chain(extras)
}

/// uv's spelling of a conflict item inside a marker; the number is the length of the package's name in bytes.
fn encoded(kind: &ConflictKind, package: &PackageName) -> Option<ExtraName> {
    let length = package.as_str().len();
    let text = match kind {
        ConflictKind::Project => format!("project-{length}-{package}"),
        ConflictKind::Extra(extra) => format!("extra-{length}-{package}-{extra}"),
        ConflictKind::Group(group) => format!("group-{length}-{package}-{group}"),
    };
    ExtraName::from_owned(text).ok()
}

fn conflict(items: &[String]) -> Diagnostic {
    Diagnostic::new(format!("the lock declares {} incompatible", items.join(" and ")))
        .help("select one of them, or change `[tool.uv] conflicts` and lock again")
}
