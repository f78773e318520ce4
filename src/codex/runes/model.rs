//! `[[models]]` and `generation`: what a rune says about the models it serves.

use std::{fmt, str::FromStr};

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Located, Node,
        reader::{Reader, like},
    },
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

/// A right `description`, as TOML has it: of a model and of what serves it.
pub(super) const DESCRIPTION: &str = "\"a small model for code\"";

/// A right model, to show where a wrong one stands.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    /// What requests call it.
    pub(super) id: &'static str,
    /// Where it lies in the container; a remote one lies nowhere.
    pub(super) path: Option<&'static str>,
}

impl Sample {
    /// As a value of `models`.
    pub(super) fn list(self) -> String {
        let path = self.path.map(|path| format!(", path = \"{path}\"")).unwrap_or_default();
        format!("[{{ id = \"{}\"{path} }}]", self.id)
    }
}

/// Reads `models`: local ones have a `path` as the sample has, remote ones have none.
pub(super) fn read(reader: &mut Reader<'_, '_>, sample: Sample) -> Vec<Model> {
    let title = format!("[[models]] of {}", reader.title());
    let nodes = reader.array(like("models", &sample.list())).unwrap_or_default();
    nodes.iter().filter_map(|node| model(node, &title, sample, reader.errors())).collect()
}

fn model(node: &Node, title: &str, sample: Sample, errors: &mut Vec<Diagnostic>) -> Option<Model> {
    let Some(table) = node.as_table() else {
        let message = format!("{title} must be a table, not {}", node.kind());
        let wrong = Diagnostic::new(message).at(node.place.clone(), "");
        errors.push(wrong.help(format!("for example: `models = {}`", sample.list())));
        return None;
    };
    let before = errors.len();
    let mut reader = Reader::new(table, title, errors);
    let right = format!("\"{}\"", sample.id);
    let id = reader.parsed::<Line>(like("id", &right));
    reader.require("id", &node.place, format!("it is what requests say: `id = {right}`"));
    let path = sample.path.and_then(|right| {
        let right = format!("\"{right}\"");
        let help = format!("it is where the model lies in the container: `path = {right}`");
        reader.require("path", &node.place, help);
        reader.parsed::<Line>(like("path", &right))
    });
    reader.string(like("description", DESCRIPTION));
    let format = sample.path.and_then(|_| reader.choice("format", &Format::ALL));
    generation(&mut reader);
    let (capabilities, responses) = hints(&mut reader);
    if sample.path.is_some() {
        reader.strings(like("tags", r#"["code"]"#));
    }
    reader.finish();
    if errors.len() > before {
        return None;
    }
    let text = |line: Located<Line>| Located { value: line.value.0, place: line.place };
    Some(Model { id: text(id?), path: path.map(text), capabilities, responses, format })
}

fn hints(reader: &mut Reader<'_, '_>) -> (Vec<Capability>, Option<Place>) {
    let title = format!("`capabilities` of {}", reader.title());
    let Some(table) = reader.table(like("capabilities", r#"{ families = ["chat"] }"#)) else {
        return (Vec::new(), None);
    };
    let mut hints = Reader::new(table, title, reader.errors());
    let families =
        hints.choices(like("families", r#"["chat", "vision"]"#), &Capability::ALL).unwrap_or_default();
    let surface = hints.choice(like("surface", r#""chat""#), &[("chat", false), ("responses", true)]);
    hints.strings(like("modalities_in", r#"["text"]"#));
    hints.strings(like("modalities_out", r#"["text"]"#));
    hints.boolean(like("supports_tools", "true"));
    hints.boolean(like("supports_streaming", "true"));
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
    let Some(table) = reader.table(like("generation", "{ temperature = 0.2 }")) else { return };
    let mut generation = Reader::new(table, title, reader.errors());
    generation.integer(like("max_context", "32768"), 1..=i64::MAX);
    generation.integer(like("max_tokens", "4096"), 1..=i64::MAX);
    generation.float_in(like("temperature", "0.2"), 0.0..=2.0);
    generation.float_in(like("top_p", "0.9"), 0.0..=1.0);
    generation.integer(like("top_k", "40"), 0..=i64::MAX);
    generation.float_in(like("repetition_penalty", "1.1"), 0.0..=f64::MAX);
    generation.string(like("reasoning_format", r#""deepseek""#));
}

/// `conflict_domains` and `groups` are names of LychD's grammar.
pub(super) type Label = RuneName;

/// The name of a model's file without its last suffix.
#[must_use]
pub fn stem(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, suffix)) if !stem.is_empty() && !suffix.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}
