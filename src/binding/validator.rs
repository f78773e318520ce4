//! Rendered units before podman's own generator and `systemd-analyze verify`, without a running systemd.
//!
//! Neither program is enough alone: the generator passes unknown sections and whatever stands in `[Unit]` and
//! `[Service]`, systemd knows nothing of podman's keys, and neither looks at the values of podman's options. A
//! set passes when both are silent, and the units that were made are exactly the expected ones.

mod generator;
mod outfit;
mod sources;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use generator::is_quadlet;
use schemars::JsonSchema;
use serde::Serialize;

use outfit::Part;
pub use outfit::Supply;
use sources::Sources;

use crate::{
    diagnostic::{Diagnostic, Failure},
    host::{
        environment, file,
        process::{Bounds, Command, Output},
    },
    runes::podman::{FLOOR, PodmanVersion},
    tree::{Entry, FileTree},
};

/// Where distributions put the generator.
const GENERATORS: [&str; 6] = [
    "/usr/libexec/podman/quadlet",
    "/usr/lib/podman/quadlet",
    "/usr/lib/systemd/user-generators/podman-user-generator",
    "/usr/local/libexec/podman/quadlet",
    "/usr/local/lib/podman/quadlet",
    "/usr/local/lib/systemd/user-generators/podman-user-generator",
];
/// The oldest systemd whose `verify` is known to judge as it should.
const OLDEST_SYSTEMD: u32 = 252;
/// Both take milliseconds.
const BOUNDS: Bounds = Bounds { wall: Duration::from_mins(1), stdout: 64 << 20, stderr: 4 << 20 };

/// Where this host may have the two programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Places of podman's generator, the best first.
    pub generators: Vec<PathBuf>,
    /// `systemd-analyze`.
    pub analyze: Option<PathBuf>,
    /// What `%h` in a unit means; an empty directory when there is none.
    pub home: Option<PathBuf>,
}

impl Host {
    /// The usual places, and the user's home directory; a default [`Host`] has none, and then Debian's programs
    /// judge.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            generators: GENERATORS.iter().map(PathBuf::from).collect(),
            analyze: environment::program("systemd-analyze"),
            home: environment::variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute()),
        }
    }
}

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The host's own.
    Host,
    /// Of a package of Debian 13, in the forge's cache.
    Debian,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Host => "this host's",
            Self::Debian => "Debian 13's",
        })
    }
}

/// A program with what must stand before its arguments.
#[derive(Clone, Debug)]
struct Program {
    path: PathBuf,
    first: Vec<OsString>,
}

impl Program {
    fn run<const N: usize>(
        &self,
        arguments: &[&str],
        environment: [(&str, &str); N],
    ) -> Result<Output, Failure> {
        let command = Command::new(&self.path)
            .args(&self.first)
            .args(arguments)
            .only_env(environment.into_iter().chain([("LC_ALL", "C")]));
        let (output, stopped) = command.output_bounded(b"", &BOUNDS)?;
        if stopped.is_none() && matches!(output.code, Some(0 | 1)) {
            return Ok(output);
        }
        let how = match (stopped, output.code) {
            (Some(_), _) => "did not end, or said too much".to_owned(),
            (None, Some(code)) => format!("ended with {code}"),
            (None, None) => "was killed".to_owned(),
        };
        let name = arguments.first().copied().unwrap_or_default();
        let mut failed =
            Diagnostic::new(format!("the units could not be checked: `{}` {how}", self.shown(name)));
        if !output.stderr.trim().is_empty() {
            failed = failed.note(output.stderr.trim().chars().take(4000).collect::<String>());
        }
        Err(Failure::unable(failed))
    }

    fn shown(&self, argument: &str) -> String {
        let path = self.first.last().map_or(self.path.as_path(), Path::new);
        format!("{} {argument}", path.display())
    }
}

/// The two programs, ready to judge.
#[derive(Clone, Debug)]
pub struct Validator {
    generator: Program,
    analyze: Program,
    podman: (PodmanVersion, Origin),
    systemd: (String, Origin),
    /// Targets that every user has, where systemd's own are not looked at.
    targets: Option<PathBuf>,
    home: Option<PathBuf>,
    stage: PathBuf,
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// All that is wrong; the set passes when there is nothing.
    pub findings: Vec<Diagnostic>,
    /// What was seen and is no fault of the units, such as that this host has no podman to start.
    pub notes: Vec<String>,
}

