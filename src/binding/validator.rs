//! Rendered units before podman's own generator and `systemd-analyze verify`, without a running systemd.
//!
//! Neither program is enough alone: the generator passes unknown sections and whatever stands in `[Unit]` and
//! `[Service]`, systemd knows nothing of podman's keys, and neither looks at the values of podman's options. A
//! set passes when both are silent, and the units that were made are exactly the expected ones.

mod among;
mod debian_tools;
mod generator;
mod program;
mod sources;
mod stage;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use self::{
    among::Staged,
    debian_tools::Part,
    program::{Program, podman_version, systemd_version},
    sources::Sources,
    stage::{Stage, plain},
};
use super::{
    changes::{changed, quadlets_of},
    drop_ins::units_of,
    judge::{Judge, Origin, Theirs, Verdict},
    places::GENERATORS,
};
use crate::{
    artifact::Effects,
    codex::Debian,
    diagnostic::Failure,
    host::{environment, file, process::Output},
    runes::{
        Rendered,
        podman::{OLDEST_PODMAN, PodmanVersion},
    },
    tree::FileTree,
};

/// The oldest systemd whose `verify` is known to judge as it should.
const OLDEST_SYSTEMD: u32 = 252;

/// How many units systemd is given at once.
const PART: usize = 400;

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

impl Validator {
    /// The host's programs where they are new enough, else those of Debian 13: from the cache when they are
    /// there, or brought into it. `debian` has mirrors and keyring; the suites are always Debian 13's.
    ///
    /// # Errors
    /// Unable when they must be brought and there is no network; else whatever Debian's index or `bring` says.
    pub fn find(host: &Host, debian: &Debian, effects: &Effects<'_>) -> Result<Self, Failure> {
        let cache = effects.cache;
        file::create_directory(cache).map_err(|error| file::unable("create", cache, &error))?;
        let cache = file::canonical(cache).map_err(|error| file::unable("find", cache, &error))?;
        plain(&cache)?;
        let found = host.generators.iter().find_map(|path| {
            let program = Program { path: path.clone(), first: Vec::new() };
            let version = podman_version(&program).ok()?;
            (version >= OLDEST_PODMAN).then_some((program, version))
        });
        let (generator, podman) = if let Some((program, version)) = found {
            (program, (version, Origin::Host))
        } else {
            let program = debian_tools::install(&cache, debian, effects, Part::Generator)?.program;
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
            let installed = debian_tools::install(&cache, debian, effects, Part::Analyze)?;
            let (_, version) = systemd_version(&installed.program)?;
            (installed.program, (version, Origin::Debian), Some(installed.units))
        };
        let (home, stage) = (host.home.clone(), cache.join("stage"));
        Ok(Self { generator, analyze, podman, systemd, targets, home, stage })
    }

    /// The units that podman's generator makes of Quadlet files, by name. Nothing is judged.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it could not run.
    pub fn generated(&self, quadlets: &FileTree) -> Result<BTreeMap<String, String>, Failure> {
        let scratch = self.scratch()?;
        let stage = Stage::at(scratch.path(), quadlets)?;
        let out = stage.out.as_str();
        self.generate(&stage, &stage.quadlets, &["-user", "-no-kmsg-log", out, out, out])?;
        stage.made()
    }

    fn scratch(&self) -> Result<file::TemporaryDirectory, Failure> {
        file::temporary_directory(&self.stage).map_err(|error| file::unable("create", &self.stage, &error))
    }

