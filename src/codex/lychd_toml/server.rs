//! `[server]`: the process, its database, its web application.

use super::{
    section::{DATABASE, JOBS, Keys, LOGGING, SERVER, WEB},
    value::{Database, Loopback, Setting, Web},
};
use crate::{
    codex::{Codex, HostPort},
    diagnostic::{Diagnostic, Place},
    document::{Table, Value},
};

pub(super) fn read(table: &Table, codex: &mut Codex, errors: &mut Vec<Diagnostic>) {
    let mut server = Keys::of(&SERVER, table, errors);
    server.set("host", &mut codex.lychd.host, |reader| reader.choice("host", &Loopback::ALL));
    server.booleans(&["reload"]);
    server.integers(&["keep_alive"]);
    let port = read_port(&mut server, &mut codex.ports.web);
    let database = server.table("database");
    let web = server.table("web");
    if let Some(table) = server.table("logging") {
        read_logging(table, server.errors());
    }
    if let Some(table) = server.table("jobs") {
        read_jobs(table, server.errors());
    }
    server.finish();
    let (database_port, password) = database.map_or((true, true), |table| {
        let mut keys = Keys::of(&DATABASE, table, errors);
        let port = read_port(&mut keys, &mut codex.ports.database);
        (port, read_database(&mut keys, &mut codex.lychd.database))
    });
    let secret_key = web.is_none_or(|table| read_web(table, &mut codex.lychd.web, errors));

    // A default stands in for a wrong value: that is no reason for another error.
    let ports = (&codex.ports.web, &codex.ports.database);
    if port && database_port && ports.0.port == ports.1.port {
        let message = format!("the server and its database both want port {} of the host", ports.0.port);
        let places = [(&ports.0.place, "`server.port`"), (&ports.1.place, "`server.database.port`")];
        let help = "give one of them another port; LychD's defaults are 7134 and 5432";
        errors.push(disagreement(message, places, help));
    }
    let own = &codex.lychd;
    let secrets = (&own.web.secret_key_secret, &own.database.password_secret);
    if secret_key && password && secrets.0.value == secrets.1.value {
        let message =
            format!("the application's key and the database's password are both in `{}`", secrets.0.value);
        let places = [
            (&secrets.0.place, "`server.web.secret_key_secret`"),
            (&secrets.1.place, "`server.database.password_secret`"),
        ];
        let help =
            "two secrets need two names; LychD's defaults are `lychd_app_secret_key` and `lychd_db_password`";
        errors.push(disagreement(message, places, help));
    }
}

/// Two settings that do not go together, at the places where they are set, in the order of the text.
fn disagreement(message: String, settings: [(&Option<Place>, &str); 2], help: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(message).help(help);
    for (place, label) in settings {
        match place {
            Some(place) => diagnostic = diagnostic.at(place.clone(), label),
            None => diagnostic = diagnostic.note(format!("{label} has its default")),
        }
    }
    diagnostic.places.sort_by_key(|(place, _)| place.span().start);
    diagnostic
}

/// `port`, which the pod publishes on the host, over its default.
fn read_port(keys: &mut Keys<'_, '_>, own: &mut HostPort) -> bool {
    let mut port = Setting { value: i64::from(own.port), place: None };
    let sound = keys.set("port", &mut port, |reader| reader.integer("port", 1..=i64::from(u16::MAX)));
    if let (Ok(number), Some(place)) = (u16::try_from(port.value), port.place) {
        *own = HostPort { port: number, place: Some(place) };
    }
    sound
}

/// True when the secret's name is sound.
fn read_database(keys: &mut Keys<'_, '_>, own: &mut Database) -> bool {
    keys.set_parsed("host", &mut own.host);
    keys.set_parsed("user", &mut own.user);
    keys.set_parsed("database", &mut own.database);
    keys.set_parsed("image", &mut own.image);
    keys.read("profile", |reader| reader.choice("profile", &[("postgres", ()), ("memory", ())]));
    keys.booleans(&["echo", "pool_pre_ping", "pool_use_lifo"]);
    keys.read("echo_pool", |reader| match reader.node("echo_pool").map(|node| &node.value) {
        Some(Value::String(_)) => {}
        _ => drop(reader.boolean("echo_pool")),
    });
    keys.integers(&["pool_size", "max_overflow", "pool_timeout", "pool_recycle"]);
    keys.set_parsed("password_secret", &mut own.password_secret)
}

/// True when the secret's name is sound.
fn read_web(table: &Table, own: &mut Web, errors: &mut Vec<Diagnostic>) -> bool {
    let mut web = Keys::of(&WEB, table, errors);
    web.set_parsed("image", &mut own.image);
    web.booleans(&["debug", "csrf_cookie_secure"]);
    web.strings(&["name", "url", "csrf_cookie_name"]);
    web.read("allowed_cors_origins", |reader| {
        for origin in reader.strings("allowed_cors_origins").unwrap_or_default() {
            if !is_loopback_origin(origin.value) {
                let message = format!(
                    "`allowed_cors_origins` in [server.web]: `{}` is not an exact origin of the loopback",
                    origin.value.escape_debug()
                );
                let help = "such as \"http://localhost:5173\": `http` or `https`, `127.0.0.1`, `[::1]` or `localhost`, a port";
                reader.errors().push(Diagnostic::new(message).at(origin.place, "").help(help));
            }
        }
    });
    web.set_parsed("secret_key_secret", &mut own.secret_key_secret)
}

/// As browsers spell it: scheme, host, port and nothing more.
fn is_loopback_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) else {
        return false;
    };
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|host| match rest.strip_prefix(host) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }),
        None => false,
    })
}

fn read_logging(table: &Table, errors: &mut Vec<Diagnostic>) {
    const LEVELS: [(&str, ()); 4] = [("DEBUG", ()), ("INFO", ()), ("WARNING", ()), ("ERROR", ())];
    // What Litestar can log of a request and of a response.
    const REQUEST: [(&str, ()); 10] = [
        ("path", ()),
        ("method", ()),
        ("content_type", ()),
        ("headers", ()),
        ("cookies", ()),
        ("query", ()),
        ("path_params", ()),
        ("body", ()),
        ("scheme", ()),
        ("client", ()),
    ];
    const RESPONSE: [(&str, ()); 4] = [("status_code", ()), ("headers", ()), ("body", ()), ("cookies", ())];
    let mut logging = Keys::of(&LOGGING, table, errors);
    logging.read("level", |reader| reader.choice("level", &LEVELS));
    logging.booleans(&["json_format"]);
    logging.read("request_fields", |reader| reader.choices("request_fields", &REQUEST));
    logging.read("response_fields", |reader| reader.choices("response_fields", &RESPONSE));
    logging.integers(&["sqlalchemy_level", "saq_level", "granian_level", "pydantic_ai_level"]);
}

fn read_jobs(table: &Table, errors: &mut Vec<Diagnostic>) {
    let mut jobs = Keys::of(&JOBS, table, errors);
    jobs.booleans(&["admin_ui_enabled"]);
    let path = jobs.read("admin_ui_path", |reader| reader.string("admin_ui_path"));
    if path.is_some_and(|path| !path.value.starts_with('/')) {
        jobs.refuse("admin_ui_path", "must begin with `/`");
    }
    jobs.integers_within(&["interactive_concurrency", "background_concurrency"], &(1..=128));
}
