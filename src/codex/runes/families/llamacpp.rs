//! llama.cpp's server: one model, or a router over many; or a command of the rune's own.

mod argv;

#[cfg(test)]
mod tests;

use argv::ModelSource;

use crate::{
    codex::runes::{
        model::stem,
        soulstone::{Launch, StoneHealth, Word},
        stone_family::{Fields, StoneFamily, StoneImage},
    },
    diagnostic::Diagnostic,
    document::{
        Located,
        reader::{Key, Reader, like},
    },
    name::unit_text::UnitText,
};

pub(super) const STONE: StoneFamily = StoneFamily {
    image: StoneImage::Default("ghcr.io/ggml-org/llama.cpp:server-cuda"),
    health: Some(StoneHealth::Curl("/health")),
    catalogued: true,
    launch,
    ..StoneFamily::PLAIN
};

/// Keys that only this family has. With `exec`, none of them may be set.
const KEYS: &[&str] = &[
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
enum Mode {
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

/// The command line in LychD's order: `common` are the arguments for both modes, `last` stand behind all others.
fn command(mode: Mode, common: Vec<String>, last: Vec<String>) -> Launch {
    let text = |word: &str| Word::Text(word.to_owned());
    let option = |flag: &str, value: Option<String>| -> Vec<Word> {
        value.into_iter().flat_map(|value| [text(flag), Word::Text(value)]).collect()
    };
    let (source, own, alias) = match mode {
        Mode::Single { model, alias } => {
            (option("-m", model), option("--alias", Some(alias.clone())), Some(alias))
        }
        Mode::Router { directory, preset, most, autoload } => {
            let mut own = option("--models-dir", directory);
            own.extend(option("--models-preset", preset));
            own.extend(option("--models-max", most.map(|most| most.to_string())));
            own.push(text(if autoload { "--models-autoload" } else { "--no-models-autoload" }));
            (Vec::new(), own, None)
        }
    };
    let mut command = source;
    command.extend([text("--host"), text("0.0.0.0"), text("--port"), Word::Port]);
    command.extend(common.into_iter().map(Word::Text));
    command.extend(own);
    command.extend(last.into_iter().map(Word::Text));
    Launch { command, alias, ..Launch::default() }
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

fn launch(reader: &mut Reader<'_, '_>, fields: Option<&Fields>) -> Option<Launch> {
    reader.knows(KEYS);
    let startup = reader.choice(like("startup_mode", r#""router""#), &STARTUPS);
    let text = |value: Option<Located<UnitText>>| {
        value.map(|text| text.value.meant()).filter(|text| !text.is_empty())
    };
    let directory = text(reader.parsed(like("models_dir", r#""/models""#)));
    let preset = text(reader.parsed(like("models_preset", r#""/models/preset.ini""#)));
    let most = reader.integer(like("models_max", "2"), 0..=i64::MAX).map(|number| number.value);
    let autoload = reader.boolean(like("models_autoload", "false")).unwrap_or(true);
    let common = common(reader);
    let (last, extra) = last(reader);
    let Fields { stone, exec, .. } = fields?;
    if !exec.is_empty() {
        for key in KEYS.iter().chain(["model_path"].iter()) {
            let message = format!("`{key}` has no meaning beside `exec`, which is the whole command");
            reader.refuse(key, message, "remove one of the two");
        }
        return Some(Launch { by_hand: true, ..Launch::of(exec) });
    }
    let asked = startup.as_ref().map_or(Startup::Auto, |startup| startup.value);
    let router = match asked {
        Startup::Auto => stone.model_path.is_none(),
        Startup::Single => false,
        Startup::Router => true,
    };
    let source = ModelSource::of(&extra, &stone.env_vars);
    // LychD judges the prerequisites by the fields, whatever the arguments then make of the mode.
    let lacks = match router {
        true if directory.is_none() && preset.is_none() && !source.names_a_catalogue() => {
            Some(("in router mode needs `models_dir` or `models_preset`", "models_dir = \"/models\""))
        }
        false if stone.model_path.is_none() => {
            Some(("in single mode needs `model_path`", "model_path = \"/models/coder-7b.gguf\""))
        }
        _ => None,
    };
    if let Some((what, example)) = lacks {
        let message = format!("{} {what}", reader.title());
        let place = startup.map_or_else(|| stone.place.clone(), |startup| startup.place);
        reader
            .errors()
            .push(Diagnostic::new(message).at(place, "").help(format!("for example: `{example}`")));
        return None;
    }
    let mode = if source.router.unwrap_or(router) {
        let (directory, preset) = (source.directory.or(directory), source.preset.or(preset));
        Mode::Router { directory, preset, most, autoload }
    } else {
        let own = || stone.model_path.as_deref().map_or_else(|| stone.name.value.to_string(), stem);
        let alias = source.alias.unwrap_or_else(own);
        Mode::Single { model: source.model.or_else(|| stone.model_path.clone()), alias }
    };
    Some(command(mode, common, last))
}

/// The arguments for both modes, in LychD's order.
fn common(reader: &mut Reader<'_, '_>) -> Vec<String> {
    let number = |reader: &mut Reader<'_, '_>, key: Key<'_>, least: i64| {
        reader.integer(key, least..=i64::MAX).map(|number| number.value.to_string())
    };
    let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
    let cache = |reader: &mut Reader<'_, '_>, key: &str| {
        or(reader.parsed::<UnitText>(like(key, "\"q8_0\"")).map(|text| text.value.meant()), "q4_0")
    };
    let mut all = Vec::new();
    let mut push = |flag: &str, value: String| all.extend([flag.to_owned(), value]);
    push("-ngl", or(number(reader, like("n_gpu_layers", "99"), 0), "99"));
    push("-c", or(number(reader, like("n_ctx", "16384"), 1), "8192"));
    push("-np", or(number(reader, like("n_parallel", "1"), 1), "1"));
    push("-ctk", cache(reader, "cache_type_k"));
    push("-ctv", cache(reader, "cache_type_v"));
    push(
        "-sm",
        reader
            .choice(like("split_mode", r#""layer""#), &SPLITS)
            .map_or("layer", |split| split.value)
            .to_owned(),
    );
    push(
        "-fa",
        if reader.boolean(like("flash_attn", "false")).unwrap_or(true) { "on" } else { "off" }.to_owned(),
    );
    all.push(
        if reader.boolean(like("jinja", "false")).unwrap_or(true) { "--jinja" } else { "--no-jinja" }
            .to_owned(),
    );
    for (flag, key, least) in [
        ("--n-cpu-moe", like("n_cpu_moe", "0"), 0),
        ("-t", like("threads", "8"), 1),
        ("-tb", like("threads_batch", "8"), 1),
    ] {
        all.extend(number(reader, key, least).into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    all
}

/// What stands behind everything else, and of it `extra_args` alone.
fn last(reader: &mut Reader<'_, '_>) -> (Vec<String>, Vec<String>) {
    let mut all = Vec::new();
    if let Some(seconds) = reader.integer(like("sleep_idle_seconds", "300"), -1..=i64::MAX) {
        all.extend(["--sleep-idle-seconds".to_owned(), seconds.value.to_string()]);
    }
    if let Some(template) = reader.parsed::<UnitText>(like("chat_template", r#""chatml""#))
        && !template.value.as_str().is_empty()
    {
        all.extend(["--chat-template".to_owned(), template.value.meant()]);
    }
    let adapters = reader.parsed_words::<UnitText>(like("lora_adapters", r#"["/models/style.gguf"]"#));
    for adapter in adapters.unwrap_or_default() {
        all.extend(["--lora".to_owned(), adapter.value.meant()]);
    }
    let extra = reader.parsed_words::<UnitText>(like("extra_args", r#"["--metrics"]"#)).unwrap_or_default();
    let extra: Vec<String> = extra.iter().map(|word| word.value.meant()).collect();
    all.extend(extra.iter().cloned());
    (all, extra)
}
