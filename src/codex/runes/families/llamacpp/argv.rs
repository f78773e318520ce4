//! What arguments and variables of a rune say about llama.cpp's models: LychD reads its mode out of them.

use std::collections::BTreeMap;

use crate::{
    codex::runes::model::stem,
    document::Located,
    name::variable::{VariableName, VariableText},
};

/// Flags that make the server a router.
const CATALOGUES: [&str; 2] = ["--models-dir", "--models-preset"];
/// Flags that say where one model comes from.
const SOURCES: [&str; 6] =
    ["--model", "--model-url", "--docker-repo", "--hf-repo", "--hf-file", "--hf-repo-draft"];
/// Long names of the short flags that LychD knows.
const SHORT: [(&str, &str); 11] = [
    ("-m", "--model"),
    ("-mu", "--model-url"),
    ("-dr", "--docker-repo"),
    ("-hf", "--hf-repo"),
    ("-hfr", "--hf-repo"),
    ("-hff", "--hf-file"),
    ("-hfd", "--hf-repo-draft"),
    ("-a", "--alias"),
    ("-c", "--ctx-size"),
    ("-n", "--n-predict"),
    ("-np", "--parallel"),
];
/// Flags that no value follows.
const BARE: [&str; 4] = ["--models-autoload", "--no-models-autoload", "--jinja", "--no-jinja"];

/// What they say; arguments before variables. `None` where they are silent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ModelSource {
    /// Whether the server is a router.
    pub(super) router: Option<bool>,
    /// The one model's file.
    pub(super) model: Option<String>,
    /// What requests call it.
    pub(super) alias: Option<String>,
    /// A directory of models.
    pub(super) directory: Option<String>,
    /// A file of presets.
    pub(super) preset: Option<String>,
    catalogue: bool,
}

impl ModelSource {
    pub(super) fn of(words: &[String], variables: &BTreeMap<VariableName, Located<VariableText>>) -> Self {
        let options = options(words);
        let value = |flag: &str| {
            let (_, value) = options.iter().find(|(name, _)| *name == flag)?;
            value.clone().filter(|value| !value.is_empty())
        };
        let any = |flags: &[&str]| options.iter().any(|(name, _)| flags.contains(name));
        let preset_model = options.iter().find_map(|(name, value)| match value {
            None => name.strip_prefix("--")?.strip_suffix("-default"),
            Some(_) => None,
        });
        let variable = |name: &str| {
            let full = format!("LLAMA_ARG_{name}");
            let found = variables.iter().find(|(variable, _)| variable.as_str() == full);
            found.map(|(_, value)| value.value.meant()).filter(|value| !value.is_empty())
        };
        let set = |names: &[&str]| names.iter().any(|name| variable(name).is_some());
        let router = if any(&CATALOGUES) {
            Some(true)
        } else if any(&SOURCES) || options.iter().any(|(name, _)| name.ends_with("-default")) {
            Some(false)
        } else if set(&["MODELS_DIR", "MODELS_PRESET"]) {
            Some(true)
        } else {
            set(&["MODEL", "MODEL_URL", "DOCKER_REPO", "HF_REPO", "HF_FILE", "HFD_REPO"]).then_some(false)
        };
        let alias = value("--alias")
            .or_else(|| value("--hf-repo"))
            .or_else(|| value("--docker-repo"))
            .or_else(|| value("--model").as_deref().map(stem))
            .or_else(|| preset_model.map(str::to_owned));
        let written = |word: &String| {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            CATALOGUES.contains(&name)
        };
        Self {
            router,
            model: value("--model").or_else(|| variable("MODEL")),
            alias: alias.or_else(|| variable("ALIAS")),
            directory: value("--models-dir").or_else(|| variable("MODELS_DIR")),
            preset: value("--models-preset").or_else(|| variable("MODELS_PRESET")),
            catalogue: words.iter().any(written) || set(&["MODELS_DIR", "MODELS_PRESET"]),
        }
    }

    /// Whether they name what a router needs.
    pub(super) const fn names_a_catalogue(&self) -> bool {
        self.catalogue
    }
}

/// The options among `words` by their long names, each once with its last value. Like LychD, this knows of no
/// option's arity but a few: what does not begin with `-` is the value of the flag before it.
fn options(words: &[String]) -> Vec<(&str, Option<String>)> {
    let mut options: Vec<(&str, Option<String>)> = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let short = SHORT.iter().find(|(short, _)| *short == word.as_str());
        let (name, value) = match (short, word.split_once('=')) {
            (None, _) if !word.starts_with("--") => continue,
            (None, Some((name, value))) => (name, Some(value.to_owned())),
            (None, None) if BARE.contains(&word.as_str()) => (word.as_str(), None),
            (short, _) => {
                let name = short.map_or(word.as_str(), |(_, long)| *long);
                (name, words.next_if(|next| !next.starts_with('-')).cloned())
            }
        };
        match options.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => options.push((name, value)),
        }
    }
    options
}
