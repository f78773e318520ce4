//! The members' hooks: what they register becomes part of the manifests before anything is resolved for them.

use std::collections::BTreeMap;

use crate::{
    artifact::Effects,
    codex::Codex,
    crypt::{Federation, Member},
    debian::{SystemPackage, SystemResolver},
    diagnostic::{Failure, refuse_any},
    hook::{self, Limits, Sandbox},
    name::{MemberId, Platform},
    python::workspace::LockedProject,
    synthesis::arbitration,
    tools::Tools,
    tree::Entry,
};

/// What the hooks gave.
#[derive(Default)]
pub(super) struct HookResults {
    /// The federation with all that was registered; `None` when no hook was run.
    pub(super) federation: Option<Federation>,
    /// What the Synthesis records of each.
    pub(super) records: BTreeMap<MemberId, hook::record::Hook>,
    /// What a person should know.
    pub(super) notes: Vec<String>,
    /// The tools they ran with.
    tools: Option<(Vec<SystemPackage>, Tools)>,
}

impl HookResults {
    /// The tools of these packages: those the hooks ran with, when they are the same.
    pub(super) fn tools(
        &self,
        packages: &[SystemPackage],
        platform: Platform,
        effects: &Effects<'_>,
    ) -> Result<Tools, Failure> {
        let hashes = |packages: &[SystemPackage]| -> Vec<_> {
            packages.iter().filter(|package| package.tool).map(|package| package.sha256).collect()
        };
        match &self.tools {
            Some((before, tools)) if hashes(before) == hashes(packages) => Ok(tools.clone()),
            _ => super::tools::install(packages, platform, effects),
        }
    }

    /// A member's own project has its hook; the projects of a workspace have none.
    pub(super) fn record(&self, project: &LockedProject) -> Option<hook::record::Hook> {
        project.directory.is_none().then(|| self.records.get(&project.member).cloned()).flatten()
    }
}

/// Runs all hooks that there are and that may run, and arbitrates again with what they registered. Without one
/// this costs nothing.
pub(super) fn run(
    codex: &Codex,
    federation: &Federation,
    resolver: &mut SystemResolver<'_>,
    platform: Platform,
    effects: &Effects<'_>,
) -> Result<HookResults, Failure> {
    let hooks: Vec<(&Member, &Entry)> =
        federation.members().iter().filter_map(|member| Some((member, hook::of(member)?))).collect();
    if hooks.is_empty() {
        return Ok(HookResults::default());
    }
    if !codex.policy.allow_hooks {
        let names: Vec<String> =
            hooks.iter().map(|(member, _)| format!("`{}`", hook::shown(&member.id))).collect();
        let verb = if names.len() == 1 { "was" } else { "were" };
        let note = format!(
            "{} {verb} not run ([policy] allow-hooks = false): only what the manifests say is in the body",
            names.join(", ")
        );
        return Ok(HookResults { notes: vec![note], ..HookResults::default() });
    }
    let packages = resolver.substrate()?;
    let tools = super::tools::install(&packages, platform, effects)?;
    let stage = effects.cache.join("stage");
    let sandbox = Sandbox::prepare(&stage, &tools.python, Limits::default())?;
    let mut results = HookResults { tools: Some((packages, tools)), ..HookResults::default() };
    let mut added = federation.clone();
    let mut refused = Vec::new();
    for (member, entry) in hooks {
        match hook::run(member, entry, &sandbox) {
            Ok(registration) => {
                results.notes.extend(registration.notes);
                results.records.insert(member.id.clone(), registration.record);
                if let Some(member) = added.member_mut(&member.id) {
                    let lychd = &mut member.manifest.lychd;
                    lychd.system_dependencies.extend(registration.system_dependencies);
                    lychd.runes.extend(registration.runes);
                }
            }
            Err(Failure::Refused(all)) => refused.extend(all),
            Err(unable) => return Err(unable),
        }
    }
    refuse_any(refused)?;
    refuse_any(arbitration::arbitrate(codex, &added))?;
    results.federation = Some(added);
    Ok(results)
}
