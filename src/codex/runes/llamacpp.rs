//! llama.cpp's server: one model, or a router over many; or a command of the rune's own.

use super::soulstone::{Fields, Launch};
use crate::{
    codex::{document::Located, reader::Reader},
    diagnostic::Diagnostic,
    name::unit_text::UnitText,
};

/// Keys that only this family has. With `exec`, none of them may be set.
pub(super) const KEYS: &[&str] = &[
    "startup_mode",
    "models_dir",
    "models_preset",
    "models_max",
    "models_autoload",
    "sleep_idle_seconds",
    "n_gpu_layers",
    "n_ctx",
    "n_parallel",
    "flash_attn",
    "cache_type_k",
    "cache_type_v",
    "n_cpu_moe",
    "split_mode",
    "threads",
    "threads_batch",
    "jinja",
    "chat_template",
    "lora_adapters",
    "extra_args",
];

/// Whether the server has one model or many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One: its file and the name that requests use.
    Single {
        /// The file in the container; `None` when the environment or an argument names another source.
        model: Option<String>,
        /// The name.
        alias: String,
    },
    /// Many, loaded as they are asked for.
    Router {
        /// A directory of models.
        directory: Option<String>,
        /// A file of presets.
        preset: Option<String>,
        /// How many at a time.
        most: Option<i64>,
        /// Whether requests load models.
        autoload: bool,
    },
}

/// The server's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlamaCpp {
    /// One model or many.
    pub mode: Mode,
    /// Arguments for both modes, before those of the mode; the port is not among them.
    common: Vec<String>,
    /// Arguments behind all others.
    last: Vec<String>,
}

impl LlamaCpp {
    /// The command line, in LychD's order, for a server on `port`.
    #[must_use]
    pub fn arguments(&self, port: u16) -> Vec<String> {
        let words = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        let option = |flag: &str, value: &Option<String>| -> Vec<String> {
            value.iter().flat_map(|value| words(&[flag, value])).collect()
        };
        let mut all = match &self.mode {
            Mode::Single { model, .. } => option("-m", model),
            Mode::Router { .. } => Vec::new(),
        };
        all.extend(words(&["--host", "0.0.0.0", "--port", &port.to_string()]));
        all.extend(self.common.iter().cloned());
        match &self.mode {
            Mode::Single { alias, .. } => all.extend(words(&["--alias", alias])),
            Mode::Router { directory, preset, most, autoload } => {
                all.extend(option("--models-dir", directory));
                all.extend(option("--models-preset", preset));
                all.extend(option("--models-max", &most.map(|most| most.to_string())));
                all.push(if *autoload { "--models-autoload" } else { "--no-models-autoload" }.to_owned());
            }
        }
        all.extend(self.last.iter().cloned());
        all
    }
}

#[derive(Clone, Copy)]
enum Startup {
    Auto,
    Single,
    Router,
}

const STARTUPS: [(&str, Startup); 3] =
    [("auto", Startup::Auto), ("single", Startup::Single), ("router", Startup::Router)];
const SPLITS: [(&str, &str); 3] = [("none", "none"), ("layer", "layer"), ("row", "row")];

pub(super) fn read(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    let startup = reader.choice("startup_mode", &STARTUPS);
    let text = |value: Option<Located<UnitText>>| {
        value.map(|text| text.value.meant()).filter(|text| !text.is_empty())
    };
    let directory = text(reader.parsed("models_dir"));
    let preset = text(reader.parsed("models_preset"));
    let most = reader.integer("models_max", 0..=i64::MAX).map(|number| number.value);
    let autoload = reader.boolean("models_autoload").unwrap_or(true);
    let common = common(reader);
    let (last, extra) = last(reader);
    let Fields { stone, exec, .. } = fields?;
    if !exec.is_empty() {
        for key in KEYS.iter().chain(["model_path"].iter()) {
            let message = format!("`{key}` has no meaning beside `exec`, which is the whole command");
            if let Some(both) = reader.refuse(key, message) {
                both.help.push("remove one of the two".to_owned());
            }
        }
        return Some(Launch::Exec(exec.clone()));
    }
    let variable = |name: &str| {
        let found = stone.env_vars.iter().find(|(variable, _)| variable.as_str() == name);
        found.map(|(_, value)| value.value.meant()).filter(|value| !value.is_empty())
    };
    let given = |flags: &[&str], name: &str| flag(&extra, flags).or_else(|| variable(name));
    let model = given(&["-m", "--model"], "LLAMA_ARG_MODEL").or_else(|| stone.model_path.clone());
    let directory = given(&["--models-dir"], "LLAMA_ARG_MODELS_DIR").or(directory);
    let preset = given(&["--models-preset"], "LLAMA_ARG_MODELS_PRESET").or(preset);
    let mode = match (inferred(&extra, &variable), startup.map_or(Startup::Auto, |startup| startup.value)) {
        (Some(router), _) => router,
        (None, Startup::Router) => true,
        (None, Startup::Single) => false,
        (None, Startup::Auto) => stone.model_path.is_none(),
    };
    let has_source = directory.is_some() || preset.is_some();
    let (missing, what) = if mode {
        (!has_source, "in router mode needs `models_dir` or `models_preset`")
    } else {
        let elsewhere = model.is_none() && inferred(&extra, &variable) == Some(false);
        (model.is_none() && !elsewhere, "in single mode needs `model_path`")
    };
    if missing {
        let message = format!("{} {what}", reader.title());
        reader.errors().push(Diagnostic::new(message).at(stone.place.clone(), ""));
        return None;
    }
    let mode = if mode {
        Mode::Router { directory, preset, most, autoload }
    } else {
        let alias = given(&["-a", "--alias"], "LLAMA_ARG_ALIAS");
        let alias = alias.unwrap_or_else(|| {
            stone.model_path.as_deref().map_or_else(|| stone.name.value.to_string(), stem)
        });
        Mode::Single { model, alias }
    };
    Some(Launch::LlamaCpp(Box::new(LlamaCpp { mode, common, last })))
}

