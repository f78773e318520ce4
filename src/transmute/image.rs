//! The call that makes an image: the application's in `body.nix`, and `images/<role>.nix` of each further one.

use super::{
    layers::{self, Layer},
    nix::Expr,
};
use crate::{
    debian::SystemPackage,
    name::{DebianName, MemberId, Role},
    synthesis::value::{APPLICATION, Image, Substrate, Synthesis},
};

pub(super) const ABOUT: &str = "A further image of the body. The logic is in ./nix.";

/// The tag of the newest body; the others are put on when it is loaded.
const TAG: &str = "custom";

/// The name of the file with a further image.
pub(super) fn file(role: &Role) -> String {
    format!("images/{role}.nix")
}

/// The application's image, in the scope of the packages and members that it is made of.
pub(super) fn vessel(synthesis: &Synthesis, members: &[&MemberId]) -> Expr {
    let role = Role::vessel();
    let system = system(synthesis, &role);
    let wheels = synthesis.python_packages.iter();
    let planned = layers::plan(
        &system,
        // Only a source tree is no file; it counts as a small one.
        &wheels.clone().map(|package| (&package.name, package.size().unwrap_or(0))).collect::<Vec<_>>(),
        members,
    );
    let own = [
        ("wheels", Expr::list(wheels.map(|package| Expr::Variable("wheels").member(package.name.as_ref())))),
        ("members", Expr::list(members.iter().map(|id| Expr::Variable("members").member(id.as_str())))),
    ];
    let image = &synthesis.image;
    call(synthesis, &role, image, &system, &planned, own.into())
}

/// A further image: `{ pkgs, forge }: forge.image { … }`.
pub(super) fn further(synthesis: &Synthesis, role: &Role, image: &Image) -> Expr {
    let system = system(synthesis, role);
    let planned = layers::plan(&system, &[], &[]);
    let own = vec![("python", Expr::Bool(false))];
    let call = call(synthesis, role, image, &system, &planned, own);
    Expr::Lambda(vec!["pkgs", "forge"], Box::new(call))
}

/// The call, with what is its own after what it has of the system.
fn call(
    synthesis: &Synthesis,
    role: &Role,
    image: &Image,
    system: &[(&DebianName, u64)],
    planned: &[Layer],
    own: Vec<(&'static str, Expr)>,
) -> Expr {
    let directory = if *role == Role::vessel() { APPLICATION } else { "/" };
    let mut fields = vec![
        ("name", Expr::text(&image.name)),
        ("tag", Expr::text(TAG)),
        ("system", Expr::texts(system.iter().map(|(name, _)| name.as_str()))),
    ];
    fields.extend(own);
    fields.extend([
        ("layers", Expr::list(planned.iter().map(layer))),
        ("config", config(image, directory)),
        (
            "user",
            Expr::fields([("name", Expr::text(&image.user.name)), ("uid", Expr::Int(image.user.uid.into()))]),
        ),
        ("directories", Expr::texts(&image.directories)),
        ("starts", Expr::named(image.starts.iter().map(|(key, program)| (*key, Expr::text(program))))),
    ]);
    fields.extend(image.entry.map(|entry| ("entry", Expr::text(entry))));
    // Few bodies have any of these, and of the others nothing is to change.
    let configure = synthesis.system_packages.iter().filter(|package| package.configures(role));
    let configure: Vec<&str> = configure.map(|package| package.name.as_str()).collect();
    if !configure.is_empty() {
        fields.push(("configure", Expr::texts(configure)));
    }
    if !image.collisions.is_empty() {
        let winners = image.collisions.iter().map(|(path, package)| (path, Expr::text(package)));
        fields.push(("collisions", Expr::named(winners)));
    }
    if !image.missing_libraries.is_empty() {
        let waived = image.missing_libraries.iter().map(|(package, all)| (package, Expr::texts(all)));
        fields.push(("missingLibraries", Expr::named(waived)));
    }
    Expr::library("image", Expr::fields(fields))
}

/// The system packages of an image with their size in bytes; nixpkgs tells none.
fn system<'a>(synthesis: &'a Synthesis, role: &Role) -> Vec<(&'a DebianName, u64)> {
    match &synthesis.substrate {
        Substrate::Debian { .. } => {
            let is_in_it = |package: &&SystemPackage| package.is_in_image(role);
            let packages = synthesis.system_packages.iter().filter(is_in_it);
            packages.map(|package| (&package.name, package.installed_size)).collect()
        }
        Substrate::Nixpkgs { packages, .. } => packages.iter().map(|package| (&package.name, 0)).collect(),
    }
}

fn layer(layer: &Layer) -> Expr {
    match layer {
        Layer::System(names) => Expr::fields([("system", Expr::texts(names.iter().map(DebianName::as_str)))]),
        Layer::Wheels(names) => {
            Expr::fields([("wheels", Expr::texts(names.iter().map(AsRef::<str>::as_ref)))])
        }
        Layer::Members(ids) => Expr::fields([("members", Expr::texts(ids.iter().map(MemberId::as_str)))]),
    }
}

/// The `config` of the OCI image configuration (image-spec, "Properties"). Only what was asked for: a synthesis
/// id in a label would give equal bodies different images.
fn config(image: &Image, directory: &str) -> Expr {
    let environment = image.environment.iter().map(|(name, value)| format!("{name}={value}"));
    let labels = image.labels.iter().map(|(name, value)| (name, Expr::text(value)));
    let ports = image.ports.iter().map(|port| (format!("{port}/tcp"), Expr::Set(Vec::new())));
    let mut fields = vec![
        ("Cmd", Expr::texts(&image.command)),
        ("Env", Expr::texts(environment)),
        ("User", Expr::text(format!("{uid}:{uid}", uid = image.user.uid))),
        ("WorkingDir", Expr::text(directory)),
        ("Labels", Expr::named(labels)),
        ("ExposedPorts", Expr::named(ports)),
    ];
    if !image.volumes.is_empty() {
        let volumes = image.volumes.iter().map(|path| (path, Expr::Set(Vec::new())));
        fields.push(("Volumes", Expr::named(volumes)));
    }
    fields.extend(image.stop_signal.as_ref().map(|signal| ("StopSignal", Expr::text(signal.as_str()))));
    Expr::fields(fields)
}
