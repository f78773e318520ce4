//! `ExLlamaV3` behind `TabbyAPI`: LychD admits one image and one way to run it.

use std::collections::BTreeSet;

use super::{
    model::{Format, Model},
    soulstone::{Fields, Launch, Soulstone},
};
use crate::{
    codex::reader::Reader,
    diagnostic::Diagnostic,
    name::{SecretName, unit_text::UnitText},
};

/// Keys that only this family has.
pub(super) const KEYS: &[&str] = &["auth_secret_name", "model_dir", "disable_auth"];

/// The only image.
pub const TABBY_IMAGE: &str =
    "ghcr.io/theroyallab/tabbyapi@sha256:a2a4c5b5cd9ae38ea01410c0e495a39c3784d5c213122b2d6365bfa0a88266b3";

/// Where models lie in it.
const MODELS: &str = "/app/models";
const PORT: u16 = 5000;
const ALL_GPUS: &str = "nvidia.com/gpu=all";

pub(super) fn read(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    let auth = reader.parsed::<SecretName>("auth_secret_name");
    if let Some(directory) = reader.string("model_dir")
        && directory.value.trim_end_matches('/') != MODELS
    {
        reader.refuse("model_dir", format!("`model_dir` is `{MODELS}`, fixed by the image"));
    }
    if reader.boolean("disable_auth") == Some(true) {
        reader.refuse("disable_auth", "`disable_auth` cannot be true: TabbyAPI always asks for a key");
    }
    let Fields { stone, exec, format, .. } = fields?;
    if reader.node("auth_secret_name").is_none() {
        let message = format!("{} has no `auth_secret_name`", reader.title());
        reader.errors().push(
            Diagnostic::new(message)
                .at(stone.place.clone(), "")
                .help("the name of a podman secret with {\"api_key\": \"…\", \"admin_key\": \"…\"}"),
        );
    }
    if stone.image.value.to_string() != TABBY_IMAGE {
        let message = format!("{} must have the image `{TABBY_IMAGE}`", reader.title());
        reader.errors().push(Diagnostic::new(message).at(stone.image.place.clone(), ""));
    }
    let closed = [
        ("exec", !exec.is_empty()),
        ("env_vars", !stone.env_vars.is_empty()),
        ("secret_env_files", !stone.secret_env_files.is_empty()),
        ("model_path", stone.model_path.is_some()),
    ];
    for (key, _) in closed.into_iter().filter(|(_, set)| *set) {
        let message = format!("`{key}` is closed in {}: the image's settings are LychD's", reader.title());
        reader.refuse(key, message);
    }
    devices(reader, stone);
    volume(reader, stone);
    if let Some(url) = &stone.base_url {
        let rest = url.strip_prefix("http://").map(|rest| rest.split_once('/').map_or("", |(_, path)| path));
        if !rest.is_some_and(|path| matches!(path.trim_end_matches('/'), "" | "v1")) {
            let message = format!("`base_url` in {} must be `http:` with no path or `/v1`", reader.title());
            reader.refuse("base_url", message);
        }
    }
    let quantised = |format: Format| matches!(format, Format::Exl3 | Format::Raw);
    if let Some(format) = format
        && !quantised(format.value)
    {
        reader.refuse("model_format", "`model_format` must be EXL3 or RAW here");
    }
    models(reader, stone, &quantised);
    auth.map(Launch::Tabby)
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
        reader.refuse("devices", message);
    }
}

fn volume(reader: &mut Reader<'_, '_>, stone: &Soulstone) {
    let sound = match stone.volumes.as_slice() {
        [one] => one.value.container() == MODELS && one.value.options().any(|option| option == "ro"),
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
        reader.errors().push(Diagnostic::new(message).at(stone.place.clone(), ""));
    }
    let (mut ids, mut directories) = (BTreeSet::new(), BTreeSet::new());
    for Model { id, path, format, .. } in &stone.models {
        let mut wrong = |message: String, place: &crate::diagnostic::Place| {
            reader.errors().push(Diagnostic::new(message).at(place.clone(), ""));
        };
        if !ids.insert(id.value.as_str()) {
            wrong(format!("two models have the id `{}`", id.value), &id.place);
        }
        if let Some(format) = format
            && !quantised(format.value)
        {
            wrong(format!("the model `{}` must be EXL3 or RAW", id.value), &format.place);
        }
        let Some(path) = path else { continue };
        let name = path.value.strip_prefix(MODELS).and_then(|rest| rest.strip_prefix('/'));
        match name.filter(|name| {
            !matches!(*name, "" | "." | "..") && !name.contains(['/', '\\']) && name.trim() == *name
        }) {
            None => wrong(
                format!("the model `{}` must be a directory directly in `{MODELS}`", id.value),
                &path.place,
            ),
            Some(name) if !directories.insert(name) => {
                wrong(format!("two models have the directory `{name}`"), &path.place);
            }
            Some(_) => {}
        }
    }
}

/// The family's defaults, where the rune says nothing.
pub(super) fn complete(stone: &mut Soulstone) {
    if stone.port.is_none() {
        let place = stone.place.clone();
        stone.port = Some(crate::codex::document::Located { value: PORT, place });
    }
    if stone.devices.is_empty() {
        stone.devices.extend(ALL_GPUS.parse::<UnitText>());
    }
}
