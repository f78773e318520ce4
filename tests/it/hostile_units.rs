//! Hostile text at every place of a Codex and of a member's rune where text may stand: it is refused with a message,
//! or the units have the very sections and keys that harmless text gives them, read by a reader of its own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail so")]

use std::{collections::BTreeMap, fmt::Write as _};

use lychd_forge::{codex, diagnostic::Source, runes::Rendered};

use crate::inscription::{NO_MEMBERS, rendered};

/// New lines, continuation, comments and sections, specifiers, expansion, prefixes, quotes, file names, paths, flags.
const HOSTILE: &[&str] = &[
    "x\nExecStartPre=/bin/sh -c id",
    "x\r\nExecStart=id",
    "x\u{b}y",
    "x\u{85}y",
    "x\u{2028}y",
    "x\u{0}y",
    "x\ty",
    "x\n[Service]\nExecStart=/bin/sh",
    "x\\",
    "\\",
    "x\\\ny",
    "#x",
    ";x",
    "; x",
    "[Install]",
    "[Service]",
    "=x",
    "%",
    "%%",
    "%h",
    "%u",
    "%m",
    "%n",
    "%i",
    "%t/x",
    "100%",
    "%%h",
    "%%%",
    "$HOME",
    "${USER}",
    "$$",
    "$",
    "$(id)",
    "@exe",
    "-cmd",
    "+cmd",
    "!cmd",
    ":cmd",
    "|cmd",
    ";",
    "a ; b",
    "';'",
    "\"",
    "'",
    "\\\"",
    "a\"b",
    "a'b",
    "\"a",
    "' '",
    " ",
    "  ",
    " x",
    "x ",
    "",
    "a b",
    "a=b",
    "a,b",
    "a:b",
    "../x.container",
    "a/b",
    "/",
    "//",
    "/..",
    "-x",
    ".hidden",
    "x.d",
    "x@y",
    "x.container.d",
    "default.target",
    "dbus",
    "VESSEL",
    "vessel",
    "pod",
    "é",
    "x\u{202e}y",
    "x\u{200b}y",
    "x\u{feff}y",
    "\u{1b}[31m",
    "--privileged",
    "PodmanArgs=--privileged",
    "/:/host",
    "/:/host:rw",
    "/run/podman/podman.sock:/run/podman/podman.sock",
    "/run/user/1000/podman:/x",
    "host",
    "/etc:/run/secrets",
    "~/.config/lychd:/x",
    "~/.ssh:/x",
    "x,target=/etc/passwd",
    "x,type=env",
    "/dev/mem",
    "/x:exec,suid",
    "ALL",
    "CAP_SYS_ADMIN",
    "docker-archive:/etc/x",
    "x.image",
    "x.build",
    "http://x/y",
    "file:///etc/passwd",
];

fn hostile() -> Vec<String> {
    let mut all: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    all.extend(["x".repeat(256), "x".repeat(1 << 16)]);
    all
}

/// `text` as a string of TOML, which is one of JSON as well.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || c > '\u{7e}' => write!(quoted, "\\u{:04x}", u32::from(c)).unwrap(),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

const LLAMA: &str = "runes/animator/soulstones/llamacpp/a.toml";
const VLLM: &str = "runes/animator/soulstones/vllm/a.toml";
const TABBY: &str = "runes/animator/soulstones/exllamav3/a.toml";
const PORTAL: &str = "runes/animator/portals/openai/a.toml";
const PHOENIX: &str = "runes/observability/phoenix/a.toml";
const STONE: &str = "name = \"s\"\nport = 8100\n";
const TABBY_REST: &str = "name = \"s\"\nvolumes = [\"/srv/e:/app/models:ro\"]\n";

