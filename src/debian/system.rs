//! System packages of a federation: from the lock alone where it answers, else over the signed index.

use crate::{
    artifact::Effects,
    codex::{Codex, Debian, MaintainerScripts, Substrate},
    crypt::{Federation, SystemDependency},
    debian::{
        self, Base, Mirrors, Outcome, Resolution, SystemPackage,
        index::Index,
        lock::{DebianLock, PlatformLock},
        roots,
    },
    diagnostic::{Diagnostic, Failure, Fault, Source},
    lock::{Change, Mode, lock_changed, lock_missing, lock_unfit, names},
    name::{MemberId, Platform, Role},
};

/// The system packages with the lock they stand on.
pub struct System {
    /// By name.
    pub packages: Vec<SystemPackage>,
    /// Their lock.
    pub lock: DebianLock,
    /// What moved in it.
    pub moved: Vec<Change>,
}

impl System {
    /// The text of their lock, [`names::DEBIAN`].
    #[must_use]
    pub fn lock_text(&self) -> Source {
        Source::new(names::SHOWN_DEBIAN, self.lock.to_canonical_json())
    }
}

/// Resolves over one lock and at most one reading of the index.
pub struct SystemResolver<'a> {
    debian: &'a Debian,
    python: &'static str,
    /// On nixpkgs the tools of the build alone are made of them.
    base: Base,
    before: Option<DebianLock>,
    /// Whether the tools of native builds are wanted; at first, whether the lock has them.
    compiler: bool,
    mode: Mode,
    platform: Platform,
    effects: &'a Effects<'a>,
    index: Option<Index>,
}

impl<'a> SystemResolver<'a> {
    /// Over the lock that is there.
    ///
    /// # Errors
    /// Refused when it is damaged.
    pub fn new(
        codex: &'a Codex,
        lock: Option<&Source>,
        mode: Mode,
        platform: Platform,
        effects: &'a Effects<'a>,
    ) -> Result<Self, Failure> {
        let debian = codex.substrate.debian();
        let base = match &codex.substrate {
            Substrate::Debian(debian) if debian.essential => Base::Essential,
            Substrate::Debian(_) => Base::Small,
            Substrate::Nixpkgs(_) => Base::None,
        };
        let before = lock.map(DebianLock::parse).transpose()?;
        let python = codex.image.python.as_str();
        let compiler = before.as_ref().is_some_and(|lock| has_compiler(lock, platform));
        Ok(Self { debian, python, base, before, compiler, mode, platform, effects, index: None })
    }

    /// What the substrate alone needs, the build's Python among it: for what runs before all is known.
    ///
    /// # Errors
    /// As [`SystemResolver::resolve`].
    pub fn substrate(&mut self) -> Result<Vec<SystemPackage>, Failure> {
        Ok(self.close(&[], &[])?.packages(&Mirrors::default()))
    }

    /// What the members and the substrate want, from the lock alone where it answers.
    ///
    /// # Errors
    /// Refused when nothing fits, or a locked set would change; unable when the index cannot be read.
    pub fn resolve(&mut self, federation: &Federation) -> Result<System, Failure> {
        let is_made_of_debian = self.base != Base::None;
        let members = || federation.members().iter().filter(|_| is_made_of_debian);
        let roots: Vec<debian::Root> = members()
            .flat_map(|member| asked(&member.id, &member.manifest.lychd.system_dependencies))
            .collect();
        let further: Vec<(Role, Vec<debian::Root>)> = members()
            .flat_map(|member| member.manifest.lychd.images.iter().map(move |image| (member, image)))
            .map(|(member, image)| {
                (image.role.clone(), asked(&member.id, &image.system_dependencies).collect())
            })
            .collect();
        let resolution = self.close(&roots, &further).map_err(|failure| of_several(failure, &further))?;
        let resolution = resolution.without(&self.debian.without)?;
        let moved = resolution.moved.clone();
        if self.mode == Mode::Locked && !moved.is_empty() {
            return Err(lock_unfit(names::SHOWN_DEBIAN, &moved).into());
        }
        Ok(System {
            // A mirror is where a file is taken from, never what it is: the Synthesis has the public address.
            packages: resolution.packages(&Mirrors::default()),
            lock: resolution.lock,
            moved,
        })
    }

