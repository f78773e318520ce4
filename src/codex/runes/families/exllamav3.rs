//! `ExLlamaV3` behind `TabbyAPI`: LychD admits one image and one way to run it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    codex::runes::{
        model::{Format, Model, Sample},
        soulstone::{Control, Launch, Soulstone, Word},
        stone_family::{Fields, Samples, StoneFamily, StoneImage},
    },
    diagnostic::{Diagnostic, Place},
    document::reader::{Reader, like},
    name::{SecretName, unit_text::UnitText, variable::VariableName},
};

/// The only image.
const IMAGE: &str =
    "ghcr.io/theroyallab/tabbyapi@sha256:a2a4c5b5cd9ae38ea01410c0e495a39c3784d5c213122b2d6365bfa0a88266b3";

/// Where models lie in it.
const MODELS: &str = "/app/models";
const PORT: u16 = 5000;
const ALL_GPUS: &str = "nvidia.com/gpu=all";

pub(super) const STONE: StoneFamily = StoneFamily {
    image: StoneImage::Only(IMAGE),
    port: Some(PORT),
    devices: &[ALL_GPUS],
    shared_memory: 8 << 30,
    catalogued: true,
    // What is closed here may be empty, and no more.
    samples: Samples {
        base_url: r#""http://localhost:5000/v1""#,
        env_vars: "{}",
        exec: "[]",
        image: IMAGE,
        model: Sample { id: "mid", path: Some("/app/models/mid") },
        model_format: r#""EXL3""#,
        model_path: r#""""#,
        secret_env_files: "{}",
        volumes: r#"["/data/models:/app/models:ro"]"#,
    },
    launch,
    ..StoneFamily::PLAIN
};

