use std::path::Path;

use super::{section::SECTIONS, *};
use crate::{
    codex::{self, Builtin, HostPorts},
    diagnostic::{Failure, Source},
};

const EVERY_KEY: &str = include_str!("every_key.toml");

fn parse(text: &str) -> Result<Codex, Failure> {
    codex::parse(&[Source::new("lychd.toml", text)])
}

/// What is told about a text, one string an error.
fn told(text: &str) -> Vec<String> {
    let failure = parse(text).expect_err(text);
    failure.diagnostics().iter().map(ToString::to_string).collect()
}

#[test]
fn every_key_is_read_and_what_shapes_units_is_kept() {
    let codex = parse(EVERY_KEY).unwrap();
    for (key, _) in SECTIONS.iter().flat_map(|section| section.keys) {
        let written = [format!("\n{key} = "), format!(".{key}]"), format!("[{key}")];
        assert!(written.iter().any(|form| EVERY_KEY.contains(form)), "`{key}` is missing here");
    }
    let hash = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";
    let Lychd { host, database, web, switching } = codex.lychd;
    assert_eq!((host.value, host.place.unwrap().to_string()), (Loopback::V6, "lychd.toml:3:8".to_owned()));
    assert_eq!((codex.ports.web.port, codex.ports.database.port), (8134, 6432));
    assert_eq!(database.host.value.as_str(), "db.internal");
    assert_eq!((database.user.value.as_str(), database.database.value.as_str()), ("magus", "tower"));
    assert_eq!(database.image.value.to_string(), format!("localhost/pg@sha256:{hash}"));
    assert_eq!(database.password_secret.value.as_str(), "tower.password");
    assert_eq!(database.password_secret.place.unwrap().to_string(), "lychd.toml:14:19");
    assert_eq!(web.image.value.id().unwrap().to_string(), hash);
    assert_eq!(web.image.place.unwrap().to_string(), "lychd.toml:26:9");
    assert_eq!(web.secret_key_secret.value.as_str(), "tower-key");
    assert_eq!(switching.actuator.value, Actuator::Systemd);
    let inbox = switching.host_reactor_dir.unwrap();
    assert_eq!(inbox.value.path(Path::new("/home/magus")), Path::new("/home/magus/reactor/inbox"));
    assert_eq!(inbox.place.to_string(), "lychd.toml:63:20");
    let ids = |list: Vec<Builtin>| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(
        ids(codex.extensions.active_builtins()),
        "delegation animator animator/vllm observability/phoenix animator/llamacpp animator/exllamav3 \
         animator/sglang simulation"
    );
    assert_eq!(codex.extensions.builtins[1].place.to_string(), "lychd.toml:76:27");
}

#[test]
fn the_defaults_in_the_hints_are_the_defaults() {
    let mut text = String::new();
    for section in SECTIONS.iter().filter(|section| section.title.starts_with('[')) {
        text.push_str(&section.title.replace("NAME", "default"));
        text.push('\n');
        for (key, default) in section.keys.iter().filter(|(_, default)| !default.is_empty()) {
            text.extend([key, " = ", default, "\n"]);
        }
    }
    let mut codex = parse(&text).unwrap();
    let forget = |place: &mut Option<crate::diagnostic::Place>| *place = None;
    let Lychd { host, database, web, switching } = &mut codex.lychd;
    assert!(switching.host_reactor_dir.take().is_some());
    for place in [
        &mut host.place,
        &mut database.host.place,
        &mut database.user.place,
        &mut database.database.place,
        &mut database.image.place,
        &mut database.password_secret.place,
        &mut web.image.place,
        &mut web.secret_key_secret.place,
        &mut switching.actuator.place,
        &mut codex.ports.web.place,
        &mut codex.ports.database.place,
    ] {
        forget(place);
    }
    assert_eq!((codex.lychd, codex.ports), (Lychd::default(), HostPorts::default()));
}

