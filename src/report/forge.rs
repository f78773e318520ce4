//! `forge`.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use indicatif::HumanBytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{Body, Contents, Page, Report};
use crate::{engine::podman::LoadMethod, forge::Forged, lock::Change, name::Role};

/// A body that was built, or was there.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "forge --json", deny_unknown_fields)]
pub struct Forge {
    /// The body.
    #[serde(flatten)]
    pub body: Body,
    /// Whether podman has the image.
    pub loaded: bool,
    /// How podman got it; `null` with `--no-load`.
    pub load: Option<Load>,
    /// References that podman knows the image by.
    pub tags: Vec<String>,
    /// The command that starts the image, once podman has it, with its ports on this host alone.
    pub run: String,
    /// The command that gives podman the image.
    pub stream: String,
    /// The same of the other images of the body, for people.
    #[serde(skip)]
    pub streams: Vec<String>,
    /// What it is made of.
    #[serde(flatten)]
    pub contents: Contents,
    /// What moved in the locks.
    pub moved: Vec<Change>,
    /// What else to know, a line each.
    pub notes: Vec<String>,
    /// Seconds by stage.
    pub seconds: Seconds,
}

/// How an image came into podman.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "how", rename_all = "lowercase")]
#[schemars(deny_unknown_fields)]
pub enum Load {
    /// It was there.
    Present,
    /// The missing layers alone.
    Thin {
        /// How many.
        layers: usize,
        /// Their bytes.
        size: u64,
    },
    /// All layers.
    Full,
}

/// Seconds by stage, in the order they ran; a stage that was not needed is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seconds(pub Vec<(&'static str, Duration)>);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(stage, time)| (stage, time.as_secs_f64())))
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "seconds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = BTreeMap::<String, f64>::json_schema(generator);
        schema.insert(
            "additionalProperties".to_owned(),
            json_schema!({ "type": "number", "minimum": 0 }).into(),
        );
        schema
    }
}

impl Load {
    /// How two images came, together.
    fn and(self, method: &LoadMethod) -> Self {
        match (self, method) {
            (Self::Full, _) | (_, LoadMethod::Full) => Self::Full,
            (one, LoadMethod::Present) => one,
            (Self::Present, LoadMethod::Thin { layers, bytes }) => {
                Self::Thin { layers: *layers, size: *bytes }
            }
            (Self::Thin { layers, size }, LoadMethod::Thin { layers: more, bytes }) => {
                Self::Thin { layers: layers + more, size: size + bytes }
            }
        }
    }
}

impl Forge {
    /// Of a body that was forged; `stream` is the command that gives podman an image of it.
    #[must_use]
    pub fn of(forged: Forged, stream: impl Fn(&Role) -> String) -> Self {
        let Forged { body, moving, loaded, synthesis, moved, notes, times } = forged;
        let load = loaded
            .as_ref()
            .map(|loaded| loaded.iter().fold(Load::Present, |load, (_, one)| load.and(&one.method)));
        let reference = &body.images.vessel.reference;
        let both = moving.iter().zip(body.images.iter());
        let both =
            both.flat_map(|((_, moving), (_, image))| [moving.to_string(), image.reference.to_string()]);
        let tags = both.filter(|_| loaded.is_some());
        Self {
            body: Body::of(&body),
            tags: tags.collect(),
            loaded: loaded.is_some(),
            load,
            run: synthesis.image.run_command(&reference.to_string()),
            stream: stream(&Role::vessel()),
            streams: body.images.further.keys().map(stream).collect(),
            contents: Contents::of(&synthesis),
            moved,
            notes,
            seconds: Seconds(times),
        }
    }
}

impl Report for Forge {
    fn write(&self, page: &mut Page) {
        self.contents.write(page);
        let Self { body, .. } = self;
        page.field("layers", format!("{}, {}", body.layers, HumanBytes(body.size)));
        page.field("body", body.body.to_string());
        page.field("image", body.image_id.as_str());
        let further = |role: &&Role| **role != Role::vessel();
        for role in body.images.keys().filter(further) {
            let Some(image) = body.images.get(role) else { continue };
            let size = HumanBytes(image.size);
            page.field(role.as_str(), format!("{}, {} layers, {size}", image.found_by(), image.layers));
        }
        page.field("synthesis", format!("sha256:{}", body.synthesis_sha256));
        let Seconds(times) = &self.seconds;
        let total: Duration = times.iter().map(|(_, time)| *time).sum();
        let stages: Vec<String> =
            times.iter().map(|(stage, time)| format!("{stage} {:.1}", time.as_secs_f64())).collect();
        page.field("seconds", format!("{:.1} ({})", total.as_secs_f64(), stages.join(", ")));
        let Some(load) = &self.load else {
            for stream in std::iter::once(&self.stream).chain(&self.streams) {
                page.field("next", stream.as_str());
            }
            return;
        };
        let how = match load {
            Load::Present if body.images.len() > 1 => "podman had the images".to_owned(),
            Load::Present => "podman had the image".to_owned(),
            Load::Thin { layers, size } => format!("{layers} new layers, {}", HumanBytes(*size)),
            Load::Full => "all layers".to_owned(),
        };
        page.field("loaded", how);
        page.field("tags", self.tags.join(", "));
        page.field("next", self.run.as_str());
    }
}
