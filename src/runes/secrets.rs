//! Who may hold which secret: LychD's isolation between its own, the providers' and the models' secrets.

use std::collections::BTreeMap;

use crate::{
    codex::{Codex, runes::Soulstone},
    diagnostic::Diagnostic,
    document::Located,
    name::SecretName,
};

/// The secret with the keys of a stone's own control interface, which the Vessel needs too.
pub(super) fn control(stone: &Soulstone) -> Option<&Located<SecretName>> {
    stone.launch.control.as_ref().map(|control| &control.secret)
}

/// The Vessel's secrets, in order, each once.
pub(super) fn of_vessel(codex: &Codex) -> Vec<SecretName> {
    let own = [&codex.lychd.web.secret_key_secret.value, &codex.lychd.database.password_secret.value];
    let portals =
        codex.runes.portals.iter().filter_map(|portal| Some(&portal.api_key_secret.as_ref()?.value));
    let stones = codex.runes.soulstones.iter().filter_map(|stone| Some(&control(stone)?.value));
    let mut all: Vec<SecretName> = Vec::new();
    for name in own.into_iter().chain(portals).chain(stones) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// Secrets that two hold who must not share them.
pub(super) fn check(codex: &Codex, errors: &mut Vec<Diagnostic>) {
    let lychd = &codex.lychd;
    let core = [
        ("the application's", &lychd.web.secret_key_secret.value),
        ("the database's", &lychd.database.password_secret.value),
    ];
    let mut privileged: BTreeMap<&SecretName, String> =
        core.into_iter().map(|(whose, name)| (name, format!("{whose} secret"))).collect();
    for portal in &codex.runes.portals {
        let Some(secret) = &portal.api_key_secret else { continue };
        if let Some((whose, _)) = core.iter().find(|(_, name)| **name == secret.value) {
            let message = format!("the portal `{}` has {whose} secret `{}`", portal.name.value, secret.value);
            let shared = Diagnostic::new(message).at(secret.place.clone(), "");
            errors.push(shared.help("a provider's key is never LychD's own secret: make one for it"));
        }
    }
    for portal in &codex.runes.portals {
        if let Some(secret) = &portal.api_key_secret {
            let whose = || format!("the key of portal `{}`", portal.name.value);
            privileged.entry(&secret.value).or_insert_with(whose);
        }
    }
    let mut controls: BTreeMap<&SecretName, &Soulstone> = BTreeMap::new();
    for stone in &codex.runes.soulstones {
        let Some(secret) = control(stone) else { continue };
        if let Some(first) = controls.insert(&secret.value, stone) {
            let message = format!(
                "Soulstones `{}` and `{}` share the control secret `{}`",
                first.name.value, stone.name.value, secret.value
            );
            let shared =
                Diagnostic::new(message).at(secret.place.clone(), "").at(first.place.clone(), "the first");
            errors.push(shared.help("whoever has it controls both: make a secret for each"));
        }
    }
    for stone in &codex.runes.soulstones {
        let own = control(stone);
        for secret in stone.secret_env_files.values().chain(own) {
            let name = &secret.value;
            let aliased = controls.contains_key(name)
                && own.is_none_or(|own| own.value != *name || own.place != secret.place);
            let whose = match (privileged.get(name), aliased) {
                (Some(whose), _) => whose.clone(),
                (None, true) => "a control secret".to_owned(),
                (None, false) => continue,
            };
            let message =
                format!("Soulstone `{}` has the secret `{name}`, which is {whose}", stone.name.value);
            let shared = Diagnostic::new(message).at(secret.place.clone(), "");
            errors.push(shared.help("a model's container gets secrets of its own alone"));
        }
    }
}