/// The arguments for both modes, in LychD's order.
fn common(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let number = |reader: &mut Reader<'_, '_>, key: &str, least: i64| {
        reader.integer(key, least..=i64::MAX).map(|number| number.value.to_string())
    };
    let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
    let cache = |reader: &mut Reader<'_, '_>, key: &str| {
        or(reader.parsed::<UnitText>(key).map(|text| text.value.meant()), "q4_0")
    };
    let mut all = Vec::new();
    let mut push = |flag: &str, value: String| all.extend([flag.to_owned(), value]);
    push("-ngl", or(number(reader, "n_gpu_layers", 0), "99"));
    push("-c", or(number(reader, "n_ctx", 1), "8192"));
    push("-np", or(number(reader, "n_parallel", 1), "1"));
    push("-ctk", cache(reader, "cache_type_k"));
    push("-ctv", cache(reader, "cache_type_v"));
    push("-sm", reader.choice("split_mode", &SPLITS).map_or("layer", |split| split.value).to_owned());
    push("-fa", if reader.boolean("flash_attn").unwrap_or(true) { "on" } else { "off" }.to_owned());
    all.push(if reader.boolean("jinja").unwrap_or(true) { "--jinja" } else { "--no-jinja" }.to_owned());
    for (flag, key, least) in
        [("--n-cpu-moe", "n_cpu_moe", 0), ("-t", "threads", 1), ("-tb", "threads_batch", 1)]
    {
        all.extend(number(reader, key, least).into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    all
}

/// What stands behind everything else, and of it `extra_args` alone.
fn last(reader: &mut Reader<'_, '_>) -> (Vec<String>, Vec<String>) {
    let mut all = Vec::new();
    if let Some(seconds) = reader.integer("sleep_idle_seconds", -1..=i64::MAX) {
        all.extend(["--sleep-idle-seconds".to_owned(), seconds.value.to_string()]);
    }
    if let Some(template) = reader.parsed::<UnitText>("chat_template")
        && !template.value.as_str().is_empty()
    {
        all.extend(["--chat-template".to_owned(), template.value.meant()]);
    }
    for adapter in reader.parsed_words::<UnitText>("lora_adapters").unwrap_or_default() {
        all.extend(["--lora".to_owned(), adapter.value.meant()]);
    }
    let extra = reader.parsed_words::<UnitText>("extra_args").unwrap_or_default();
    let extra: Vec<String> = extra.iter().map(|word| word.value.meant()).collect();
    all.extend(extra.iter().cloned());
    (all, extra)
}

/// The value of the last of these flags.
fn flag(words: &[String], flags: &[&str]) -> Option<String> {
    let pairs = words.iter().zip(words.iter().skip(1).map(Some).chain([None]));
    let value = |(word, next): (&String, Option<&String>)| {
        if flags.contains(&word.as_str()) {
            return next.filter(|next| !next.starts_with('-')).cloned();
        }
        let (name, value) = word.split_once('=')?;
        (flags.contains(&name) && name.starts_with("--")).then(|| value.to_owned())
    };
    pairs.filter_map(value).last()
}

/// Whether arguments, then variables, say where models come from: `Some(true)` for a router.
fn inferred(extra: &[String], variable: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    const ROUTER: [&str; 2] = ["--models-dir", "--models-preset"];
    const SINGLE: [&str; 13] = [
        "-m",
        "--model",
        "-mu",
        "--model-url",
        "-dr",
        "--docker-repo",
        "-hf",
        "-hfr",
        "--hf-repo",
        "-hff",
        "--hf-file",
        "-hfd",
        "--hf-repo-draft",
    ];
    let any = |flags: &[&str]| {
        extra.iter().any(|word| flags.contains(&word.split_once('=').map_or(word.as_str(), |(name, _)| name)))
    };
    if any(&ROUTER) {
        return Some(true);
    }
    if any(&SINGLE) {
        return Some(false);
    }
    let set = |names: &[&str]| names.iter().any(|name| variable(&format!("LLAMA_ARG_{name}")).is_some());
    if set(&["MODELS_DIR", "MODELS_PRESET"]) {
        return Some(true);
    }
    set(&["MODEL", "MODEL_URL", "DOCKER_REPO", "HF_REPO", "HF_FILE", "HFD_REPO"]).then_some(false)
}

/// The name of a model's file without its last suffix.
#[must_use]
pub fn stem(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}
