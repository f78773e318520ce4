//! Two bodies of 2,000 packages, of which one in ten is another: compared, and read from their Syntheses before that.
//! `cargo bench --bench compare`.

#![expect(clippy::unwrap_used, reason = "a broken bench says so at once")]

#[path = "../tests/it/transmute/sample.rs"]
mod sample;

use std::collections::BTreeMap;

use divan::Bencher;
use lychd_forge::{
    body::{Body, BodyImage, Contents, ExecutorKind, Images, Store, SubstrateKind, compare},
    digest::Sha256,
    image::{ConfigDigest, Reference},
    synthesis::Synthesis,
};

const SIZES: [usize; 2] = [200, 2_000];

fn main() {
    divan::main();
}

fn body(synthesis: &str) -> Body {
    let config_digest = ConfigDigest::of(synthesis);
    let reference: Reference = "localhost/lychd:custom".parse().unwrap();
    let store_path = |name: &str| format!("/nix/store/{}-{name}", "0".repeat(32)).parse().unwrap();
    Body {
        images: Images {
            vessel: BodyImage {
                config_digest,
                manifest_digest: Sha256::of("manifest"),
                engine_id: None,
                reference: reference.own(config_digest),
                layers: 1,
                size: 1,
                store_path: store_path("stream"),
                conf: store_path("conf.json"),
            },
            further: BTreeMap::new(),
        },
        federation: Sha256::of("federation"),
        executor: ExecutorKind::Nix,
        substrate: SubstrateKind::Debian,
        store: Some(Store::System),
        synthesis_sha256: Sha256::of(synthesis),
        flake_nar_sha256: Sha256::of("flake"),
        tools: BTreeMap::new(),
    }
}

/// A Synthesis of so many packages, and the same with each tenth in another version.
fn syntheses(count: usize) -> [String; 2] {
    let (before, _) = sample::of_size(count);
    let mut after: Synthesis = before.clone();
    after
        .python_packages
        .iter_mut()
        .step_by(10)
        .for_each(|package| "1.26.5".clone_into(&mut package.version));
    after
        .system_packages
        .iter_mut()
        .step_by(10)
        .for_each(|package| "1:2.42-1".clone_into(&mut package.version));
    [before, after].map(|synthesis| synthesis.to_canonical_json())
}

fn contents(synthesis: &str) -> Contents {
    Contents::of(&body(synthesis), synthesis.as_bytes()).unwrap()
}

/// Comparing alone.
#[divan::bench(args = SIZES)]
fn compared(bencher: Bencher<'_, '_>, count: usize) {
    let [before, after] = syntheses(count).map(|synthesis| contents(&synthesis));
    let comparison = compare(&before, &after);
    assert_eq!(comparison.python.len() + comparison.system.len(), count / 10);
    bencher.bench_local(|| compare(&before, &after));
}

/// All of it: both Syntheses read and compared.
#[divan::bench(args = SIZES)]
fn read_and_compared(bencher: Bencher<'_, '_>, count: usize) {
    let [before, after] = syntheses(count);
    bencher.bench_local(|| compare(&contents(&before), &contents(&after)));
}
