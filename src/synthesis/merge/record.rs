//! What the Synthesis records beside packages: members with their sources, inputs, tools, policy, the image.

use std::collections::BTreeMap;

use super::hooks;
use crate::{
    codex::{Codex, Substrate},
    crypt::{
        Federation, Member as FederationMember,
        image_contract::{CoreImage, FurtherImage, Health, ImageContract, preset::Entry},
    },
    debian::SystemPackage,
    diagnostic::{Diagnostic, Failure},
    digest::{Sha256, nar::nar_sha256, store_path::StorePath},
    hook,
    name::{self, MemberId, NameError, derivation},
    python::{
        record::PythonPackage,
        workspace::{Locked, LockedProject},
    },
    synthesis::{
        Locks, nixpkgs,
        value::{self, APPLICATION, Member, Role},
    },
    tools,
    tree::FileTree,
};

/// sha256 of what shapes the image, by path in the Crypt: every manifest, hook and lock, the Nix library. What a lock
/// may leave out is no part of it.
pub(super) fn inputs(
    federation: &Federation,
    hooked: &hooks::HookResults,
    locks: &Locks,
    library: Sha256,
) -> Result<BTreeMap<String, Sha256>, Failure> {
    let mut inputs: BTreeMap<String, Sha256> = federation
        .members()
        .iter()
        .map(|member| (member.manifest.source.name().to_owned(), member.manifest.sha256))
        .collect();
    let packages = federation.members().iter().flat_map(|member| &member.packages);
    inputs.extend(packages.map(|package| (package.source.name().to_owned(), package.sha256)));
    inputs.insert("lychd-forge/nix".to_owned(), library);
    inputs.extend(hooked.records.iter().map(|(id, hook)| (hook::shown(id), hook.sha256)));
    let tree = Locks { uv: locks.uv.without_sizes(), ..locks.clone() }.to_tree()?;
    for (path, _) in tree.iter() {
        if let Some(bytes) = tree.file(path) {
            inputs.insert(format!("synthesis/{path}"), Sha256::of(bytes));
        }
    }
    Ok(inputs)
}

/// Source trees of members.
type Trees = BTreeMap<MemberId, FileTree>;

/// All members with their source trees, the core first.
pub(super) fn members(
    locked: &Locked,
    federation: &Federation,
    hooked: &hooks::HookResults,
) -> Result<(Vec<Member>, Trees), Failure> {
    let (mut members, mut sources) = (Vec::new(), BTreeMap::new());
    for project in locked.projects.iter().filter(|project| project.git.is_none()) {
        if let Some(of) = federation.member(&project.member) {
            let (member, source) = member(project, of, hooked.record(project))?;
            sources.insert(member.id.clone(), source);
            members.push(member);
        }
    }
    members
        .sort_by(|one, other| (one.role != Role::Core, &one.id).cmp(&(other.role != Role::Core, &other.id)));
    Ok((members, sources))
}

/// One entry of the Synthesis with its source: a member, or a project of a member that is a workspace.
fn member(
    project: &LockedProject,
    of: &FederationMember,
    hook: Option<crate::hook::record::Hook>,
) -> Result<(Member, FileTree), Failure> {
    let unsound = |error: &dyn std::fmt::Display| {
        Failure::from(Diagnostic::new(error.to_string()).requested_by(of.id.to_string()))
    };
    let (id, source, nar_sha256) = match &project.directory {
        None => (of.id.clone(), of.source.tree.clone(), of.source.nar_sha256),
        Some(directory) => {
            let id =
                format!("{}/{}", of.id, project.name).parse().map_err(|error: NameError| unsound(&error))?;
            let source = of.source.tree.subtree(directory);
            let nar_sha256 = nar_sha256(&source).map_err(|error| unsound(&error))?;
            (id, source, nar_sha256)
        }
    };
    let dependencies = &of.manifest.lychd.system_dependencies;
    let name = derivation::source(&project.name);
    let is_plain = project.build_environment.is_none() && project.directory.is_none();
    let member = Member {
        place: is_plain.then(|| place(&id)),
        id,
        role: if of.id.is_core() { Role::Core } else { Role::Extension },
        name: project.name.clone(),
        version: project.version.clone(),
        nar_sha256,
        working_copy: of.checkout.working_copy,
        store_path: StorePath::of_source(&nar_sha256, &name),
        build_environment: project.build_environment.clone(),
        build_backend: project.build_backend.clone(),
        native: project.native,
        system_dependencies: dependencies.iter().map(|dependency| dependency.name.to_string()).collect(),
        hook,
        dependencies: project.dependencies.clone(),
    };
    Ok((member, source))
}

