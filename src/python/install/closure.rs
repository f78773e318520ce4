//! Which entries of a lock one environment consists of, and who reaches them.

use std::collections::BTreeMap;

use uv_pep508::MarkerTree;

use super::{reached::Closure, selection::Selection, target::Target, walk::Walk};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::PackageName,
    python::lock::{Package, PackageIndex, UvLock},
};

/// Follows the lock's edges from the selected roots, as uv does.
///
/// # Errors
/// All that forbids the environment: `requires-python`, `supported-markers`, roots that are not in the lock, a
/// selection that the lock declares conflicting, two entries with one name.
pub fn closure(lock: &UvLock, target: &Target, selection: &Selection) -> Result<Closure, Failure> {
    check_environment(lock, target)?;
    let roots = find_roots(lock, selection)?;
    let mut walk = Walk::new(lock, target);
    walk.refuse_selected_conflicts(selection)?;
    walk.start(&roots, selection)?;
    if !lock.conflicts.is_empty() {
        walk.activate_extras();
        walk.refuse_active_conflicts()?;
    }
    walk.follow();
    let closure = walk.finish();
    refuse_twins(lock, &closure)?;
    Ok(closure)
}

fn check_environment(lock: &UvLock, target: &Target) -> Result<(), Failure> {
    let at_start = |message: String| Diagnostic::new(message).at(lock.at(&(0..0)), "");
    let mut refusals = Vec::new();
    if !lock.requires_python.contains(&target.python().only_release()) {
        refusals.push(
            at_start(format!("the lock requires Python {}, not {}", lock.requires_python, target.python()))
                .help("choose another `[image] python`, or widen `requires-python` of the members and lock again"),
        );
    }
    let holds = |markers: &[MarkerTree]| {
        markers.is_empty() || markers.iter().any(|marker| target.satisfies(*marker, &[]))
    };
    if !holds(&lock.supported) {
        let message = format!("the lock's `supported-markers` exclude {}", target.describe());
        refusals.push(at_start(message).help("widen `[tool.uv] environments` and lock again"));
    } else if refusals.is_empty() && !holds(&lock.forks) {
        refusals.push(at_start(format!("no fork of the lock covers {}", target.describe())));
    }
    refuse_any(refusals)
}

/// The entries of the roots, in the order of their names.
fn find_roots(lock: &UvLock, selection: &Selection) -> Result<Vec<PackageIndex>, Failure> {
    let mut found = Vec::new();
    let mut refusals = Vec::new();
    for name in selection.roots.keys() {
        let mut entries = lock.entries().filter(|(_, package)| package.id.name == *name);
        match (entries.next(), entries.next()) {
            (Some((index, _)), None) => found.push(index),
            (None, _) => refusals.push(Diagnostic::new(format!("the lock has no package `{name}`"))),
            (Some((_, one)), Some((_, other))) => refusals.push(
                Diagnostic::new(format!(
                    "the lock has more than one package `{name}`, so it cannot be a root"
                ))
                .at(lock.at(&one.span), "")
                .at(lock.at(&other.span), ""),
            ),
        }
    }
    refuse_any(refusals)?;
    Ok(found)
}

fn refuse_twins(lock: &UvLock, closure: &Closure) -> Result<(), Failure> {
    let mut by_name: BTreeMap<&PackageName, &Package> = BTreeMap::new();
    let mut refusals = Vec::new();
    for (index, reached) in &closure.reached {
        let Some(package) = lock.package(*index) else { continue };
        if let Some(other) = by_name.insert(&package.id.name, package) {
            let mut refusal =
                Diagnostic::new(format!("the lock puts two `{}` in one environment", package.id.name))
                    .at(lock.at(&package.span), format!("{} from {}", package.id, package.id.source))
                    .at(lock.at(&other.span), format!("{} from {}", other.id, other.id.source));
            refusal.requested_by = reached.requested_by.iter().map(ToString::to_string).collect();
            refusals.push(refusal);
        }
    }
    refuse_any(refusals)
}
