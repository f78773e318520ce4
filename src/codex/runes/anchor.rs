//! Which directory of the archive belongs to which family, and which families are read.

use crate::{
    codex::Builtin,
    diagnostic::{Diagnostic, Source},
    document::nearest::nearest,
};

/// A rune family: one schema, one directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// A container with an interface that LychD is told.
    Generic,
    /// llama.cpp's server.
    LlamaCpp,
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// `ExLlamaV3` behind `TabbyAPI`.
    ExLlamaV3,
    /// A remote provider with `OpenAI`'s interface.
    OpenAi,
    /// Google Gemini.
    Gemini,
    /// Arize Phoenix, the tracing UI.
    Phoenix,
    /// A standing approval.
    Preauth,
    /// Shadow simulation.
    Simulation,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Generic,
        Self::LlamaCpp,
        Self::Vllm,
        Self::Sglang,
        Self::ExLlamaV3,
        Self::OpenAi,
        Self::Gemini,
        Self::Phoenix,
        Self::Preauth,
        Self::Simulation,
    ];

    /// The family's own name: the last part of its directory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.anchor().rsplit('/').next().unwrap_or_default()
    }

    /// Its directory below `runes/`.
    #[must_use]
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Generic => "animator/soulstones/generic",
            Self::LlamaCpp => "animator/soulstones/llamacpp",
            Self::Vllm => "animator/soulstones/vllm",
            Self::Sglang => "animator/soulstones/sglang",
            Self::ExLlamaV3 => "animator/soulstones/exllamav3",
            Self::OpenAi => "animator/portals/openai",
            Self::Gemini => "animator/portals/google-gemini",
            Self::Phoenix => "observability/phoenix",
            Self::Preauth => "codex/preauth",
            Self::Simulation => "simulation",
        }
    }

    /// LychD's built-in extension that brings it; `None` for what the core reads always.
    const fn builtin(self) -> Option<Builtin> {
        match self {
            Self::Generic | Self::OpenAi | Self::Gemini => Some(Builtin::Animator),
            Self::LlamaCpp => Some(Builtin::Llamacpp),
            Self::Vllm => Some(Builtin::Vllm),
            Self::Sglang => Some(Builtin::Sglang),
            Self::ExLlamaV3 => Some(Builtin::Exllamav3),
            Self::Phoenix => Some(Builtin::Phoenix),
            Self::Simulation => Some(Builtin::Simulation),
            Self::Preauth => None,
        }
    }

    /// Whether its runes are local containers.
    #[must_use]
    pub const fn is_soulstone(self) -> bool {
        matches!(self, Self::Generic | Self::LlamaCpp | Self::Vllm | Self::Sglang | Self::ExLlamaV3)
    }
}

/// The families that are read with these extensions, in LychD's order: the core's, then each extension's. The order
/// decides automatic ports.
pub(super) fn in_load_order(builtins: &[Builtin]) -> Vec<Family> {
    let order = std::iter::once(None).chain(builtins.iter().copied().map(Some));
    order
        .flat_map(|builtin| Family::ALL.into_iter().filter(move |family| family.builtin() == builtin))
        .collect()
}

/// Whose a directory is.
pub(super) enum Owner {
    /// One family's.
    Family(Family),
    /// Directories of families are below it; it holds no runes itself.
    Branch,
    /// No family that is known here.
    Nobody,
}

/// Whose `directory`, below `runes/`, is.
pub(super) fn owner(directory: &str) -> Owner {
    if let Some(family) = Family::ALL.into_iter().find(|family| family.anchor() == directory) {
        return Owner::Family(family);
    }
    let above =
        |family: &Family| directory.is_empty() || family.anchor().starts_with(&format!("{directory}/"));
    if Family::ALL.iter().any(above) { Owner::Branch } else { Owner::Nobody }
}

pub(super) fn misplaced(source: &Source, directory: &str) -> Diagnostic {
    let below = directory.strip_prefix("runes").unwrap_or_default().trim_start_matches('/');
    let homes: Vec<String> = Family::ALL
        .iter()
        .filter(|family| below.is_empty() || family.anchor().starts_with(&format!("{below}/")))
        .map(|family| format!("`runes/{}`", family.anchor()))
        .collect();
    Diagnostic::new(format!("`{}` is misplaced: no family of runes owns `{directory}`", source.name()))
        .at(source.at(0..0), "")
        .help(format!("move it into the directory of its family: {}", homes.join(", ")))
}

pub(super) fn foreign(source: &Source, directory: &str) -> Diagnostic {
    let anchors = Family::ALL.map(|family| format!("runes/{}", family.anchor()));
    let note =
        Diagnostic::new(format!("`{}` is not read: no known family owns `{directory}`", source.name()));
    match nearest(directory, anchors.iter().map(String::as_str)) {
        Some(near) => note.help(format!("did you mean `{near}`?")),
        None => note.help(format!("LychD passes it over too; the known ones: {}", anchors.join(", "))),
    }
}

pub(super) fn unselected(family: Family, source: &Source) -> Diagnostic {
    let builtin = family.builtin().map_or("", Builtin::as_str);
    Diagnostic::new(format!(
        "`{}` is not read: `{builtin}` is not among `extensions.builtins`",
        source.name()
    ))
    .help(format!("add \"{builtin}\" to `builtins` under [extensions] in lychd.toml"))
}