/// Where a member that is no package lies in the image: the core where `COPY . /app` puts it, an extension where it
/// lies beside the core in the Crypt.
fn place(id: &MemberId) -> String {
    if id.is_core() { APPLICATION.to_owned() } else { format!("{APPLICATION}/{}", id.directory()) }
}

/// The substrate, with the system packages that are recorded for it.
pub(super) fn substrate(
    codex: &Codex,
    federation: &Federation,
    pinned: Vec<SystemPackage>,
    members: &[Member],
    python_packages: &[PythonPackage],
) -> Result<(value::Substrate, Vec<SystemPackage>), Failure> {
    match &codex.substrate {
        Substrate::Debian(debian) => {
            let suites = debian.suites.iter().map(ToString::to_string).collect();
            let without = debian.without.iter().map(|name| name.value.clone()).collect();
            let locales = debian.locales.iter().map(|locale| locale.value.clone()).collect();
            Ok((value::Substrate::Debian { suites, without, locales }, pinned))
        }
        // The packages that were pinned are those of the tools alone.
        Substrate::Nixpkgs(tree) => {
            Ok((nixpkgs::substrate(codex, tree, federation, members, python_packages)?, Vec::new()))
        }
    }
}

/// The resolvers that were at work.
pub(super) fn resolvers(npm: bool) -> Result<BTreeMap<String, tools::Tool>, Failure> {
    let mut resolvers = BTreeMap::from([("uv".to_owned(), tools::uv::tool()?)]);
    if npm {
        resolvers.insert("npm".to_owned(), tools::node::npm_resolver()?);
    }
    Ok(resolvers)
}

/// The core's image contract under the Codex's name, with what its policy lets pass.
pub(super) fn image(codex: &Codex, image: CoreImage, packages: &[SystemPackage]) -> value::Image {
    let mut recorded = contract(codex, codex.image.name.to_string(), image.contract);
    // What a further image alone has is not its own.
    let vessel = name::Role::vessel();
    let is_elsewhere = |name: &str| {
        let package = packages.iter().find(|package| package.name.as_str() == name);
        package.is_some_and(|package| {
            !package.is_in_image(&vessel) && package.images.keys().any(|role| package.is_in_image(role))
        })
    };
    recorded.collisions.retain(|_, winner| !is_elsewhere(winner));
    recorded.missing_libraries.retain(|package, _| !is_elsewhere(package));
    recorded.starts.extend(started("migrate", &image.migrate));
    recorded
}

/// A further image: `<name>-<role>`. What the policy lets pass in packages that it has not is not its own.
pub(super) fn further(codex: &Codex, image: &FurtherImage, packages: &[SystemPackage]) -> value::Image {
    let name = format!("{}-{}", codex.image.name, image.role);
    let mut recorded = contract(codex, name, image.contract.clone());
    let has = |name: &str| {
        packages.iter().any(|package| package.name.as_str() == name && package.is_in_image(&image.role))
    };
    recorded.collisions.retain(|_, winner| has(winner));
    recorded.missing_libraries.retain(|package, _| has(package));
    value::Image { entry: image.entry.map(Entry::as_str), ..recorded }
}

fn started(key: &'static str, words: &[String]) -> Option<(&'static str, String)> {
    words.first().map(|program| (key, program.clone()))
}

fn contract(codex: &Codex, name: String, contract: ImageContract) -> value::Image {
    let health = match &contract.health {
        Some(Health::Command(words)) => started("health", words),
        _ => None,
    };
    value::Image {
        name,
        starts: started("command", &contract.command).into_iter().chain(health).collect(),
        volumes: contract.volumes,
        ports: contract.ports,
        stop_signal: contract.stop_signal,
        entry: None,
        command: contract.command,
        user: value::User { name: contract.user.name, uid: contract.user.uid },
        environment: contract.env,
        directories: contract.directories,
        labels: contract.labels,
        collisions: texts(&codex.policy.collisions, ToString::to_string),
        missing_libraries: texts(&codex.policy.missing_libraries, |libraries| {
            libraries.iter().map(ToString::to_string).collect()
        }),
    }
}

fn texts<K: ToString, V, T>(map: &BTreeMap<K, V>, value: impl Fn(&V) -> T) -> BTreeMap<String, T> {
    map.iter().map(|(key, of)| (key.to_string(), value(of))).collect()
}

/// What the Codex allowed.
pub(super) fn policy(codex: &Codex) -> value::Policy {
    value::Policy {
        hosts: codex.policy.hosts.iter().map(ToString::to_string).collect(),
        allow_sdist: codex.policy.allow_sdist.clone(),
        allow_scripts: codex.policy.allow_scripts.clone(),
        strict: codex.policy.strict,
    }
}
