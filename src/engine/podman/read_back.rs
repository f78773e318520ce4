//! An image as podman shows it, held against the configuration that it was built with.
//!
//! Podman shows no configuration as bytes, so the fields are compared. What its Go types cannot tell apart is equal:
//! a field that is missing, null or empty, and two spellings of one moment.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    diagnostic::{Diagnostic, Failure},
    image::EngineId,
};

/// What of `podman image inspect` says which image it is. `Healthcheck` stands beside `Config` there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    id: String,
    repo_tags: Option<Vec<String>>,
    architecture: String,
    os: String,
    created: String,
    author: Option<String>,
    config: Option<Map<String, Value>>,
    healthcheck: Option<Value>,
    #[serde(rename = "RootFS")]
    root: ShownRoot,
    history: Option<Vec<Map<String, Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShownRoot {
    layers: Option<Vec<String>>,
}

/// The OCI image configuration, image-spec 1.1.
#[derive(Debug, Deserialize)]
struct Configuration {
    architecture: String,
    os: String,
    created: String,
    author: Option<String>,
    #[serde(default)]
    config: Map<String, Value>,
    rootfs: Root,
    #[serde(default)]
    history: Vec<Map<String, Value>>,
    /// What podman shows nowhere, so that it cannot be held against anything.
    #[serde(flatten)]
    unseen: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Root {
    diff_ids: Vec<String>,
}

/// An image in podman's storage.
#[derive(Debug)]
pub(super) struct Held {
    id: EngineId,
    shown: Shown,
}

impl Held {
    /// Of what `podman image inspect` prints for one image.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let unclear = |reason: &str| {
            Failure::from(Diagnostic::new(format!("`podman image inspect` gave no clear answer: {reason}")))
        };
        let all: Vec<Shown> = serde_json::from_slice(bytes).map_err(|error| unclear(&error.to_string()))?;
        let shown = all.into_iter().next().ok_or_else(|| unclear("no image"))?;
        let id = shown.id.parse().map_err(|error| unclear(&format!("{error}")))?;
        Ok(Self { id, shown })
    }

    pub(super) fn id(&self) -> &EngineId {
        &self.id
    }

    pub(super) fn references(&self) -> &[String] {
        self.shown.repo_tags.as_deref().unwrap_or_default()
    }

    /// In what it is not the image of these configuration bytes, a line each; none: it is that image.
    pub(super) fn differences(&self, config: &[u8]) -> Vec<String> {
        let wanted: Configuration = match serde_json::from_slice(config) {
            Ok(wanted) => wanted,
            Err(error) => return vec![format!("the configuration is none of an OCI image: {error}")],
        };
        let shown = &self.shown;
        let mut found = Vec::new();
        let mut hold = |what: &str, wanted: &Value, shown: &Value| {
            if wanted != shown {
                found.push(format!("{what}: {wanted} was built, podman has {shown}"));
            }
        };
        hold("architecture", &wanted.architecture.into(), &shown.architecture.clone().into());
        hold("os", &wanted.os.into(), &shown.os.clone().into());
        hold("created", &moment(&wanted.created.into()), &moment(&shown.created.clone().into()));
        let author = |text: Option<&String>| Value::from(text.cloned().unwrap_or_default());
        hold("author", &author(wanted.author.as_ref()), &author(shown.author.as_ref()));
        hold("layers", &wanted.rootfs.diff_ids.into(), &shown.root.layers.clone().unwrap_or_default().into());
        let mut config = shown.config.clone().unwrap_or_default();
        if let Some(check) = &shown.healthcheck {
            config.insert("Healthcheck".to_owned(), check.clone());
        }
        hold_maps("config", &wanted.config, &config, &mut hold);
        let history = shown.history.as_deref().unwrap_or_default();
        hold("length of the history", &wanted.history.len().into(), &history.len().into());
        for (index, (wanted, shown)) in wanted.history.iter().zip(history).enumerate() {
            hold_maps(&format!("history {index}"), wanted, shown, &mut hold);
        }
        hold_maps("configuration", &wanted.unseen, &Map::new(), &mut hold);
        found
    }
}

/// Every key that one of the two says something for.
fn hold_maps(
    what: &str,
    wanted: &Map<String, Value>,
    shown: &Map<String, Value>,
    hold: &mut impl FnMut(&str, &Value, &Value),
) {
    let said = |map: &Map<String, Value>, key: &str| match map.get(key) {
        Some(value) if key == "created" => moment(value),
        Some(value) if !is_empty(value) => value.clone(),
        _ => Value::Null,
    };
    for key in wanted.keys().chain(shown.keys()).collect::<BTreeSet<_>>() {
        hold(&format!("{what}, `{key}`"), &said(wanted, key), &said(shown, key));
    }
}