impl Validator {
    /// The host's programs where they are new enough, else those of Debian 13: from the cache when they are
    /// there, or brought into it.
    ///
    /// # Errors
    /// Unable when they must be brought and there is no network; else whatever Debian's index or `bring` says.
    pub fn find(host: &Host, supply: &Supply<'_>) -> Result<Self, Failure> {
        let cache = supply.cache;
        file::create_directory(cache).map_err(|error| file::unable("create", cache, &error))?;
        let cache = file::canonical(cache).map_err(|error| file::unable("find", cache, &error))?;
        plain(&cache)?;
        let found = host.generators.iter().find_map(|path| {
            let program = Program { path: path.clone(), first: Vec::new() };
            let version = podman_version(&program).ok()?;
            (version >= FLOOR).then_some((program, version))
        });
        let (generator, podman) = if let Some((program, version)) = found {
            (program, (version, Origin::Host))
        } else {
            let program = outfit::install(&cache, supply, Part::Generator)?.program;
            let version = podman_version(&program)?;
            (program, (version, Origin::Debian))
        };
        let found = host.analyze.as_ref().and_then(|path| {
            let program = Program { path: path.clone(), first: Vec::new() };
            let (number, version) = systemd_version(&program).ok()?;
            (number >= OLDEST_SYSTEMD).then_some((program, version))
        });
        let (analyze, systemd, targets) = if let Some((program, version)) = found {
            (program, (version, Origin::Host), None)
        } else {
            let installed = outfit::install(&cache, supply, Part::Analyze)?;
            let (_, version) = systemd_version(&installed.program)?;
            (installed.program, (version, Origin::Debian), Some(installed.units))
        };
        let (home, stage) = (host.home.clone(), cache.join("stage"));
        Ok(Self { generator, analyze, podman, systemd, targets, home, stage })
    }

    /// Whose podman judges, in which version.
    #[must_use]
    pub fn podman(&self) -> (PodmanVersion, Origin) {
        self.podman
    }

    /// Whose systemd judges, in which version.
    #[must_use]
    pub fn systemd(&self) -> (&str, Origin) {
        (&self.systemd.0, self.systemd.1)
    }

    /// The units that podman's generator makes of Quadlet files, by name. Nothing is judged.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it could not run.
    pub fn generated(&self, quadlets: &FileTree) -> Result<BTreeMap<String, String>, Failure> {
        let scratch = self.scratch()?;
        let stage = Stage::at(scratch.path(), quadlets)?;
        let out = stage.out.as_str();
        self.generate(&stage, &["-user", "-no-kmsg-log", out, out, out])?;
        stage.made()
    }

    fn scratch(&self) -> Result<file::TemporaryDirectory, Failure> {
        file::temporary_directory(&self.stage).map_err(|error| file::unable("create", &self.stage, &error))
    }

    fn generate(&self, stage: &Stage, arguments: &[&str]) -> Result<Output, Failure> {
        let environment = [
            ("QUADLET_UNIT_DIRS", stage.quadlets.as_str()),
            ("XDG_RUNTIME_DIR", stage.run.as_str()),
            ("HOME", stage.run.as_str()),
        ];
        self.generator.run(arguments, environment)
    }

    /// Judges a set: Quadlet files, units that are written as they are (at the top, with drop-ins below), and the
    /// names of exactly the units that the generator must make of the former. Places in the findings are in
    /// these texts, named by their paths.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it could not be checked; what is wrong with the units is in the [`Verdict`].
    pub fn check(
        &self,
        quadlets: &FileTree,
        units: &FileTree,
        expected: &BTreeSet<String>,
    ) -> Result<Verdict, Failure> {
        let scratch = self.scratch()?;
        let stage = Stage::at(scratch.path(), quadlets)?;
        let (quadlet_sources, unit_sources) = (Sources::of(quadlets), Sources::of(units));
        let mut findings = generator::twins(&quadlet_sources);

        let out = stage.out.as_str();
        let dry = self.generate(&stage, &["-user", "-dryrun", "-no-kmsg-log"])?;
        let wet = self.generate(&stage, &["-user", "-no-kmsg-log", out, out, out])?;
        let made = stage.made()?;
        findings.extend(generator::judge(
            &generator::Run {
                failed: !dry.success() || !wet.success(),
                stderr: &format!("{}\n{}", dry.stderr, wet.stderr),
                dry: &generator::names(&dry.text()),
                made: &made,
                linked: &|link| Ok(file::kind(&Path::new(out).join(link))? == Some(file::Kind::Link)),
                directory: &stage.quadlets,
            },
            &quadlet_sources,
            expected,
        )?);

        findings.extend(stage.add(units)?);
        let mut names: BTreeSet<&str> = made.keys().map(String::as_str).collect();
        names.extend(unit_sources.paths().filter(|path| !path.contains('/')));
        if names.is_empty() {
            return Ok(Verdict { findings, notes: Vec::new() });
        }
        let paths: Vec<String> = names.iter().map(|name| format!("{out}/{name}")).collect();
        let mut arguments = vec!["verify", "--user", "--man=no", "--generators=no", "--recursive-errors=one"];
        arguments.extend(paths.iter().map(String::as_str));
        let targets = self.targets.as_deref().map(plain).transpose()?.unwrap_or_default();
        let output = self.analyze.run(
            &arguments,
            [
                ("SYSTEMD_UNIT_PATH", format!("{out}:{targets}").as_str()),
                // `--generators=no` does not keep the host's environment generators from running.
                ("SYSTEMD_ENVIRONMENT_GENERATOR_PATH", stage.empty.as_str()),
                ("XDG_RUNTIME_DIR", stage.run.as_str()),
                // The user's own units and drop-ins are no part of the set.
                ("XDG_CONFIG_HOME", stage.empty.as_str()),
                ("XDG_DATA_HOME", stage.empty.as_str()),
                ("HOME", self.home.as_deref().and_then(Path::to_str).unwrap_or(&stage.run)),
            ],
        )?;
        let judged = verify::judge(&verify::Run {
            failed: !output.success(),
            stderr: &output.stderr,
            made: &made,
            out,
            directory: &stage.quadlets,
            quadlets: &quadlet_sources,
            units: &unit_sources,
        })?;
        findings.extend(judged.findings);
        // systemd goes through units in an order of its own.
        findings.sort_by_cached_key(|finding| {
            let place = finding
                .places
                .first()
                .map(|(place, _)| (place.source().name().to_owned(), place.span().start));
            (place.is_none(), place, finding.message.clone())
        });
        Ok(Verdict { findings, notes: judged.notes })
    }
}

