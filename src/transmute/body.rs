//! `body.nix`: what the image is made of, as data and calls into the library.

use super::{
    bundled, image,
    nix::{Binding, Expr},
    node,
    place::source_directory,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    name::MemberId,
    python::record::{BuildBackend, BuildEnvironment, PackageSource, Place, PythonPackage},
    synthesis::value::{Member, Synthesis},
};

pub(super) const ABOUT: &str = "The body: what the image is made of. The logic is in ./nix.";

pub(super) fn expression(synthesis: &Synthesis) -> Result<Expr, Failure> {
    let mut wheels = Vec::new();
    for entry in &synthesis.python_packages {
        wheels.push((entry.name.as_ref(), package(entry)?));
    }
    let mut environments = Vec::new();
    for entry in &synthesis.build_environments {
        environments.push((entry.id.as_str(), environment(entry)?));
    }
    let mut members = Vec::new();
    for entry in &synthesis.members {
        if let (Some(environment), Some(backend)) = (&entry.build_environment, &entry.build_backend) {
            let assets = node::of_member(synthesis, &entry.id);
            members.push((entry, member(entry, environment, backend, assets)?));
        } else if let Some(place) = &entry.place {
            members.push((entry, plain(entry, place)?));
        }
    }
    let ids: Vec<&MemberId> = members.iter().map(|(entry, _)| &entry.id).collect();
    let image = image::vessel(synthesis, &ids);
    let members = members.into_iter().map(|(entry, call)| (entry.id.as_str(), call));
    let mut scope = vec![
        Binding::field("wheels", Expr::named(wheels)).commented("third-party packages of the environment"),
        Binding::field("environments", Expr::named(environments))
            .commented("what members and source packages are built in"),
    ];
    scope.extend(node::bindings(synthesis)?);
    scope.push(Binding::field("members", Expr::named(members)).commented("the core and its extensions"));
    Ok(Expr::Lambda(vec!["pkgs", "forge"], Box::new(Expr::Let(scope, Box::new(image)))))
}

/// A package of the image: a wheel, or something that is built into one.
fn package(package: &PythonPackage) -> Result<Expr, Failure> {
    let mut fields =
        vec![("name", Expr::text(package.name.as_ref())), ("version", Expr::text(&package.version))];
    match &package.source {
        PackageSource::Wheel(file) | PackageSource::Sdist { file, .. } => {
            fields.push(("file", Expr::text(file.store_name().as_str())));
            fields.push(match &file.place {
                Place::Download(url) => ("url", Expr::text(url.as_str())),
                Place::Member(_) => ("path", bundled(package)?),
            });
            fields.push(("sha256", Expr::text(package.sha256.to_string())));
        }
        PackageSource::Git { .. } => {
            fields.push(("source", bundled(package)?));
            fields.push(("hash", Expr::text(package.sha256.to_sri_string())));
        }
    }
    let build = package.source.build();
    if let Some(build) = build {
        fields.push(("environment", Expr::Variable("environments").member(&build.environment)));
        fields.push(("backend", build_backend(&build.backend)));
        if let Some(directory) = &build.subdirectory {
            fields.push(("subdirectory", Expr::text(directory)));
        }
        if build.native {
            fields.push(("native", Expr::Bool(true)));
        }
    }
    fields.push(("requestedBy", Expr::texts(package.requested_by.iter().map(MemberId::as_str))));
    Ok(Expr::library(if build.is_some() { "source" } else { "wheel" }, Expr::fields(fields)))
}

fn bundled(package: &PythonPackage) -> Result<Expr, Failure> {
    let place = bundled::place(package)?;
    Ok(Expr::Path(place.try_into().map_err(|error| Diagnostic::new(format!("{error}")))?))
}

fn build_backend(backend: &BuildBackend) -> Expr {
    Expr::fields([("object", Expr::text(&backend.object)), ("path", Expr::texts(&backend.path))])
}

fn environment(environment: &BuildEnvironment) -> Result<Expr, Failure> {
    let wheels = environment.packages.iter().map(package).collect::<Result<Vec<_>, _>>()?;
    Ok(Expr::library("environment", Expr::fields([("wheels", Expr::list(wheels))])))
}

fn member(
    member: &Member,
    environment: &str,
    backend: &BuildBackend,
    assets: Option<Expr>,
) -> Result<Expr, Failure> {
    let mut fields = own(member)?;
    fields.extend([
        Binding::field("environment", Expr::Variable("environments").member(environment)),
        Binding::field("backend", build_backend(backend)),
    ]);
    if member.native {
        fields.push(Binding::field("native", Expr::Bool(true)));
    }
    fields.extend(assets.map(|assets| Binding::field("assets", assets)));
    fields.push(Binding::field("requestedBy", Expr::texts([member.id.as_str()])));
    Ok(Expr::library("member", Expr::Set(fields)))
}

/// A member that is no package: its source tree as it is, at a place of its own.
fn plain(member: &Member, place: &str) -> Result<Expr, Failure> {
    let mut fields = own(member)?;
    fields.push(Binding::field("place", Expr::text(place)));
    fields.push(Binding::field("requestedBy", Expr::texts([member.id.as_str()])));
    Ok(Expr::library("tree", Expr::Set(fields)))
}

/// What every member is told by.
fn own(member: &Member) -> Result<Vec<Binding>, Failure> {
    let source =
        source_directory(&member.id)?.try_into().map_err(|error| Diagnostic::new(format!("{error}")))?;
    Ok(vec![
        Binding::field("id", Expr::text(member.id.as_str())),
        Binding::field("name", Expr::text(member.name.as_ref())),
        Binding::field("source", Expr::Path(source)),
        Binding::field("hash", Expr::text(member.nar_sha256.to_sri_string())),
    ])
}
