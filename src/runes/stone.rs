//! Soulstones and members' runes as containers.

use std::collections::BTreeSet;

use super::{
    MemberRune, core, gate, health,
    mounts::{self, MountContext},
    unit::{Container, Link, Restart, Secret, SecretForm, ServiceKind, Source, Value},
    variables::{home_environment, secret_file},
};
use crate::{
    codex::{Grants, runes::Soulstone},
    diagnostic::{Diagnostic, Failure},
    name::RuneName,
};

/// A stone's container, listening on `port`.
pub(super) fn soulstone(
    stone: &Soulstone,
    source: Source,
    port: u16,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Container, Failure> {
    let name = &stone.name.value;
    let described = stone.description.as_ref().map(|text| text.meant().trim().to_owned());
    let description =
        described.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("LychD Soulstone: {name}"));
    let mut container = core::hardened(name.as_str(), &description, source);
    let who = format!("Soulstone `{name}`");
    let volumes = stone.volumes.iter().map(|volume| (&volume.value, &volume.place));
    container.volumes = mounts::of_rune(&who, volumes, context, errors)?;
    gated(&mut container, name);
    container.grants = Grants {
        devices: stone.devices.clone(),
        label_disable: stone.security_label_disable,
        ..Grants::default()
    };
    container.memory.insert(mounts::below_home(".cache"));
    let environment = &mut container.environment;
    for (name, value) in &stone.env_vars {
        environment.insert(name.clone(), Value::from(value.value.meant()));
    }
    for (name, value) in &stone.launch.environment {
        environment.insert(name.clone(), Value::from(value.on(port)));
    }
    for (name, secret) in &stone.secret_env_files {
        environment.insert(name.clone(), Value::from(secret_file(&secret.value)));
    }
    environment.extend(home_environment());
    for secret in stone.secret_env_files.values() {
        let secret = Secret { name: secret.value.clone(), form: SecretForm::File };
        if !container.secrets.contains(&secret) {
            container.secrets.push(secret);
        }
    }
    container.exec = stone.launch.command.iter().map(|word| word.on(port)).collect();
    container.memory.extend(stone.launch.memory.iter().map(|path| Value::from(*path)));
    if let Some(control) = &stone.launch.control {
        let form = SecretForm::FileAt(control.file.to_owned());
        container.secrets.push(Secret { name: control.secret.value.clone(), form });
        // What it loads it loads for the Vessel: it does not outlive it.
        let vessel = "lychd-vessel.service".to_owned();
        container.link.binds_to.insert(vessel.clone());
        container.link.after.insert(vessel);
    }
    container.health = stone.health.map(|known| health::of_stone(known, port));
    let resident = stone.concurrency.persistent_resident;
    container.service = ServiceKind::Lasting(if resident { Restart::Always } else { Restart::OnFailure });
    container.at_boot = resident;
    Ok(container)
}

/// A service stops and starts with its gate, which bears the conflicts.
fn gated(container: &mut Container, name: &RuneName) {
    container.link = Link {
        binds_to: BTreeSet::from([gate(name)]),
        after: BTreeSet::from([gate(name)]),
        ..Link::default()
    };
}

/// A member's rune. One with groups is switched like a stone; one without is a service like LychD's own.
pub(super) fn member(
    rune: &MemberRune,
    source: Source,
    context: MountContext<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Container, Failure> {
    let definition = &rune.definition;
    let name = &definition.name.value;
    let description = format!("LychD rune of {}: {name}", rune.member);
    let mut container = core::hardened(name.as_str(), &description, source);
    let who = format!("rune `{name}` of `{}`", rune.member);
    let volumes = definition.volumes.iter().map(|volume| (&volume.value, &volume.place));
    container.volumes = mounts::of_rune(&who, volumes, context, errors)?;
    container.labels.insert("lychd.member", rune.member.to_string());
    container.environment = home_environment();
    container.memory.insert(mounts::below_home(".cache"));
    container.grants = definition.grants.clone();
    container.health = health::by_program(&definition.health);
    if !definition.groups.is_empty() {
        gated(&mut container, name);
        container.service = ServiceKind::Lasting(Restart::OnFailure);
        container.at_boot = false;
    }
    Ok(container)
}