/// A file, its text with `@@` where hostile text comes, and what harmlessly stands there.
fn fields() -> Vec<(&'static str, String, &'static str)> {
    let stone = |rest: &str| format!("{STONE}{rest}\n");
    let llama = |rest: &str| format!("name = \"s\"\nmodel_path = \"/m\"\n{rest}\n");
    let tabby = |rest: &str| format!("{TABBY_REST}{rest}\n");
    let portal = |rest: &str| format!("name = \"s\"\n{rest}\n");
    let mut all = vec![
        (VLLM, "name = @@\nport = 8100\n".to_owned(), "s"),
        (VLLM, stone("description = @@"), "x"),
        (VLLM, "name = \"s\"\nbase_url = @@\n".to_owned(), "http://localhost:8100/v1"),
        (VLLM, stone("runtime = @@"), "vllm"),
        (VLLM, stone("model_path = @@"), "/m"),
        (VLLM, stone("served_model_id = @@"), "x"),
        (VLLM, stone("model_format = @@"), "AWQ"),
        (VLLM, stone("groups = [@@]"), "x"),
        (VLLM, stone("devices = [@@]"), "/dev/dri"),
        (VLLM, stone("volumes = [@@]"), "/srv/x:/x"),
        (VLLM, stone("env_vars = { A = @@ }"), "x"),
        (VLLM, stone("env_vars = { @@ = \"x\" }"), "A"),
        (VLLM, stone("secret_env_files = { A = @@ }"), "x"),
        (VLLM, stone("secret_env_files = { @@ = \"x\" }"), "A"),
        (VLLM, stone("exec = [@@]"), "x"),
        (VLLM, stone("exec = [\"serve\", @@, \"last\"]"), "x"),
        (VLLM, stone("concurrency = { conflict_domains = [@@] }"), "x"),
        (VLLM, stone("quadlet = { image = @@ }"), "localhost/x:1"),
        (VLLM, stone("models = [{ id = @@, path = \"/x\" }]"), "x"),
        (VLLM, stone("models = [{ id = \"x\", path = @@ }]"), "/x"),
        (VLLM, stone("models = [{ id = \"x\", path = \"/x\", description = @@, tags = [@@] }]"), "x"),
        (VLLM, stone("models = [{ id = \"x\", path = \"/x\", capabilities = { families = [@@] } }]"), "chat"),
        (VLLM, stone("generation = { reasoning_format = @@ }"), "x"),
        (LLAMA, "name = \"s\"\nmodel_path = @@\n".to_owned(), "/m"),
        (TABBY, tabby("auth_secret_name = @@\nmodels = [{ id = \"m\", path = \"/app/models/m\" }]"), "x"),
        (TABBY, tabby("auth_secret_name = \"x\"\nmodels = [{ id = @@, path = \"/app/models/m\" }]"), "m"),
        (TABBY, tabby("auth_secret_name = \"x\"\nmodels = [{ id = \"m\", path = @@ }]"), "/app/models/m"),
        (PORTAL, portal("description = @@"), "x"),
        (PORTAL, portal("base_url = @@"), "https://example.org/v1"),
        (PORTAL, portal("provider_name = @@"), "openai"),
        (PORTAL, portal("api_key_secret_name = @@"), "key"),
        (PORTAL, portal("models = [{ id = @@ }]"), "x"),
        (PHOENIX, "name = @@\n".to_owned(), "phoenix"),
        (PHOENIX, "host = @@\n".to_owned(), "localhost"),
        (PHOENIX, "quadlet = { image = @@ }\n".to_owned(), "localhost/x:1"),
        ("lychd.toml", "[server.database]\nuser = @@\n".to_owned(), "lich"),
        ("lychd.toml", "[server.database]\ndatabase = @@\n".to_owned(), "lychd"),
        ("lychd.toml", "[server.database]\npassword_secret = @@\n".to_owned(), "x"),
        ("lychd.toml", "[server.web]\nsecret_key_secret = @@\n".to_owned(), "x"),
        ("lychd.toml", "[server.database]\nimage = @@\n".to_owned(), "localhost/x:1"),
        ("lychd.toml", "[orchestration.switching]\nhost_reactor_dir = @@\n".to_owned(), "/srv/r/inbox"),
        ("forge.toml", "[spheres]\noutlands = [@@]\n".to_owned(), "/srv/x"),
        ("forge.toml", "[spheres]\nlibrary = [{ path = \"/srv/x\", name = @@ }]\n".to_owned(), "x"),
        ("forge.toml", "[grants.@@]\n".to_owned(), "vessel"),
        ("forge.toml", "[grants.vessel]\ndevices = [@@]\n".to_owned(), "/dev/dri"),
        ("forge.toml", "[grants.vessel]\ntmpfs = [@@]\n".to_owned(), "/var/tmp"),
        ("forge.toml", "[grants.vessel]\nlinux-capabilities = [@@]\n".to_owned(), "KILL"),
        ("forge.toml", "[grants.vessel]\nmounts = [@@]\n".to_owned(), "~/x"),
    ];
    for key in ["models_dir", "models_preset", "cache_type_k", "cache_type_v", "chat_template"] {
        all.push((LLAMA, llama(&format!("{key} = @@")), "x"));
    }
    all.push((LLAMA, llama("lora_adapters = [@@]"), "x"));
    all.push((LLAMA, llama("extra_args = [@@]"), "x"));
    all.push((LLAMA, llama("env_vars = { LLAMA_ARG_ALIAS = @@ }"), "x"));
    for (key, harmless) in [
        ("\"name\": @@, \"image\": \"localhost/x:1\"", "s"),
        ("\"name\": \"s\", \"image\": @@", "localhost/x:1"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"groups\": [@@]", "x"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"capabilities\": [@@]", "x"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"volumes\": [@@]", "/srv/x:/x"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"volumes\": [@@]", "own:/x"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"grants\": { \"devices\": [@@] }", "/dev/dri"),
        ("\"name\": \"s\", \"image\": \"localhost/x:1\", \"grants\": { \"tmpfs\": [@@] }", "/var/tmp"),
    ] {
        let rune = format!("{{ \"member\": \"m\", \"place\": \"x\", \"rune\": {{ {key} }} }}");
        let record = format!(
            "{{ \"schema\": \"lychd-forge/federation/1\", \"web_port\": 8000, \"runes\": [{rune}] }}"
        );
        all.push(("federation.json", record, harmless));
    }
    all
}

