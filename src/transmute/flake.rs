//! `flake.nix`: wires the library, the packages and the body; takes no inputs.

use super::nix::{Binding, Expr};
use crate::{
    diagnostic::{Diagnostic, Failure},
    synthesis::value::Synthesis,
};

pub(super) const ABOUT: &str = "Needs nothing but Nix: no inputs, no lock, every download pinned.";

fn import(file: &str) -> Result<Expr, Failure> {
    let path = super::path(file)?.try_into().map_err(|error| Diagnostic::new(format!("{error}")))?;
    Ok(Expr::Variable("import").call(Expr::Path(path)))
}

pub(super) fn expression(synthesis: &Synthesis) -> Result<Expr, Failure> {
    let inherit =
        |names: &[&'static str]| names.iter().map(|name| Binding::Inherit(name)).collect::<Vec<_>>();
    let packages = Expr::Set(vec![
        Binding::Inherit("system"),
        Binding::field("sourceDateEpoch", Expr::Int(synthesis.source_date_epoch)),
        Binding::field("debian", import("debian.nix")?),
    ]);
    let mut body = inherit(&["pkgs"]);
    body.push(Binding::field("forge", import("nix")?.call(Expr::Set(inherit(&["pkgs"])))));
    let scope = vec![
        Binding::field("system", Expr::text(synthesis.platform.as_str())),
        Binding::field("pkgs", import("nix/debian")?.call(packages)),
        Binding::field("image", import("body.nix")?.call(Expr::Set(body))),
    ];
    let image = || Expr::Variable("image");
    let outputs = Expr::fields([
        ("lychd-image", image()),
        ("lychd-image-conf", image().field("conf")),
        ("default", image()),
    ]);
    let outputs = Expr::fields([("packages", Expr::named([(synthesis.platform.as_str(), outputs)]))]);
    Ok(Expr::fields([
        ("description", Expr::text(format!("The body of {}", synthesis.image.name))),
        ("outputs", Expr::Lambda(vec!["self"], Box::new(Expr::Let(scope, Box::new(outputs))))),
    ]))
}
