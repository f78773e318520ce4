//! Podman's generator and `systemd-analyze` out of Debian 13's packages, in the forge's cache.
//!
//! The packages are resolved once over the signed index; the lock stays in the cache, so that later runs need no
//! network and use the same bytes. Only the programs, the libraries they load and systemd's own targets for users are
//! unpacked. Debian's loader starts them, so the host's C library does not matter.

use std::path::{Path, PathBuf};

use super::program::Program;
use crate::{
    archive::{Deb, deb},
    artifact::{Artifact, Effects},
    codex::Debian,
    debian::{self, Base, Mirrors, Outcome, Request, Root, SystemPackage, lock::DebianLock},
    diagnostic::{Diagnostic, Failure, Fault, Source},
    digest::Sha256,
    host::file,
    name::{Platform, debian::Suite},
    tree::{Entry, FileTree, RelativePath, RelativePathError},
};

/// Changes when the layout of what is written does.
const LAYOUT: &str = "1";
/// Below `<cache>/tools`.
const LOCK: &str = "validator.lock.json";

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Generator,
    Analyze,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Generator => "quadlet",
            Self::Analyze => "systemd-analyze",
        }
    }

    /// Where its package has it.
    const fn binary(self) -> &'static str {
        match self {
            Self::Generator => "usr/libexec/podman/quadlet",
            Self::Analyze => "usr/bin/systemd-analyze",
        }
    }

    /// The packages of the program and of every library that it is linked with.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Generator => &["libc6", "podman"],
            Self::Analyze => &[
                "libacl1",
                "libaudit1",
                "libblkid1",
                "libc6",
                "libcap-ng0",
                "libcap2",
                "libcrypt1",
                "libmount1",
                "libpam0g",
                "libpcre2-8-0",
                "libseccomp2",
                "libselinux1",
                "libssl3t64",
                "libsystemd-shared",
                "libzstd1",
                "systemd",
                "zlib1g",
            ],
        }
    }

    /// Where a file of the packages is put; `None` for what is not needed.
    fn place(self, path: &str) -> Option<String> {
        if path == self.binary() {
            return Some(format!("bin/{}", self.name()));
        }
        let (directory, name) = path.rsplit_once('/')?;
        let directory = directory.strip_prefix("usr/").unwrap_or(directory);
        let libraries = directory.strip_prefix("lib/")?;
        if libraries == "systemd/user" {
            let common = matches!(name.rsplit_once('.'), Some((_, "target" | "slice")));
            return (self == Self::Analyze && common).then(|| format!("units/{name}"));
        }
        let libraries = libraries.strip_suffix("/systemd").unwrap_or(libraries);
        let is_library = libraries.ends_with("-linux-gnu") && name.contains(".so");
        is_library.then(|| format!("lib/{name}"))
    }
}

/// What [`install`] gives.
pub(super) struct Installed {
    pub(super) program: Program,
    /// Directory of systemd's own units for users.
    pub(super) units: PathBuf,
}

/// The program from the cache, or brought into it.
pub(super) fn install(
    cache: &Path,
    debian: &Debian,
    effects: &Effects<'_>,
    part: Part,
) -> Result<Installed, Failure> {
    let path = cache.join("tools").join(LOCK);
    // A cached lock that makes no sense is as good as none.
    let lock = file::if_there(&path, file::read(&path, file::LIMIT))?;
    let lock = lock.and_then(|bytes| String::from_utf8(bytes).ok());
    let lock = lock.and_then(|text| DebianLock::parse(&Source::new(LOCK, text)).ok());
    if let Some(lock) = &lock
        && let Outcome::Resolved(resolution) = resolve(Some(lock), None)?
    {
        match unpack(cache, effects, part, &resolution.packages(&Mirrors::default())) {
            // The archive drops old versions: then there are newer ones.
            Err(Failure::Unable(_)) if effects.client.is_some() => {}
            done => return done,
        }
    }
    let Some(client) = effects.client else {
        let message = format!(
            "checking the units needs `{}` of Debian 13, and --offline forbids the network",
            part.name()
        );
        return Err(Failure::unable(
            Diagnostic::new(message)
                .of_kind(Fault::Offline)
                .help("run once without --offline: it stays in the cache")
                .help(
                    "or install podman 5.3 or newer and systemd 252 or newer: the host's own are used then",
                ),
        ));
    };
    let suites = Suite::defaults();
    let index = debian::configured(
        client,
        (debian, effects.codex_directory),
        &suites,
        Platform::host(),
        effects.now,
        effects.progress,
    )?;
    let Outcome::Resolved(resolution) = resolve(None, Some(&index))? else {
        return Err(Failure::unable(Diagnostic::new("the Debian index answers nothing")));
    };
    let text = resolution.lock.to_canonical_json();
    file::write(&path, text.as_bytes()).map_err(|error| file::unable("write", &path, &error))?;
    unpack(cache, effects, part, &resolution.packages(&Mirrors::default()))
}

fn resolve(lock: Option<&DebianLock>, index: Option<&debian::index::Index>) -> Result<Outcome, Failure> {
    let names = Part::Generator.packages().iter().chain(Part::Analyze.packages());
    let root = |name: &&str| {
        let name = name.parse().map_err(|_| Failure::unable(Diagnostic::new("bad tool package")))?;
        Ok(Root { name, requested_by: None, place: None })
    };
    let roots = names.map(root).collect::<Result<Vec<_>, Failure>>()?;
    let request = Request {
        platform: Platform::host(),
        suites: &Suite::defaults(),
        python: None,
        roots: &roots,
        base: Base::None,
        further: &[],
        locales: false,
        lock,
        update: false,
        compiler: false,
        configure: false,
    };
    debian::resolve(&request, index)
}

