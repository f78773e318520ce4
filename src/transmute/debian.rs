//! `debian.nix`: the pinned Debian packages, pure data.

use super::nix::Expr;
use crate::{
    debian::SystemPackage,
    name::{LocaleName, MemberId},
    synthesis::value::{Substrate, Synthesis},
};

pub(super) const ABOUT: &str = "The pinned Debian packages: of the image and of the Python that builds it.";

pub(super) fn expression(synthesis: &Synthesis) -> Expr {
    let names = |of: fn(&SystemPackage) -> bool| -> Vec<&str> {
        let packages = synthesis.system_packages.iter().filter(|package| of(package));
        packages.map(|package| package.name.as_str()).collect()
    };
    let mut fields = vec![(
        "python",
        Expr::fields([
            ("version", Expr::text(&synthesis.python)),
            ("packages", Expr::texts(names(|package| package.tool))),
        ]),
    )];
    let locales = match &synthesis.substrate {
        Substrate::Debian { locales, .. } => locales.iter().map(LocaleName::as_str).collect(),
        Substrate::Nixpkgs { .. } => Vec::new(),
    };
    let beside = [("compiler", names(|package| package.compiler)), ("locales", locales)];
    fields
        .extend(beside.into_iter().filter(|(_, of)| !of.is_empty()).map(|(key, of)| (key, Expr::texts(of))));
    // It has a say where no maintainer script runs; elsewhere it is to change nothing.
    if synthesis.policy.strict && !synthesis.runs_scripts() {
        fields.push(("strict", Expr::Bool(true)));
    }
    fields.push((
        "packages",
        Expr::named(synthesis.system_packages.iter().map(|entry| (entry.name.as_str(), package(entry)))),
    ));
    Expr::fields(fields)
}

fn package(package: &SystemPackage) -> Expr {
    Expr::fields([
        ("version", Expr::text(&package.version)),
        ("file", Expr::text(package.filename.as_str())),
        ("url", Expr::text(&package.url)),
        ("sha256", Expr::text(package.sha256.to_string())),
        ("requestedBy", Expr::texts(package.requested_by.iter().map(MemberId::as_str))),
    ])
}
