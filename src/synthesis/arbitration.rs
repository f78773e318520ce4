//! Arbitration: what members claim and only one can have. Everything is found before any tool runs, and told in
//! one report.
//!
//! It goes by what manifests and source trees state. What only a build knows (console scripts and files of
//! third-party wheels, modules of a backend that decides by code) the Nix library holds against each other when it
//! merges the environment, and ends the build.

mod cycles;
mod files;
mod further_images;
mod images;
mod installed;
#[cfg(test)]
mod tests;
mod told;
mod unselected;

use crate::{
    codex::Codex,
    crypt::Federation,
    diagnostic::Diagnostic,
    python::workspace::parts,
    runes::{RuneRecord, names, ports},
};

/// Everything that members claim against each other or against LychD itself, a diagnostic a claim: ports, names and
/// images of runes, further images on nixpkgs, a database that is wanted of the body and not made, dependencies that go round, paths of assets, console scripts, modules.
///
/// The federation is the one with what hooks registered, so that all is told together.
#[must_use]
pub fn arbitrate(codex: &Codex, federation: &Federation) -> Vec<Diagnostic> {
    let (parts, mut wrong) = parts(federation.members());
    let RuneRecord { web, runes, .. } = RuneRecord::of(federation);
    let installed = installed::of(federation, &parts);

    wrong.extend(ports::collisions(codex, &web, &runes));
    wrong.extend(names::collisions(codex, &runes));
    wrong.extend(images::pinned_twice(&runes));
    wrong.extend(cycles::cycles(&parts));
    wrong.extend(unselected::wanted(federation, &parts));
    wrong.extend(further_images::elsewhere(codex, federation));
    wrong.extend(further_images::missing(codex, federation));
    wrong.extend(files::assets(federation, &installed));
    wrong.extend(files::scripts(&parts));
    // They lie at places of their own, so only what is imported by one name can meet.
    let plain = installed::plain(federation, &parts);
    wrong.extend(files::modules(installed.iter().chain(&plain)));
    wrong
}
