//! Who can do what: labels on containers, and `capabilities.json` for a dispatcher.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{MemberRune, coven::Topology, gate, ports::Ports, stem};
use crate::{
    codex::{
        Codex,
        runes::{Capability, Model, Soulstone},
    },
    document::canonical_json,
    name::RuneName,
};

/// What `capabilities.json` says it is.
pub const SCHEMA: &str = "lychd-forge/capabilities/1";

/// A model and what it can do.
#[derive(Serialize)]
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
    if stone.catalogued && !stone.models.is_empty() {
        return offers(&stone.models);
    }
    let own = stone.launch.alias.clone().or_else(|| stone.served_model_id.clone());
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

/// A rune as a dispatcher sees it.
#[derive(Serialize)]
struct Described<'a> {
    kind: &'static str,
    family: String,
    endpoint: Option<String>,
    port: Option<u16>,
    /// Its service; `None` for what runs elsewhere, as for `start`.
    unit: Option<String>,
    /// What starts it.
    start: Option<String>,
    covens: Vec<&'a str>,
    conflicts: Vec<&'a str>,
    models: Vec<Offer>,
    /// Whether it is always there.
    resident: bool,
}

/// One that has a capability, with those of its models that have it.
#[derive(Serialize)]
struct Provider<'a> {
    rune: &'a str,
    endpoint: Option<&'a str>,
    covens: &'a [&'a str],
    models: Vec<&'a str>,
}

/// `capabilities.json`, canonical.
pub(super) fn document(codex: &Codex, members: &[MemberRune], topology: &Topology, ports: &Ports) -> String {
    let covens = |name: &RuneName| -> Vec<&str> {
        let own = topology.covens.iter().filter(|(_, all)| all.contains(name));
        own.map(|(coven, _)| coven.as_str()).collect()
    };
    let conflicts = |name| topology.conflicts(name).map(RuneName::as_str).collect::<Vec<_>>();
    let service = |name| format!("{}.service", stem(name));
    let stones = codex.runes.soulstones.iter().map(|stone| {
        let name = &stone.name.value;
        let port = ports.stones.get(name).copied();
        let derived = port.map(|port| format!("http://localhost:{port}/v1"));
        let described = Described {
            kind: "soulstone",
            family: stone.family.to_owned(),
            endpoint: stone.base_url.clone().or(derived),
            port,
            unit: Some(service(name)),
            start: Some(gate(name)),
            covens: covens(name),
            conflicts: conflicts(name),
            models: of_stone(stone),
            resident: stone.concurrency.persistent_resident,
        };
        (name.as_str(), described)
    });
    let portals = codex.runes.portals.iter().map(|portal| {
        let described = Described {
            kind: "portal",
            family: portal.family.to_owned(),
            endpoint: Some(portal.base_url.clone()),
            port: None,
            unit: None,
            start: None,
            covens: Vec::new(),
            conflicts: Vec::new(),
            models: offers(&portal.models),
            resident: true,
        };
        (portal.name.value.as_str(), described)
    });
    let brought = members.iter().map(|rune| {
        let definition = &rune.definition;
        let name = &definition.name.value;
        let port = definition.port.as_ref().map(|port| port.value);
        let switched = !definition.groups.is_empty();
        let described = Described {
            kind: "member",
            family: rune.member.to_string(),
            endpoint: port.map(|port| format!("http://localhost:{port}")),
            port,
            unit: Some(service(name)),
            start: Some(if switched { gate(name) } else { service(name) }),
            covens: covens(name),
            conflicts: conflicts(name),
            models: Vec::new(),
            resident: !switched,
        };
        (name.as_str(), described)
    });
    let runes: BTreeMap<&str, Described<'_>> = stones.chain(portals).chain(brought).collect();
    let document = json!({ "schema": SCHEMA, "capabilities": index(&runes, members), "runes": runes });
    canonical_json(&document)
}

/// Who has each capability, by rune.
fn index<'a>(
    runes: &'a BTreeMap<&str, Described<'_>>,
    members: &'a [MemberRune],
) -> BTreeMap<&'a str, Vec<Provider<'a>>> {
    let mut having: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (name, rune) in runes {
        for offer in &rune.models {
            for capability in &offer.capabilities {
                having.entry(capability).or_default().entry(name).or_default().push(&offer.id);
            }
        }
    }
    for definition in members.iter().map(|rune| &rune.definition) {
        for capability in &definition.capabilities {
            having.entry(capability.as_str()).or_default().entry(definition.name.value.as_str()).or_default();
        }
    }
    let provider = |(name, models): (&'a str, Vec<&'a str>)| {
        let rune = runes.get(name)?;
        Some(Provider { rune: name, endpoint: rune.endpoint.as_deref(), covens: &rune.covens, models })
    };
    having
        .into_iter()
        .map(|(capability, providers)| (capability, providers.into_iter().filter_map(provider).collect()))
        .collect()
}
