//! What of a host decides whether the forge can work and an organism live there, read once into a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    binding::{generation::Generation, site::Sites},
    diagnostic::Failure,
    engine::{podman::Podman, systemd::Systemd},
    forge::preflight::{SETTINGS, Setting},
    host::{directories::Directories, environment, file, process::Command},
    rebirth::past,
    tree::FileTree,
};

/// Where distributions put programs for podman alone.
const HELPERS: [&str; 4] =
    ["/usr/libexec/podman", "/usr/lib/podman", "/usr/local/libexec/podman", "/usr/local/lib/podman"];
/// What is looked for.
pub(super) const PROGRAMS: [&str; 10] = [
    "podman",
    "nix",
    "bwrap",
    "newuidmap",
    "newgidmap",
    "pasta",
    "catatonit",
    "systemctl",
    "apt-get",
    "getsubids",
];
const DAEMON: &str = "/nix/var/nix/daemon-socket/socket";
const NIX_DATABASE: &str = "/nix/var/nix/db";
const CDI: [&str; 2] = ["/etc/cdi", "/run/cdi"];
/// The most that is read of a file of the system's, in bytes.
const LIMIT: u64 = 4 << 20;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct HostFacts {
    /// The user's name, or number where it has none.
    pub user: String,
    /// Whether that is root.
    pub is_root: bool,
    /// Which of the programs are there.
    pub programs: BTreeSet<&'static str>,
    /// Podman's version and whether it can use its storage, or why that cannot be told; `None` where there is none.
    pub podman: Option<Result<PodmanFacts, String>>,
    /// Configurations of podman's storage that are there.
    pub storage_configurations: Vec<PathBuf>,
    /// Nix's own word on its version, or why it says none; `None` where there is none.
    pub nix: Option<Result<String, String>>,
    /// Whether this user can use Nix's store.
    pub nix_store: NixStore,
    /// Settings of the kernel that keep namespaces from users, with their values.
    pub settings: Vec<(&'static Setting, String)>,
    /// Which of `/etc/subuid` and `/etc/subgid` have numbers for the user, where the forge can tell.
    pub subordinate: BTreeMap<&'static str, bool>,
    /// The user's systemd: its version, or why it cannot be reached.
    pub systemd: Option<Result<String, String>>,
    /// Whether services outlive the last session; `None` where nobody can tell.
    pub lingers: Option<bool>,
    /// Whether the network is online by systemd's account; `None` where it does not say.
    pub online: Option<bool>,
    /// The controllers of control groups that the user's services have; `None` without a unified hierarchy.
    pub controllers: Option<BTreeSet<String>>,
    /// Directories that must lie on one file system to be exchanged, where they do not.
    pub apart: Option<(PathBuf, PathBuf)>,
    /// Whether databases of the Crypt would be kept in an instant; `None` where that cannot be told.
    pub keeps_in_an_instant: Option<bool>,
    /// Free bytes of the file systems that are written to, by what is written there.
    pub space: BTreeMap<PathBuf, u64>,
    /// Devices of CDI that inscribed runes ask for, with the files that ask.
    pub wanted_devices: BTreeMap<String, BTreeSet<String>>,
    /// Kinds of devices of CDI that this host describes.
    pub device_kinds: BTreeSet<String>,
}

/// What podman says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodmanFacts {
    /// Its version.
    pub version: crate::runes::podman::PodmanVersion,
    /// Why it cannot use its storage; `None` when it can.
    pub storage: Option<String>,
}

/// How this user can use Nix's store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NixStore {
    /// There is none yet: Nix makes one for whoever may.
    #[default]
    None,
    /// By the daemon.
    Daemon,
    /// There is a daemon, and this user is not let in.
    Closed,
    /// The user owns it.
    Own,
    /// It is another's, and there is no daemon.
    Others,
}

impl HostFacts {
    /// As this user meets the host. What cannot be looked at is told as that.
    ///
    /// # Errors
    /// Unable when the directories of the forge cannot be found.
    pub fn read(directories: &Directories) -> Result<Self, Failure> {
        let programs: BTreeSet<&str> = PROGRAMS.into_iter().filter(|name| has(name)).collect();
        let state = file::resolved(&directories.state)?;
        let sites = Sites::of_user(&state)?;
        let user = user_name();
        let podman = programs.contains("podman").then(podman);
        let nix = programs.contains("nix").then(nix_version);
        let settings = SETTINGS.iter().filter_map(|setting| Some((setting, setting.forbids()?)));
        let receipt = Generation::read(&sites.receipt())?;
        let inscribed = receipt.and_then(|_| file::read_tree(&sites.quadlets).ok()).unwrap_or_default();
        Ok(Self {
            is_root: environment::is_root(),
            podman,
            storage_configurations: storage_configurations(),
            nix,
            nix_store: nix_store(),
            settings: settings.collect(),
            subordinate: subordinate(&user, programs.contains("getsubids")),
            systemd: (!environment::is_root()).then(|| {
                let systemd = Systemd::of_user().and_then(|systemd| systemd.version());
                systemd.map_err(|failure| first_line(&failure))
            }),
            lingers: Systemd::lingers(environment::uid()),
            online: online(),
            controllers: controllers(),
            apart: apart(&sites),
            keeps_in_an_instant: past::crypt(directories).ok().map(|crypt| crypt.is_immortal),
            space: space(&[&state, &directories.cache, Path::new("/nix"), &directories.crypt]),
            wanted_devices: wanted_devices(&inscribed),
            device_kinds: device_kinds(),
            programs,
            user,
        })
    }
}

fn has(name: &str) -> bool {
    let helper = || {
        HELPERS.iter().any(|directory| {
            file::kind_behind(&Path::new(directory).join(name)).is_ok_and(|kind| kind.is_some())
        })
    };
    environment::program(name).is_some() || helper()
}

