use std::collections::BTreeMap;

use super::*;
use crate::{
    codex::runes::Soulstone,
    document,
    name::variable::{VariableName, VariableText},
};

fn stone(text: &str) -> Result<Soulstone, String> {
    let source = document::source("a.toml", format!("name = \"a\"\n{text}")).unwrap();
    let mut errors = Vec::new();
    let table = document::parse(&source).unwrap();
    let stone = STONE.read("llamacpp", &source, &table, &mut errors);
    stone.ok_or_else(|| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The words of the command line, on port 20000.
fn words(text: &str) -> Vec<String> {
    stone(text).unwrap().launch.command.iter().map(|word| word.on(20000)).collect()
}

/// The whole command line, on port 20000.
fn command(text: &str) -> String {
    words(text).join(" ")
}

#[test]
fn arguments_stand_in_lychds_order() {
    let common =
        "--host 0.0.0.0 --port 20000 -ngl 99 -c 8192 -np 1 -ctk q4_0 -ctv q4_0 -sm layer -fa on --jinja";
    assert_eq!(
        command("model_path = '/models/coder-7b.gguf'\n"),
        format!("-m /models/coder-7b.gguf {common} --alias coder-7b")
    );
    assert_eq!(
        command("models_dir = '/models'\n"),
        format!("{common} --models-dir /models --models-autoload")
    );
    let all = "n_gpu_layers = 0\nn_ctx = 16384\nn_parallel = 4\ncache_type_k = 'f16'\ncache_type_v = 'q8_0'\n\
               split_mode = 'row'\nflash_attn = false\njinja = false\nn_cpu_moe = 2\nthreads = 6\n\
               threads_batch = 12\nsleep_idle_seconds = -1\nchat_template = 'chatml'\n\
               lora_adapters = ['/a.lora', '/b.lora']\nextra_args = ['--metrics', '--log-prefix']\n";
    let typed = "--host 0.0.0.0 --port 20000 -ngl 0 -c 16384 -np 4 -ctk f16 -ctv q8_0 -sm row -fa off --no-jinja \
                 --n-cpu-moe 2 -t 6 -tb 12";
    let last =
        "--sleep-idle-seconds -1 --chat-template chatml --lora /a.lora --lora /b.lora --metrics --log-prefix";
    assert_eq!(
        command(&format!("model_path = '/m.gguf'\n{all}")),
        format!("-m /m.gguf {typed} --alias m {last}")
    );
    assert_eq!(
        command(&format!(
            "startup_mode = 'router'\nmodels_dir = '/m'\nmodels_preset = '/p.ini'\nmodels_max = 2\n\
             models_autoload = false\n{all}"
        )),
        format!("{typed} --models-dir /m --models-preset /p.ini --models-max 2 --no-models-autoload {last}")
    );
    assert_eq!(command("exec = ['--port', '20000', '-m', '/my model']\n"), "--port 20000 -m /my model");
}

#[test]
fn the_mode_is_what_lychd_makes_of_fields_arguments_and_variables() {
    let single = "model_path = '/m/a.gguf'\n";
    for (text, want) in [
        (single.to_owned(), "single /m/a.gguf a"),
        ("models_preset = '/p.ini'\n".to_owned(), "router - /p.ini"),
        (format!("{single}startup_mode = 'router'\nmodels_dir = '/m'\n"), "router /m -"),
        (format!("{single}startup_mode = 'single'\nmodels_dir = '/m'\n"), "single /m/a.gguf a"),
        // Arguments beat fields, and variables where arguments are silent.
        (format!("{single}extra_args = ['--models-dir', '/x']\n"), "router /x -"),
        (format!("{single}env_vars = {{ LLAMA_ARG_MODELS_PRESET = '/x.ini' }}\n"), "router - /x.ini"),
        ("models_dir = '/m'\nextra_args = ['-m', '/x/b.c.gguf']\n".to_owned(), "single /x/b.c.gguf b.c"),
        ("models_dir = '/m'\nenv_vars = { LLAMA_ARG_HF_REPO = 'org/x' }\n".to_owned(), "single - a"),
        (
            "models_dir = '/m'\nextra_args = ['-hf', 'org/x']\nenv_vars = { LLAMA_ARG_MODELS_DIR = '/y' }\n"
                .to_owned(),
            "single - org/x",
        ),
        // What requests call the model.
        (format!("{single}extra_args = ['-a', 'me']\n"), "single /m/a.gguf me"),
        (format!("{single}extra_args = ['--alias=me', '-hf', 'org/x']\n"), "single /m/a.gguf me"),
        (format!("{single}env_vars = {{ LLAMA_ARG_ALIAS = 'me' }}\n"), "single /m/a.gguf me"),
        (format!("{single}extra_args = ['-m', '/x/b.gguf']\n"), "single /x/b.gguf b"),
        (format!("{single}extra_args = ['--gpt-oss-20b-default']\n"), "single /m/a.gguf gpt-oss-20b"),
        // A short flag has no `=`, an empty value is none, and the last of two wins.
        (format!("{single}extra_args = ['-m=/x']\n"), "single /m/a.gguf a"),
        ("models_dir = '/m'\nextra_args = ['--models-dir=']\n".to_owned(), "router /m -"),
        (format!("{single}extra_args = ['-m', '/x', '-m', '/y']\n"), "single /y y"),
        (format!("{single}extra_args = ['--alias', '--metrics']\n"), "single /m/a.gguf a"),
    ] {
        let words = words(&text);
        let value =
            |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1).map_or("-", |word| word);
        let mode = if words.iter().any(|word| word.ends_with("models-autoload")) {
            format!("router {} {}", value("--models-dir"), value("--models-preset"))
        } else {
            format!("single {} {}", value("-m"), value("--alias"))
        };
        assert_eq!(mode, want, "{text}");
    }
}

#[test]
fn prerequisites_are_judged_by_fields_first() {
    for (text, want) in [
        ("", "in router mode needs `models_dir` or `models_preset`\n  at a.toml:1:1"),
        ("model_path = ''\n", "in router mode"),
        (
            "startup_mode = 'single'\nextra_args = ['-m', '/x']\n",
            "in single mode needs `model_path`\n  at a.toml:2:16",
        ),
        ("extra_args = ['-hf', 'org/x']\n", "in router mode"),
        ("env_vars = { LLAMA_ARG_MODEL = '/x' }\n", "in router mode"),
        ("startup_mode = 'router'\nmodel_path = '/x'\n", "in router mode"),
        ("startup_mode = 'both'\nmodel_path = '/x'\n", "`both` is not known"),
    ] {
        let error = stone(text).unwrap_err();
        assert!(error.contains(want), "{text}: {error}");
        assert_eq!(error.matches("  at ").count(), 1, "{error}");
    }
    for good in ["extra_args = ['--models-dir']\n", "env_vars = { LLAMA_ARG_MODELS_DIR = '/x' }\n"] {
        assert!(stone(good).is_ok(), "{good}");
    }
}

#[test]
fn a_command_stands_alone() {
    let all = "startup_mode = 'auto'\nmodel_path = '/m'\nmodels_dir = '/m'\nmodels_preset = '/m'\nmodels_max = 1\n\
               models_autoload = true\nsleep_idle_seconds = 1\nn_gpu_layers = 1\nn_ctx = 1\nn_parallel = 1\n\
               flash_attn = true\ncache_type_k = 'f16'\ncache_type_v = 'f16'\nn_cpu_moe = 1\nsplit_mode = 'row'\n\
               threads = 1\nthreads_batch = 1\njinja = true\nchat_template = 'x'\nlora_adapters = []\n\
               extra_args = []\n";
    let error = stone(&format!("exec = ['x']\n{all}")).unwrap_err();
    assert_eq!(error.matches("has no meaning beside `exec`").count(), all.lines().count(), "{error}");
    assert!(stone("exec = ['x']\nserved_model_id = 'x'\nmodels = [{ id = 'x', path = '/x' }]\n").is_ok());
}

#[test]
fn words_of_arguments_are_read_as_lychd_reads_them() {
    let said = |words: &[&str], variables: &[(&str, &str)]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let source = document::source("a.toml", "").unwrap();
        let variable = |(name, value): &(&str, &str)| {
            let (name, value): (VariableName, VariableText) = (name.parse().unwrap(), value.parse().unwrap());
            (name, Located { value, place: source.at(0..0) })
        };
        ModelSource::of(&words, &variables.iter().map(variable).collect::<BTreeMap<_, _>>())
    };
    assert_eq!(said(&[], &[]), ModelSource::default());
    let both = said(&["--models-dir", "/a", "-m", "/b"], &[]);
    assert_eq!((both.router, both.directory.as_deref()), (Some(true), Some("/a")));
    // No value follows `--jinja`, so `/b` belongs to nothing.
    assert_eq!(said(&["--jinja", "/b", "--alias", "x"], &[]).alias.as_deref(), Some("x"));
    // A value is no flag, whatever it says.
    assert_eq!(said(&["--log-file", "m"], &[]).router, None);
    let env = [("LLAMA_ARG_MODEL", "100%%.gguf"), ("LLAMA_ARG_ALIAS", "")];
    let variables = said(&["--metrics"], &env);
    assert_eq!((variables.model.as_deref(), variables.alias), (Some("100%.gguf"), None));
}

#[test]
fn a_models_file_names_it() {
    for (path, want) in [
        ("/models/coder-7b.gguf", "coder-7b"),
        ("/models/a.Q4_K.gguf", "a.Q4_K"),
        ("/models/dir/", "dir"),
        (".hidden", ".hidden"),
        ("plain", "plain"),
        ("a.", "a."),
        ("", ""),
    ] {
        assert_eq!(stem(path), want, "{path}");
    }
}
