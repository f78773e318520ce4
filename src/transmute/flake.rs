//! `flake.nix`: wires the library, the packages and the body. On the embedded substrate it takes no inputs, on
//! nixpkgs that one.

use super::{
    image,
    nix::{Binding, Expr},
    place::path,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::Role,
    synthesis::value::{Substrate, Synthesis},
};

/// What the file is, for its header.
pub(super) const fn about(synthesis: &Synthesis) -> &'static str {
    match synthesis.substrate {
        Substrate::Debian { .. } => "Needs nothing but Nix: no inputs, no lock, every download pinned.",
        Substrate::Nixpkgs { .. } => "Needs Nix and the one input, which flake.lock pins.",
    }
}

fn import(file: &str) -> Result<Expr, Failure> {
    let path = path(file)?.try_into().map_err(|error| Diagnostic::new(format!("{error}")))?;
    Ok(Expr::Variable("import").call(Expr::Path(path)))
}

fn inherit(names: &[&'static str]) -> Vec<Binding> {
    names.iter().map(|name| Binding::Inherit(name)).collect()
}

pub(super) fn expression(synthesis: &Synthesis) -> Result<Expr, Failure> {
    let epoch = Binding::field("sourceDateEpoch", Expr::Int(synthesis.source_date_epoch));
    let (inputs, formals, packages) = match &synthesis.substrate {
        Substrate::Debian { .. } => {
            let mut arguments = inherit(&["system"]);
            arguments.extend([epoch, Binding::field("debian", import("debian.nix")?)]);
            (None, vec!["self"], import("nix/debian")?.call(Expr::Set(arguments)))
        }
        Substrate::Nixpkgs { reference, glibc: [major, minor], .. } => {
            // Its tree alone is wanted: as a flake it would bring inputs of its own.
            let nixpkgs =
                Expr::fields([("url", Expr::text(reference.as_str())), ("flake", Expr::Bool(false))]);
            let mut arguments = inherit(&["system", "nixpkgs"]);
            arguments.extend([
                epoch,
                Binding::field("python", Expr::text(&synthesis.python)),
                Binding::field("glibc", Expr::text(format!("{major}.{minor}"))),
                Binding::field("packages", import("nixpkgs.nix")?),
            ]);
            let inputs = Expr::fields([("nixpkgs", nixpkgs)]);
            (Some(inputs), vec!["self", "nixpkgs"], import("nix/nixpkgs")?.call(Expr::Set(arguments)))
        }
    };
    let mut scope = vec![
        Binding::field("system", Expr::text(synthesis.platform.as_str())),
        Binding::field("pkgs", packages),
        Binding::field("forge", import("nix")?.call(Expr::Set(inherit(&["pkgs"])))),
    ];
    let mut images = vec![("vessel", import("body.nix")?)];
    for role in synthesis.images.keys() {
        images.push((role.as_str(), import(&image::file(role))?));
    }
    let arguments = || Expr::Set(inherit(&["pkgs", "forge"]));
    let images = images.into_iter().map(|(role, file)| (role, file.call(arguments())));
    scope.push(Binding::field("images", Expr::named(images)));
    let image = |role: &Role| Expr::Variable("images").member(role.as_str());
    let roles: Vec<Role> = std::iter::once(Role::vessel()).chain(synthesis.images.keys().cloned()).collect();
    let packages = roles.iter().flat_map(|role| {
        let name = role.package();
        let conf = (format!("{name}-conf"), image(role).field("conf"));
        [(name, image(role)), conf]
    });
    let outputs = Expr::named(packages.chain([("default".to_owned(), image(&Role::vessel()))]));
    let outputs = Expr::fields([("packages", Expr::named([(synthesis.platform.as_str(), outputs)]))]);
    let mut flake =
        vec![Binding::field("description", Expr::text(format!("The body of {}", synthesis.image.name)))];
    flake.extend(inputs.map(|inputs| Binding::field("inputs", inputs)));
    flake.push(Binding::field(
        "outputs",
        Expr::Lambda(formals, Box::new(Expr::Let(scope, Box::new(outputs)))),
    ));
    Ok(Expr::Set(flake))
}
