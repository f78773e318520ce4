//! Who asked for what a build failed on.
//!
//! Requesters are no part of a package's derivation: who asks changes more often than the package, and must not
//! rebuild it. So they are looked up here.

use std::collections::BTreeSet;

use crate::{diagnostic::Failure, name::MemberId, synthesis::Synthesis};

/// Adds the members that asked for the packages whose derivations a failure names.
#[must_use]
pub fn blame(failure: Failure, synthesis: &Synthesis) -> Failure {
    let Failure::Refused(mut diagnostics) = failure else { return failure };
    for diagnostic in &mut diagnostics {
        let texts = diagnostic.help.iter().chain(&diagnostic.notes);
        let failed: BTreeSet<&str> = texts.flat_map(|text| derivations(text)).collect();
        let asked: BTreeSet<String> = requesters(synthesis)
            .filter(|(name, _)| failed.contains(name.as_str()))
            .flat_map(|(_, by)| by.into_iter().map(ToString::to_string))
            .collect();
        diagnostic.requested_by.extend(asked);
    }
    Failure::Refused(diagnostics)
}

/// The names in paths such as `/nix/store/<hash>-idna-3.10.drv`.
fn derivations(text: &str) -> impl Iterator<Item = &str> {
    text.split("/nix/store/").skip(1).filter_map(|rest| Some(rest.split_once(".drv")?.0.split_once('-')?.1))
}

/// Derivation names of all packages and of what members build, with those who asked for them.
fn requesters(synthesis: &Synthesis) -> impl Iterator<Item = (String, Vec<&MemberId>)> {
    let built = synthesis.build_environments.iter().flat_map(|environment| &environment.packages);
    let python = synthesis.python_packages.iter().chain(built);
    let wheels =
        python.map(|package| (format!("{}-{}", package.name, package.version), &package.requested_by));
    // What is built from source has a derivation more.
    let built = synthesis.python_packages.iter().filter(|package| package.build.is_some());
    let built =
        built.map(|package| (format!("{}-{}-wheel", package.name, package.version), &package.requested_by));
    let system = synthesis.system_packages.iter();
    let system = system.map(|package| (format!("deb-{}", package.name), &package.requested_by));
    let node = synthesis.node.iter();
    let tarballs = node.clone().flat_map(|node| &node.packages);
    let tarballs = tarballs.map(|package| (package.filename.clone(), &package.requested_by));
    let packages =
        wheels.chain(built).chain(system).chain(tarballs).map(|(name, by)| (name, by.iter().collect()));
    let members = synthesis.members.iter().map(|member| (format!("{}-wheel", member.name), vec![&member.id]));
    let assets = node.flat_map(|node| &node.assets);
    let assets = assets
        .map(|asset| (format!("{}-asset", asset.member.as_str().replace('/', "__")), vec![&asset.member]));
    packages.chain(members).chain(assets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_derivations_are_read_from_nix_s_words() {
        let text = "builder for '/nix/store/0c0q-idna-3.10.drv' failed\nsee '/nix/store/abc-deb-libpq5.drv' \
                    and /nix/store/x-y";
        assert_eq!(derivations(text).collect::<Vec<_>>(), ["idna-3.10", "deb-libpq5"]);
    }
}
