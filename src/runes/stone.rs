//! Soulstones and members' runes as containers.

use std::collections::BTreeSet;

use super::{
    MemberRune,
    core::{self, secret_file, variable},
    gate,
    mounts::{self, Ground},
    unit::{Container, Link, Restart, Secret, ServiceKind, Source, Value},
};
use crate::{
    codex::{
        Grants,
        runes::{Family, Launch, Soulstone},
    },
    diagnostic::{Diagnostic, Failure},
    name::RuneName,
};

/// Shared memory that a runtime wants of the pod, in bytes.
pub(super) const fn shared_memory(family: Family) -> u64 {
    match family {
        Family::Vllm | Family::Sglang | Family::ExLlamaV3 => 8 << 30,
        _ => 0,
    }
}

/// A stone's container, listening on `port`.
pub(super) fn soulstone(
    stone: &Soulstone,
    source: Source,
    port: u16,
    ground: Ground<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Container, Failure> {
    let name = &stone.name.value;
    let described = stone.description.as_ref().map(|text| text.meant().trim().to_owned());
    let description =
        described.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("LychD Soulstone: {name}"));
    let mut container = core::hardened(name.as_str(), &description, source);
    let who = format!("Soulstone `{name}`");
    let volumes = stone.volumes.iter().map(|volume| (&volume.value, &volume.place));
    container.volumes = mounts::of_rune(&who, volumes, ground, errors)?;
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
    if matches!(stone.launch, Launch::Tabby(_)) {
        tabby(environment, port);
    }
    for (name, secret) in &stone.secret_env_files {
        environment.insert(name.clone(), Value::from(secret_file(&secret.value)));
    }
    environment.extend(core::home_environment());
    for secret in stone.secret_env_files.values() {
        let secret = Secret { name: secret.value.clone(), target: None };
        if !container.secrets.contains(&secret) {
            container.secrets.push(secret);
        }
    }
    match &stone.launch {
        Launch::Exec(words) => container.exec.clone_from(words),
        Launch::LlamaCpp(server) => container.exec = server.arguments(port),
        Launch::Tabby(auth) => {
            let target = Some("/app/api_tokens.yml".to_owned());
            container.secrets.push(Secret { name: auth.value.clone(), target });
            container.memory.insert(Value::from("/app/logs"));
            // What it loads it loads for the Vessel: it does not outlive it.
            let vessel = "lychd-vessel.service".to_owned();
            container.link.binds_to.insert(vessel.clone());
            container.link.after.insert(vessel);
        }
    }
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

/// What LychD fixes of `TabbyAPI`.
fn tabby(
    environment: &mut std::collections::BTreeMap<crate::name::variable::VariableName, Value>,
    port: u16,
) {
    for (name, value) in [
        ("LOG_LEVEL", "WARNING"),
        ("MODEL_BACKEND", "exllamav3"),
        ("MODEL_INLINE_MODEL_LOADING", "false"),
        ("MODEL_MODEL_DIR", "/app/models"),
        ("MODEL_MODEL_NAME", ""),
        ("MODEL_USE_DUMMY_MODELS", "false"),
        ("NETWORK_DISABLE_AUTH", "false"),
        ("NETWORK_DISABLE_FETCH_REQUESTS", "true"),
        ("NETWORK_HOST", "0.0.0.0"),
        ("NETWORK_PORT", &port.to_string()),
        ("NETWORK_SSE_PING_INTERVAL", "5"),
    ] {
        variable(environment, &format!("TABBY_{name}"), value);
    }
}

/// A member's rune. One with groups is switched like a stone; one without is a service like LychD's own.
pub(super) fn member(
    rune: &MemberRune,
    source: Source,
    ground: Ground<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Container, Failure> {
    let definition = &rune.definition;
    let name = &definition.name.value;
    let description = format!("LychD rune of {}: {name}", rune.member);
    let mut container = core::hardened(name.as_str(), &description, source);
    let who = format!("rune `{name}` of `{}`", rune.member);
    let volumes = definition.volumes.iter().map(|volume| (volume, &definition.place));
    container.volumes = mounts::of_rune(&who, volumes, ground, errors)?;
    container.labels.insert("lychd.member", rune.member.to_string());
    container.environment = core::home_environment();
    container.memory.insert(mounts::below_home(".cache"));
    container.grants = definition.grants.clone();
    if !definition.groups.is_empty() {
        gated(&mut container, name);
        container.service = ServiceKind::Lasting(Restart::OnFailure);
        container.at_boot = false;
    }
    Ok(container)
}
