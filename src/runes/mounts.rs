//! What containers see of the host: the spheres of the Crypt for the Vessel, and declared directories for the others,
//! never LychD's own.

use std::path::{Path, PathBuf};

use super::unit::{Piece, Value};
use crate::{
    codex::{Codex, Sphere},
    diagnostic::{Diagnostic, Place},
    name::mount::{HostPath, Volume},
};

/// Where things lie on the host; all paths absolute and resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The user's home.
    pub home: PathBuf,
    /// The Codex.
    pub codex: PathBuf,
    /// The Crypt.
    pub crypt: PathBuf,
    /// Where the inscription puts files that containers read.
    pub support: PathBuf,
    /// The directories of units, Quadlet's and systemd's.
    pub sites: Vec<PathBuf>,
}

/// Resolves links of a path as far as it exists.
pub(super) type Resolve<'a> = &'a dyn Fn(&Path) -> PathBuf;

/// Where the host's files end up in a Vessel whose home is named as on the host.
pub(super) const CODEX: &str = ".config/lychd";
pub(super) const CRYPT: &str = ".local/share/lychd";

/// One side of a mount.
pub(super) fn below_home(path: &str) -> Value {
    Value::of([Piece::Home, Piece::Text(format!("/{path}"))])
}

fn value(path: &HostPath) -> Value {
    match path {
        HostPath::Home(below) => below_home(below),
        HostPath::Absolute(path) => Value::from(path),
    }
}

/// `host:container:options`.
fn mount(host: Value, container: Value, options: &str) -> Value {
    let both = host.then(":").then(container);
    if options.is_empty() { both } else { both.then(":").then(options) }
}

/// A directory of the layout as the host's side of a mount.
pub(super) fn host(path: &Path, layout: &Layout, errors: &mut Vec<Diagnostic>) -> Value {
    if let Some(path) = HostPath::found(path, &layout.home) {
        return value(&path);
    }
    let message = format!("`{}` cannot be mounted: a unit cannot hold that path", path.display());
    errors.push(Diagnostic::new(message).help("use a path without any of `: ' \" $ % \\`"));
    Value::default()
}

/// The Vessel's mounts: Codex and Crypt by sphere, the Outlands and the library.
pub(super) fn of_vessel(
    codex: &Codex,
    layout: &Layout,
    resolve: Resolve<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Value> {
    let mut all = of_migration(layout, errors);
    let lab = host(&layout.crypt.join("lab"), layout, errors);
    all.insert(1, mount(lab, below_home(&format!("{CRYPT}/lab")), "rw,Z"));
    for (sphere, base, options) in
        [(&codex.spheres.outlands, "work", "rw"), (&codex.spheres.library, "work/library", "ro")]
    {
        for Sphere { path, name, place } in sphere {
            let Some(resolved) = outside(&path.value, place, layout, resolve, errors) else { continue };
            all.push(mount(value(&resolved), below_home(&format!("{base}/{name}")), options));
        }
    }
    let support = host(&layout.support, layout, errors);
    all.push(mount(support, Value::from(SUPPORT), "ro,z"));
    all
}

/// Where the Vessel finds `capabilities.json`.
pub(super) const SUPPORT: &str = "/run/lychd";

/// What the migration sees: Codex, core and extensions, none of it writable.
pub(super) fn of_migration(layout: &Layout, errors: &mut Vec<Diagnostic>) -> Vec<Value> {
    let mut read_only =
        |path: &Path, inside: &str| mount(host(path, layout, errors), below_home(inside), "ro,Z");
    vec![
        read_only(&layout.codex, CODEX),
        read_only(&layout.crypt.join("core"), &format!("{CRYPT}/core")),
        read_only(&layout.crypt.join("extensions"), &format!("{CRYPT}/extensions")),
    ]
}

/// A rune's mounts: resolved, and outside of everything that is LychD's, on both sides.
pub(super) fn of_rune<'a>(
    who: &str,
    volumes: impl IntoIterator<Item = (&'a Volume, &'a Place)>,
    layout: &Layout,
    resolve: Resolve<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Value> {
    let mut all = Vec::new();
    for (volume, place) in volumes {
        if let Some(root) = protected_inside(layout).find(|root| overlap(root, Path::new(volume.container())))
        {
            let message =
                format!("{who} mounts at `{}`, which is LychD's `{}`", volume.container(), root.display());
            errors.push(
                Diagnostic::new(message).at(place.clone(), "").help("choose another path in the container"),
            );
            continue;
        }
        let Some(resolved) = outside(volume.host(), place, layout, resolve, errors) else { continue };
        let options: Vec<&str> = volume.options().collect();
        all.push(mount(value(&resolved), Value::from(volume.container()), &options.join(",")));
    }
    all
}

/// The path with its links resolved, since a link could be turned elsewhere between this check and the start.
fn outside(
    path: &HostPath,
    place: &Place,
    layout: &Layout,
    resolve: Resolve<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Option<HostPath> {
    let resolved = resolve(&path.on(&layout.home));
    if let Some(root) = protected(layout).find(|root| overlap(root, &resolved)) {
        let message = format!("`{path}` overlaps `{}`, which is LychD's own", root.display());
        let wrong = Diagnostic::new(message).at(place.clone(), "");
        errors
            .push(wrong.help("mount a directory beside it: no rune sees the Codex, the Crypt or the units"));
        return None;
    }
    let found = HostPath::found(&resolved, &layout.home);
    if found.is_none() {
        let message = format!("`{path}` leads to `{}`, which a unit cannot hold", resolved.display());
        errors.push(Diagnostic::new(message).at(place.clone(), ""));
    }
    found
}

fn protected(layout: &Layout) -> impl Iterator<Item = &PathBuf> {
    [&layout.codex, &layout.crypt, &layout.support].into_iter().chain(&layout.sites)
}

/// The same, as a container with the user's home would see it.
fn protected_inside(layout: &Layout) -> impl Iterator<Item = PathBuf> {
    let home = [CODEX, CRYPT].map(|below| layout.home.join(below));
    protected(layout).cloned().chain(home).chain([PathBuf::from(SUPPORT), PathBuf::from("/run/secrets")])
}

fn overlap(one: &Path, two: &Path) -> bool {
    one.starts_with(two) || two.starts_with(one)
}
