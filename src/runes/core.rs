//! LychD's own services: the Vessel, its migration gate, the Phylactery and Phoenix.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DATABASE_SERVICE, MIGRATE_SERVICE, POD_SERVICE, PREFIX, RuneRecord, environment, health,
    mounts::{self, Layout, MountContext},
    ports, secrets,
    support::{self, Support},
    unit::{Container, FailedStart, Link, Restart, Secret, SecretForm, ServiceKind, Source, Stop, Value},
    variables::{home_environment, secret_file, variable},
};
use crate::{
    codex::{Actuator, Codex, DatabaseImage, Grants, runes::Phoenix},
    diagnostic::{Diagnostic, Failure},
    image::EngineId,
    name::{Role, SecretName, variable::VariableName},
};

/// Seconds for a container whose image podman has.
pub(super) const LOADED_SECONDS: u32 = 120;
/// Seconds for a container whose image may have to be fetched first.
pub(super) const FETCHED_SECONDS: u32 = 900;
/// LychD's upgrade waits a minute for the database, then runs to its end.
const MIGRATION_SECONDS: u32 = 900;
/// Where LychD's reactor unit waits for intents, when its host side is installed.
const REACTOR: &str = "lychd-reactor.path";

/// What it means where the Vessel asks the host through a reactor that this inscription does not bring.
pub(super) fn without_reactor(codex: &Codex) -> Option<String> {
    let asks = codex.lychd.switching.actuator.value == Actuator::HostReactor;
    asks.then(|| {
        format!(
            "the Vessel asks this host through `{REACTOR}`, which LychD's own `bind` brings with its service, and the forge \
             does not: where it is not there, nobody answers, and no Coven switches at the Vessel's word"
        )
    })
}