    fn generate(&self, stage: &Stage, directories: &str, arguments: &[&str]) -> Result<Output, Failure> {
        let environment = [
            ("QUADLET_UNIT_DIRS", directories),
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
        let dry = self.generate(&stage, &stage.quadlets, &["-user", "-dryrun", "-no-kmsg-log"])?;
        let wet = self.generate(&stage, &stage.quadlets, &["-user", "-no-kmsg-log", out, out, out])?;
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
            return Ok(Verdict { findings, notes: Vec::new(), made });
        }
        let paths: Vec<String> = names.iter().map(|name| format!("{out}/{name}")).collect();
        let (failed, said) = self.verify(&stage, &paths, &[])?;
        let judged = verify::judge(&verify::Run {
            failed,
            stderr: &said,
            made: &made,
            out,
            directory: &stage.quadlets,
            quadlets: &quadlet_sources,
            units: &unit_sources,
            others: &BTreeSet::new(),
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
        Ok(Verdict { findings, notes: judged.notes, made })
    }

    /// `systemd-analyze verify` of staged units, with further directories of units behind those that are staged: whether
    /// it failed, and what it said. It gets them in parts, since what it takes grows faster than what it is given.
    fn verify(&self, stage: &Stage, paths: &[String], further: &[&str]) -> Result<(bool, String), Failure> {
        let (mut failed, mut said, mut seen) = (false, String::new(), BTreeSet::new());
        for part in paths.chunks(PART) {
            let output = self.verify_part(stage, part, further)?;
            failed |= !output.success();
            // A fault of one that two parts need is told in both.
            for line in output.stderr.lines().filter(|line| seen.insert((*line).to_owned())) {
                said.extend([line, "\n"]);
            }
        }
        Ok((failed, said))
    }

    fn verify_part(&self, stage: &Stage, paths: &[String], further: &[&str]) -> Result<Output, Failure> {
        let mut arguments = vec!["verify", "--user", "--man=no", "--generators=no", "--recursive-errors=one"];
        arguments.extend(paths.iter().map(String::as_str));
        let targets = self.targets.as_deref().map(plain).transpose()?.unwrap_or_default();
        let directories = [&[stage.out.as_str()], further, &[targets]].concat();
        self.analyze.run(
            &arguments,
            [
                ("SYSTEMD_UNIT_PATH", directories.join(":").as_str()),
                // `--generators=no` does not keep the host's environment generators from running.
                ("SYSTEMD_ENVIRONMENT_GENERATOR_PATH", stage.empty.as_str()),
                ("XDG_RUNTIME_DIR", stage.run.as_str()),
                // What of the user's own takes part is among the directories.
                ("XDG_CONFIG_HOME", stage.empty.as_str()),
                ("XDG_DATA_HOME", stage.empty.as_str()),
                ("HOME", self.home.as_deref().and_then(Path::to_str).unwrap_or(&stage.run)),
            ],
        )
    }
}

impl Judge for Validator {
    fn podman(&self) -> (PodmanVersion, Origin) {
        self.podman
    }

    fn systemd(&self) -> (&str, Origin) {
        (&self.systemd.0, self.systemd.1)
    }

    fn judge(&self, rendered: &Rendered) -> Result<Verdict, Failure> {
        self.check(&rendered.quadlets, &rendered.units, &rendered.generated())
    }

    fn judge_among(
        &self,
        rendered: &Rendered,
        alone: &BTreeMap<String, String>,
        theirs: Theirs<'_>,
    ) -> Result<Verdict, Failure> {
        let scratch = self.scratch()?;
        let stage = Stage::at(scratch.path(), &FileTree::new())?;
        let staged = Staged::at(scratch.path(), &rendered.quadlets, theirs.quadlets)?;
        // What it would write is read from what it says: the fewest files are written.
        let said = self.generate(&stage, &staged.directories, &["-user", "-dryrun", "-no-kmsg-log"])?;
        let all = generator::units(&said.text());
        let (mut findings, mut notes) = among::judge(&said.stderr, &all, rendered, theirs.quadlets, &staged);
        notes.extend(staged.notes);
        let generated = rendered.generated();
        let (made, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(name, _)| generated.contains(name));

        // What is as it was alone, and has no drop-in of systemd's, was verified before.
        let units = units_of(rendered);
        let drop_ins = units.iter().map(|unit| (unit, theirs.units.drop_ins_of(unit)));
        let drop_ins: BTreeMap<&String, _> = drop_ins.filter(|(_, all)| !all.is_empty()).collect();
        let mut again: BTreeSet<String> = changed(alone, &made).into_keys().collect();
        again.extend(drop_ins.keys().map(|unit| (*unit).clone()));
        if again.is_empty() || !findings.is_empty() {
            return Ok(Verdict { findings, notes, made });
        }
        stage.put(made.iter().chain(&others))?;
        findings.extend(stage.add(&rendered.units)?);
        let out = stage.out.as_str();
        let texts = drop_ins.values().flatten().filter_map(|(_, content)| content.text().cloned());
        let paths: Vec<String> = again.iter().map(|name| format!("{out}/{name}")).collect();
        // A list of them has `:` between two.
        let listable = |path: &Path| path.to_str().is_some_and(|text| !text.contains(':'));
        let (listed, odd): (Vec<&Path>, Vec<&Path>) =
            theirs.units.directories().partition(|path| listable(path));
        notes.extend(odd.iter().map(|path| format!("`{}` was not looked at by systemd", path.display())));
        let listed: Vec<&str> = listed.into_iter().filter_map(Path::to_str).collect();
        let (_, said) = self.verify(&stage, &paths, &listed)?;
        let judged = verify::judge(&verify::Run {
            // Units of the user's own may fail; what is said of ours counts.
            failed: false,
            stderr: &said,
            made: &made,
            out,
            directory: &staged.site,
            quadlets: &Sources::of(&rendered.quadlets),
            units: &Sources::of(&rendered.units).and(texts),
            others: &others.into_keys().collect(),
        })?;
        let quadlets = quadlets_of(rendered);
        let takes_part = again.iter().flat_map(|unit| {
            let podmans = quadlets.get(unit).map(|quadlet| theirs.quadlets.drop_ins_of(quadlet));
            podmans.into_iter().flatten().chain(theirs.units.drop_ins_of(unit)).map(|(path, _)| path)
        });
        let (wrong, harmless) = among::systemds(judged.findings, &takes_part.collect());
        findings.extend(wrong);
        notes.extend(harmless);
        Ok(Verdict { findings, notes, made })
    }
}
