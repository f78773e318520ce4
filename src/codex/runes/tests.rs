use super::*;
use crate::name::RuneName;

const HASH: &str = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";

fn read(builtins: &[Builtin], files: &[(&str, &str)]) -> (Runes, Vec<String>) {
    let sources: Vec<Source> =
        files.iter().map(|(name, text)| Source::new(format!("runes/{name}"), *text)).collect();
    let mut errors = Vec::new();
    let runes = super::read(&sources.iter().collect::<Vec<_>>(), builtins, &mut errors);
    (runes, errors.iter().map(ToString::to_string).collect())
}

fn names(runes: &Runes) -> Vec<&str> {
    runes.soulstones.iter().map(|stone| stone.name.value.as_str()).collect()
}

const ALL: [Builtin; 7] = [
    Builtin::Animator,
    Builtin::Llamacpp,
    Builtin::Exllamav3,
    Builtin::Vllm,
    Builtin::Sglang,
    Builtin::Phoenix,
    Builtin::Simulation,
];

#[test]
fn families_are_read_in_the_order_of_their_extensions_then_by_file() {
    let files = [
        ("animator/soulstones/vllm/b.toml", "name = 'four'\n"),
        ("animator/soulstones/vllm/a.toml", "name = 'three'\n"),
        ("animator/soulstones/llamacpp/z.toml", "name = 'two'\nmodel_path = '/m'\n"),
        (
            "animator/soulstones/generic/z.toml",
            "name = 'one'\nruntime = 'openai'\nquadlet.image = 'localhost/x'\n",
        ),
    ];
    let (runes, errors) = read(&ALL, &files);
    assert_eq!((names(&runes), errors.len()), (vec!["one", "two", "three", "four"], 0));
    let order = [Builtin::Animator, Builtin::Vllm, Builtin::Llamacpp];
    let mut backwards = files;
    backwards.reverse();
    for files in [files, backwards] {
        assert_eq!(names(&read(&order, &files).0), ["one", "three", "four", "two"]);
    }
    let anchors: Vec<&str> = anchor::in_load_order(&order).into_iter().map(|family| family.anchor).collect();
    assert_eq!(
        anchors,
        [
            "codex/preauth",
            "animator/soulstones/generic",
            "animator/portals/openai",
            "animator/portals/google-gemini",
            "animator/soulstones/vllm",
            "animator/soulstones/llamacpp",
        ]
    );
}

#[test]
fn what_nobody_reads_is_told_and_no_error() {
    let files = [
        ("animator/soulstones/vllm/a.toml", "not toml"),
        ("animator/soulstones/vlm/a.toml", "not toml"),
        ("animator/soulstones/vllm/deep/a.toml", "not toml"),
        ("speech/whisper/a.toml", "not toml"),
    ];
    let (runes, errors) = read(&[Builtin::Animator], &files);
    assert_eq!((names(&runes).len(), errors.len()), (0, 0), "{errors:?}");
    let notes: Vec<String> = runes.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 4);
    for want in [
        "`runes/animator/soulstones/vllm/a.toml` is not read: `animator/vllm` is not among `extensions.builtins`\n  \
         help: add \"animator/vllm\" to `builtins` under [extensions] in lychd.toml",
        "`runes/animator/soulstones/vlm/a.toml` is not read: no known family owns `runes/animator/soulstones/vlm`\n  \
         help: did you mean `runes/animator/soulstones/vllm`?",
        "`runes/animator/soulstones/vllm/deep/a.toml` is not read",
        "`runes/speech/whisper/a.toml` is not read: no known family owns `runes/speech/whisper`\n  help: LychD passes",
    ] {
        assert!(notes.iter().any(|note| note.contains(want)), "{want}\n--- not in ---\n{notes:#?}");
    }
}

#[test]
fn a_rune_in_a_branch_is_misplaced() {
    for directory in ["", "animator", "animator/soulstones", "animator/portals", "observability", "codex"] {
        let path = format!("{directory}/a.toml");
        let (_, errors) = read(&ALL, &[(path.trim_start_matches('/'), "name = 'a'\n")]);
        assert!(
            errors.len() == 1 && errors[0].contains("is misplaced: no family of runes owns `runes"),
            "{errors:?}"
        );
        assert!(errors[0].contains("help: move it into the directory of its family: `runes/"), "{errors:?}");
    }
    let (_, errors) = read(&[], &[("animator/portals/a.toml", "")]);
    assert!(errors[0].ends_with("`runes/animator/portals/openai`, `runes/animator/portals/google-gemini`"));
}

