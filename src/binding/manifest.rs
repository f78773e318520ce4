//! What an inscription is made of, as one value with one hash: what a person consents to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    body::BodyId,
    diagnostic::{Diagnostic, Failure, Fault},
    digest::{DigestError, Sha256},
    document::canonical_json,
    image::EngineId,
    name::Role,
    runes::{DATABASE, Layout, MIGRATE, MIGRATE_SERVICE, MountUse, Rendered, VESSEL, unit::service_of},
    tree::FileTree,
};

/// The schema of `candidate.json`.
pub const SCHEMA: &str = "lychd-forge/candidate/1";

/// The fewest digits of a candidate's hash that confirm it.
pub const CONFIRMING_DIGITS: usize = 12;

/// sha256 of a [`Manifest`] in canonical JSON: body, units, the files that containers read and all that they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CandidateId(Sha256);

impl CandidateId {
    /// Of a hash that was computed elsewhere.
    #[must_use]
    pub const fn of(sha256: Sha256) -> Self {
        Self(sha256)
    }

    /// The hash itself.
    #[must_use]
    pub const fn sha256(self) -> Sha256 {
        self.0
    }

    /// The first `digits` hex digits, for people.
    #[must_use]
    pub fn short(self, digits: usize) -> String {
        self.0.short(digits)
    }

    /// Whether these digits are the first of it, and enough to be a word; `command` shows it again.
    ///
    /// # Errors
    /// Refused when they are not, or are too few.
    pub fn confirm(self, digits: &str, command: &str) -> Result<(), Failure> {
        let digits = digits.strip_prefix("sha256:").unwrap_or(digits).to_ascii_lowercase();
        let own = self.short(CONFIRMING_DIGITS);
        if digits.len() < CONFIRMING_DIGITS {
            let message = format!("`{}` is too short to confirm a candidate", digits.escape_debug());
            return Err(Diagnostic::new(message)
                .help(format!("{CONFIRMING_DIGITS} digits at least: {own}"))
                .into());
        }
        if self.to_string().starts_with(&digits) {
            return Ok(());
        }
        let message = format!("the word for this is {own}, not `{}`", digits.escape_debug());
        Err(Diagnostic::new(message)
            .note("nothing was changed")
            .note(
                "it changes with everything that is consented to, and is neither a body's nor an image's ID",
            )
            .help(format!("look at it again: `{command}`"))
            .into())
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for CandidateId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// All that an inscription is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "candidate.json")]
pub struct Manifest {
    schema: String,
    /// Where its units lie: a hash that is confirmed is so for that place.
    pub site: PathBuf,
    /// The body that its units run.
    pub body: BodyId,
    /// What podman finds the images of the body by, by role.
    pub body_images: BTreeMap<Role, EngineId>,
    /// The files of the site by name, each with the sha256 of its content.
    pub units: BTreeMap<String, Sha256>,
    /// The files that containers read, likewise.
    pub support: BTreeMap<String, Sha256>,
    /// The services of containers and of the pod, and whether each starts at boot.
    pub services: BTreeMap<String, bool>,
    /// Images besides the body's by the services that run them, as the units name them.
    pub images: BTreeMap<String, String>,
    /// What a person consents to, a line each: images besides the body's, mounts, grants, ports.
    pub may: BTreeSet<String>,
    /// What systemd is to have loaded of each generated unit, among the user's own files of the day: a
    /// [`super::changes::fingerprint`].
    pub loads: BTreeMap<String, Sha256>,
    /// Secrets that podman must have, with the services that get them.
    pub secrets: BTreeMap<String, BTreeSet<String>>,
    /// Ports that the host publishes on its loopback.
    pub ports: BTreeSet<u16>,
    /// The one of them behind which the application answers; 0 in what an older forge wrote.
    #[serde(default)]
    pub front: u16,
    /// Directories and files of the host that containers see, absolute, with the services that see them.
    pub mounts: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Manifest {
    /// Of rendered units for this site.
    #[must_use]
    pub fn of(
        site: &Path,
        (body, body_images): (BodyId, BTreeMap<Role, EngineId>),
        rendered: &Rendered,
        layout: &Layout,
    ) -> Self {
        let digests = |tree: &FileTree| -> BTreeMap<String, Sha256> {
            let all = tree.iter().map(|(path, _)| path);
            all.filter_map(|path| Some((path.to_string(), Sha256::of(tree.file(path)?)))).collect()
        };
        let mut units = digests(&rendered.quadlets);
        units.extend(digests(&rendered.units));
        let images = rendered.images.iter();
        let mut mounts: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        for mount in &rendered.mounts {
            if let Some(source) = mount.source() {
                mounts.entry(source.on(&layout.home)).or_default().insert(mount.service.clone());
            }
        }
        let secrets = rendered.secrets.iter();
        Self {
            schema: SCHEMA.to_owned(),
            site: site.to_owned(),
            body,
            units,
            support: digests(&rendered.support),
            services: rendered.services.iter().map(|(name, one)| (name.clone(), one.at_boot)).collect(),
            images: images.map(|one| (one.service.clone(), one.image.clone())).collect(),
            may: may(rendered, &body_images, layout),
            body_images,
            loads: BTreeMap::new(),
            secrets: secrets.map(|(secret, services)| (secret.to_string(), services.clone())).collect(),
            ports: rendered.ports.iter().map(|(host, _)| *host).collect(),
            front: rendered.front,
            mounts,
        }
    }

    /// The same among the user's own files: what generated units become there, and a line for all that those change.
    #[must_use]
    pub fn among(mut self, loads: BTreeMap<String, Sha256>, changed: &[String]) -> Self {
        self.loads = loads;
        self.may.extend(changed.iter().map(|line| format!("of your own: {line}")));
        self
    }

    /// Its hash.
    #[must_use]
    pub fn id(&self) -> CandidateId {
        CandidateId(Sha256::of(self.to_text()))
    }

    /// Its canonical text.
    #[must_use]
    pub fn to_text(&self) -> String {
        canonical_json(self)
    }

    /// From its text; `shown` names it.
    ///
    /// # Errors
    /// Unable when it is none that this forge reads.
    pub fn parse(shown: &str, text: &[u8]) -> Result<Self, Failure> {
        let read: Self =
            serde_json::from_slice(text).map_err(|error| unreadable(shown, &error.to_string()))?;
        read.check(shown)?;
        Ok(read)
    }

    /// Whether it is of a schema that this forge knows.
    pub(super) fn check(&self, shown: &str) -> Result<(), Failure> {
        if self.schema == SCHEMA {
            return Ok(());
        }
        Err(unreadable(shown, &format!("its schema is `{}`, not `{SCHEMA}`", self.schema.escape_debug())))
    }

    /// The plain units of the site, which systemd reads as they are.
    pub fn plain_units(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str).filter(|name| service_of(name).is_none())
    }

    /// All units as systemd knows them: those that podman's generator makes, and the plain ones.
    pub fn unit_names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str).chain(self.plain_units())
    }