/// A container with nothing but the hardened default.
pub(super) fn hardened(name: &str, description: &str, source: Source) -> Container {
    let start_seconds = match source {
        Source::Loaded(_) => LOADED_SECONDS,
        Source::Fetched(_) => FETCHED_SECONDS,
    };
    Container {
        description: description.to_owned(),
        name: format!("{PREFIX}{name}"),
        source,
        link: Link::default(),
        grants: Grants::default(),
        memory: BTreeSet::from([Value::from("/tmp")]),
        volumes: Vec::new(),
        environment: BTreeMap::new(),
        secrets: Vec::new(),
        labels: BTreeMap::from([("lychd.rune", name.to_owned())]),
        exec: Vec::new(),
        service: ServiceKind::Lasting(Restart::Always),
        health: None,
        stop: None,
        start_seconds,
        failed_start: FailedStart::Told,
        at_boot: true,
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn plain(name: &SecretName) -> Secret {
    Secret { name: name.clone(), form: SecretForm::File }
}

/// The environment of the body, whichever of its two commands runs.
fn body_environment(codex: &Codex) -> BTreeMap<VariableName, Value> {
    let mut environment = home_environment();
    let (web, database) = (&codex.lychd.web, &codex.lychd.database);
    variable(&mut environment, "LYCHD_APP_SECRET_KEY_FILE", secret_file(&web.secret_key_secret.value));
    variable(&mut environment, "LYCHD_DB_PASSWORD_FILE", secret_file(&database.password_secret.value));
    variable(&mut environment, "SERVER__DATABASE__HOST", "localhost");
    variable(&mut environment, "SERVER__DATABASE__PORT", ports::DATABASE.to_string());
    environment
}

/// The application.
pub(super) fn vessel(
    codex: &Codex,
    body: &EngineId,
    record: &RuneRecord,
    context: MountContext<'_>,
    files: &Support,
    errors: &mut Vec<Diagnostic>,
) -> Result<Container, Failure> {
    let layout = context.layout;
    let source = Source::Loaded(body.reference());
    let mut vessel = hardened("vessel", "The Vessel: LychD itself", source);
    vessel.volumes = mounts::of_vessel(codex, context, errors)?;
    for name in [support::CAPABILITIES, environment::PROGRAM_FILE] {
        let inside = format!("{}/{name}", mounts::SUPPORT);
        vessel.volumes.extend(files.mount(name, &inside, layout, errors));
    }
    // Without a gate it is the database itself that has to be there. Both stop in the order opposite to that of their
    // starts, which needs the word on the database itself: by then the gate is long through.
    let first = set(&[if record.migrate.is_empty() { DATABASE_SERVICE } else { MIGRATE_SERVICE }]);
    let (mut wants, mut after) = (BTreeSet::new(), first.clone());
    after.insert(DATABASE_SERVICE.to_owned());
    let switching = &codex.lychd.switching;
    if switching.actuator.value == Actuator::HostReactor {
        for (path, options) in context.reactor.iter().zip([":rw,Z", ":ro,Z"]) {
            let side = mounts::host(path, layout, errors);
            let inside = match path.strip_prefix(&layout.crypt) {
                Ok(below) => mounts::below_home(&format!("{}/{}", mounts::CRYPT, below.display())),
                Err(_) => side.clone(),
            };
            vessel.volumes.push(side.then(":").then(inside).then(options));
        }
        wants.insert(REACTOR.to_owned());
        after.insert(REACTOR.to_owned());
    }
    vessel.link = Link { wants, requires: first, after, ..Link::default() };
    vessel.memory.insert(mounts::below_home(".cache"));
    vessel.environment = body_environment(codex);
    vessel.secrets = secrets::of_vessel(codex).iter().map(plain).collect();
    vessel.health = record.health.get(&Role::vessel()).map(health::of_vessel);
    vessel.failed_start = FailedStart::TriedAgain;
    environment::add(&mut vessel, codex, &record.command);
    Ok(vessel)
}

/// The gate before the Vessel: the database's schema is that of the body, or the Vessel does not start.
pub(super) fn migration(
    codex: &Codex,
    body: &EngineId,
    record: &RuneRecord,
    layout: &Layout,
    files: &Support,
    errors: &mut Vec<Diagnostic>,
) -> Container {
    let source = Source::Loaded(body.reference());
    let mut migration = hardened("migrate", "The migration gate: the database's schema", source);
    migration.volumes = mounts::of_migration(layout, errors);
    let database = set(&[DATABASE_SERVICE]);
    migration.link = Link { requires: database.clone(), after: database, ..Link::default() };
    migration.memory.insert(mounts::below_home(".cache"));
    migration.environment = body_environment(codex);
    let (web, own) = (&codex.lychd.web, &codex.lychd.database);
    migration.secrets = vec![plain(&web.secret_key_secret.value), plain(&own.password_secret.value)];
    migration.exec.clone_from(&record.migrate);
    let program = environment::PROGRAM_FILE;
    let inside = format!("{}/{program}", mounts::SUPPORT);
    migration.volumes.extend(files.mount(program, &inside, layout, errors));
    environment::add(&mut migration, codex, &record.migrate);
    migration.service = ServiceKind::Once;
    migration.failed_start = FailedStart::WaitedFor;
    migration.start_seconds = MIGRATION_SECONDS;
    migration.at_boot = false;
    migration
}

/// `PostgreSQL` with pgvector. It runs as the user, who owns its data: no capability is needed to change owners.
pub(super) fn phylactery(
    codex: &Codex,
    source: Source,
    layout: &Layout,
    files: &Support,
    errors: &mut Vec<Diagnostic>,
) -> Container {
    // A place that no image has: since 18 `/var/lib/postgresql/data` of the official one is a link in some of its
    // builds, and what is above it a volume.
    const DATA: &str = "/var/lib/lychd/postgres";
    let mut phylactery = hardened("phylactery", "The Phylactery: PostgreSQL with pgvector", source);
    let data = mounts::host(&layout.crypt.join(super::DATA), layout, errors);
    phylactery.volumes = vec![data.then(":").then(DATA).then(":rw,Z")];
    let sql = "/docker-entrypoint-initdb.d/10-lychd.sql";
    phylactery.volumes.extend(files.mount(support::FIRST_SQL, sql, layout, errors));
    phylactery.memory.insert(Value::from("/run/postgresql"));
    let database = &codex.lychd.database;
    let environment = &mut phylactery.environment;
    variable(environment, "PGDATA", DATA);
    variable(environment, "POSTGRES_DB", database.database.value.as_str());
    variable(environment, "POSTGRES_PASSWORD_FILE", secret_file(&database.password_secret.value));
    variable(environment, "POSTGRES_USER", database.user.value.as_str());
    phylactery.secrets = vec![plain(&database.password_secret.value)];
    let (user, name) = (database.user.value.as_str(), database.database.value.as_str());
    phylactery.health = Some(health::of_database(user, name, &database.password_secret.value));
    phylactery.failed_start = FailedStart::WaitedFor;
    // Fast shutdown: `SIGTERM` waits until every client has left, and then comes the kill.
    phylactery.stop = Some(Stop { signal: "SIGINT", seconds: 60 });
    phylactery
}

/// The tracing UI.
pub(super) fn phoenix(codex: &Codex, rune: &Phoenix, source: Source) -> Container {
    const WORK: &str = "/var/lib/phoenix";
    let mut phoenix = hardened(rune.name.value.as_str(), "The Oculus: Arize Phoenix", source);
    let database = set(&[DATABASE_SERVICE]);
    phoenix.link = Link { wants: database.clone(), after: database, ..Link::default() };
    phoenix.memory.insert(Value::from(WORK));
    phoenix.failed_start = FailedStart::TriedAgain;
    let [pages, telemetry] = ports::PHOENIX;
    let user = &codex.lychd.database.user.value;
    let url = environment::database_url("postgresql", user.as_str(), false, "phoenix");
    let environment = &mut phoenix.environment;
    variable(environment, "PHOENIX_GRPC_PORT", telemetry.to_string());
    variable(environment, "PHOENIX_PORT", pages.to_string());
    variable(environment, "PHOENIX_SQL_DATABASE_URL", url);
    variable(environment, "PHOENIX_WORKING_DIR", WORK);
    // Drivers take it where the URL has none. The official image asks nobody in the pod for it.
    if codex.lychd.database.image.value == DatabaseImage::Forged
        && let Ok(name) = "PGPASSWORD".parse()
    {
        let secret = codex.lychd.database.password_secret.value.clone();
        phoenix.secrets.push(Secret { name: secret, form: SecretForm::Variable(name) });
    }
    phoenix
}

/// The pod's service as a name to stop with.
pub(super) fn pod() -> String {
    POD_SERVICE.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codex, diagnostic::Source};

    #[test]
    fn a_host_that_nobody_brings_an_answer_to_is_told_of() {
        let told = |lychd: &str| {
            let images = "[server.database]\nimage = \"forged\"\n";
            let codex = codex::parse(&[Source::new("lychd.toml", format!("{images}{lychd}"))]).unwrap();
            without_reactor(&codex)
        };
        let note = told("").unwrap();
        assert!(note.contains("asks this host through `lychd-reactor.path`"), "{note}");
        assert_eq!(told("[orchestration.switching]\nactuator = \"systemd\"\n"), None);
    }
}
