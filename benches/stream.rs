//! The image stream against nixpkgs' `stream_layered_image.py`, on two trees of more than 300 MB.
//!
//! `LYCHD_FORGE_UPSTREAM_STREAMER=/path/to/stream_layered_image.py cargo bench --bench stream` compares; the
//! trees are shown to upstream at `/nix/store` in a mount namespace (`unshare`), and both must write the
//! same bytes. Without the variable only our own figures are printed, and that is said.
#![expect(clippy::disallowed_methods, reason = "benches measure and touch files directly")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench may fail loudly"
)]

use std::{
    env, fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::Instant,
};

use lychd_forge::{
    diagnostic::Source,
    digest::{HashWriter, Sha256},
    host::progress::Silent,
    image::{self, Conf, StoreRoot},
};

/// The two shapes: a virtual environment, and a few big libraries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    ManySmall,
    FewLarge,
}

impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ManySmall => "40,000 files of 8 kB",
            Self::FewLarge => "8 files of 40 MB",
        })
    }
}

const SHAPES: [Shape; 2] = [Shape::ManySmall, Shape::FewLarge];

struct Tree {
    directory: tempfile::TempDir,
    conf: Conf,
}

static SMALL: LazyLock<Tree> = LazyLock::new(|| Tree::new(Shape::ManySmall));
static LARGE: LazyLock<Tree> = LazyLock::new(|| Tree::new(Shape::FewLarge));

fn tree(shape: Shape) -> &'static Tree {
    match shape {
        Shape::ManySmall => &SMALL,
        Shape::FewLarge => &LARGE,
    }
}

impl Tree {
    fn new(shape: Shape) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = StoreRoot::below(directory.path());
        let (layers, folders, files, size) = match shape {
            Shape::ManySmall => (40, 20, 50, 8 << 10),
            Shape::FewLarge => (8, 1, 1, 40 << 20),
        };
        let mut noise = 1_u64;
        let mut block = vec![0; 8 << 10];
        let mut paths = Vec::new();
        for layer in 0..layers {
            let name =
                format!("{}-package-{layer}-1.0", Sha256::of(format!("{layer}")).short(32).replace('e', "z"));
            for folder in 0..folders {
                let place =
                    root.physical().join(&name).join(format!("lib/python3.13/site-packages/module_{folder}"));
                fs::create_dir_all(&place).unwrap();
                for file in 0..files {
                    let mut out = fs::File::create(place.join(format!("file_{file}.py"))).unwrap();
                    for _ in 0..size / block.len() {
                        for word in block.chunks_exact_mut(8) {
                            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                            word.copy_from_slice(&noise.to_le_bytes());
                        }
                        out.write_all(&block).unwrap();
                    }
                }
            }
            paths.push(vec![format!("/nix/store/{name}")]);
        }
        let customisation = root.physical().join("00000000000000000000000000000000-customisation");
        fs::create_dir(&customisation).unwrap();
        fs::write(customisation.join("layer.tar"), [0; 10_240]).unwrap();
        fs::set_permissions(
            customisation.join("layer.tar"),
            std::os::unix::fs::PermissionsExt::from_mode(0o444),
        )
        .unwrap();
        fs::write(customisation.join("checksum"), Sha256::of([0; 10_240]).to_string()).unwrap();
        let text = serde_json::json!({
            "architecture": "amd64", "config": {}, "created": "1970-01-01T00:00:01+00:00", "from_image": null,
            "mtime": "1970-01-01T00:00:01+00:00", "repo_tag": "localhost/bench:custom", "store_dir": "/nix/store",
            "uid": "0", "gid": "0", "uname": "root", "gname": "root", "store_layers": paths,
            "customisation_layer": "/nix/store/00000000000000000000000000000000-customisation",
        })
        .to_string();
        fs::write(directory.path().join("conf.json"), &text).unwrap();
        let conf = Conf::parse(&Source::new("conf.json", text)).unwrap();
        Self { directory, conf }
    }

    fn root(&self) -> StoreRoot {
        StoreRoot::below(self.directory.path())
    }

    /// End to end, from conf.json to the last byte; the digests' cache lies at `cache`.
    fn ours(&self, cache: &Path, out: &mut dyn std::io::Write) {
        let image = image::prepare(&self.conf, &self.root(), cache, &Silent).unwrap();
        image::stream(&image, std::slice::from_ref(image.reference()), &self.root(), out).unwrap();
    }

    /// Upstream's script on the same tree.
    fn upstream(&self, script: &Path, out: Stdio) -> Command {
        let mut command = Command::new("unshare");
        command
            .args([
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$0\" /nix/store && exec python3 \"$@\"",
            ])
            .arg(self.root().physical())
            .arg(script)
            .arg(self.directory.path().join("conf.json"))
            .env("PYTHONUTF8", "1")
            .stderr(Stdio::null())
            .stdout(out);
        command
    }
}

