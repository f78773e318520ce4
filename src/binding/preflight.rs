//! Whether a candidate can live on this host: everything that keeps it from that, told at once and before anything
//! changes.

use std::{collections::BTreeSet, path::PathBuf};

use super::{facts::Facts, generation::Generation, manifest::Manifest};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    image::EngineId,
    runes::{Layout, podman::too_old},
};

/// What an inscription needs at the least, in bytes: units, records and their copies are a few hundred kilobytes.
const SPACE: u64 = 16 << 20;

/// What has to be done before a candidate can live here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chores {
    /// Directories of the Crypt that are to be made.
    pub directories: Vec<PathBuf>,
    /// Images of the body that podman is to get.
    pub images: BTreeSet<EngineId>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// Holds a candidate against the facts; `inscribed` are the generations of this site, of any of which the running pod may
/// be, and `adopts` says whether it takes the place of
/// LychD's own inscription.
///
/// # Errors
/// Refused with everything that is wrong; unable when the disk is full.
pub fn preflight(
    manifest: &Manifest,
    facts: &Facts,
    (inscribed, adopts): (&[Generation], bool),
    layout: &Layout,
) -> Result<Chores, Failure> {
    let mut wrong: Vec<Diagnostic> = too_old(facts.podman).into_iter().collect();
    let mut chores = Chores::default();
    for (secret, services) in &manifest.secrets {
        if !facts.secrets.contains(secret) {
            let services: Vec<&str> = services.iter().map(String::as_str).collect();
            let message = format!("podman has no secret `{secret}`, which {} asks for", services.join(", "));
            wrong.push(
                Diagnostic::new(message).help(format!(
                    "`lychd-forge secrets set {secret}` asks for it, or makes one (`--random`)"
                )),
            );
        }
    }
    for image in &facts.missing_images {
        if manifest.body_images.values().any(|own| own == image) {
            chores.images.insert(image.clone());
            continue;
        }
        let reference = image.reference();
        let by = manifest.images.iter().filter(|(_, named)| **named == reference);
        let services: Vec<&str> = by.map(|(service, _)| service.as_str()).collect();
        let message = format!("podman has no image {reference}, which {} runs", services.join(", "));
        wrong.push(Diagnostic::new(message).help("load it: what has no name is in no registry"));
    }
    let held = |port: &u16| {
        facts.pod_runs && (adopts || inscribed.iter().any(|one| one.candidate.ports.contains(port)))
    };
    for port in facts.taken.iter().filter(|port| !held(port)) {
        let message = format!("port {port} of 127.0.0.1 is taken by another program");
        wrong.push(
            Diagnostic::new(message)
                .note(format!("`ss --listening --tcp --processes 'sport = :{port}'` says by which"))
                .help("end that program, or choose another port in lychd.toml or the rune"),
        );
    }
    for path in &facts.missing_mounts {
        if path.starts_with(&layout.crypt) {
            chores.directories.push(path.clone());
            continue;
        }
        let services = manifest.mounts.get(path).into_iter().flatten().map(String::as_str);
        let services: Vec<&str> = services.collect();
        let message = format!("`{}` is not there, and {} mounts it", path.display(), services.join(", "));
        wrong.push(Diagnostic::new(message).help(format!("mkdir -p {}", path.display())));
    }
    if facts.lingers == Some(false) {
        chores.notes.push(
            "the services end with your last session, and start with the next: `loginctl enable-linger` keeps them"
                .to_owned(),
        );
    }
    refuse_any(wrong)?;
    // Not a fault of what was asked for: the same will do when there is room.
    if let Some((place, free)) = facts.space.iter().find(|(_, free)| **free < SPACE) {
        let message =
            format!("`{}` has {free} bytes left, and an inscription wants {SPACE}", place.display());
        return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help("make room")));
    }
    Ok(chores)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        binding::generation::Generations,
        digest::Sha256,
        name::Role,
        runes::{ImageUse, MountUse, Rendered},
    };

    fn manifest() -> Manifest {
        let image: EngineId = Sha256::of("other").into();
        let mount = |mount: &str| MountUse {
            service: "lychd-a".to_owned(),
            member: None,
            mount: mount.to_owned(),
            writable: false,
        };
        let rendered = Rendered {
            images: vec![ImageUse {
                service: "lychd-a".to_owned(),
                image: image.reference(),
                floating: false,
            }],
            mounts: vec![
                mount("%h/.local/share/lychd/lab:/lab:rw"),
                mount("/srv/weights:/w:ro"),
                mount("cache:/c"),
            ],
            secrets: [("key".parse().unwrap(), ["lychd-a".to_owned()].into())].into(),
            ports: vec![(7134, 8000)],
            ..Rendered::default()
        };
        let own = [(Role::vessel(), Sha256::of("body").into())];
        let id = Sha256::of("id").to_string().parse().unwrap();
        Manifest::of("/site".as_ref(), (id, own.into()), &rendered, &Layout::of_magus())
    }

    /// A host that has all of it.
    fn facts() -> Facts {
        Facts {
            podman: "5.4.2".parse().unwrap(),
            lingers: Some(true),
            secrets: ["key".to_owned()].into(),
            missing_images: BTreeSet::new(),
            taken: BTreeSet::new(),
            pod_runs: false,
            missing_mounts: BTreeSet::new(),
            space: BTreeMap::from([("/home".into(), SPACE)]),
        }
    }

    fn told(facts: &Facts) -> Result<Chores, String> {
        preflight(&manifest(), facts, (&[], false), &Layout::of_magus())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_can_be_done_is_a_chore_and_the_rest_is_told_at_once() {
        assert_eq!(told(&facts()), Ok(Chores::default()));
        let body: EngineId = Sha256::of("body").into();
        let lab = PathBuf::from("/home/magus/.local/share/lychd/lab");
        let ready = told(&Facts {
            lingers: Some(false),
            missing_images: [body.clone()].into(),
            missing_mounts: [lab.clone()].into(),
            ..facts()
        })
        .unwrap();
        assert_eq!((ready.directories, ready.images), (vec![lab], [body].into()));
        assert!(ready.notes[0].contains("loginctl enable-linger"), "{:?}", ready.notes);

        let refused = told(&Facts {
            podman: "5.2.0".parse().unwrap(),
            secrets: BTreeSet::new(),
            missing_images: [Sha256::of("other").into()].into(),
            taken: [7134].into(),
            missing_mounts: ["/srv/weights".into()].into(),
            ..facts()
        })
        .unwrap_err();
        for want in [
            "podman 5.2.0 is too old",
            "podman has no secret `key`, which lychd-a asks for",
            "podman has no image sha256:",
            "port 7134 of 127.0.0.1 is taken by another program",
            "`/srv/weights` is not there, and lychd-a mounts it",
        ] {
            assert!(refused.contains(want), "{want}\n{refused}");
        }
    }

    #[test]
    fn a_port_that_the_own_pod_holds_is_no_other_programs() {
        let taken = Facts { taken: [7134].into(), pod_runs: true, ..facts() };
        assert!(told(&taken).is_err());
        assert!(preflight(&manifest(), &taken, (&[], true), &Layout::of_magus()).is_ok());
        let none = Generations::of_state("/nowhere".as_ref());
        let active = [none.next(None, manifest()).unwrap()];
        let ours = |facts: &Facts| preflight(&manifest(), facts, (&active, false), &Layout::of_magus());
        assert!(ours(&taken).is_ok());
        assert!(ours(&Facts { pod_runs: false, ..taken }).is_err());
    }

    #[test]
    fn a_full_disk_is_no_fault_of_what_was_asked_for() {
        let full = Facts { space: BTreeMap::from([("/home".into(), SPACE - 1)]), ..facts() };
        let unable = preflight(&manifest(), &full, (&[], false), &Layout::of_magus()).unwrap_err();
        assert_eq!(unable.exit_code(), 2);
        assert!(unable.to_string().contains("`/home` has 16777215 bytes left"), "{unable}");
    }
}