#[test]
fn samples_and_gaps_make_no_rune() {
    let (runes, errors) = read(
        &ALL,
        &[
            ("animator/soulstones/vllm/a.toml", "\n \n # lychd: sample-rune  \nnot toml"),
            ("animator/soulstones/vllm/b.toml", "name = '<required: a name>'\n"),
            ("animator/soulstones/vllm/c.toml", "name = 'c'\nquadlet = { image = '<optional: an image>' }\n"),
            (
                "animator/soulstones/generic/b.toml",
                "name = '<required: a name>'\nquadlet = { image = 'localhost/x' }\n",
            ),
            ("animator/soulstones/exllamav3/d.toml", "name = '<required: a name>'\nmodels = 1\n"),
            ("animator/portals/openai/e.toml", "name = '<required: a name>'\n"),
        ],
    );
    assert!(names(&runes).is_empty() && runes.portals.is_empty() && runes.notes.is_empty());
    // LychD judges the rest of such a rune before it passes it over.
    assert!(errors.iter().all(|error| error.contains("exllamav3/d.toml")), "{errors:#?}");
    assert!(
        errors.iter().any(|error| error.contains("`models` in this exllamav3 Soulstone must be an array"))
    );
    // The marker must be the first thing, and Phoenix has no gaps.
    let late = "name = 'c'\n# lychd: sample-rune\n";
    let (runes, errors) = read(
        &ALL,
        &[
            ("animator/soulstones/vllm/c.toml", late),
            ("observability/phoenix/a.toml", "name = '<required: a name>'\n"),
        ],
    );
    assert_eq!((names(&runes), errors.len()), (vec!["c"], 1));
    assert!(errors[0].contains("is not a name of the rune grammar"), "{errors:?}");
}

#[test]
fn one_phoenix_and_no_wrapping_table() {
    let phoenix = |name: &'static str, text: &'static str| (name, text);
    let (runes, errors) = read(
        &ALL,
        &[phoenix("observability/phoenix/a.toml", ""), phoenix("observability/phoenix/b.toml", "")],
    );
    assert_eq!(runes.phoenix.unwrap().place.to_string(), "runes/observability/phoenix/a.toml:1:1");
    assert_eq!(
        errors,
        [
            "there are two Phoenix runes, and a body has at most one\n  at runes/observability/phoenix/b.toml:1:1\n  \
          at runes/observability/phoenix/a.toml:1:1: the first\n  help: remove one of the two files"
        ]
    );
    let (_, errors) = read(&ALL, &[("animator/portals/openai/a.toml", "\n[model]\nname = 'a'\n")]);
    assert!(
        errors.len() == 1
            && errors[0].contains("wraps its rune in [model]\n  at runes/animator/portals/openai/a.toml:2:2")
    );
    let (_, errors) = read(&ALL, &[("animator/portals/openai/a.toml", "name = 'a'\nmodel = 1\n")]);
    assert!(errors[0].contains("unknown key `model`\u{20}in this openai portal"), "{errors:?}");
}

