//! A Codex of 200 runes: read from disk and judged, and rendered as units.
//! `cargo bench --bench runes`.
#![expect(clippy::unwrap_used, reason = "a broken bench says so at once")]
#![expect(clippy::disallowed_methods, reason = "a bench writes what it reads")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use divan::Bencher;
use lychd_forge::{
    codex,
    digest::Sha256,
    image::ConfigDigest,
    runes::{
        Layout, RenderInput, Rendered, RuneRecord, podman::OLDEST_PODMAN, render, systemd::SystemdVersion,
    },
};

const SIZES: [usize; 3] = [30, 200, 1000];

fn main() {
    divan::main();
}

/// Stones of three families in four Covens and five conflict domains, one portal in ten, Phoenix.
fn codex_of(count: usize) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: String, text: String| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let image = format!("docker.io/x/server@sha256:{}", Sha256::of("image"));
    write(
        "lychd.toml".to_owned(),
        format!(
            "[server.database]\nimage = \"{image}\"\n[extensions]\n\
             builtins = [\"animator/llamacpp\", \"animator/vllm\", \"observability/phoenix\"]\n"
        ),
    );
    let quadlet = format!("quadlet = {{ image = \"{image}\" }}\n");
    write("runes/observability/phoenix/eye.toml".to_owned(), quadlet.clone());
    for index in 0..count {
        let name = format!("name = \"rune-{index}\"\n");
        let groups = format!("groups = [\"coven-{}\"]\n", index % 4);
        let (path, text) = match index % 10 {
            0 => (
                "portals/openai",
                format!("api_key_secret_name = \"key-{index}\"\nmodels = [{{ id = \"m\" }}]\n"),
            ),
            1..=5 => ("soulstones/llamacpp", format!("model_path = \"/models/m.gguf\"\n{groups}{quadlet}")),
            6 | 7 => (
                "soulstones/vllm",
                format!(
                    "exec = [\"serve\", \"/models/m\"]\nvolumes = [\"/srv/m{index}:/models:ro\"]\n{quadlet}\
                     concurrency = {{ conflict_domains = [\"domain-{}\"] }}\n",
                    index % 5
                ),
            ),
            _ => (
                "soulstones/generic",
                format!(
                    "runtime = \"openai\"\nenv_vars = {{ A = \"$1 100%%\" }}\n{quadlet}concurrency = {{ conflict_domains = [] }}\n"
                ),
            ),
        };
        write(format!("runes/animator/{path}/rune-{index}.toml"), format!("{name}{text}"));
    }
    directory
}

fn rendered(directory: &Path) -> Rendered {
    let codex = codex::load(directory).unwrap();
    let home = PathBuf::from("/home/magus");
    let layout = Layout {
        codex: home.join(".config/lychd"),
        crypt: home.join(".local/share/lychd"),
        support: home.join(".local/state/lychd-forge/support"),
        sites: vec![home.join(".config/containers/systemd"), home.join(".config/systemd/user")],
        own: vec![home.join(".local/state/lychd-forge"), home.join(".cache/lychd-forge")],
        closed: Vec::new(),
        home,
    };
    let text = r#"{ "schema": "lychd-forge/federation/1", "web_port": 8000, "runes": [] }"#;
    let federated = RuneRecord::parse("federation.json", text.into()).unwrap();
    render(&RenderInput {
        codex: &codex,
        federated: &federated,
        further: &std::collections::BTreeMap::new(),
        body: &ConfigDigest::of("body").into(),
        layout: &layout,
        resolve: &|path: &Path| Ok(path.to_owned()),
        podman: OLDEST_PODMAN,
        systemd: SystemdVersion::new(257),
        ports: &BTreeMap::new(),
    })
    .unwrap()
}

/// All of it: files read and judged, units rendered.
#[divan::bench(args = SIZES)]
fn load_and_render(bencher: Bencher<'_, '_>, count: usize) {
    let directory = codex_of(count);
    assert!(rendered(directory.path()).quadlets.len() > count / 2);
    bencher.bench_local(|| rendered(directory.path()));
}

/// Reading alone.
#[divan::bench(args = SIZES)]
fn load(bencher: Bencher<'_, '_>, count: usize) {
    let directory = codex_of(count);
    bencher.bench_local(|| codex::load(directory.path()).unwrap());
}