fn unpack(
    cache: &Path,
    effects: &Effects<'_>,
    part: Part,
    packages: &[SystemPackage],
) -> Result<Installed, Failure> {
    let of_part = |package: &&SystemPackage| part.packages().contains(&package.name.as_str());
    let packages: Vec<&SystemPackage> = packages.iter().filter(of_part).collect();
    let hashes: Vec<String> = packages.iter().map(|package| package.sha256.to_string()).collect();
    let id = Sha256::of(format!("{LAYOUT}\n{}\n", hashes.join("\n"))).short(16);
    let directory = cache.join("tools").join(format!("{}-{id}", part.name()));
    let loader = directory.join("lib").join(loader());
    let binary = directory.join("bin").join(part.name());
    if !file::exists(&loader)? || !file::exists(&binary)? {
        let artifacts: Vec<Artifact> = packages.iter().copied().map(Artifact::from).collect();
        effects.progress.stage("fetch", &format!("Debian's {}", part.name()));
        let paths = (effects.bring)(&artifacts)?;
        let debs: Vec<Deb> =
            packages.iter().zip(paths).map(|(package, path)| Deb { path, sha256: package.sha256 }).collect();
        let root = deb::unpack(&debs, &|path| part.place(path.as_str()).is_some())?;
        let tree = lay_out(part, &root)?;
        file::write_tree(&directory, &tree).map_err(|error| file::unable("write", &directory, &error))?;
    }
    let first = vec![
        "--inhibit-cache".into(),
        "--library-path".into(),
        directory.join("lib").into_os_string(),
        binary.into_os_string(),
    ];
    Ok(Installed { program: Program { path: loader, first }, units: directory.join("units") })
}

/// The loader's file name, which the platform's ABI fixes.
const fn loader() -> &'static str {
    match Platform::host() {
        Platform::X86_64Linux => "ld-linux-x86-64.so.2",
        Platform::Aarch64Linux => "ld-linux-aarch64.so.1",
    }
}

/// Program, libraries and units in a directory each.
fn lay_out(part: Part, root: &FileTree) -> Result<FileTree, Failure> {
    let mut tree = FileTree::new();
    for (path, entry) in root.iter() {
        // A link's target lies beside it, or it is a link into another directory, and what it means is not here.
        let beside = |target: &String| !target.contains('/');
        if matches!(entry, Entry::Link { target } if !beside(target)) {
            continue;
        }
        if let Some(place) = part.place(path.as_str()) {
            let place = place.parse().map_err(|error: RelativePathError| bad(part, &error.to_string()))?;
            tree.insert(place, entry.clone());
        }
    }
    for needed in [format!("bin/{}", part.name()), format!("lib/{}", loader())] {
        let is_file = needed.parse::<RelativePath>().is_ok_and(|path| tree.file(&path).is_some());
        if !is_file {
            return Err(bad(part, &format!("they hold no `{needed}`")));
        }
    }
    Ok(tree)
}

fn bad(part: Part, what: &str) -> Failure {
    Diagnostic::new(format!("Debian's packages for `{}` are not as expected: {what}", part.name())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_libraries_and_targets_are_taken() {
        let place = |part: Part, path: &str| part.place(path).unwrap_or_default();
        for (path, generator, analyze) in [
            ("usr/libexec/podman/quadlet", "bin/quadlet", ""),
            ("usr/bin/systemd-analyze", "", "bin/systemd-analyze"),
            ("usr/bin/podman", "", ""),
            ("usr/lib/x86_64-linux-gnu/libc.so.6", "lib/libc.so.6", "lib/libc.so.6"),
            ("lib/aarch64-linux-gnu/libm.so.6", "lib/libm.so.6", "lib/libm.so.6"),
            ("usr/lib/x86_64-linux-gnu/systemd/libx-257.so", "lib/libx-257.so", "lib/libx-257.so"),
            ("usr/lib/x86_64-linux-gnu/gconv/UTF-7.so", "", ""),
            ("usr/lib/systemd/user/basic.target", "", "units/basic.target"),
            ("usr/lib/systemd/user/exit.service", "", ""),
            ("etc/x", "", ""),
            ("x", "", ""),
        ] {
            assert_eq!(
                (place(Part::Generator, path), place(Part::Analyze, path)),
                (generator.to_owned(), analyze.to_owned()),
                "{path}"
            );
        }
    }

    #[test]
    fn a_program_that_is_missing_is_told() {
        let mut root = FileTree::new();
        root.insert_text("usr/libexec/podman/quadlet".parse().unwrap(), "elf");
        let failure = lay_out(Part::Generator, &root).unwrap_err();
        assert!(failure.to_string().contains("they hold no `lib/ld-linux"), "{failure}");
        root.insert_text(format!("usr/lib/x-linux-gnu/{}", loader()).parse().unwrap(), "elf");
        let elsewhere = Entry::Link { target: "../y".to_owned() };
        root.insert("usr/lib/x-linux-gnu/liby.so".parse().unwrap(), elsewhere);
        assert_eq!(lay_out(Part::Generator, &root).unwrap().len(), 2);
    }
}
