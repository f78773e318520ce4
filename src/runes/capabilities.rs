//! Who can do what: labels on containers, and `capabilities.json` for a dispatcher.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{MemberRune, coven::Topology, gate, ports::Ports, stem};
use crate::{
    codex::{
        Codex,
        runes::{Capability, Family, Launch, Mode, Model, Soulstone},
    },
    document::canonical_json,
    name::RuneName,
};

/// What `capabilities.json` says it is.
pub const SCHEMA: &str = "lychd-forge/capabilities/1";

/// A model and what it can do.
struct Offer {
    id: String,
    capabilities: Vec<&'static str>,
}

fn offers(models: &[Model]) -> Vec<Offer> {
    let of = |model: &Model| Offer {
        id: model.id.value.clone(),
        capabilities: if model.capabilities.is_empty() {
            vec![Capability::Chat.as_str()]
        } else {
            model.capabilities.iter().map(|one| one.as_str()).collect()
        },
    };
    models.iter().map(of).collect()
}

/// A stone's models as LychD counts them: the declared ones, where the family matches by id; else the one it serves.
fn of_stone(stone: &Soulstone) -> Vec<Offer> {
    let catalogued = matches!(stone.family, Family::LlamaCpp | Family::ExLlamaV3);
    if catalogued && !stone.models.is_empty() {
        return offers(&stone.models);
    }
    let alias = match &stone.launch {
        Launch::LlamaCpp(server) => match &server.mode {
            Mode::Single { alias, .. } => Some(alias.clone()),
            Mode::Router { .. } => None,
        },
        _ => None,
    };
    let own = alias.or_else(|| stone.served_model_id.clone());
    let id = own.unwrap_or_else(|| {
        let path = stone.model_path.as_deref().map(crate::codex::runes::model_stem);
        path.unwrap_or_else(|| stone.name.value.to_string())
    });
    let declared = stone.models.iter().find(|model| model.id.value == id);
    let chat = || vec![Offer { id: id.clone(), capabilities: vec![Capability::Chat.as_str()] }];
    match declared {
        Some(model) => offers(std::slice::from_ref(model)),
        // A server of one model, named otherwise than the rune's one entry, is meant by it.
        None => match stone.models.as_slice() {
            [one] => vec![Offer { id, ..offers(std::slice::from_ref(one)).remove(0) }],
            _ => chat(),
        },
    }
}

/// The capabilities of a stone, sorted.
pub(super) fn stone_label(stone: &Soulstone) -> String {
    let mut words: Vec<&str> = of_stone(stone).iter().flat_map(|offer| offer.capabilities.clone()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(",")
}

/// `capabilities.json`, canonical.
pub(super) fn document(codex: &Codex, members: &[MemberRune], topology: &Topology, ports: &Ports) -> String {
    let mut runes: BTreeMap<&str, Json> = BTreeMap::new();
    let mut index: BTreeMap<String, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    let covens = |name: &RuneName| -> Vec<&str> {
        let own = topology.covens.iter().filter(|(_, all)| all.contains(name));
        own.map(|(coven, _)| coven.as_str()).collect()
    };
    let conflicts = |name| topology.conflicts(name).map(RuneName::as_str).collect::<Vec<_>>();
    for stone in &codex.runes.soulstones {
        let name = &stone.name.value;
        let port = ports.stones.get(name).copied();
        let derived = port.map(|port| format!("http://localhost:{port}/v1"));
        let endpoint = stone.base_url.clone().or(derived);
        let offers = of_stone(stone);
        note(&mut index, name, &offers);
        runes.insert(
            name.as_str(),
            json!({
                "kind": "soulstone", "family": stone.family.as_str(), "endpoint": endpoint, "port": port,
                "unit": format!("{}.service", stem(name)), "start": gate(name),
                "covens": covens(name), "conflicts": conflicts(name), "models": models(&offers),
                "resident": stone.concurrency.persistent_resident,
            }),
        );
    }
    for portal in &codex.runes.portals {
        let offers = offers(&portal.models);
        note(&mut index, &portal.name.value, &offers);
        runes.insert(
            portal.name.value.as_str(),
            json!({
                "kind": "portal", "family": portal.family.as_str(), "endpoint": portal.base_url, "port": null,
                "unit": null, "start": null, "covens": [], "conflicts": [], "models": models(&offers),
                "resident": true,
            }),
        );
    }
    for rune in members {
        let definition = &rune.definition;
        let name = &definition.name.value;
        for capability in &definition.capabilities {
            index.entry(capability.to_string()).or_default().entry(name.as_str()).or_default();
        }
        let port = definition.port.as_ref().map(|port| port.value);
        let service = format!("{}.service", stem(name));
        let switched = !definition.groups.is_empty();
        runes.insert(
            name.as_str(),
            json!({
                "kind": "member", "family": rune.member.to_string(), "port": port,
                "endpoint": port.map(|port| format!("http://localhost:{port}")),
                "start": if switched { gate(name) } else { service.clone() }, "unit": service,
                "covens": covens(name), "conflicts": conflicts(name), "models": [], "resident": !switched,
            }),
        );
    }
    let capabilities: BTreeMap<&String, Vec<Json>> = index
        .iter()
        .map(|(capability, providers)| {
            let one = |(rune, models): (&&str, &Vec<String>)| {
                let described = runes.get(rune);
                let of = |key: &str| described.and_then(|rune| rune.get(key)).cloned().unwrap_or(Json::Null);
                json!({ "rune": rune, "endpoint": of("endpoint"), "covens": of("covens"), "models": models })
            };
            (capability, providers.iter().map(one).collect())
        })
        .collect();
    let document = json!({ "schema": SCHEMA, "capabilities": capabilities, "runes": runes });
    canonical_json(&document)
}

fn note<'a>(
    index: &mut BTreeMap<String, BTreeMap<&'a str, Vec<String>>>,
    name: &'a RuneName,
    offers: &[Offer],
) {
    for offer in offers {
        for capability in &offer.capabilities {
            let providers = index.entry((*capability).to_owned()).or_default();
            providers.entry(name.as_str()).or_default().push(offer.id.clone());
        }
    }
}

fn models(offers: &[Offer]) -> Vec<Json> {
    offers.iter().map(|offer| json!({ "id": offer.id, "capabilities": offer.capabilities })).collect()
}