/// What Go leaves out of a structure's JSON.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// A moment in one spelling: nanoseconds since 1970. A text that is none stays as it is.
fn moment(value: &Value) -> Value {
    let parsed = value.as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    parsed.map_or_else(|| value.clone(), |moment| moment.unix_timestamp_nanos().to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration() -> Value {
        json!({
            "created": "1970-01-01T00:00:01.500000+02:30", "architecture": "amd64", "os": "linux",
            "config": {
                "Cmd": ["/bin/sh"], "Env": ["NAME=\u{fc}b\u{e9}r"], "User": "1001:1001", "WorkingDir": "/app",
                "ExposedPorts": { "8000/tcp": {} }, "Labels": {}, "Entrypoint": null, "StopSignal": "",
                "Healthcheck": { "Test": ["CMD", "x"], "Interval": 30_000_000_000_u64 },
            },
            "rootfs": { "type": "layers", "diff_ids": ["sha256:a", "sha256:b"] },
            "history": [{ "created": "1970-01-01T00:00:01+00:00", "comment": "c <&>" }, {}],
        })
    }

    /// As podman 4.3.1 shows that image, after `podman load`.
    fn shown() -> Value {
        json!({
            "Id": "0f327ec6", "RepoTags": ["localhost/t:custom"], "Created": "1970-01-01T00:00:01.5+02:30",
            "Author": "", "Architecture": "amd64", "Os": "linux", "Size": 1, "Annotations": {},
            "Config": {
                "User": "1001:1001", "ExposedPorts": { "8000/tcp": {} }, "Env": ["NAME=\u{fc}b\u{e9}r"],
                "Cmd": ["/bin/sh"], "WorkingDir": "/app",
            },
            "RootFS": { "Type": "layers", "Layers": ["sha256:a", "sha256:b"] },
            "History": [{ "created": "1970-01-01T00:00:01Z", "comment": "c <&>" }, {}],
            "Healthcheck": { "Test": ["CMD", "x"], "Interval": 30_000_000_000_u64 },
        })
    }

    fn differences(config: &Value, shown: &Value) -> Vec<String> {
        let held = Held::parse(json!([shown]).to_string().as_bytes()).unwrap();
        assert_eq!(held.id().as_str(), "0f327ec6");
        held.differences(config.to_string().as_bytes())
    }

    #[test]
    fn what_podman_shows_is_the_configuration_it_got() {
        assert_eq!(differences(&configuration(), &shown()), [""; 0]);
        let mut bare = configuration();
        bare["config"] = json!({});
        let mut nothing = shown();
        for key in ["Config", "Healthcheck", "RepoTags"] {
            nothing[key] = Value::Null;
        }
        assert_eq!(differences(&bare, &nothing), [""; 0]);
    }

    #[test]
    fn every_field_is_held_against_it() {
        for (pointer, other) in [
            ("/Created", json!("1970-01-01T00:00:01.5Z")),
            ("/Architecture", json!("arm64")),
            ("/Os", json!("windows")),
            ("/Author", json!("me")),
            ("/Config/User", json!("")),
            ("/Config/Env/0", json!("NAME=x")),
            ("/Config/Cmd", json!(["/bin/sh", "-c"])),
            ("/Config/ExposedPorts", json!({ "8000/tcp": {}, "1/tcp": {} })),
            ("/Config/Entrypoint", json!(["/init"])),
            ("/Config/Labels", json!({ "a": "b" })),
            ("/Healthcheck", Value::Null),
            ("/RootFS/Layers", json!(["sha256:b", "sha256:a"])),
            ("/RootFS/Layers", Value::Null),
            ("/History", json!([{}])),
            ("/History/0/comment", json!("d")),
            ("/History/1/empty_layer", json!(true)),
        ] {
            let mut other_image = shown();
            let (above, key) = pointer.rsplit_once('/').unwrap();
            match other_image.pointer_mut(above).unwrap() {
                Value::Array(items) => items[key.parse::<usize>().unwrap()] = other,
                above => above[key] = other,
            }
            assert!(!differences(&configuration(), &other_image).is_empty(), "{pointer}");
        }
        for (pointer, key) in [("", "variant"), ("/config", "Hostname")] {
            let mut unseen = configuration();
            unseen.pointer_mut(pointer).unwrap()[key] = json!("v2");
            let told = differences(&unseen, &shown());
            assert!(told.len() == 1 && told[0].contains(key), "{told:?}");
        }
    }
}
