//! What a message shows as a right value of a key is right: put in place of the wrong one, it is taken.

use std::collections::BTreeSet;

use lychd_forge::{
    codex,
    crypt::{FederationLock, Manifest},
    diagnostic::{Diagnostic, Failure, Source},
};

const LYCHD: &str = "[extensions]\nbuiltins = [\"animator\", \"animator/llamacpp\", \"animator/vllm\", \
                     \"animator/sglang\", \"animator/exllamav3\", \"observability/phoenix\", \"simulation\"]\n";

/// Values of every kind, each wrong for most keys.
const WRONG: [&str; 11] = [
    "1979-05-27",
    "true",
    "-7",
    "1e300",
    "\"\"",
    "\"\\u0007\"",
    "[]",
    "[\"\\u0007\"]",
    "[[1]]",
    "{ a = 1 }",
    "{ \"\\u0007\" = \"a\" }",
];

/// A sound document by the name of its file. The keys of one of its tables stand between `@` and an empty line.
const DOCUMENTS: &[(&str, &str)] = &[
    ("runes/animator/soulstones/generic/a.toml", GENERIC),
    ("runes/animator/soulstones/llamacpp/a.toml", "@\nname = \"a\"\nmodels_dir = \"/models\"\n"),
    ("runes/animator/soulstones/vllm/a.toml", "@\nname = \"a\"\n"),
    ("runes/animator/soulstones/sglang/a.toml", "@\nname = \"a\"\n"),
    ("runes/animator/soulstones/exllamav3/a.toml", TABBY),
    ("runes/animator/soulstones/vllm/a.toml", "name = \"a\"\n[quadlet]\n@\nimage = \"localhost/a\"\n"),
    ("runes/animator/soulstones/vllm/a.toml", "name = \"a\"\n[concurrency]\n@\n"),
    ("runes/animator/soulstones/vllm/a.toml", "name = \"a\"\n[generation]\n@\n"),
    ("runes/animator/soulstones/vllm/a.toml", "name = \"a\"\n[[models]]\n@\nid = \"m\"\npath = \"/m\"\n"),
    (
        "runes/animator/soulstones/vllm/a.toml",
        "name = \"a\"\n[[models]]\nid = \"m\"\npath = \"/m\"\n[models.capabilities]\n@\n",
    ),
    (
        "runes/animator/soulstones/vllm/a.toml",
        "name = \"a\"\n[[models]]\nid = \"m\"\npath = \"/m\"\n[models.generation]\n@\n",
    ),
    ("runes/animator/soulstones/exllamav3/a.toml", TABBY_MODEL),
    ("runes/animator/portals/openai/a.toml", "@\nname = \"a\"\n"),
    ("runes/animator/portals/google-gemini/a.toml", "@\nname = \"a\"\n"),
    ("runes/animator/portals/openai/a.toml", "name = \"a\"\n[[models]]\n@\nid = \"m\"\n"),
    (
        "runes/animator/portals/openai/a.toml",
        "name = \"a\"\nprovider_name = \"openrouter\"\n[[models]]\n@\nid = \"v/m\"\n",
    ),
    ("runes/observability/phoenix/a.toml", "@\n"),
    ("runes/observability/phoenix/a.toml", "[quadlet]\n@\nimage = \"localhost/a\"\n"),
    ("runes/codex/preauth/a.toml", "@\nslug = \"a\"\ntool_pattern = \"b\"\n"),
    ("runes/simulation/a.toml", "@\n"),
    ("forge.toml", "@\n"),
    ("forge.toml", "[image]\n@\n"),
    ("forge.toml", "[substrate]\n@\n"),
    ("forge.toml", "[substrate.debian]\n@\n"),
    ("forge.toml", "[substrate.debian.mirrors]\n@\n"),
    ("forge.toml", "[substrate.nixpkgs]\n@\n"),
    ("forge.toml", "[policy]\n@\n"),
    ("forge.toml", "[spheres]\n@\n"),
    ("forge.toml", "[[spheres.outlands]]\n@\npath = \"~/x\"\n"),
    ("forge.toml", "[grants.a]\n@\n"),
    ("lychd.lock", "@\nversion = 1\n"),
    (
        "lychd.lock",
        "version = 1\n[[repository]]\n@\nid = \"core\"\npath = \"core\"\nvcs = \"none\"\nnar-sha256 = \"0\"\n",
    ),
    (
        "lychd.lock",
        "version = 1\n[[repository]]\n@\nid = \"a/b\"\npath = \"extensions/a/b\"\nvcs = \"none\"\nnar-sha256 = \"0\"\n",
    ),
    ("pyproject.toml", "[project]\n@\nname = \"a\"\nversion = \"1\"\n"),
    ("pyproject.toml", "[build-system]\n@\nrequires = []\n\n[project]\nname = \"a\"\nversion = \"1\"\n"),
    ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n[tool.lychd]\n@\n"),
    ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n[tool.lychd.image]\n@\n"),
    ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n[tool.lychd.image.user]\n@\n"),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[tool.lychd.image.health]\n@\nhttp = \"/a\"\n",
    ),
    (
        "pyproject.toml",
        "[build-system]\nrequires = []\n[project]\nname = \"a\"\nversion = \"1\"\n[tool.lychd.assets]\n@\n\
         source = \".\"\nscript = \"a\"\noutput = \"b\"\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[[tool.lychd.system-dependencies]]\n@\nname = \"ab\"\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[[tool.lychd.rune]]\n@\nname = \"r\"\nimage = \"localhost/a\"\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[[tool.lychd.rune]]\nname = \"r\"\nimage = \"localhost/a\"\n\
         [tool.lychd.rune.grants]\n@\n",
    ),
];