const LYCHD: &str = "[extensions]\nbuiltins = [\"animator\", \"animator/llamacpp\", \"animator/vllm\", \
                     \"animator/sglang\", \"animator/exllamav3\", \"observability/phoenix\"]\n";

/// Tags are admitted for a repository of every hostile text that can be one, so that it is not the pin that refuses.
fn units(file: &str, text: &str, value: &str) -> Result<Rendered, String> {
    let admit = value.split(':').next().unwrap_or_default();
    let admit = Some(admit).filter(|name| {
        !name.is_empty()
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"./-".contains(&c))
            && name.ends_with(|c: char| c.is_ascii_lowercase())
            && *name != "localhost/x"
    });
    let policy = format!(
        "[policy]\nallow-tags = [\"docker.io/pgvector/pgvector\", \"docker.io/vllm/vllm-openai\", \"localhost/x\", \
         \"ghcr.io/ggml-org/llama.cpp\", \"docker.io/arize-ai/phoenix\"{}]\n",
        admit.map(|name| format!(", \"{name}\"")).unwrap_or_default()
    );
    let text = text.replace("@@", &quoted(value));
    let mut members = NO_MEMBERS.to_owned();
    let (mut lychd, mut forge) = (LYCHD.to_owned(), policy);
    let mut sources = Vec::new();
    match file {
        "lychd.toml" => lychd.push_str(&text),
        "forge.toml" => forge.push_str(&text),
        "federation.json" => members = text,
        _ => sources.push(Source::new(file, text)),
    }
    sources.extend([Source::new("lychd.toml", lychd), Source::new("forge.toml", forge)]);
    let codex = codex::parse(&sources).map_err(|failure| failure.to_string())?;
    rendered(&codex, &members, "5.4.2", &BTreeMap::new())
}