/// What is staged for one check: paths as text.
struct Stage {
    quadlets: String,
    out: String,
    run: String,
    empty: String,
}

impl Stage {
    fn at(scratch: &Path, quadlets: &FileTree) -> Result<Self, Failure> {
        let below = |name: &str| -> Result<String, Failure> {
            let path = scratch.join(name);
            file::create_directory(&path).map_err(|error| file::unable("create", &path, &error))?;
            Ok(plain(&path)?.to_owned())
        };
        let stage = Self {
            quadlets: below("quadlets")?,
            out: below("out")?,
            run: below("run")?,
            empty: below("empty")?,
        };
        let path = Path::new(&stage.quadlets);
        file::write_tree(path, quadlets).map_err(|error| file::unable("write", path, &error))?;
        Ok(stage)
    }

    /// The units that the generator wrote, with their texts.
    fn made(&self) -> Result<BTreeMap<String, String>, Failure> {
        let out = Path::new(&self.out);
        let names = file::list(out).map_err(|error| file::unable("read", out, &error))?;
        let mut made = BTreeMap::new();
        for (name, is_directory) in names {
            let path = out.join(&name);
            // Of a template with an instance there is a link as well.
            if is_directory || file::kind(&path)? == Some(file::Kind::Link) {
                continue;
            }
            let text = file::read_text(&path).map_err(|error| file::unable("read", &path, &error))?;
            made.insert(name, text);
        }
        Ok(made)
    }

    /// Puts plain units beside the generated ones.
    fn add(&self, units: &FileTree) -> Result<Vec<Diagnostic>, Failure> {
        let mut findings = Vec::new();
        for (path, entry) in units.iter() {
            let target = Path::new(&self.out).join(path.as_str());
            let Entry::File { bytes, .. } = entry else {
                findings.push(Diagnostic::new(format!("the unit `{path}` is a link, not a file")));
                continue;
            };
            match file::create(&target, bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    let message = format!("`{path}` is a unit of its own and made of a Quadlet file as well");
                    findings.push(Diagnostic::new(message));
                }
                done => done.map_err(|error| file::unable("write", &target, &error))?,
            }
        }
        Ok(findings)
    }
}

/// A path as both programs read it: in lists with `:`, and in units with `%`.
fn plain(path: &Path) -> Result<&str, Failure> {
    let special = |c: char| c.is_control() || c.is_whitespace() || ":;$%\\\"'".contains(c);
    path.to_str().filter(|text| !text.contains(special)).ok_or_else(|| {
        let message = format!("units cannot be checked below `{}`: its name is not plain", path.display());
        Failure::unable(
            Diagnostic::new(message).help("set XDG_CACHE_HOME to a path without special characters"),
        )
    })
}

fn podman_version(generator: &Program) -> Result<PodmanVersion, Failure> {
    let said = generator.run(&["-version"], [])?.text();
    said.parse().map_err(|error| {
        Failure::unable(Diagnostic::new(format!("`{}`: {error}", generator.shown("-version"))))
    })
}

/// The number that counts, and the version in full.
fn systemd_version(analyze: &Program) -> Result<(u32, String), Failure> {
    let said = analyze.run(&["--version"], [])?.text();
    verify::version(&said).ok_or_else(|| {
        let shown = analyze.shown("--version");
        Failure::unable(Diagnostic::new(format!("`{shown}` says no version of systemd")))
    })
}