#[test]
fn the_documentation_has_every_key_with_its_default() {
    let formats = include_str!("../../../docs/formats.md");
    for section in SECTIONS.iter().filter(|section| section.title.starts_with('[')) {
        let above = section.title.trim_matches(['[', ']']);
        for (key, default) in section.keys {
            let row = format!("\n| `{above}.{key}` | `{}` |", default.trim_matches('"'));
            let is_table = SECTIONS.iter().any(|other| {
                other.title == format!("[{above}.{key}]") || other.title == format!("[{above}.{key}.NAME]")
            });
            let without_default = format!("\n| `{above}.{key}` | ");
            let want = if default.is_empty() { &without_default } else { &row };
            assert!(is_table || formats.contains(want.as_str()), "{want}");
        }
    }
}

/// Place, first line (empty: there is none), second line, message.
const RULES: &str = r#"
1:1 |  | sever = 1 | unknown key `sever` in lychd.toml
2:1 | [server] | prot = 1 | unknown key `prot` in [server]
2:1 | [server] | profile = 'memory' | unknown key `profile` in [server]
2:1 | [server.database] | pasword_secret = 'x' | unknown key `pasword_secret` in [server.database]
2:1 | [server.web] | workers = 2 | unknown key `workers` in [server.web]
2:1 | [server.logging] | format = 'x' | unknown key `format` in [server.logging]
2:1 | [server.jobs] | queue = 'x' | unknown key `queue` in [server.jobs]
2:1 | [orchestration] | switch = {} | unknown key `switch` in [orchestration]
2:1 | [orchestration.routing.cli] | prio = 1 | unknown key `prio` in [orchestration.routing.cli]
2:1 | [orchestration.switching] | journal = 'x' | unknown key `journal` in [orchestration.switching]
2:1 | [orchestration.whim] | idle = 1 | unknown key `idle` in [orchestration.whim]
2:1 | [extensions] | builtin = [] | unknown key `builtin` in [extensions]
1:10 |  | server = 1 | `server` in lychd.toml must be a table, not an integer
2:7 | [server] | web = [] | `web` in [server] must be a table, not an array
2:11 | [server] | logging = 'x' | `logging` in [server] must be a table, not a string
1:1 |  | [[server.jobs]] | `jobs` in [server] must be a table, not an array
1:17 |  | orchestration = [] | `orchestration` in lychd.toml must be a table
2:11 | [orchestration] | routing = 1 | `routing` in [orchestration] must be a table
2:7 | [orchestration.routing] | cli = 'runs' | `cli` in [orchestration.routing] must be a table
2:8 | [server] | host = '0.0.0.0' | `host` in [server]: `0.0.0.0` is not known
2:8 | [server] | host = 'localhost' | `host` in [server]: `localhost` is not known
2:8 | [server] | port = 0 | `port` in [server] must be between 1 and 65535
2:8 | [server] | port = 65536 | `port` in [server] must be between 1 and 65535
2:8 | [server] | port = '7134' | `port` in [server] must be an integer, not a string
2:8 | [server] | port = 7134.0 | `port` in [server] must be an integer, not a float
2:10 | [server] | reload = 1 | `reload` in [server] must be `true` or `false`, not an integer
2:14 | [server] | keep_alive = true | `keep_alive` in [server] must be an integer, not a boolean
2:8 | [server] | port = 5432 | the server and its database both want port 5432 of the host
2:8 | [server.database] | port = 7134 | the server and its database both want port 7134
2:8 | [server.database] | port = 65536 | `port` in [server.database] must be between 1 and 65535
2:8 | [server.database] | host = 'a\b' | `host` in [server.database]: `a\\b` cannot stand in a unit
2:8 | [server.database] | user = '' | `user` in [server.database]: `` is not a name for PostgreSQL
2:8 | [server.database] | user = "a\nX=1" | `user` in [server.database]: `a\nX=1` is not a name
2:12 | [server.database] | database = '$x' | `database` in [server.database]: `$x` is not a name
2:9 | [server.database] | image = 'a b' | `image` in [server.database]: `a b` is not an image
2:19 | [server.database] | password_secret = '../x' | `password_secret` in [server.database]: `../x` is not
2:11 | [server.database] | profile = 'sqlite' | `profile` in [server.database]: `sqlite` is not known
2:8 | [server.database] | echo = 'yes' | `echo` in [server.database] must be `true` or `false`
2:13 | [server.database] | echo_pool = 1 | `echo_pool` in [server.database] must be `true` or `false`
2:13 | [server.database] | pool_size = 1.5 | `pool_size` in [server.database] must be an integer
2:16 | [server.database] | max_overflow = '1' | `max_overflow` in [server.database] must be an integer
2:16 | [server.database] | pool_timeout = [] | `pool_timeout` in [server.database] must be an integer
2:16 | [server.database] | pool_recycle = {} | `pool_recycle` in [server.database] must be an integer
2:17 | [server.database] | pool_pre_ping = 1 | `pool_pre_ping` in [server.database] must be `true`
2:17 | [server.database] | pool_use_lifo = 1 | `pool_use_lifo` in [server.database] must be `true`
2:9 | [server.web] | image = 'sha256:00' | `image` in [server.web]: `sha256:00` is not an image ID
2:9 | [server.web] | image = 'a:t\' | `image` in [server.web]: `a:t\\` is not an image
2:9 | [server.web] | image = 'lychd.image' | `image` in [server.web]: `lychd.image` names a unit
2:21 | [server.web] | secret_key_secret = '/x' | `secret_key_secret` in [server.web]: `/x` is not
2:9 | [server.web] | debug = 'true' | `debug` in [server.web] must be `true` or `false`
2:8 | [server.web] | name = 1 | `name` in [server.web] must be a string, not an integer
2:7 | [server.web] | url = 1979-05-27 | `url` in [server.web] must be a string, not a date
2:20 | [server.web] | csrf_cookie_name = [] | `csrf_cookie_name` in [server.web] must be a string
2:22 | [server.web] | csrf_cookie_secure = 0 | `csrf_cookie_secure` in [server.web] must be `true`
2:24 | [server.web] | allowed_cors_origins = '*' | must be an array of strings, not a string
2:25 | [server.web] | allowed_cors_origins = ['*'] | `*` is not an exact origin of the loopback
2:21 | [server.web] | secret_key_secret = 'lychd_db_password' | the application's key and the database's password are both in `lychd_db_password`
2:9 | [server.logging] | level = 'info' | `level` in [server.logging]: `info` is not known
2:9 | [server.logging] | level = 20 | `level` in [server.logging] must be a string
2:15 | [server.logging] | json_format = 'auto' | `json_format` in [server.logging] must be `true`
2:27 | [server.logging] | request_fields = ['path', 'paths'] | `request_fields` in [server.logging]: `paths`
2:20 | [server.logging] | response_fields = ['path'] | `response_fields` in [server.logging]: `path`
2:20 | [server.logging] | sqlalchemy_level = 'INFO' | `sqlalchemy_level` in [server.logging] must be
2:13 | [server.logging] | saq_level = 'INFO' | `saq_level` in [server.logging] must be an integer
2:17 | [server.logging] | granian_level = 'INFO' | `granian_level` in [server.logging] must be
2:21 | [server.logging] | pydantic_ai_level = 1.0 | `pydantic_ai_level` in [server.logging] must be
2:20 | [server.jobs] | admin_ui_enabled = 1 | `admin_ui_enabled` in [server.jobs] must be `true`
2:17 | [server.jobs] | admin_ui_path = 'saq' | `admin_ui_path` in [server.jobs] must begin with `/`
2:27 | [server.jobs] | interactive_concurrency = 0 | must be between 1 and 128
2:26 | [server.jobs] | background_concurrency = 129 | must be between 1 and 128
2:9 | [orchestration.routing.cli] | queue = 'run' | `queue` in [orchestration.routing.cli]: `run`
2:12 | [orchestration.routing.x] | priority = 101 | `priority` in [orchestration.routing.x] must be
2:12 | [orchestration.routing.x] | priority = -1 | must be between 0 and 100
2:12 | [orchestration.switching] | actuator = 'systemctl' | `actuator` in [orchestration.switching]: `s
2:20 | [orchestration.switching] | host_reactor_dir = 'inbox' | `inbox` must be an absolute path
2:20 | [orchestration.switching] | host_reactor_dir = '/x' | `/x` must be a directory called `inbox`
2:20 | [orchestration.switching] | host_reactor_dir = '/%h/inbox' | cannot stand in a unit
2:20 | [orchestration.switching] | host_reactor_dir = '/a\inbox' | cannot stand in a unit
2:10 | [orchestration.switching] | policy = true | `policy` in [orchestration.switching] must be a string
2:30 | [orchestration.switching] | min_priority_for_hard_swap = 101 | must be between 0 and 100
2:19 | [orchestration.switching] | drain_timeout_s = 0 | `drain_timeout_s` in [orchestration.switching] must be more than 0
2:20 | [orchestration.switching] | warmup_timeout_s = -0.5 | must be more than 0
2:25 | [orchestration.switching] | reactor_ack_timeout_s = nan | must be more than 0
2:23 | [orchestration.switching] | systemctl_timeout_s = inf | must be finite
2:23 | [orchestration.switching] | systemctl_timeout_s = '1' | must be a number, not a string
2:22 | [orchestration.whim] | idle_evict_after_s = 1.5 | `idle_evict_after_s` in [orchestration.whim]
2:11 | [orchestration.whim] | preload = 'x' | `preload` in [orchestration.whim] must be an array of
2:17 | [orchestration.whim] | preload = ['x', 1] | must be an array of strings, not an integer
2:12 | [extensions] | builtins = 'animator' | `builtins` in [extensions] must be an array of strings
2:13 | [extensions] | builtins = ['animator/vlm'] | `builtins` in [extensions]: `animator/vlm` is not
2:27 | [extensions] | builtins = ['simulation', 'simulation'] | `simulation` stands twice
2:15 | [extensions] | crypt = ['a', 'a'] | `a` stands twice in `crypt` of [extensions]
2:10 | [extensions] | crypt = ['a/../b'] | `a/../b` is not a member id
"#;

#[test]
fn each_rule_is_told_at_its_place() {
    let long = format!(
        "2:21 | [server.web] | secret_key_secret = '{}' | is not the name of a secret",
        "a".repeat(128)
    );
    for row in RULES.trim().lines().chain([long.as_str()]) {
        let [place, above, line, message] = row.split(" | ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        let text = if above.is_empty() { line.to_owned() } else { format!("{above}\n{line}") };
        let told = told(&text);
        let at = format!("\n  at lychd.toml:{place}");
        let wanted = told[0].contains(message) && told[0].contains(&at) && told[0].contains("\n  help: ");
        assert!(told.len() == 1 && wanted, "{row}\n---\n{}", told.join("\n"));
    }
}

#[test]
fn hints_say_what_was_meant() {
    for (text, help) in [
        ("[server]\nprot = 1", "did you mean `port`?"),
        ("[server]\nprofile = 'memory'", "`profile` is a key of [server.database]"),
        ("image = 'x'", "`image` is a key of [server.database], [server.web]"),
        ("[server]\nzzz = 1", "known keys: host, port, reload, keep_alive, database, web, logging, jobs"),
        ("[server]\nport = '7134'", "without the quotes: `port = 7134`"),
        ("[server.web]\ndebug = 'true'", "without the quotes: `debug = true`"),
        ("[server.web]\nname = 7", "in quotes: `name = \"7\"`"),
        (
            "[server.web]\nimage = 'sha256:00'",
            "LychD's default: `image = \"ghcr.io/hexanomicon/lychd:latest\"`",
        ),
        ("[server.logging]\njson_format = 1", "without `json_format` LychD decides"),
        ("[server.logging]\nlevel = 'info'", "did you mean \"INFO\"?"),
        ("[server]\nhost = '0.0.0.0'", "known: \"127.0.0.1\", \"::1\""),
        ("[server]\nweb = 1", "its keys stand below a line `[server.web]`"),
        ("server = 1", "its keys stand below a line `[server]`"),
        ("[extensions]\nbuiltins = ['animator/vlm']", "did you mean \"animator/vllm\"?"),
        ("[extensions]\nbuiltins = ['phoenix']", "did you mean \"observability/phoenix\"?"),
        (
            "[extensions]\nbuiltins = ['x']",
            "known: \"animator\", \"animator/llamacpp\", \"animator/exllamav3\", \"animator/vllm\", \
             \"animator/sglang\", \"observability/phoenix\", \"simulation\", \"delegation\"",
        ),
    ] {
        let told = told(text);
        assert!(told.len() == 1 && told[0].ends_with(&format!("\n  help: {help}")), "{text}: {told:?}");
    }
}

