//! Dependencies that go round: members that can only be had, moved or left out together.
//!
//! Runes do not depend on each other, so only distributions can.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use uv_pep508::MarkerTree;

use super::told::asked_by;
use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Place},
    name::PackageName,
    python::workspace::Part,
};

/// Where every body lives; what a marker rules out there is no dependency.
const HERE: &str = "sys_platform == 'linux' and implementation_name == 'cpython' and platform_python_implementation == 'CPython'";

/// Who needs whom, and where it is written.
type Needs<'a> = BTreeMap<usize, BTreeMap<usize, &'a Place>>;

/// Circles through more than one member, each told once, by its shortest way round.
pub(super) fn cycles(parts: &[Part]) -> Vec<Diagnostic> {
    let here: MarkerTree = HERE.parse().unwrap_or(MarkerTree::TRUE);
    let names: BTreeMap<&PackageName, usize> =
        parts.iter().enumerate().map(|(index, part)| (&part.manifest.project.name.value, index)).collect();
    let mut needs = Needs::new();
    for (index, part) in parts.iter().enumerate() {
        let of = needs.entry(index).or_default();
        for dependency in asked(part).filter(|one| !one.requirement.marker.is_disjoint(here)) {
            // A distribution that names itself asks for its own extras.
            if let Some(&other) = names.get(&dependency.requirement.name).filter(|&&other| other != index) {
                of.entry(other).or_insert(&dependency.place);
            }
        }
    }
    let mut wrong = Vec::new();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for start in 0..parts.len() {
        if told.contains(&start) {
            continue;
        }
        let Some(circle) = shortest(&needs, start) else { continue };
        let all: Vec<&Part> = circle.iter().filter_map(|&index| parts.get(index)).collect();
        let members: BTreeSet<_> = all.iter().map(|part| &part.member).collect();
        told.extend(&circle);
        // Within its own workspace a member may do as uv lets it.
        if members.len() > 1 {
            wrong.push(circle_of(&all, &circle, &needs));
        }
    }
    wrong
}

fn asked(part: &Part) -> impl Iterator<Item = &Dependency> {
    let build = part.manifest.build_system.iter().flat_map(|system| &system.requires);
    part.manifest.project.dependencies.iter().chain(build)
}

/// The shortest way from `start` back to it, without the end.
fn shortest(needs: &Needs<'_>, start: usize) -> Option<Vec<usize>> {
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut pending = VecDeque::from([start]);
    while let Some(index) = pending.pop_front() {
        for &next in needs.get(&index)?.keys() {
            if next == start {
                let mut way = vec![index];
                while let Some(&before) = way.last().filter(|&&at| at != start).and_then(|at| from.get(at)) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = from.entry(next) {
                entry.insert(index);
                pending.push_back(next);
            }
        }
    }
    None
}

fn circle_of(parts: &[&Part], circle: &[usize], needs: &Needs<'_>) -> Diagnostic {
    let mut titles: Vec<&str> = parts.iter().map(|part| part.title.as_str()).collect();
    titles.extend(titles.first().copied());
    let message = format!("the members' dependencies go round: {}", titles.join(" -> "));
    let mut diagnostic = Diagnostic::new(message);
    let ends = circle.iter().skip(1).chain(circle.first());
    for ((index, next), names) in circle.iter().zip(ends).zip(titles.windows(2)) {
        if let (Some(place), [one, other]) = (needs.get(index).and_then(|of| of.get(next)), names) {
            diagnostic = diagnostic.at((*place).clone(), format!("`{one}` needs `{other}`"));
        }
    }
    asked_by(diagnostic, parts.iter().map(|part| &part.member))
        .help("take one of these dependencies out, or put what both need into a member of its own")
}