#[test]
fn every_field_of_a_soulstone_is_read() {
    let text = format!(
        "name = 'ears'\ndescription = '50%% of it'\nbase_url = 'http://127.0.0.1:8200/v1'\nruntime = 'openai-compatible'\n\
         model_path = '/m/ears'\nserved_model_id = 'ears-1'\nmodel_format = 'OTHER'\ngroups = ['night', 'day']\n\
         devices = ['/dev/dri']\nsecurity_label_disable = true\nvolumes = ['~/w:/m:ro', '/srv/x:/x']\n\
         env_vars = {{ A = 'costs $5' }}\nsecret_env_files = {{ KEY_FILE = 'key.1' }}\nexec = ['a b', '100%%']\n\
         concurrency = {{ dedicated = true, conflict_domains = ['gpu0'] }}\n\
         models = [{{ id = 'x', path = '/m/x', capabilities = {{ families = ['stt', 'chat', 'stt'] }} }}]\n\
         generation = {{ temperature = 0, top_p = 1, top_k = 0, max_context = 1 }}\n\
         quadlet = {{ image = 'localhost/ears@sha256:{HASH}' }}\n"
    );
    let (runes, errors) = read(&ALL, &[("animator/soulstones/generic/e.toml", &text)]);
    assert_eq!(errors, [""; 0]);
    let stone = &runes.soulstones[0];
    let name = |text: &str| text.parse::<RuneName>().unwrap();
    assert_eq!(stone.description.as_ref().unwrap().meant(), "50% of it");
    let port = stone.port.as_ref().unwrap();
    assert_eq!((port.value, stone.says_port), (8200, false));
    assert_eq!(port.place.to_string(), "runes/animator/soulstones/generic/e.toml:3:12");
    assert_eq!(stone.base_url.as_deref(), Some("http://127.0.0.1:8200/v1"));
    assert!(stone.groups.contains(&name("day")) && stone.groups.len() == 2);
    assert_eq!(stone.devices[0].as_str(), "/dev/dri");
    assert!(stone.security_label_disable);
    assert_eq!(stone.volumes[0].value.to_string(), "%h/w:/m:ro");
    assert_eq!(stone.env_vars.first_key_value().unwrap().1.value.meant(), "costs $5");
    assert_eq!(stone.secret_env_files.first_key_value().unwrap().1.value.as_str(), "key.1");
    assert_eq!(stone.launch, Launch::of(&["a b".to_owned(), "100%".to_owned()]));
    assert_eq!(stone.concurrency.conflict_domains.as_ref().unwrap().first(), Some(&name("gpu0")));
    assert_eq!(stone.models[0].capabilities, [Capability::Stt, Capability::Chat]);
    assert_eq!(stone.served_model_id.as_deref(), Some("ears-1"));
    assert_eq!(stone.image.value.to_string(), format!("localhost/ears@sha256:{HASH}"));
}

#[test]
fn families_fill_in_what_a_rune_leaves_out() {
    let tabby = "name = 'x'\nauth_secret_name = 'x_auth'\nvolumes = ['/srv/exl3:/app/models:ro']\n\
                 models = [{ id = 'mid', path = '/app/models/mid/' }]\n";
    let (runes, errors) = read(
        &ALL,
        &[
            ("animator/soulstones/llamacpp/a.toml", "name = 'l'\nmodel_path = '/m'\n"),
            ("animator/soulstones/exllamav3/a.toml", tabby),
            ("animator/soulstones/vllm/a.toml", "name = 'v'\n"),
            ("animator/soulstones/sglang/a.toml", "name = 's'\nipc_host = true\n"),
            ("animator/portals/openai/a.toml", "name = 'o'\n"),
            ("animator/portals/google-gemini/a.toml", "name = 'g'\nprovider_name = ' Google-Gemini '\n"),
            ("observability/phoenix/a.toml", "\n"),
        ],
    );
    assert_eq!(errors, [""; 0]);
    let images: Vec<String> = runes.soulstones.iter().map(|stone| stone.image.value.to_string()).collect();
    assert_eq!(
        images,
        [
            "ghcr.io/ggml-org/llama.cpp:server-cuda",
            "ghcr.io/theroyallab/tabbyapi@sha256:a2a4c5b5cd9ae38ea01410c0e495a39c3784d5c213122b2d6365bfa0a88266b3",
            "docker.io/vllm/vllm-openai:latest",
            "docker.io/lmsysorg/sglang:latest"
        ]
    );
    let tabby = &runes.soulstones[1];
    assert_eq!((tabby.port.as_ref().unwrap().value, tabby.devices[0].as_str()), (5000, "nvidia.com/gpu=all"));
    assert_eq!(tabby.launch.control.as_ref().unwrap().secret.value.as_str(), "x_auth");
    assert_eq!(runes.soulstones[2].launch, Launch::default());
    assert_eq!(runes.soulstones[2].concurrency, Concurrency::default());
    let urls: Vec<&str> = runes.portals.iter().map(|portal| portal.base_url.as_str()).collect();
    assert_eq!(
        urls,
        ["https://api.openai.com/v1", "https://generativelanguage.googleapis.com/v1beta/openai/"]
    );
    let phoenix = runes.phoenix.unwrap();
    assert_eq!((phoenix.ui_port.value, phoenix.otlp_port.value), (6006, 4317));
    assert_eq!(phoenix.image.value.to_string(), "docker.io/arize-ai/phoenix:latest");
}
