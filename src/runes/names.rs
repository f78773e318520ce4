//! Names of runes: each is that of a unit, so each is one rune's alone.

use std::collections::{BTreeMap, BTreeSet};

use super::MemberRune;
use crate::{
    codex::Codex,
    diagnostic::{Diagnostic, Place},
};

/// LychD's own units, without their prefix, and podman's own container of the pod: `pod create --infra-name lychd-infra`,
/// whose name a container of ours would take from it.
const OWN: [&str; 7] = ["infra", "migrate", "phylactery", "pod", "reactor", "uncaged-vessel", "vessel"];
/// Names of the Oculus, which no member may take even where it does not run.
const OCULUS: [&str; 2] = ["oculus", "phoenix"];

/// Names that two runes have, or LychD itself.
#[must_use]
pub fn collisions(codex: &Codex, members: &[MemberRune]) -> Vec<Diagnostic> {
    let runes = &codex.runes;
    let phoenix = runes.phoenix.iter().map(|one| ("Phoenix".to_owned(), None, &one.name));
    let stones = runes.soulstones.iter().map(|one| ("a Soulstone".to_owned(), None, &one.name));
    let portals = runes.portals.iter().map(|one| ("a portal".to_owned(), None, &one.name));
    let brought = members
        .iter()
        .map(|one| (format!("a rune of `{}`", one.member), Some(&one.member), &one.definition.name));
    let mut by_name: BTreeMap<&str, Vec<(String, Option<_>, &Place)>> = BTreeMap::new();
    for (who, member, name) in phoenix.chain(stones).chain(portals).chain(brought) {
        by_name.entry(name.value.as_str()).or_default().push((who, member, &name.place));
    }
    let mut wrong = Vec::new();
    for (name, owners) in by_name {
        let reserved = OWN.contains(&name)
            || OCULUS.contains(&name) && owners.iter().any(|(_, member, _)| member.is_some())
            // The gate of one rune would be the service of another.
            || name.starts_with("animator-")
            || name.starts_with("coven-");
        let message = if owners.len() > 1 {
            format!("more than one rune is called `{name}`")
        } else if reserved {
            let own =
                if name == "infra" { "podman's own container of the pod" } else { "a unit of LychD's own" };
            format!("a rune is called `{name}`, as {own} is")
        } else {
            continue;
        };
        let mut diagnostic = Diagnostic::new(message);
        let mut asked = BTreeSet::new();
        for (who, member, place) in owners {
            diagnostic = diagnostic.at(place.clone(), who);
            if let Some(member) = member.filter(|member| asked.insert(*member)) {
                diagnostic = diagnostic.requested_by(member.to_string());
            }
        }
        wrong.push(diagnostic.help("give each rune a name of its own"));
    }
    wrong
}
