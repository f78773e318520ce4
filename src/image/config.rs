//! The image configuration and the two manifests: small JSON texts whose bytes are names.
//!
//! The configuration and the docker-archive's manifest are byte for byte those of upstream's streamer.
//! The OCI manifest is our own: sorted keys, two-space indent, LF at the end.

use serde_json::{Value, json};

use super::{
    Layer,
    conf::{Conf, Reference},
    identity::ConfigDigest,
    json::{Json, python_list},
    layer::Content,
};
use crate::digest::Sha256;

pub(super) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The bytes whose sha256 is the [`ConfigDigest`]. `environment` is that of the base image.
pub(super) fn config_bytes(conf: &Conf, environment: &[String], layers: &[Layer]) -> Vec<u8> {
    let created = || Json::text(conf.created.clone());
    let diff_ids = layers.iter().map(|layer| Json::text(format!("sha256:{}", layer.diff_id)));
    let history = layers.iter().map(|layer| {
        let comment = format!("store paths: {}", python_list(&sources(layer)));
        Json::object([("created", created()), ("comment", Json::Text(comment))])
    });
    Json::object([
        ("created", created()),
        ("architecture", Json::text(conf.architecture.clone())),
        ("os", Json::text("linux")),
        ("config", overlay(&conf.config, environment)),
        (
            "rootfs",
            Json::object([("diff_ids", Json::List(diff_ids.collect())), ("type", Json::text("layers"))]),
        ),
        ("history", Json::List(history.collect())),
    ])
    .to_python_text()
    .into_bytes()
}

/// What the history says a layer was made from.
fn sources(layer: &Layer) -> Vec<String> {
    match &layer.content {
        Content::Base(blob) => vec![blob.name.clone()],
        Content::Store(paths) => paths.iter().map(ToString::to_string).collect(),
        Content::Customisation(path) => vec![path.to_string()],
    }
}

/// The configuration with the base image's variables before its own; of equal names the last value counts.
fn overlay(config: &Json, environment: &[String]) -> Json {
    let Json::Object(members) = config else { return config.clone() };
    if environment.is_empty() && config.get("Env").is_none() {
        return config.clone();
    }
    let own = config.get("Env").and_then(Json::texts).unwrap_or_default();
    let mut merged: Vec<&str> = Vec::new();
    for entry in environment.iter().map(String::as_str).chain(own) {
        let name = |entry: &str| entry.split('=').next().map(str::to_owned);
        match merged.iter_mut().find(|old| name(old) == name(entry)) {
            Some(old) => *old = entry,
            None => merged.push(entry),
        }
    }
    if merged.is_empty() {
        return config.clone();
    }
    let merged = Json::List(merged.into_iter().map(Json::text).collect());
    let mut members = members.clone();
    match members.iter_mut().find(|(key, _)| key == "Env") {
        Some((_, value)) => *value = merged,
        None => members.push(("Env".to_owned(), merged)),
    }
    Json::Object(members)
}

/// `manifest.json` of the docker-archive.
pub(super) fn docker_manifest(id: ConfigDigest, references: &[Reference], layers: &[Layer]) -> Vec<u8> {
    let tags = references.iter().map(|reference| Json::text(reference.to_string()));
    let paths = layers.iter().map(|layer| Json::Text(layer.member_name()));
    Json::List(vec![Json::object([
        ("Config", Json::text(format!("{id}.json"))),
        ("RepoTags", Json::List(tags.collect())),
        ("Layers", Json::List(paths.collect())),
    ])])
    .to_python_text()
    .into_bytes()
}

/// The OCI manifest over the configuration and the uncompressed layers.
pub(super) fn oci_manifest(config: &[u8], layers: &[Layer]) -> Vec<u8> {
    let layers: Vec<Value> =
        layers.iter().map(|layer| descriptor(LAYER_TYPE, &layer.diff_id, layer.size)).collect();
    canonical(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, &Sha256::of(config), config.len() as u64),
        "layers": layers,
    }))
}

/// An OCI content descriptor.
pub(super) fn descriptor(media_type: &str, digest: &Sha256, size: u64) -> Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
}

/// Canonical bytes: sorted keys (the map type sorts), two-space indent, LF at the end.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(config: &str, base: &[&str]) -> String {
        let base: Vec<String> = base.iter().map(|entry| (*entry).to_owned()).collect();
        overlay(&serde_json::from_str(config).unwrap(), &base).to_python_text().replace(['\n', ' '], "")
    }

    #[test]
    fn variables_of_the_base_come_first_and_lose() {
        assert_eq!(
            merged(r#"{"Env": ["B=2", "A=1"], "Cmd": []}"#, &["A=0", "C=3"]),
            r#"{"Env":["A=1","C=3","B=2"],"Cmd":[]}"#
        );
        assert_eq!(merged(r#"{"Cmd": []}"#, &["A=0"]), r#"{"Cmd":[],"Env":["A=0"]}"#);
        assert_eq!(merged(r#"{"Env": ["A=0", "A=1"]}"#, &[]), r#"{"Env":["A=1"]}"#);
        assert_eq!(merged(r#"{"Env": []}"#, &[]), r#"{"Env":[]}"#);
    }

    #[test]
    fn the_oci_manifest_is_canonical() {
        let text = String::from_utf8(oci_manifest(b"{}", &[])).unwrap();
        let hash = Sha256::of(b"{}");
        let want = format!(
            "{{\n  \"config\": {{\n    \"digest\": \"sha256:{hash}\",\n    \"mediaType\": \"{CONFIG_TYPE}\",\n    \
             \"size\": 2\n  }},\n  \"layers\": [],\n  \"mediaType\": \"{MANIFEST_TYPE}\",\n  \"schemaVersion\": 2\n}}\n"
        );
        assert_eq!(text, want);
    }
}
