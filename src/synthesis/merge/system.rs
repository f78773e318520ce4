//! System packages of a federation: from the lock alone where it answers, else over the signed index.

use super::{Mode, Workshop};
use crate::{
    codex::{Codex, Debian, Origin, Substrate},
    crypt::Federation,
    diagnostic::{Diagnostic, Failure, Source},
    host::file,
    lock::debian::DebianLock,
    name::{
        Platform,
        debian::{Archive, Suite},
    },
    synthesis::{
        system::{self, Mirrors, Outcome, SystemSources, index::Index},
        value::SystemPackage,
    },
};

/// The system packages with the lock they stand on.
pub(super) struct System {
    pub(super) packages: Vec<SystemPackage>,
    pub(super) lock: Source,
    pub(super) moved: Vec<String>,
}

/// Resolves what the members and the substrate want, from the lock alone where it answers.
pub(super) fn resolve(
    codex: &Codex,
    federation: &Federation,
    lock: Option<&Source>,
    mode: Mode,
    platform: Platform,
    workshop: &Workshop<'_>,
) -> Result<System, Failure> {
    let Substrate::Debian(debian) = &codex.substrate;
    let suites = &debian.suites;
    let roots: Vec<system::Root> = federation
        .members()
        .iter()
        .flat_map(|member| {
            member.manifest.lychd.system_dependencies.iter().map(|dependency| system::Root {
                name: dependency.debian.clone(),
                requested_by: Some(member.id.clone()),
                place: Some(dependency.place.clone()),
            })
        })
        .collect();
    let before = lock.map(DebianLock::parse).transpose()?;
    let request = system::Request {
        platform,
        suites,
        python: codex.image.python.as_str(),
        roots: &roots,
        lock: before.as_ref(),
        update: matches!(mode, Mode::Keep { update_system: true, .. }),
    };
    let resolution = match system::resolve(&request, None)? {
        Outcome::Resolved(resolution) => resolution,
        Outcome::NeedsIndex => {
            let index = read_index(debian, suites, mode, platform, workshop)?;
            match system::resolve(&request, Some(&index))? {
                Outcome::Resolved(resolution) => resolution,
                Outcome::NeedsIndex => {
                    return Err(Failure::unable(Diagnostic::new("the Debian index answers nothing")));
                }
            }
        }
    };
    let moved: Vec<String> = resolution.moved.iter().map(ToString::to_string).collect();
    if mode == Mode::Locked && !moved.is_empty() {
        return Err(Diagnostic::new("`synthesis/debian.lock.json` does not fit the manifests any more")
            .help(format!("would change: {}", moved.join(", ")))
            .help("run `lychd-forge synthesize` without --locked")
            .into());
    }
    let text = resolution.lock.to_canonical_json().map_err(|error| {
        Failure::unable(Diagnostic::new(format!("cannot write the Debian lock: {error}")))
    })?;
    Ok(System {
        // A mirror is where a file is taken from, never what it is: the Synthesis has the public address.
        packages: resolution.packages(&Mirrors::default()),
        lock: Source::new("synthesis/debian.lock.json", text),
        moved,
    })
}

fn read_index(
    debian: &Debian,
    suites: &[Suite],
    mode: Mode,
    platform: Platform,
    workshop: &Workshop<'_>,
) -> Result<Index, Failure> {
    if mode == Mode::Locked {
        return Err(Diagnostic::new(
            "`synthesis/debian.lock.json` does not answer for all system dependencies",
        )
        .help("run `lychd-forge synthesize` without --locked")
        .into());
    }
    let client = workshop.client.ok_or_else(|| {
        Failure::unable(
            Diagnostic::new(
                "resolving system packages needs the Debian index, and --offline forbids the network",
            )
            .help("run once without --offline"),
        )
    })?;
    let own = |archive| {
        let given = debian.mirrors.get(&Origin::Debian(archive));
        given.into_iter().flatten().map(ToString::to_string).collect()
    };
    let mirrors = Mirrors { debian: own(Archive::Debian), security: own(Archive::Security) };
    let keyring = match &debian.keyring {
        Some(path) => {
            let path = workshop.codex_directory.join(path);
            Some(file::read(&path, file::LIMIT).map_err(|error| file::unable("read", &path, &error))?)
        }
        None => None,
    };
    let sources = SystemSources { platform, suites, mirrors: &mirrors, keyring: keyring.as_deref() };
    system::read_index(client, &sources, workshop.now, workshop.progress)
}
