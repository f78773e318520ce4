//! The image configuration and the two manifests: small JSON texts whose bytes are names.
//!
//! The configuration and the docker-archive's manifest are byte for byte those of upstream's streamer.
//! The OCI manifest is our own: sorted keys, two-space indent, LF at the end.

use serde_json::{Value, json};

use super::{
    conf::{Conf, Reference},
    content::Content,
    identity::ConfigDigest,
    json::{Json, python_list},
    prepared::Layer,
};
use crate::digest::Sha256;
use crate::document::canonical_json;

pub(super) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The bytes whose sha256 is the [`ConfigDigest`].
pub(super) fn config_bytes(conf: &Conf, layers: &[Layer]) -> Vec<u8> {
    let created = || Json::text(conf.created.clone());
    let diff_ids = layers.iter().map(|layer| Json::text(format!("sha256:{}", layer.diff_id)));
    let history = layers.iter().map(|layer| {
        let comment = match &layer.content {
            Content::Placed { comment, .. } => comment.clone(),
            Content::Store(_) | Content::Customisation(_) => {
                let sources = layer.content.store_paths();
                let sources: Vec<String> = sources.into_iter().map(ToString::to_string).collect();
                format!("store paths: {}", python_list(&sources))
            }
        };
        Json::object([("created", created()), ("comment", Json::Text(comment))])
    });
    Json::object([
        ("created", created()),
        ("architecture", Json::text(conf.architecture.clone())),
        ("os", Json::text("linux")),
        ("config", each_variable_once(&conf.config)),
        (
            "rootfs",
            Json::object([("diff_ids", Json::List(diff_ids.collect())), ("type", Json::text("layers"))]),
        ),
        ("history", Json::List(history.collect())),
    ])
    .to_python_text()
    .into_bytes()
}

/// The configuration with each variable once, at its first place with its last value, as upstream merges them.
fn each_variable_once(config: &Json) -> Json {
    let Json::Object(members) = config else { return config.clone() };
    let mut members = members.clone();
    if let Some((_, value)) = members.iter_mut().find(|(key, _)| key == "Env")
        && let Some(own) = value.texts()
    {
        let name = |entry: &str| entry.split('=').next().map(str::to_owned);
        let mut merged: Vec<&str> = Vec::new();
        for entry in own {
            match merged.iter_mut().find(|old| name(old) == name(entry)) {
                Some(old) => *old = entry,
                None => merged.push(entry),
            }
        }
        *value = Json::List(merged.into_iter().map(Json::text).collect());
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
    canonical_json(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, &Sha256::of(config), config.len() as u64),
        "layers": layers,
    }))
    .into_bytes()
}

/// An OCI content descriptor.
pub(super) fn descriptor(media_type: &str, digest: &Sha256, size: u64) -> Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_variables_the_last_value_counts_at_the_first_place() {
        for (config, want) in [
            (r#"{"Env": ["B=2", "A=1", "B=3"], "Cmd": []}"#, r#"{"Env":["B=3","A=1"],"Cmd":[]}"#),
            (r#"{"Env": ["A=0", "A=1"]}"#, r#"{"Env":["A=1"]}"#),
            (r#"{"Env": []}"#, r#"{"Env":[]}"#),
            (r#"{"Cmd": []}"#, r#"{"Cmd":[]}"#),
        ] {
            let once = each_variable_once(&serde_json::from_str(config).unwrap());
            assert_eq!(once.to_python_text().replace(['\n', ' '], ""), want);
        }
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