#[test]
fn only_origins_of_the_loopback_are_exact() {
    for bad in [
        "http://example.org",
        "http://localhost/",
        "http://localhost:0",
        "http://localhost:65536",
        "http://localhost:",
        "http://localhost:+80",
        "http://user@localhost",
        "http://localhost?x",
        "http://localhost#x",
        "ftp://localhost",
        "localhost:5173",
        "http://localhost.example.org",
        "http://127.0.0.2",
        "http://::1",
        "null",
        "",
    ] {
        let told = told(&format!("[server.web]\nallowed_cors_origins = ['http://localhost', '{bad}']"));
        assert!(told.len() == 1 && told[0].contains("lychd.toml:2:45"), "{bad}: {told:?}");
    }
}

#[test]
fn what_disagrees_is_told_at_both_places_and_a_wrong_value_only_once() {
    let told_once = told(
        "[server.database]\nport = 7\npassword_secret = 'x'\n[server]\nport = 7\nweb = { secret_key_secret = 'x' }\n",
    );
    assert_eq!(
        told_once,
        [
            "the server and its database both want port 7 of the host\n  at lychd.toml:2:8: `server.database.port`\n  \
             at lychd.toml:5:8: `server.port`\n  \
             help: give one of them another port; LychD's defaults are 7134 and 5432",
            "the application's key and the database's password are both in `x`\n  \
             at lychd.toml:3:19: `server.database.password_secret`\n  \
             at lychd.toml:6:29: `server.web.secret_key_secret`\n  \
             help: two secrets need two names; LychD's defaults are `lychd_app_secret_key` and `lychd_db_password`",
        ]
    );
    let told = told("[server]\nport = 5432\n[server.database]\nport = 'x'\n");
    assert!(told.len() == 1 && told[0].contains("must be an integer"), "{told:?}");
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_text() {
    let told = told(
        "[extensions]\nbuiltins = ['animatr']\n[orchestration.switching]\nactuator = 1\n\
         [server.jobs]\nadmin_ui_path = ''\n[server]\nhost = '::'\nport = 5432\n[server.web]\nimage = ''\nfoo = 1\n\
         [whim]\n",
    );
    let places: Vec<&str> =
        told.iter().map(|text| text.lines().nth(1).unwrap().trim().split(": ").next().unwrap()).collect();
    let want = ["2:13", "4:12", "6:17", "8:8", "9:8", "11:9", "12:1", "13:2"];
    assert_eq!(places, want.map(|place| format!("at lychd.toml:{place}")));
}
