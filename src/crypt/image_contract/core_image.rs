//! `[tool.lychd.image]`: the application's image. The defaults are LychD's own image contract.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    contract::{Health, ImageContract, User},
    keys,
};
use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Table,
        reader::{Reader, like},
    },
    name::PackageName,
};

/// The core's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreImage {
    /// What it promises.
    pub contract: ImageContract,
    /// The TCP port of the application.
    pub port: Port,
    /// Argument vector that brings the database to the body's schema before the application starts; empty when nothing
    /// has to.
    pub migrate: Vec<String>,
    /// Where the programs of `command`, `migrate` and `health` are written, by key; a key that is not written has none.
    pub programs: BTreeMap<&'static str, Place>,
}

/// The port of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Which.
    pub number: u16,
    /// Where that is written; `None` for LychD's own.
    pub place: Option<Place>,
}

/// What brings LychD's database to its schema, as its own host side calls it.
pub const LYCHD_MIGRATES: &str = "lychd database --wait-seconds 60 upgrade head --no-prompt";
/// The console script by which a core is LychD's.
const LYCHD: &str = "lychd";

impl CoreImage {
    /// LychD's own TCP port: that of a core which names none.
    pub const PORT: u16 = 8000;

    /// The image of a core called `project` that writes nothing of it: LychD's, with the application at
    /// `<package>.app:create_app`. LychD's own migration is that of a core with the console script `lychd`.
    #[must_use]
    pub fn of_core<'a>(project: &PackageName, scripts: impl IntoIterator<Item = &'a str>) -> Self {
        let user = User::default();
        let application = application(project);
        let env = BTreeMap::from([("LITESTAR_APP".to_owned(), application.clone())]);
        let contract = ImageContract {
            command: command(application, Self::PORT),
            env: home_environment(&user.name).into_iter().chain(env).collect(),
            directories: home_directories(&user.name),
            user,
            volumes: BTreeSet::new(),
            ports: BTreeSet::from([Self::PORT]),
            stop_signal: None,
            health: None,
            labels: BTreeMap::new(),
        };
        let is_lychd = scripts.into_iter().any(|script| script == LYCHD);
        let migrate = if is_lychd { LYCHD_MIGRATES } else { "" };
        let port = Port { number: Self::PORT, place: None };
        let migrate = migrate.split_whitespace().map(str::to_owned).collect();
        Self { contract, port, migrate, programs: BTreeMap::new() }
    }
}

fn application(project: &PackageName) -> String {
    format!("{}.app:create_app", project.as_dist_info_name())
}

fn command(application: String, port: u16) -> Vec<String> {
    let words =
        ["granian", "--interface", "asgi", "--factory", "--workers", "1", "--host", "0.0.0.0", "--port"];
    words.into_iter().map(str::to_owned).chain([port.to_string(), application]).collect()
}

fn home_environment(user: &str) -> BTreeMap<String, String> {
    let home = [("HOME", ""), ("XDG_CONFIG_HOME", "/.config"), ("XDG_DATA_HOME", "/.local/share")];
    home.into_iter().map(|(name, below)| (name.to_owned(), format!("/home/{user}{below}"))).collect()
}

fn home_directories(user: &str) -> Vec<String> {
    ["", "/.config/lychd", "/.local/share/lychd/extensions", "/.local/share/lychd/lab", "/library", "/work"]
        .map(|below| format!("/home/{user}{below}"))
        .into()
}

/// Reads `[tool.lychd.image]` over what a core without one has.
pub(in crate::crypt) fn read(
    project: &PackageName,
    mut image: CoreImage,
    table: &Table,
    errors: &mut Vec<Diagnostic>,
) -> CoreImage {
    let contract = &mut image.contract;
    let mut reader = Reader::new(table, "[tool.lychd.image]", errors);
    let given = keys::read(&mut reader, contract, Some(CoreImage::PORT));
    if let Some(migrate) = keys::words(&mut reader, like("migrate", "[\"lychd\", \"database\", \"upgrade\"]"))
    {
        image.migrate = migrate;
    }
    image.programs.extend(keys::program(reader.node("migrate")).map(|place| ("migrate", place)));
    image.programs.extend(given.programs);
    reader.finish();
    let first = given.ports.first().map(|port| Port { number: port.value, place: Some(port.place.clone()) });
    let asked = match &contract.health {
        Some(Health::Http { port, place, .. }) => Some(Port { number: *port, place: Some(place.clone()) }),
        _ => None,
    };
    image.port = asked.or(first).unwrap_or(image.port);
    contract.ports.remove(&CoreImage::PORT);
    contract.ports.extend(given.ports.iter().map(|port| port.value).chain([image.port.number]));
    if given.user {
        contract.env.extend(home_environment(&contract.user.name));
        if !given.directories {
            contract.directories = home_directories(&contract.user.name);
        }
    }
    if given.command {
        contract.env.remove("LITESTAR_APP");
    } else {
        contract.command = command(application(project), image.port.number);
    }
    contract.env.extend(given.env);
    image
}
