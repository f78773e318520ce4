//! What containers see of the host: the spheres of the Crypt for the Vessel, and declared directories for the others,
//! never LychD's own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    consent::{self, Asker, Wish},
    unit::{Container, Piece, Value},
};
use crate::{
    codex::{Codex, Sphere},
    diagnostic::{Diagnostic, Failure, Place},
    name::{
        MemberId,
        mount::{HostPath, MountSource, Volume, is_writable},
    },
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
    /// Where the files lie that the forge's containers read and no image has.
    pub support: PathBuf,
    /// The directories of units, Quadlet's and systemd's.
    pub sites: Vec<PathBuf>,
    /// The forge's own directories: what lies there the next inscription believes, and runs.
    pub own: Vec<PathBuf>,
    /// Podman's and systemd's of this user, and the session's, where the environment says that they lie elsewhere than is
    /// usual.
    pub closed: Vec<PathBuf>,
}

#[cfg(test)]
impl Layout {
    /// Of a user, for tests.
    pub(crate) fn of_magus() -> Self {
        let home = std::path::Path::new("/home/magus");
        Self {
            home: home.to_owned(),
            codex: home.join(".config/lychd"),
            crypt: home.join(".local/share/lychd"),
            support: home.join(".local/state/lychd-forge/support"),
            sites: Vec::new(),
            own: Vec::new(),
            closed: Vec::new(),
        }
    }
}

/// What no container gets of a host: the kernel's files, sockets, and podman's and systemd's settings. A device is
/// asked for as a device.
const SYSTEM: [&str; 13] = [
    "/dev",
    "/etc/containers",
    "/etc/systemd",
    "/etc/xdg/systemd",
    "/proc",
    "/run",
    "/sys",
    "/usr/lib/systemd",
    "/usr/share/containers",
    "/usr/share/systemd",
    "/var/lib/containers",
    "/var/lib/systemd",
    "/var/run",
];
/// Where anybody of the host can put a link, what lies in a home there excepted.
const EVERYBODYS: [&str; 2] = ["/tmp", "/var/tmp"];
/// The same of a home.
const PRIVATE: [&str; 6] = [
    ".config/containers",
    ".config/systemd",
    ".gnupg",
    ".local/share/containers",
    ".local/share/systemd",
    ".ssh",
];

/// Resolves links of a path as far as it exists; an error when the host does not let it be told.
pub(super) type Resolve<'a> = &'a dyn Fn(&Path) -> Result<PathBuf, Failure>;

/// The host as mounts meet it.
#[derive(Clone, Copy)]
pub(super) struct MountContext<'a> {
    /// Where things lie.
    pub(super) layout: &'a Layout,
    /// Resolves links.
    pub(super) resolve: Resolve<'a>,
    /// Where the reactor's intents and answers lie.
    pub(super) reactor: &'a [PathBuf; 2],
    /// The rune that mounts; `None` for LychD's own services.
    pub(super) asker: Option<Asker<'a>>,
}

/// Something that a container sees of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountUse {
    /// The service without suffix.
    pub service: String,
    /// The member that brings it; `None` of what is LychD's or the Codex's.
    pub member: Option<String>,
    /// `host:container:options`.
    pub mount: String,
    /// Whether the mount changes what is there: what is written stays, or everything gets another owner.
    pub writable: bool,
}

impl MountUse {
    /// The path of the host; `None` of a volume of podman's.
    #[must_use]
    pub fn source(&self) -> Option<HostPath> {
        self.mount.split(':').next()?.parse().ok()
    }

    /// All of these containers.
    pub(super) fn all(containers: &[Container]) -> Vec<Self> {
        let of = |container: &Container, volume: &Value| {
            let mount = volume.to_string();
            let writable = is_writable(mount.split(':').nth(2).unwrap_or_default().split(','));
            let member = container.labels.get("lychd.member").cloned();
            Self { service: container.name.clone(), member, mount, writable }
        };
        containers.iter().flat_map(|one| one.volumes.iter().map(move |volume| of(one, volume))).collect()
    }
}

