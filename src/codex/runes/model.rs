//! `[[models]]` and `generation`: what a rune says about the models it serves.

use std::{fmt, str::FromStr};

use super::super::{
    document::{Located, Node},
    reader::Reader,
};
use crate::{
    diagnostic::{Diagnostic, Place},
    name::{RuneName, unit_text::is_printable},
};

/// What a model can do: LychD's closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Conversation.
    Chat,
    /// Understanding of pictures.
    Vision,
    /// Vectors for texts.
    Embedding,
    /// Speech to text.
    Stt,
    /// Text to speech.
    Tts,
    /// Calling tools.
    ToolExecution,
    /// Ordering of search results.
    Rerank,
}

impl Capability {
    const ALL: [(&'static str, Self); 7] = [
        ("chat", Self::Chat),
        ("vision", Self::Vision),
        ("embedding", Self::Embedding),
        ("stt", Self::Stt),
        ("tts", Self::Tts),
        ("tool_execution", Self::ToolExecution),
        ("rerank", Self::Rerank),
    ];

    /// LychD's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Vision => "vision",
            Self::Embedding => "embedding",
            Self::Stt => "stt",
            Self::Tts => "tts",
            Self::ToolExecution => "tool_execution",
            Self::Rerank => "rerank",
        }
    }
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gguf,
    Awq,
    Gptq,
    Exl2,
    Exl3,
    Raw,
    Other,
}

impl Format {
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("GGUF", Self::Gguf),
        ("AWQ", Self::Awq),
        ("GPTQ", Self::Gptq),
        ("EXL2", Self::Exl2),
        ("EXL3", Self::Exl3),
        ("RAW", Self::Raw),
        ("OTHER", Self::Other),
    ];
}

/// Text of one line that people see, not empty: an id of a model, say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line(pub(super) String);

/// Why a text is no [`Line`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` must be printable text in one line, at most 512 bytes and not empty", .0.escape_debug())]
pub(super) struct LineError(String);

impl FromStr for Line {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.len() <= 512 && is_printable(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(LineError(text.to_owned()))
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A model that a rune serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What requests call it.
    pub id: Located<String>,
    /// Where it lies in the container; a remote one has no path.
    pub path: Option<Located<String>>,
    /// What it can do, in order; empty when the rune leaves that to LychD.
    pub capabilities: Vec<Capability>,
    /// Where it asks for the surface `responses`, if it does.
    pub(super) responses: Option<Place>,
    /// How its weights are stored, when said.
    pub(super) format: Option<Located<Format>>,
}

/// Reads `models`. A local model has a `path`, a remote one has none.
pub(super) fn read(reader: &mut Reader<'_, '_>, local: bool) -> Vec<Model> {
    let title = format!("[[models]] of {}", reader.title());
    let nodes = reader.array("models").unwrap_or_default();
    nodes.iter().filter_map(|node| model(node, &title, local, reader.errors())).collect()
}

fn model(node: &Node, title: &str, local: bool, errors: &mut Vec<Diagnostic>) -> Option<Model> {
    let Some(table) = node.as_table() else {
        let message = format!("{title} must be a table, not {}", node.kind());
        let wrong = Diagnostic::new(message).at(node.place.clone(), "");
        errors.push(wrong.help("for example: `models = [{ id = \"coder-7b\" }]`"));
        return None;
    };
    let known: &[&str] = if local {
        &["id", "path", "description", "format", "generation", "capabilities", "tags"]
    } else {
        &["id", "description", "generation", "capabilities"]
    };
    let before = errors.len();
    let mut reader = Reader::new(table, title, known, errors);
    let id = reader.parsed::<Line>("id");
    let path = reader.parsed::<Line>("path");
    reader.require("id", &node.place, "it is what requests say: `id = \"coder-7b\"`");
    if local {
        let help = "it is where the model lies in the container: `path = \"/models/coder-7b\"`";
        reader.require("path", &node.place, help);
    }
    reader.string("description");
    let format = reader.choice("format", &Format::ALL);
    reader.strings("tags");
    generation(&mut reader);
    let (capabilities, responses) = hints(&mut reader);
    if errors.len() > before {
        return None;
    }
    let text = |line: Located<Line>| Located { value: line.value.0, place: line.place };
    Some(Model { id: text(id?), path: path.map(text), capabilities, responses, format })
}

fn hints(reader: &mut Reader<'_, '_>) -> (Vec<Capability>, Option<Place>) {
    let title = format!("`capabilities` of {}", reader.title());
    let known =
        ["families", "surface", "modalities_in", "modalities_out", "supports_tools", "supports_streaming"];
    let Some(table) = reader.table("capabilities") else { return (Vec::new(), None) };
    let mut hints = Reader::new(table, title, &known, reader.errors());
    let families = hints.choices("families", &Capability::ALL).unwrap_or_default();
    let surface = hints.choice("surface", &[("chat", false), ("responses", true)]);
    hints.strings("modalities_in");
    hints.strings("modalities_out");
    hints.boolean("supports_tools");
    hints.boolean("supports_streaming");
    let mut order: Vec<Capability> = Vec::new();
    for family in families {
        if !order.contains(&family.value) {
            order.push(family.value);
        }
    }
    (order, surface.filter(|responses| responses.value).map(|responses| responses.place))
}

/// `generation`, which is LychD's at run time: judged, and without effect here.
pub(super) fn generation(reader: &mut Reader<'_, '_>) {
    let title = format!("`generation` of {}", reader.title());
    let known = [
        "max_context",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "repetition_penalty",
        "reasoning_format",
    ];
    let Some(table) = reader.table("generation") else { return };
    let mut generation = Reader::new(table, title, &known, reader.errors());
    generation.integer("max_context", 1..=i64::MAX);
    generation.integer("max_tokens", 1..=i64::MAX);
    generation.float_in("temperature", 0.0..=2.0);
    generation.float_in("top_p", 0.0..=1.0);
    generation.integer("top_k", 0..=i64::MAX);
    generation.float_in("repetition_penalty", 0.0..=f64::MAX);
    generation.string("reasoning_format");
}

/// `conflict_domains` and `groups` are names of LychD's grammar.
pub(super) type Label = RuneName;
