//! How containers are asked whether they are well.

use std::collections::BTreeMap;

use super::{
    RuneRecord,
    question::Question,
    unit::{Container, Health, Source, Unwell},
    variables::secret_file,
};
use crate::{
    codex::{Codex, HealthCheck, runes::StoneHealth},
    diagnostic::Diagnostic,
    document::nearest::nearest,
    image::EngineId,
    name::{Role, SecretName},
};

/// The program to run in the application's container, which has Python.
fn words(question: &Question) -> Vec<String> {
    match question {
        Question::Http { path, port } => over_http("python", *port, path),
        Question::Command(words) => started(words),
    }
}

/// Words that podman starts as they are. A list of one word it gives to a shell, and some first words mean something else
/// to it; `env` starts its arguments.
fn started(words: &[String]) -> Vec<String> {
    let special =
        |word: &String| ["CMD", "CMD-SHELL", "NONE"].iter().any(|one| word.eq_ignore_ascii_case(one));
    let alone = words.len() == 1 || words.first().is_some_and(special);
    alone.then(|| "env".to_owned()).into_iter().chain(words.iter().cloned()).collect()
}

/// Ends with 0 when `http://localhost:<port><path>` answers 2xx: no site packages, no quotes that a unit would have to
/// escape.
const OVER_HTTP: &str = "import http.client,sys;c=http.client.HTTPConnection('localhost',int(sys.argv[1]),timeout=8);\
                         c.request('GET',sys.argv[2]);sys.exit(not 200<=c.getresponse().status<300)";

fn over_http(python: &str, port: u16, path: &str) -> Vec<String> {
    [python, "-I", "-S", "-c", OVER_HTTP, &port.to_string(), path].map(str::to_owned).into()
}

/// Of the application.
pub(super) fn of_vessel(question: &Question) -> Health {
    Health { command: words(question), first: None, every: 1, failed: Unwell::Killed }
}

/// Of a container with an image of the body that need not have Python; `None` when it cannot be asked.
pub(super) fn of_further(question: &Question) -> Option<Health> {
    let Question::Command(command) = question else { return None };
    Some(Health { command: started(command), first: None, every: 1, failed: Unwell::Killed })
}

/// Of a member's rune.
pub(super) fn by_program(command: &[String]) -> Option<Health> {
    (!command.is_empty()).then(|| by_hand(command, None))
}

/// Of a container that the operator says how to ask, in place of what was known.
fn by_hand(command: &[String], known: Option<&Health>) -> Health {
    let (every, failed) = known.map_or((2, Unwell::Killed), |known| (known.every, known.failed));
    Health { command: started(command), first: None, every, failed }
}

/// Of a stone that listens on `port`, by what its family knows. A model can take minutes to load.
pub(super) fn of_stone(health: StoneHealth, port: u16) -> Health {
    let command = match health {
        StoneHealth::Curl(path) => {
            let url = format!("http://localhost:{port}{path}");
            ["curl", "--fail", "--silent", "--output", "/dev/null", &url].map(str::to_owned).into()
        }
        StoneHealth::Python(path) => over_http("python3", port, path),
    };
    Health { command, first: None, every: 2, failed: Unwell::Killed }
}

/// Asks whether the database has the extension, which the first SQL makes: the official image takes a first start that
/// was cut short for a whole one. `$1` is the file with the password, `$2` the user, `$3` the database.
const WHOLE: &str = "export PGPASSWORD=\"$(cat \"$1\")\"; \
    has=\"$(psql --no-psqlrc --no-password -Atq --host=127.0.0.1 --username=\"$2\" --dbname=\"$3\" \
    --command=\"select count(*) from pg_extension where extname = 'vector'\")\" || exit 1; \
    [ \"$has\" = 1 ] || { echo \"the database $3 has no extension vector: its first start was cut short. \
    If nothing of yours is in it, move postgres/data of the Crypt away and start again\" >&2; exit 1; }";

/// Of `PostgreSQL`. It is well when the first start is through and whole; later a busy one is let live that still
/// answers, and one that does not is asked to end before it is killed.
pub(super) fn of_database(user: &str, database: &str, password: &SecretName) -> Health {
    let file = secret_file(password);
    let whole = ["sh", "-c", WHOLE, "lychd-health", &file, user, database].map(str::to_owned);
    let ready = ["pg_isready", "--quiet", "--host=127.0.0.1"].map(str::to_owned);
    Health { command: ready.into(), first: Some(whole.into()), every: 1, failed: Unwell::Stopped }
}

/// The start of a service that is asked: a model can take its time, and an image may have to be fetched first.
const PATIENT_SECONDS: u32 = 1800;

/// Adds what images of the body and the operator say; what the operator says counts. A service that nobody knows goes
/// to `errors`; notes come back.
pub(super) fn ask(
    codex: &Codex,
    record: &RuneRecord,
    further: &BTreeMap<Role, EngineId>,
    containers: &mut [Container],
    errors: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let names: Vec<String> = containers.iter().map(|one| rune_of(one).to_owned()).collect();
    for (name, said) in &codex.health {
        if names.iter().all(|one| one != name.as_str()) {
            let message = format!("`{name}` of [health] is no service of this body");
            let wrong = Diagnostic::new(message).at(said.place.clone(), "");
            errors.push(match nearest(name.as_str(), names.iter().map(String::as_str)) {
                Some(near) => wrong.help(format!("did you mean `{near}`?")),
                None => wrong.help(format!("its services: {}", names.join(", "))),
            });
        }
    }
    if let Some((name, said)) = codex.health.iter().find(|(name, _)| name.as_str() == "migrate") {
        let told =
            Diagnostic::new(format!("`{name}` of [health]: the gate runs to its end, and is not asked"));
        errors.push(told.at(said.place.clone(), "").help("leave it out"));
    }
    for container in containers {
        let of_body = further.iter().find(|(_, image)| container.source == Source::Loaded(image.reference()));
        if let (None, Some(role)) = (&container.health, of_body.map(|(role, _)| role))
            && let Some(question) = record.health.get(role)
        {
            container.health = of_further(question);
            if container.health.is_none() {
                notes.push(format!(
                    "the image `{role}` says by HTTP whether it is well, and has no Python to ask with: `{}` is not asked. \
                     `health = {{ command = […] }}` names a program of the image",
                    container.name
                ));
            }
        }
        let own = container.health.is_some();
        match codex
            .health
            .iter()
            .find(|(name, _)| name.as_str() == rune_of(container))
            .map(|(_, said)| &said.value)
        {
            Some(HealthCheck::Off) => container.health = None,
            Some(HealthCheck::Command(words)) => {
                container.health = Some(by_hand(words, container.health.as_ref()));
            }
            None => {}
        }
        let is_core = container.at_boot && own;
        if container.health.is_some() && !is_core {
            container.start_seconds = container.start_seconds.max(PATIENT_SECONDS);
        }
    }
    notes
}

/// The rune's or service's name without the prefix.
fn rune_of(container: &Container) -> &str {
    container.name.strip_prefix(super::PREFIX).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_reaches_a_shell() {
        for (words, want) in [
            (&["ok"][..], &["env", "ok"][..]),
            (&["a b;$(id)"], &["env", "a b;$(id)"]),
            (&["cmd-shell", "id"], &["env", "cmd-shell", "id"]),
            (&["CMD", "a"], &["env", "CMD", "a"]),
            (&["None"], &["env", "None"]),
            (&["curl", "-f"], &["curl", "-f"]),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(started(&words), want, "{words:?}");
        }
    }
}