/// The reactor's inbox and journal: in the Crypt, where nothing else is said.
pub(super) fn reactor(codex: &Codex, layout: &Layout) -> [PathBuf; 2] {
    match &codex.lychd.switching.host_reactor_dir {
        Some(inbox) => [inbox.value.path(&layout.home), inbox.value.journal(&layout.home)],
        None => ["inbox", "journal"].map(|name| layout.crypt.join("triggers").join(name)),
    }
}

/// Where the host's files end up in a Vessel whose home is named as on the host.
pub(super) const CODEX: &str = ".config/lychd";
pub(super) const CRYPT: &str = ".local/share/lychd";

/// Where the Vessel finds the files of [`super::support`].
pub(super) const SUPPORT: &str = "/run/lychd";

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
///
/// # Errors
/// What [`Resolve`] says.
pub(super) fn of_vessel(
    codex: &Codex,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Vec<Value>, Failure> {
    let layout = context.layout;
    let mut all = of_migration(layout, errors);
    let lab = host(&layout.crypt.join("lab"), layout, errors);
    all.insert(1, mount(lab, below_home(&format!("{CRYPT}/lab")), "rw,Z"));
    for (sphere, base, options) in
        [(&codex.spheres.outlands, "work", "rw"), (&codex.spheres.library, "work/library", "ro")]
    {
        for Sphere { path, name, place } in sphere {
            let Some(resolved) = outside(&path.value, place, context, errors)? else { continue };
            all.push(mount(value(&resolved), below_home(&format!("{base}/{name}")), options));
        }
    }
    Ok(all)
}

/// What the migration sees: Codex, core and extensions, none of it writable.
pub(super) fn of_migration(layout: &Layout, errors: &mut Vec<Diagnostic>) -> Vec<Value> {
    let mut read_only =
        |path: &Path, inside: &str| mount(host(path, layout, errors), below_home(inside), "ro,Z");
    let mut mounts = vec![read_only(&layout.codex, CODEX)];
    for directory in [&MemberId::core().directory(), MemberId::EXTENSIONS] {
        mounts.push(read_only(&layout.crypt.join(directory), &format!("{CRYPT}/{directory}")));
    }
    mounts
}

/// A rune's mounts: resolved, outside of everything that is LychD's, on both sides, and granted where that is needed.
///
/// # Errors
/// What [`Resolve`] says.
pub(super) fn of_rune<'a, S: Clone + Into<MountSource> + 'a>(
    who: &str,
    volumes: impl IntoIterator<Item = (&'a Volume<S>, &'a Place)>,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Vec<Value>, Failure> {
    let MountContext { layout, resolve, asker, .. } = context;
    let member = asker.and_then(|asker| asker.member);
    let (mut all, mut wishes) = (Vec::new(), Vec::new());
    for (volume, place) in volumes {
        if let Some(root) =
            protected_inside(context).find(|root| overlap(root, Path::new(volume.container())))
        {
            let message =
                format!("{who} mounts at `{}`, which is LychD's `{}`", volume.container(), root.display());
            errors.push(
                Diagnostic::new(message).at(place.clone(), "").help("choose another path in the container"),
            );
            continue;
        }
        let options: Vec<&str> = volume.options().collect();
        let mut push = |side| all.push(mount(side, Value::from(volume.container()), &options.join(",")));
        let path = match (volume.source().clone().into(), member) {
            (MountSource::Own(name), Some(member)) => {
                push(Value::from(consent::volume_name(member, &name)));
                continue;
            }
            (MountSource::Own(name), None) => {
                let message = format!("{who} mounts the volume `{name}`, which is no member's");
                errors.push(Diagnostic::new(message).at(place.clone(), "").help("mount a path of the host"));
                continue;
            }
            (MountSource::Host(path), _) => path,
        };
        if let Some(member) = member
            && let Some(own) =
                consent::own_directory(member, (&path, place), (&layout.home, &layout.crypt), resolve)?
        {
            match own {
                Ok(own) => push(host(&own, layout, errors)),
                Err(wrong) => errors.push(wrong),
            }
            continue;
        }
        let Some(found) = outside(&path, place, context, errors)? else { continue };
        push(value(&found));
        wishes.push(Wish { path, found, place, writable: volume.is_writable() });
    }
    if let Some(asker) = asker {
        let mut ungranted = Vec::new();
        for wish in wishes {
            if !wish.may_be(asker, &layout.home, resolve)? {
                ungranted.push(wish);
            }
        }
        errors.extend(consent::refusal(who, asker, &ungranted));
    }
    Ok(all)
}

/// The path with its links resolved, since a link could be turned elsewhere between this check and the start.
fn outside(
    path: &HostPath,
    place: &Place,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Option<HostPath>, Failure> {
    let resolved =
        (context.resolve)(&path.on(&context.layout.home)).map_err(|failure| written(failure, place))?;
    if let Some(root) = met(protected(context), &resolved, context)? {
        let message = format!("`{path}` overlaps `{}`, which is LychD's own", root.display());
        let wrong = Diagnostic::new(message).at(place.clone(), "");
        errors
            .push(wrong.help("mount a directory beside it: no rune sees the Codex, the Crypt or the units"));
        return Ok(None);
    }
    // Where desktops mount a user's disks.
    let disk = resolved.starts_with("/run/media") && resolved != Path::new("/run/media");
    let roots = hosts_own(context.layout);
    let at_home = resolved.starts_with(&context.layout.home);
    let everybodys: Vec<PathBuf> = EVERYBODYS.iter().filter(|_| !at_home).map(PathBuf::from).collect();
    let roots = roots.iter().chain(&everybodys);
    let roots = roots.filter(|root| !disk || !["/run", "/var/run"].map(Path::new).contains(&root.as_path()));
    if let Some(root) = met(roots, &resolved, context)? {
        let message = format!("`{path}` overlaps `{}`, which no container gets of a host", root.display());
        let wrong = Diagnostic::new(message).at(place.clone(), "");
        errors.push(
            wrong.help("a device is asked for with `devices`; sockets, keys and settings are never mounted"),
        );
        return Ok(None);
    }
    let found = HostPath::found(&resolved, &context.layout.home);
    if found.is_none() {
        let message = format!("`{path}` leads to `{}`, which a unit cannot hold", resolved.display());
        let unwritable = Diagnostic::new(message).at(place.clone(), "");
        errors.push(unwritable.help("use a path without any of `: ' \" $ % \\`"));
    }
    Ok(found)
}

/// A failed look at a path of the host, with where the path is written.
fn written(failure: Failure, place: &Place) -> Failure {
    match failure {
        Failure::Unable(told) => Failure::unable(told.at(place.clone(), "")),
        refused @ Failure::Refused(_) => refused,
    }
}

/// The first root that overlaps a resolved path, as it is written or with its links resolved.
fn met<'a>(
    roots: impl IntoIterator<Item = &'a PathBuf>,
    path: &Path,
    context: MountContext<'_>,
) -> Result<Option<&'a PathBuf>, Failure> {
    for root in roots {
        if overlap(root, path) || overlap(&(context.resolve)(root)?, path) {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// What no container gets of this host.
fn hosts_own(layout: &Layout) -> Vec<PathBuf> {
    let private = PRIVATE.iter().map(|below| layout.home.join(below));
    SYSTEM.iter().map(PathBuf::from).chain(private).chain(layout.closed.iter().cloned()).collect()
}

fn protected(context: MountContext<'_>) -> impl Iterator<Item = &PathBuf> {
    let MountContext { layout, reactor, .. } = context;
    let own = [&layout.codex, &layout.crypt, &layout.support].into_iter();
    own.chain(&layout.sites).chain(&layout.own).chain(reactor)
}

/// Holds the reactor's directories, which the Vessel writes, off everything else of LychD's.
///
/// # Errors
/// What [`Resolve`] says.
pub(super) fn check_reactor(
    codex: &Codex,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    let Some(inbox) = &codex.lychd.switching.host_reactor_dir else { return Ok(()) };
    let layout = context.layout;
    let triggers = layout.crypt.join("triggers");
    let hosts_own = hosts_own(layout);
    for path in context.reactor {
        let path = (context.resolve)(path).map_err(|failure| written(failure, &inbox.place))?;
        if path.starts_with(&triggers) {
            continue;
        }
        let own = [&layout.codex, &layout.crypt, &layout.support].into_iter();
        let all = own.chain(&layout.sites).chain(&layout.own).chain(&hosts_own);
        if let Some(root) = met(all, &path, context)? {
            let message = format!(
                "`host_reactor_dir` makes `{}` writable for the Vessel, and that overlaps `{}`",
                path.display(),
                root.display()
            );
            let wrong = Diagnostic::new(message).at(inbox.place.clone(), "");
            errors.push(
                wrong.help("leave it out for the Crypt's `triggers/inbox`, or choose a directory of its own"),
            );
        }
    }
    Ok(())
}

/// Mounts that lie below what a container may write: it could turn a part of the way into a link, and the next start
/// would follow that.
pub(super) fn check_below(
    containers: &[Container],
    written: impl Fn(&Container, &Path) -> Option<Place>,
) -> Vec<Diagnostic> {
    let of = |container: &'_ Container| -> Vec<(PathBuf, bool)> {
        let parts = |volume: &Value| {
            let text = volume.to_string();
            let mut parts = text.split(':');
            let host = PathBuf::from(parts.next()?);
            let writable = is_writable(parts.nth(1).unwrap_or_default().split(','));
            (host.is_absolute() || host.starts_with("%h")).then_some((host, writable))
        };
        container.volumes.iter().filter_map(parts).collect()
    };
    let all: Vec<(&Container, PathBuf, bool)> = containers
        .iter()
        .flat_map(|container| {
            of(container).into_iter().map(move |(host, writable)| (container, host, writable))
        })
        .collect();
    let mut wrong = Vec::new();
    for (owner, above, _) in all.iter().filter(|(_, _, writable)| *writable) {
        for (container, below, _) in &all {
            if below == above || !below.starts_with(above) {
                continue;
            }
            let shown = |path: &Path| path.display().to_string().replacen("%h", "~", 1);
            let message = format!(
                "`{}` mounts `{}`, which lies in what `{}` may write, `{}`",
                container.name,
                shown(below),
                owner.name,
                shown(above)
            );
            let told = Diagnostic::new(message)
                .note("it could be turned into a link there, which the next start would follow")
                .help("mount the upper one `ro`, or choose two directories beside each other");
            let mut places: Vec<Place> = Vec::new();
            for place in [written(container, below), written(owner, above)].into_iter().flatten() {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            wrong.push(places.into_iter().fold(told, |told, place| told.at(place, "")));
        }
    }
    wrong
}

/// Two things at one place of a container, which podman would refuse when it starts.
pub(super) fn check_places(
    container: &Container,
    layout: &Layout,
    written: Option<&Place>,
    errors: &mut Vec<Diagnostic>,
) {
    let home = layout.home.display().to_string();
    let plain = |text: String| match text.strip_prefix(&home) {
        Some(below) if below.starts_with('/') => format!("%h{below}"),
        _ => text,
    };
    let mounted = container
        .volumes
        .iter()
        .filter_map(|volume| volume.to_string().split(':').nth(1).map(|place| plain(place.to_owned())));
    let granted = container.grants.tmpfs.iter().map(|path| plain(path.to_string()));
    let mut seen = BTreeSet::new();
    for place in mounted.chain(granted).chain(container.memory.iter().map(ToString::to_string)) {
        if place.starts_with("/run/secrets")
            || place.starts_with("/var/run/secrets")
            || !seen.insert(place.clone())
        {
            let message = format!("`{}` would have two things at `{place}`", container.name);
            let two = Diagnostic::new(message).help(
                "of its mounts, its directories in memory (`/tmp` and `~/.cache` are always there) and its secrets",
            );
            errors.push(match written {
                Some(written) => two.at(written.clone(), ""),
                None => two,
            });
        }
    }
}

/// The same, as a container with the user's home would see it.
fn protected_inside(context: MountContext<'_>) -> impl Iterator<Item = PathBuf> {
    let home = [CODEX, CRYPT].map(|below| context.layout.home.join(below));
    protected(context).cloned().chain(home).chain([SUPPORT, "/run/secrets", "/var/run"].map(PathBuf::from))
}

fn overlap(one: &Path, two: &Path) -> bool {
    one.starts_with(two) || two.starts_with(one)
}