    /// The services that write into the database, or could: those that get its password, but for itself; without the
    /// application and its migration there are none.
    #[must_use]
    pub fn writers(&self) -> BTreeSet<String> {
        let of_database = |services: &&BTreeSet<String>| services.contains(DATABASE);
        let sharing = self.secrets.values().filter(of_database).flatten().map(String::as_str);
        let all: BTreeSet<&str> = sharing.chain([VESSEL, MIGRATE]).filter(|one| *one != DATABASE).collect();
        let services = all.into_iter().map(|one| format!("{one}.service"));
        services.filter(|service| self.services.contains_key(service)).collect()
    }

    /// Services whose containers are other ones than `before`'s, by the units that both have.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> BTreeSet<String> {
        let changed = self
            .units
            .iter()
            .filter(|(name, sha256)| before.units.get(*name).is_some_and(|old| old != *sha256));
        changed.filter_map(|(name, _)| service_of(name)).collect()
    }

    /// Whether a migration stands before the application.
    #[must_use]
    pub fn migrates(&self) -> bool {
        self.services.contains_key(MIGRATE_SERVICE)
    }

    /// What a person has to consent to that this one had not.
    pub fn wider_than<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        self.may.difference(&before.may).map(String::as_str)
    }
}

/// What is consented to, a line each.
fn may(rendered: &Rendered, own: &BTreeMap<Role, EngineId>, layout: &Layout) -> BTreeSet<String> {
    // The body's ID does not say what podman calls its images.
    let of_body = own.iter().map(|(role, image)| format!("image {} of the body: {role}", image.reference()));
    let images = rendered.images.iter().map(|one| format!("image {} of {}", one.image, one.service));
    // What the forge itself wrote for them is part of the units, and called anew with each change.
    let support = |path: &Path| path.starts_with(&layout.support);
    let others =
        rendered.mounts.iter().filter(|one| one.source().is_none_or(|path| !support(&path.on(&layout.home))));
    let mounts = others.map(|one| {
        let MountUse { service, mount, writable, .. } = one;
        format!("mount {mount} in {service}{}", if *writable { ", rw" } else { "" })
    });
    let grants = rendered.grants.iter().map(|one| format!("grant {} {}", one.service, one.what));
    let secrets = rendered.secrets.iter().flat_map(|(secret, services)| {
        services.iter().map(move |service| format!("secret {secret} for {service}"))
    });
    let ports = rendered.ports.iter().map(|(host, pod)| format!("port 127.0.0.1:{host} -> {pod}"));
    of_body.chain(images).chain(mounts).chain(grants).chain(secrets).chain(ports).collect()
}

/// What the forge wrote and cannot read again.
#[must_use]
pub fn unreadable(shown: &str, why: &str) -> Failure {
    let diagnostic = Diagnostic::new(format!("`{shown}` is not what this forge writes: {why}"));
    Failure::unable(diagnostic.of_kind(Fault::File).help("was it written by a newer forge? Use that one"))
}
