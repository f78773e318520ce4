//! How long a Synthesis takes to become a flake tree, reading back included. The values are made within the time: a part
//! of them is computed when they are made or when they are written, and this is the sum.

#![expect(clippy::unwrap_used, reason = "a bench may fail so")]

#[path = "../tests/it/transmute/sample.rs"]
mod sample;

use lychd_forge::{transmute, tree::FileTree};

fn main() {
    divan::main();
}

#[divan::bench(args = [120, 500, 2_000])]
fn packages(bencher: divan::Bencher<'_, '_>, count: usize) {
    let mut library = FileTree::new();
    for path in ["default.nix", "debian/default.nix"] {
        library.insert_text(path.parse().unwrap(), "x: x\n");
    }
    bencher.bench(|| {
        let (synthesis, sources) = sample::of_size(count);
        transmute::transmute(&synthesis, &sources, &library).unwrap()
    });
}
