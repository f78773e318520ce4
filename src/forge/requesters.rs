//! Who asked for what a build failed on.
//!
//! Requesters are no part of a package's derivation: who asks changes more often than the package, and must not
//! rebuild it. So they are looked up here.

use std::collections::BTreeSet;

use super::executor::NotBuilt;
use crate::{
    diagnostic::Failure,
    name::{MemberId, derivation},
    synthesis::Synthesis,
};

/// What is told of a build that failed, with the members that asked for the packages whose derivations did, and last
/// what there is to do.
#[must_use]
pub fn with_requesters(not_built: NotBuilt, synthesis: &Synthesis, remedies: &[String]) -> Failure {
    let NotBuilt { failure, derivations, missing: _ } = not_built;
    let Failure::Refused(mut diagnostics) = failure else { return failure };
    let asked: BTreeSet<String> = requesters(synthesis)
        .filter(|(name, _)| derivations.contains(name))
        .flat_map(|(_, by)| by.into_iter().map(ToString::to_string))
        .collect();
    for diagnostic in &mut diagnostics {
        diagnostic.requested_by.extend(asked.iter().cloned());
        diagnostic.help.extend(remedies.iter().cloned());
    }
    Failure::Refused(diagnostics)
}

/// Derivation names of all packages and of what members build, with those who asked for them.
fn requesters(synthesis: &Synthesis) -> impl Iterator<Item = (String, Vec<&MemberId>)> {
    let built = synthesis.build_environments.iter().flat_map(|environment| &environment.packages);
    let python = synthesis.python_packages.iter().chain(built);
    let wheels = python
        .map(|package| (derivation::installed_wheel(&package.name, &package.version), &package.requested_by));
    // What is built from source has a derivation more.
    let built = synthesis.python_packages.iter().filter(|package| package.source.build().is_some());
    let built = built
        .map(|package| (derivation::built_wheel(&package.name, &package.version), &package.requested_by));
    let system = synthesis.system_packages.iter();
    let system = system.map(|package| (derivation::deb(&package.name), &package.requested_by));
    let node = synthesis.node.iter();
    let tarballs = node.clone().flat_map(|node| &node.packages);
    let tarballs = tarballs.map(|package| (package.filename.to_string(), &package.requested_by));
    let packages =
        wheels.chain(built).chain(system).chain(tarballs).map(|(name, by)| (name, by.iter().collect()));
    let members = synthesis.members.iter().map(|member| {
        let built = if member.place.is_some() { derivation::member_tree } else { derivation::member_wheel };
        (built(&member.name), vec![&member.id])
    });
    let assets = node.flat_map(|node| &node.assets);
    let assets = assets.map(|asset| (derivation::asset(&asset.member), vec![&asset.member]));
    packages.chain(members).chain(assets)
}