fn first_line(failure: &Failure) -> String {
    failure.diagnostics().first().map(|one| one.message.to_string()).unwrap_or_default()
}

fn user_name() -> String {
    let uid = environment::uid().to_string();
    let known = file::read_text(Path::new("/etc/passwd")).unwrap_or_default();
    let fields = known.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut own = fields.filter(|fields| fields.get(2) == Some(&uid.as_str()));
    own.find_map(|fields| fields.first().map(|name| (*name).to_owned())).unwrap_or(uid)
}

fn podman() -> Result<PodmanFacts, String> {
    let podman = Podman::on_path().map_err(|failure| first_line(&failure))?;
    let storage = podman.can_load().err().map(|failure| failure.to_string());
    Ok(PodmanFacts { version: podman.version(), storage })
}

fn storage_configurations() -> Vec<PathBuf> {
    let own = environment::xdg("XDG_CONFIG_HOME", ".config").map(|base| base.join("containers/storage.conf"));
    let all = own.into_iter().chain([PathBuf::from("/etc/containers/storage.conf")]);
    all.filter(|path| file::kind_behind(path).is_ok_and(|kind| kind.is_some())).collect()
}

fn nix_version() -> Result<String, String> {
    let output = Command::new("nix").arg("--version").output().map_err(|failure| first_line(&failure))?;
    if !output.success() {
        return Err(output.stderr.trim().to_owned());
    }
    Ok(output.text().rsplit(' ').next().unwrap_or_default().to_owned())
}

fn nix_store() -> NixStore {
    let there = |path: &str| file::kind_behind(Path::new(path));
    match (there(DAEMON), there(NIX_DATABASE)) {
        (Ok(Some(_)), _) if file::is_writable(Path::new(DAEMON)) => NixStore::Daemon,
        // A directory that may not be looked into is that of a daemon that lets others in.
        (Err(_) | Ok(Some(_)), _) => NixStore::Closed,
        (Ok(None), Ok(None)) => NixStore::None,
        (Ok(None), _) if file::is_writable(Path::new(NIX_DATABASE)) => NixStore::Own,
        (Ok(None), _) => NixStore::Others,
    }
}

/// Whether the files of subordinate numbers have some for the user. Where they come from elsewhere, who knows is asked.
fn subordinate(user: &str, can_ask: bool) -> BTreeMap<&'static str, bool> {
    let uid = environment::uid().to_string();
    let has = |path: &str, options: &[&str]| {
        let text = file::read_text(Path::new(path)).unwrap_or_default();
        let listed =
            text.lines().filter_map(|line| line.split(':').next()).any(|name| name == user || name == uid);
        let asked = || {
            let output = Command::new("getsubids").args(options).arg(user).output();
            output.is_ok_and(|output| output.success())
        };
        listed || (can_ask && asked())
    };
    [("/etc/subuid", has("/etc/subuid", &[])), ("/etc/subgid", has("/etc/subgid", &["-g"]))].into()
}

/// Of the system's own systemd.
fn online() -> Option<bool> {
    let asked = Command::new("systemctl").args(["is-active", "network-online.target"]).output().ok()?;
    match asked.text().trim() {
        "active" => Some(true),
        "inactive" | "activating" | "failed" => Some(false),
        _ => None,
    }
}

fn controllers() -> Option<BTreeSet<String>> {
    let uid = environment::uid();
    let root = Path::new("/sys/fs/cgroup");
    let of = |path: PathBuf| file::read_text(&path).ok();
    of(root.join("cgroup.controllers"))?;
    let own = root.join(format!("user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"));
    let names = of(own)?;
    Some(names.split_whitespace().map(str::to_owned).collect())
}

/// Where units lie and where they are prepared, if those are on two file systems.
fn apart(sites: &Sites) -> Option<(PathBuf, PathBuf)> {
    let podmans = sites.quadlets.parent()?.to_owned();
    let above = podmans.parent()?.to_owned();
    let device = |path: &Path| {
        file::canonical(path).and_then(|path| file::status(&path)).map(|status| status.identity.0)
    };
    (device(&podmans).ok()? != device(&above).ok()?).then_some((podmans, above))
}

fn space(places: &[&Path]) -> BTreeMap<PathBuf, u64> {
    let mut all = BTreeMap::new();
    for place in places {
        let there = place.ancestors().find(|at| file::kind_behind(at).is_ok_and(|kind| kind.is_some()));
        if let Some(free) = there.and_then(|there| file::free_space(there).ok()) {
            all.insert((*place).to_owned(), free);
        }
    }
    all
}

fn wanted_devices(inscribed: &FileTree) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, _) in inscribed.iter() {
        let Some(text) = inscribed.file(path).and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
            continue;
        };
        let devices = text.lines().filter_map(|line| line.strip_prefix("AddDevice="));
        // `vendor.com/class=name`: what is a path is a device of the host's own.
        for device in devices.filter(|device| !device.starts_with(['/', '-']) && device.contains('=')) {
            all.entry(device.to_owned()).or_default().insert(path.to_string());
        }
    }
    all
}

/// The kinds that specifications of CDI name.
fn device_kinds() -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for directory in CDI {
        let names = file::list(Path::new(directory)).unwrap_or_default();
        for (name, _) in names {
            let path = Path::new(directory).join(&name);
            let Ok(bytes) = file::read(&path, LIMIT) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            let lines =
                text.lines().map(|line| line.trim().trim_start_matches('{').replace(['"', ',', '\''], ""));
            kinds.extend(lines.filter_map(|line| Some(line.strip_prefix("kind:")?.trim().to_owned())));
        }
    }
    kinds
}
