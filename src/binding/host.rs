//! The host as an inscription meets it, read once into a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    drop_ins::UserUnits,
    journal::Workshop,
    lychds::Lychds,
    places::{self, Places},
    search::SearchTree,
    site::{Found, Sites},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::{directories::Directories, environment, file},
    name::{RuneName, mount::HostPath},
    runes::{Layout, ports},
};

/// What of a host decides units and their plan.
#[derive(Clone, Debug)]
pub struct HostView {
    /// Where things lie, without links.
    pub layout: Layout,
    /// The state directory, without links.
    pub state: PathBuf,
    /// Where an inscription lies.
    pub sites: Sites,
    /// What lies there.
    pub found: Found,
    /// The ports of the last inscription, by stone.
    pub ports: BTreeMap<RuneName, u16>,
    /// LychD's own inscription, which is to be taken over.
    pub lychds: Option<Lychds>,
    /// What podman reads besides ours.
    pub quadlets: SearchTree,
    /// What systemd reads besides what is generated.
    pub units: UserUnits,
    /// What else to know of this host, a line each.
    pub notes: Vec<String>,
    /// Resolves links of a path as far as it exists. What is asked is known when units are rendered.
    pub resolve: fn(&Path) -> Result<PathBuf, Failure>,
}

impl HostView {
    /// This host, for the user who runs this; with `adopt` as it will be without LychD's own inscription.
    ///
    /// # Errors
    /// Refused when a path cannot stand in a unit, units could not lie where they are to, or the last inscription's ports make no sense; unable when a
    /// directory cannot be read, or there is no home.
    pub fn read(directories: &Directories, adopt: bool) -> Result<Self, Failure> {
        let configuration = configuration()?;
        let sites = Sites::of_user(&directories.state)?;
        sites.check()?;
        let layout = layout(directories, &configuration)?;
        let places = Places::of_user(&configuration);
        let workshop = Workshop::of(&sites)?;
        let rite = file::exists(&workshop.rite())?.then(|| {
            "a rebirth was cut short: the next verb that changes anything finishes it, or takes it back"
                .to_owned()
        });
        let unfinished = workshop.unfinished()?.map(|journal| {
            format!(
                "the inscription of generation {} was cut short: the next `bind` finishes or undoes it",
                journal.generation
            )
        });
        let elsewhere = environment::variable("QUADLET_UNIT_DIRS").map(|_| {
            "QUADLET_UNIT_DIRS is set: a podman that sees it reads other directories than these".to_owned()
        });
        let lychds = lychds(&sites, adopt)?;
        let theirs: BTreeSet<PathBuf> = lychds.iter().flat_map(|one| one.files(&sites)).collect();
        let mut found = sites.read()?;
        found.without(&theirs);
        let mut quadlets = SearchTree::read(&sites.quadlets, &places.podman)?;
        quadlets.without(&theirs);
        let mut units = UserUnits::read(&places.systemd, &places.systemd_after)?;
        units.without(&theirs);
        Ok(Self {
            layout,
            state: file::resolved(&directories.state)?,
            ports: inscribed_ports(&found)?,
            found,
            lychds,
            quadlets,
            units,
            notes: rite.into_iter().chain(unfinished).chain(elsewhere).collect(),
            resolve: file::resolved,
            sites,
        })
    }
}

/// LychD's own inscription, where it is to be taken over.
fn lychds(sites: &Sites, adopt: bool) -> Result<Option<Lychds>, Failure> {
    match (Lychds::of(sites)?, adopt) {
        (Some(_), false) => {
            let podmans = sites.quadlets.parent().unwrap_or(&sites.quadlets);
            let message =
                format!("`{}` holds units that `lychd bind` wrote, by its receipt", podmans.display());
            Err(Diagnostic::new(message)
                .help("`lychd-forge bind --adopt` takes their place, and `bind --release` gives it back")
                .into())
        }
        (None, true) => Err(Diagnostic::new("there is nothing of `lychd bind` to take over")
            .help("`lychd-forge bind --first` activates the first body")
            .into()),
        (found, _) => Ok(found),
    }
}

impl Sites {
    /// Those of the user who runs this.
    ///
    /// # Errors
    /// Unable when the state directory cannot be found, or there is no home.
    pub fn of_user(state: &Path) -> Result<Self, Failure> {
        Ok(Self::below(&configuration()?, &file::resolved(state)?))
    }
}

fn configuration() -> Result<PathBuf, Failure> {
    environment::xdg("XDG_CONFIG_HOME", ".config").ok_or_else(homeless)
}

fn homeless() -> Failure {
    Failure::unable(Diagnostic::new("neither XDG_CONFIG_HOME nor HOME is an absolute path").help("set HOME"))
}

fn layout(directories: &Directories, configuration: &Path) -> Result<Layout, Failure> {
    let home = environment::variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = file::resolved(&home.ok_or_else(homeless)?)?;
    // systemd puts it in for `%h`, and podman reads it with the rest of the mount.
    if HostPath::found(&home, Path::new("/nowhere")).is_none() {
        let message = format!("the home directory `{}` cannot stand in a mount", home.display());
        return Err(Diagnostic::new(message)
            .help("it must have none of `: ' \" $ % \\`, nor a blank")
            .into());
    }
    let state = file::resolved(&directories.state)?;
    Ok(Layout {
        home,
        codex: file::resolved(&directories.codex)?,
        crypt: file::resolved(&directories.crypt)?,
        support: Sites::below(configuration, &state).support,
        sites: vec![
            file::resolved(&places::quadlets(configuration))?,
            file::resolved(&places::units(configuration))?,
        ],
        own: vec![state, file::resolved(&directories.cache)?],
        closed: closed(configuration)?,
    })
}

/// Podman's and systemd's directories of this user, and the session's, wherever the environment puts them.
fn closed(configuration: &Path) -> Result<Vec<PathBuf>, Failure> {
    let data = environment::xdg("XDG_DATA_HOME", ".local/share");
    let both = |base: &Path| ["containers", "systemd"].map(|name| base.join(name));
    let runtime =
        environment::variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let all = both(configuration).into_iter().chain(data.iter().flat_map(|base| both(base))).chain(runtime);
    all.map(|path| file::resolved(&path)).collect()
}

/// The ports of the last inscription.
fn inscribed_ports(found: &Found) -> Result<BTreeMap<RuneName, u16>, Failure> {
    let Some((path, text)) = found.capabilities() else { return Ok(BTreeMap::new()) };
    ports::inscribed(&path.display().to_string(), text.to_owned())
}