fn launch(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    let auth = reader.parsed::<SecretName>(like("auth_secret_name", r#""tabby_auth""#));
    if let Some(directory) = reader.string(like("model_dir", r#""/app/models""#))
        && directory.value.trim_end_matches('/') != MODELS
    {
        let message = format!("`model_dir` is `{MODELS}`, fixed by the image");
        reader.refuse("model_dir", message, "leave it out");
    }
    if reader.boolean(like("disable_auth", "false")) == Some(true) {
        let message = "`disable_auth` cannot be true: TabbyAPI always asks for a key";
        reader.refuse("disable_auth", message, "leave it out");
    }
    let Fields { stone, exec, format, .. } = fields?;
    let example = r#"the name of a podman secret with {"api_key": "…", "admin_key": "…"}"#;
    reader.require("auth_secret_name", &stone.place, example);
    if stone.image.value.to_string() != IMAGE {
        let message = format!("{} must have the image `{IMAGE}`", reader.title());
        let other = Diagnostic::new(message).at(stone.image.place.clone(), "");
        reader.errors().push(other.help("leave `quadlet` out: this image is the default"));
    }
    let closed = [
        ("exec", !exec.is_empty()),
        ("env_vars", !stone.env_vars.is_empty()),
        ("secret_env_files", !stone.secret_env_files.is_empty()),
        ("model_path", stone.model_path.is_some()),
    ];
    for (key, _) in closed.into_iter().filter(|(_, set)| *set) {
        let message = format!("`{key}` is closed in {}: the image's settings are LychD's", reader.title());
        reader.refuse(key, message, "remove it");
    }
    devices(reader, stone);
    volume(reader, stone);
    endpoint(reader, stone);
    let quantised = |format: Format| matches!(format, Format::Exl3 | Format::Raw);
    if let Some(format) = format
        && !quantised(format.value)
    {
        let message = format!("`model_format` of {} must be EXL3 or RAW", reader.title());
        reader.refuse("model_format", message, "leave it out: EXL3 is the default");
    }
    models(reader, stone, &quantised);
    auth.map(|secret| Launch {
        environment: environment(),
        memory: vec!["/app/logs"],
        control: Some(Control { secret, file: "/app/api_tokens.yml" }),
        ..Launch::default()
    })
}

/// What LychD fixes of `TabbyAPI`.
fn environment() -> BTreeMap<VariableName, Word> {
    let text = |text: &str| Word::Text(text.to_owned());
    let fixed = [
        ("LOG_LEVEL", text("WARNING")),
        ("MODEL_BACKEND", text("exllamav3")),
        ("MODEL_INLINE_MODEL_LOADING", text("false")),
        ("MODEL_MODEL_DIR", text(MODELS)),
        ("MODEL_MODEL_NAME", text("")),
        ("MODEL_USE_DUMMY_MODELS", text("false")),
        ("NETWORK_DISABLE_AUTH", text("false")),
        ("NETWORK_DISABLE_FETCH_REQUESTS", text("true")),
        ("NETWORK_HOST", text("0.0.0.0")),
        ("NETWORK_PORT", Word::Port),
        ("NETWORK_SSE_PING_INTERVAL", text("5")),
    ];
    fixed
        .into_iter()
        .filter_map(|(name, value)| Some((format!("TABBY_{name}").parse().ok()?, value)))
        .collect()
}

/// `base_url` says the port that `TabbyAPI` is told, which is not taken from it.
fn endpoint(reader: &mut Reader<'_, '_>, stone: &Soulstone) {
    let Some(url) = &stone.base_url else { return };
    let rest = url.strip_prefix("http://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    let sound = rest.is_some_and(|(authority, path)| {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        matches!(host, "localhost" | "127.0.0.1") && matches!(path.trim_end_matches('/'), "" | "v1")
    });
    if !sound {
        let message = format!(
            "`base_url` in {} must be `http:` at localhost or 127.0.0.1, with no path or `/v1`",
            reader.title()
        );
        reader.refuse("base_url", message, format!("for example: `base_url = {}`", STONE.samples.base_url));
    }
    let port = if reader.node("port").is_some() { None } else { stone.port.as_ref().map(|port| port.value) };
    if let Some(port) = port.filter(|port| *port != PORT) {
        let message = format!(
            "`base_url` in {} says port {port}, and `port` is {PORT} where nothing sets it",
            reader.title()
        );
        let own = format!("write `port = {port}` as well");
        reader.refuse("base_url", message, own);
    }
}

fn devices(reader: &mut Reader<'_, '_>, stone: &Soulstone) {
    let sound = |device: &UnitText| {
        device.as_str().strip_prefix("nvidia.com/gpu=").is_some_and(|which| {
            !which.is_empty() && which.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c))
        })
    };
    if reader.node("devices").is_some() && (stone.devices.is_empty() || !stone.devices.iter().all(sound)) {
        let message =
            format!("`devices` in {} must name graphics cards as `nvidia.com/gpu=…`", reader.title());
        reader.refuse("devices", message, format!("for example: `devices = [\"{ALL_GPUS}\"]`"));
    }
}

fn volume(reader: &mut Reader<'_, '_>, stone: &Soulstone) {
    // LychD compares the text, so no `/` may stand at its end.
    let written = || reader.node("volumes")?.as_array()?.first()?.as_str()?.split(':').nth(1);
    let sound = match stone.volumes.as_slice() {
        [one] => written() == Some(MODELS) && one.value.options().any(|option| option == "ro"),
        _ => false,
    };
    if !sound {
        let message = format!("{} needs exactly one volume, read-only, at `{MODELS}`", reader.title());
        let place = reader.node("volumes").map_or_else(|| stone.place.clone(), |node| node.place.clone());
        let one = Diagnostic::new(message).at(place, "");
        reader.errors().push(one.help(format!("volumes = [\"/data/models:{MODELS}:ro\"]")));
    }
}

fn models(reader: &mut Reader<'_, '_>, stone: &Soulstone, quantised: &dyn Fn(Format) -> bool) {
    if stone.models.is_empty() {
        let message = format!("{} needs at least one [[models]]", reader.title());
        let none = Diagnostic::new(message).at(stone.place.clone(), "");
        reader.errors().push(none.help(format!("for example: `models = {}`", STONE.samples.model.list())));
    }
    let (mut ids, mut directories) = (BTreeSet::new(), BTreeSet::new());
    for Model { id, path, format, .. } in &stone.models {
        let mut wrong = |message: String, place: &Place, help: String| {
            reader.errors().push(Diagnostic::new(message).at(place.clone(), "").help(help));
        };
        if !ids.insert(id.value.as_str()) {
            let help = "an id is what requests say: give one of them another".to_owned();
            wrong(format!("two models have the id `{}`", id.value), &id.place, help);
        }
        if let Some(format) = format
            && !quantised(format.value)
        {
            let help = "write `format = \"EXL3\"`, or leave it out".to_owned();
            wrong(format!("the model `{}` must be EXL3 or RAW", id.value), &format.place, help);
        }
        let Some(path) = path else { continue };
        let name =
            path.value.trim_end_matches('/').strip_prefix(MODELS).and_then(|rest| rest.strip_prefix('/'));
        match name.filter(|name| {
            !matches!(*name, "" | "." | "..") && !name.contains(['/', '\\']) && name.trim() == *name
        }) {
            None => wrong(
                format!("the model `{}` must be a directory directly in `{MODELS}`", id.value),
                &path.place,
                format!("for example: `path = \"{MODELS}/mid\"`"),
            ),
            Some(name) if !directories.insert(name) => {
                let help = "a directory is one model: remove one of the two".to_owned();
                wrong(format!("two models have the directory `{name}`"), &path.place, help);
            }
            Some(_) => {}
        }
    }
}