fn upstream_script() -> Option<PathBuf> {
    env::var_os("LYCHD_FORGE_UPSTREAM_STREAMER").map(PathBuf::from)
}

fn null() -> fs::File {
    fs::OpenOptions::new().write(true).open("/dev/null").unwrap()
}

#[divan::bench(args = SHAPES, sample_count = 5, sample_size = 1)]
fn prepare_and_stream(bencher: divan::Bencher<'_, '_>, shape: Shape) {
    let tree = tree(shape);
    bencher.with_inputs(|| tempfile::tempdir().unwrap()).bench_values(|cache| {
        tree.ours(cache.path(), &mut null());
        cache
    });
}

#[divan::bench(args = SHAPES, sample_count = 5, sample_size = 1)]
fn prepare_and_stream_with_known_digests(bencher: divan::Bencher<'_, '_>, shape: Shape) {
    let (tree, cache) = (tree(shape), tempfile::tempdir().unwrap());
    tree.ours(cache.path(), &mut null());
    bencher.bench_local(|| tree.ours(cache.path(), &mut null()));
}

/// Equal bytes first, then the ratio of alternating runs.
fn compare(script: &Path, shape: Shape) {
    const RUNS: usize = 3;
    let tree = tree(shape);
    let cold = || tempfile::tempdir().unwrap();
    let mut ours = HashWriter::default();
    tree.ours(cold().path(), &mut ours);
    let mut child = tree.upstream(script, Stdio::piped()).spawn().unwrap();
    let mut theirs = HashWriter::default();
    std::io::copy(&mut child.stdout.take().unwrap(), &mut theirs).unwrap();
    let (ours, theirs) = (ours.finish(), theirs.finish());
    assert!(child.wait().unwrap().success(), "{shape:?}: upstream's script failed");
    assert_eq!(ours, theirs, "{shape:?}: not the same bytes");
    let mut ratios = Vec::new();
    for _ in 0..RUNS {
        let cache = cold();
        let start = Instant::now();
        tree.ours(cache.path(), &mut null());
        let ours = start.elapsed();
        let start = Instant::now();
        assert!(tree.upstream(script, Stdio::null()).status().unwrap().success());
        let theirs = start.elapsed();
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("{shape:?}: ours {ours:.2?}, upstream {theirs:.2?}, {ratio:.1} times as fast");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("{shape:?}: equal bytes; median {:.1} times as fast as upstream's script", ratios[RUNS / 2]);
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or(" unknown");
    line.trim().to_owned()
}

fn main() {
    if env::args().any(|argument| argument == "--bench") {
        match upstream_script() {
            Some(script) => SHAPES.into_iter().for_each(|shape| compare(&script, shape)),
            None => println!("not compared with upstream: LYCHD_FORGE_UPSTREAM_STREAMER is not set"),
        }
    }
    divan::main();
    println!("peak memory of this process: {}", peak_memory());
    std::io::stdout().flush().unwrap();
}