const GENERIC: &str = "@\nname = \"a\"\nruntime = \"openai\"\nquadlet = { image = \"localhost/a\" }\n";
const TABBY: &str = "@\nname = \"a\"\nauth_secret_name = \"b\"\nvolumes = [\"/a:/app/models:ro\"]\n\
                     models = [{ id = \"m\", path = \"/app/models/m\" }]\n";
const TABBY_MODEL: &str = "name = \"a\"\nauth_secret_name = \"b\"\nvolumes = [\"/a:/app/models:ro\"]\n\
                           [[models]]\n@\nid = \"m\"\npath = \"/app/models/m\"\n";

/// What is said of a document.
fn judge(file: &str, text: &str) -> Vec<Diagnostic> {
    let text = text.replace("nar-sha256 = \"0\"", &format!("nar-sha256 = \"{}\"", "0".repeat(64)));
    let done = match file {
        "lychd.lock" => FederationLock::parse(&Source::new(file, text)).map(drop),
        "pyproject.toml" => Manifest::parse(&"core".parse().unwrap(), file, text.as_bytes()).map(drop),
        _ => codex::parse(&[Source::new("lychd.toml", LYCHD), Source::new(file, text)]).map(drop),
    };
    done.err().as_ref().map(Failure::diagnostics).unwrap_or_default().to_vec()
}

/// The document with another value of `key`, in one line, and the number of that line.
fn with(document: &str, key: &str, value: &str) -> (String, usize) {
    let (above, below) = document.split_once("@\n").unwrap();
    let (own, rest) = below.split_once("\n\n").unwrap_or((below, ""));
    let others: Vec<&str> =
        own.lines().filter(|line| line.split_once(" = ").is_none_or(|(other, _)| other != key)).collect();
    (format!("{above}{key} = {value}\n{}\n\n{rest}", others.join("\n")), above.lines().count() + 1)
}

/// The keys of the document's table, as its reader lists them.
fn known(file: &str, document: &str) -> Vec<String> {
    let (text, _) = with(document, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "1");
    let all = judge(file, &text).into_iter().flat_map(|error| error.help);
    let lists: Vec<String> =
        all.filter_map(|help| help.strip_prefix("known keys: ").map(str::to_owned)).collect();
    lists.iter().flat_map(|list| list.split(", ")).map(str::to_owned).collect()
}

#[test]
fn a_value_that_is_shown_for_a_wrong_one_is_taken() {
    let mut shown = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for (file, document) in DOCUMENTS {
        let sound = judge(file, &document.replace("@\n", ""));
        assert!(sound.is_empty(), "{document}\n{sound:#?}");
        let keys = known(file, document);
        assert!(!keys.is_empty(), "{file} is not read: does `LYCHD` name its extension?\n{document}");
        for key in keys {
            for wrong in WRONG {
                let (text, _) = with(document, &key, wrong);
                let helps = judge(file, &text).into_iter().flat_map(|error| error.help);
                let begin = format!("for example: `{key} = ");
                for help in helps.filter(|help| help.starts_with(&begin)) {
                    let example = help[begin.len()..].trim_end_matches('`').to_owned();
                    let value = example.replace("<64 hex digits>", &"0".repeat(64));
                    let (text, line) = with(document, &key, &value);
                    let at_key = |error: &Diagnostic| {
                        error.places.first().is_none_or(|(place, _)| place.line_column().0 == line)
                    };
                    for error in judge(file, &text).into_iter().filter(at_key) {
                        refused.insert(format!("{file}: `{key} = {example}`\n  {error}"));
                    }
                    shown.insert((*file, *document, key.clone(), example));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(shown.len() > 200, "{}", shown.len());
}

#[test]
fn one_name_has_in_each_file_the_example_of_that_file() {
    let manifest =
        "[project]\nname = \"a\"\nversion = \"1\"\n[[tool.lychd.rune]]\n@\nname = \"r\"\nimage = \"x\"\n";
    let lock = "version = 1\n[[repository]]\n@\nid = \"a/b\"\npath = \"extensions/a/b\"\nvcs = \"none\"\nnar-sha256 = \"0\"\n";
    let model = "name = \"a\"\n[[models]]\n@\nid = \"m\"\npath = \"/m\"\n";
    let stone = "runes/animator/soulstones/vllm/a.toml";
    for (file, document, key, wrong, want) in [
        ("pyproject.toml", manifest, "capabilities", "\"vision\"", "[\"vision\"]"),
        (stone, model, "capabilities", "\"vision\"", "{ families = [\"chat\"] }"),
        ("lychd.lock", lock, "id", "[\"core\"]", "\"core\""),
        (stone, model, "id", "[\"core\"]", "\"coder-7b\""),
        ("lychd.lock", lock, "path", "[\"core\"]", "\"extensions/a/b\""),
        (stone, model, "path", "[\"core\"]", "\"/models/coder-7b\""),
        ("forge.toml", "[[spheres.outlands]]\n@\n", "path", "[\"core\"]", "\"~/src\""),
    ] {
        let (text, _) = with(document, key, wrong);
        let helps: Vec<String> = judge(file, &text).into_iter().flat_map(|error| error.help).collect();
        assert!(helps.contains(&format!("for example: `{key} = {want}`")), "{file}: {helps:#?}");
    }
}