    /// The same with the compiler, or without it, when that is not what it was resolved for.
    ///
    /// # Errors
    /// As [`SystemResolver::resolve`].
    pub fn with_compiler(
        &mut self,
        system: System,
        compiler: bool,
        federation: &Federation,
    ) -> Result<System, Failure> {
        if compiler == self.compiler {
            return Ok(system);
        }
        self.compiler = compiler;
        self.before = Some(system.lock);
        if self.mode == Mode::Update {
            // It has moved once.
            self.mode = Mode::Keep;
        }
        let again = self.resolve(federation)?;
        Ok(System { moved: [system.moved, again.moved].concat(), ..again })
    }

    fn close(
        &mut self,
        roots: &[debian::Root],
        further: &[(Role, Vec<debian::Root>)],
    ) -> Result<Resolution, Failure> {
        let request = debian::Request {
            platform: self.platform,
            suites: &self.debian.suites,
            python: Some(self.python),
            base: self.base,
            locales: self.base != Base::None && !self.debian.locales.is_empty(),
            roots,
            further,
            lock: self.before.as_ref(),
            update: matches!(self.mode, Mode::Update),
            compiler: self.compiler,
            configure: self.base != Base::None && self.debian.maintainer_scripts == MaintainerScripts::Run,
        };
        if let Outcome::Resolved(resolution) = debian::resolve(&request, self.index.as_ref())? {
            return Ok(*resolution);
        }
        let index = self.read_index()?;
        let outcome = debian::resolve(&request, Some(&index))?;
        self.index = Some(index);
        match outcome {
            Outcome::Resolved(resolution) => Ok(*resolution),
            Outcome::NeedsIndex => Err(Failure::unable(Diagnostic::new("the Debian index answers nothing"))),
        }
    }

    /// The signed index, which is read when the lock alone does not answer.
    fn read_index(&self) -> Result<Index, Failure> {
        if self.mode == Mode::Locked {
            let shown = names::SHOWN_DEBIAN;
            return Err(match &self.before {
                None => lock_missing(shown),
                Some(lock) if lock.platform(self.platform).is_some_and(|lock| !lock.is_whole()) => {
                    lock_changed(format!(
                        "`{shown}` is of an older forge and lacks what maintainer scripts need: it has to be written anew"
                    ))
                    .help("its versions stay")
                }
                Some(_) => lock_changed(format!("`{shown}` does not answer for all system dependencies")),
            }
            .into());
        }
        let client = self.effects.client.ok_or_else(|| {
            Failure::unable(
                Diagnostic::new(
                    "resolving system packages needs the Debian index, and --offline forbids the network",
                )
                .of_kind(Fault::Offline)
                .help("run once without --offline"),
            )
        })?;
        debian::configured(
            client,
            (self.debian, self.effects.codex_directory),
            &self.debian.suites,
            self.platform,
            self.effects.now,
            self.effects.progress,
        )
    }
}

/// What a member asks for, as roots.
fn asked<'a>(
    member: &'a MemberId,
    dependencies: &'a [SystemDependency],
) -> impl Iterator<Item = debian::Root> + 'a {
    dependencies.iter().map(|dependency| debian::Root {
        name: dependency.debian.clone(),
        requested_by: Some(member.clone()),
        place: Some(dependency.place.clone()),
    })
}

/// What a refusal means where a body has several images.
fn of_several(failure: Failure, further: &[(Role, Vec<debian::Root>)]) -> Failure {
    match failure {
        Failure::Refused(refused) if !further.is_empty() => {
            let note = "all images of a body have one lock: what one of them asks for must go with what the others have";
            Failure::Refused(refused.into_iter().map(|one| one.note(note)).collect())
        }
        other => other,
    }
}

fn has_compiler(lock: &DebianLock, platform: Platform) -> bool {
    let pins = lock.platform(platform).map(PlatformLock::packages);
    pins.is_some_and(|pins| roots::COMPILER.iter().all(|name| pins.keys().any(|pin| pin.as_str() == *name)))
}