/// What a person and a machine see of a set: sections and keys of each file, in order.
fn outline(set: &Rendered) -> Vec<String> {
    let mut outline = Vec::new();
    for (path, bytes) in set
        .quadlets
        .iter()
        .chain(set.units.iter())
        .map(|(path, _)| (path, set.quadlets.file(path).or_else(|| set.units.file(path)).unwrap()))
    {
        let text = std::str::from_utf8(bytes).unwrap();
        let name = path.to_string();
        let stem = name.strip_prefix("lychd").and_then(|rest| rest.rsplit_once('.')).unwrap();
        assert!(
            stem.0.len() < 100
                && stem.0.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_".contains(&c))
                && ["pod", "container", "target", "timer"].contains(&stem.1),
            "{name}"
        );
        read(text, &name, &mut outline);
    }
    outline
}

/// systemd's and Quadlet's common grammar, by hand.
fn read(text: &str, name: &str, outline: &mut Vec<String>) {
    assert!(text.ends_with('\n') && !text.contains('\r'), "{name}");
    let mut section = "";
    for (number, line) in text.split('\n').enumerate() {
        assert!(!line.ends_with('\\') && !line.chars().any(char::is_control), "{name}: {line:?}");
        if line.is_empty() {
            continue;
        }
        if line.starts_with(['#', ';']) {
            assert_eq!(number, 0, "{name}: a comment: {line:?}");
        } else if let Some(title) = line.strip_prefix('[') {
            section = title.strip_suffix(']').unwrap();
            outline.push(format!("{name} [{section}]"));
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line:?}"));
            assert!(key.bytes().all(|c| c.is_ascii_alphabetic()), "{name}: {line:?}");
            // Only the home and the numbers of user and group are specifiers; every `$` is doubled.
            let value = value
                .replace("%%", "")
                .replace("%h", "")
                .replace("%U", "")
                .replace("%G", "")
                .replace("$$", "");
            let expands = !matches!(key, "Description");
            assert!(!(value.contains('%') || expands && value.contains('$')), "{name}: {line:?}");
            if key == "PodmanArgs" {
                assert!(matches!(value.as_str(), "--replace" | "--exit-policy=continue"), "{name}: {line:?}");
            }
            if key == "Exec" {
                assert!(!value.split(' ').any(|word| word.trim_matches(['"', '\'']) == ";"), "{line:?}");
            }
            outline.push(format!("{name} [{section}] {key}"));
        }
    }
}

#[test]
fn hostile_text_is_refused_or_stays_text() {
    let hostile = hostile();
    let (mut refused, mut taken) = (0, 0);
    let bare = outline(&units("forge.toml", "", "x").unwrap());
    for (file, text, harmless) in fields() {
        let want = outline(&units(file, &text, harmless).unwrap_or_else(|error| panic!("{text}: {error}")));
        let is_stone = file.contains("/soulstones/");
        assert!(!is_stone || want != bare, "{file} is not read: does `LYCHD` name its extension?");
        for value in &hostile {
            match units(file, &text, value) {
                Err(error) => {
                    refused += 1;
                    assert!(!error.is_empty(), "{text}: {value:?}");
                    let raw = error
                        .chars()
                        .any(|c| c.is_control() && c != '\n' || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'));
                    assert!(!raw, "{text}: {value:?}: {error:?}");
                }
                Ok(set) => {
                    taken += 1;
                    let renamed =
                        text.contains("name = @@") || text.contains("\"name\": @@") || value.is_empty();
                    let got = outline(&set);
                    if !renamed && !text.contains("[grants.@@]") {
                        assert_eq!(got, want, "{text}: {value:?}");
                    }
                }
            }
        }
    }
    assert!(refused > 3000 && taken > 500, "{refused} refused, {taken} taken");
}
