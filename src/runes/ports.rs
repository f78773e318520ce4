//! The one arbiter of ports. All containers share the pod's ports; a few are published on the host besides.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{MemberRune, WebPort};
use crate::{
    codex::{Codex, runes::Runes},
    diagnostic::{Diagnostic, Failure, Place},
    document::{Value, json, source_within},
    name::{MemberId, RuneName},
};

/// The database's port in the pod.
pub const DATABASE: u16 = 5432;
/// Phoenix's ports in the pod: its pages, and what telemetry is sent to.
pub const PHOENIX: [u16; 2] = [6006, 4317];
/// Where automatic ports begin, as in LychD.
const AUTOMATIC: u16 = 20000;

/// Ports by who has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Each stone's port in the pod.
    pub stones: BTreeMap<RuneName, u16>,
    /// What the host publishes: (host, pod), in order.
    pub published: Vec<(u16, u16)>,
    /// Stones that have another port than LychD would count out for itself: (name, ours, LychD's).
    pub uncounted: Vec<(RuneName, u16, u16)>,
}

/// Who wants a port.
struct Claim {
    what: String,
    member: Option<MemberId>,
    place: Option<Place>,
}

type Claims = BTreeMap<u16, Vec<Claim>>;

/// The stones' ports that an inscribed `capabilities.json` says; `name` is what the user knows it by.
///
/// # Errors
/// Refused when it is no JSON object.
pub fn inscribed(name: &str, bytes: Vec<u8>) -> Result<BTreeMap<RuneName, u16>, Failure> {
    let table = json::parse(&source_within(name, bytes, 16 << 20)?)?;
    let mut ports = BTreeMap::new();
    for (rune, field) in table.table("runes").iter().flat_map(|runes| runes.iter()) {
        let rune_table = field.node.as_table();
        let kind = rune_table.and_then(|rune| rune.get("kind")).and_then(|node| node.as_str());
        let port = rune_table.and_then(|rune| rune.get("port")).map(|node| &node.value);
        if let (Some("soulstone"), Some(Value::Integer(port)), Ok(rune)) = (kind, port, rune.parse())
            && let Ok(port) = u16::try_from(*port)
        {
            ports.insert(rune, port);
        }
    }
    Ok(ports)
}

/// Everybody's claims on the pod and on the host.
fn claims(codex: &Codex, web: &WebPort, members: &[MemberRune]) -> [Claims; 2] {
    let (mut pod, mut host) = (Claims::new(), Claims::new());
    let own = |what: &str, place: Option<Place>| Claim { what: what.to_owned(), member: None, place };
    let claim = |ports: &mut Claims, port, claim| ports.entry(port).or_default().push(claim);
    let image = own("the image's own port", web.place.clone());
    claim(&mut pod, web.port, Claim { member: Some(MemberId::core()), ..image });
    claim(&mut pod, DATABASE, own("LychD's database", None));
    let ports = &codex.ports;
    claim(&mut host, ports.web.port, own("LychD's web server", ports.web.place.clone()));
    claim(&mut host, ports.database.port, own("LychD's database", ports.database.place.clone()));
    if let Some(phoenix) = &codex.runes.phoenix {
        for (inside, outside) in PHOENIX.into_iter().zip([&phoenix.ui_port, &phoenix.otlp_port]) {
            claim(&mut pod, inside, own("LychD's Phoenix", Some(phoenix.place.clone())));
            claim(&mut host, outside.value, own("LychD's Phoenix", Some(outside.place.clone())));
        }
    }
    for stone in &codex.runes.soulstones {
        let Some(port) = &stone.port else { continue };
        let one = || own(&format!("Soulstone `{}`", stone.name.value), Some(port.place.clone()));
        claim(&mut pod, port.value, one());
        // LychD finds a stone by its number beside those of the host, and refuses one that is published there.
        if host.contains_key(&port.value) {
            claim(&mut host, port.value, one());
        }
    }
    for MemberRune { member, definition, .. } in members {
        let Some(port) = &definition.port else { continue };
        let one = || Claim {
            what: format!("rune `{}` of `{member}`", definition.name.value),
            member: Some(member.clone()),
            place: Some(port.place.clone()),
        };
        claim(&mut pod, port.value, one());
        if definition.expose_port {
            claim(&mut host, port.value, one());
        }
    }
    [pod, host]
}

/// Ports that two want.
#[must_use]
pub fn collisions(codex: &Codex, web: &WebPort, members: &[MemberRune]) -> Vec<Diagnostic> {
    let [pod, host] = claims(codex, web, members);
    let mut wrong: Vec<Diagnostic> =
        pod.iter().filter_map(|(port, claims)| collision(*port, "the pod", claims)).collect();
    for (port, claims) in &host {
        // Runes that meet on the host meet in the pod as well.
        let told = pod
            .get(port)
            .is_some_and(|pod| claims.iter().all(|one| pod.iter().any(|two| one.what == two.what)));
        if !told {
            wrong.extend(collision(*port, "the host", claims));
        }
    }
    wrong
}

fn collision(port: u16, of: &str, claims: &[Claim]) -> Option<Diagnostic> {
    if claims.len() < 2 {
        return None;
    }
    let who: Vec<&str> = claims.iter().map(|claim| claim.what.as_str()).collect();
    let mut diagnostic = Diagnostic::new(format!("port {port} of {of} is wanted by {}", who.join(" and ")));
    let mut seen = BTreeSet::new();
    for claim in claims {
        if let Some(place) = &claim.place {
            diagnostic = diagnostic.at(place.clone(), claim.what.clone());
        }
        if let Some(member) = claim.member.as_ref().filter(|member| seen.insert(*member)) {
            diagnostic = diagnostic.requested_by(member.to_string());
        }
    }
    Some(diagnostic.help(match of {
        "the pod" => "all containers share one pod: give one of them another port",
        _ => "all of the host's users share its ports: give one of them another",
    }))
}

/// Gives every stone its port: its own, the one it had, or the first free one in load order.
///
/// `before` are the ports of the last inscription: a rune that is added moves nobody.
pub fn assign(
    codex: &Codex,
    web: &WebPort,
    members: &[MemberRune],
    before: &BTreeMap<RuneName, u16>,
    errors: &mut Vec<Diagnostic>,
) -> Ports {
    let already = errors.len();
    errors.extend(collisions(codex, web, members));
    if errors.len() > already {
        return Ports::default();
    }
    let [pod, host] = claims(codex, web, members);
    let taken: BTreeSet<u16> = pod.into_keys().chain(host.into_keys()).collect();
    let stones = &codex.runes;
    let given = automatic(stones, &taken, before);
    let counted = automatic(stones, &lychds(codex), &BTreeMap::new());
    let mut ports = Ports { published: published(codex, web, members), ..Ports::default() };
    for stone in &stones.soulstones {
        let name = &stone.name.value;
        let own = stone.port.as_ref().map(|port| port.value);
        match own.or_else(|| given.get(name).copied()) {
            Some(port) => {
                if let Some(other) = counted.get(name).filter(|other| **other != port) {
                    ports.uncounted.push((name.clone(), port, *other));
                }
                ports.stones.insert(name.clone(), port);
            }
            None => errors.push(
                Diagnostic::new(format!("no port is left for Soulstone `{name}`"))
                    .at(stone.name.place.clone(), "")
                    .help(format!("all of {AUTOMATIC} to 65535 are taken: give it another by `port`")),
            ),
        }
    }
    ports
}

/// The ports LychD leaves out when it counts.
fn lychds(codex: &Codex) -> BTreeSet<u16> {
    let phoenix = codex.runes.phoenix.iter().flat_map(|one| [one.ui_port.value, one.otlp_port.value]);
    let stones = codex.runes.soulstones.iter().filter_map(|stone| stone.port.as_ref().map(|port| port.value));
    [codex.ports.web.port, codex.ports.database.port].into_iter().chain(phoenix).chain(stones).collect()
}

fn automatic(
    runes: &Runes,
    taken: &BTreeSet<u16>,
    before: &BTreeMap<RuneName, u16>,
) -> BTreeMap<RuneName, u16> {
    let mut taken = taken.clone();
    let mut given = BTreeMap::new();
    let waiting =
        || runes.soulstones.iter().filter(|stone| stone.port.is_none()).map(|stone| &stone.name.value);
    for name in waiting() {
        if let Some(port) = before.get(name).filter(|port| **port >= AUTOMATIC && taken.insert(**port)) {
            given.insert(name.clone(), *port);
        }
    }
    for name in waiting() {
        if !given.contains_key(name)
            && let Some(port) = (AUTOMATIC..=u16::MAX).find(|port| !taken.contains(port))
        {
            taken.insert(port);
            given.insert(name.clone(), port);
        }
    }
    given
}

fn published(codex: &Codex, web: &WebPort, members: &[MemberRune]) -> Vec<(u16, u16)> {
    let core = [(codex.ports.web.port, web.port), (codex.ports.database.port, DATABASE)];
    let phoenix = codex
        .runes
        .phoenix
        .iter()
        .flat_map(|phoenix| [phoenix.ui_port.value, phoenix.otlp_port.value].into_iter().zip(PHOENIX));
    let mut exposed: Vec<(u16, u16)> = members
        .iter()
        .filter(|rune| rune.definition.expose_port)
        .filter_map(|rune| rune.definition.port.as_ref().map(|port| (port.value, port.value)))
        .collect();
    exposed.sort_unstable();
    core.into_iter().chain(phoenix).chain(exposed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codex, diagnostic::Source};

    /// Vllm runes by name and, where one is written, port; their files sort as the names do.
    fn assigned(
        stones: &[(&str, Option<u16>)],
        more: &[Source],
        before: &[(&str, u16)],
    ) -> Result<Ports, String> {
        let mut sources = vec![Source::new(
            "lychd.toml",
            "[extensions]\nbuiltins = [\"animator/vllm\", \"observability/phoenix\"]\n",
        )];
        sources.extend_from_slice(more);
        for (name, port) in stones {
            let port = port.map(|port| format!("port = {port}\n")).unwrap_or_default();
            let path = format!("runes/animator/soulstones/vllm/{name}.toml");
            sources.push(Source::new(path, format!("name = \"{name}\"\n{port}")));
        }
        let codex = codex::parse(&sources).map_err(|failure| failure.to_string())?;
        let before = before.iter().map(|(name, port)| (name.parse().unwrap(), *port)).collect();
        let mut errors = Vec::new();
        let ports = assign(&codex, &WebPort { port: 8000, place: None }, &[], &before, &mut errors);
        if errors.is_empty() {
            Ok(ports)
        } else {
            Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }

    fn shown(ports: &Ports) -> String {
        ports.stones.iter().map(|(name, port)| format!("{name}={port}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn automatic_ports_count_up_around_what_is_taken() {
        let ports = assigned(&[("a", None), ("b", Some(20001)), ("c", None), ("d", None)], &[], &[]).unwrap();
        assert_eq!(shown(&ports), "a=20000 b=20001 c=20002 d=20003");
        let phoenix =
            Source::new("runes/observability/phoenix/p.toml", "ui_port = 20000\notlp_port = 20002\n");
        let ports = assigned(&[("a", None), ("b", None)], &[phoenix], &[]).unwrap();
        assert_eq!(shown(&ports), "a=20001 b=20003");
        assert_eq!(ports.published, [(7134, 8000), (5432, 5432), (20000, 6006), (20002, 4317)]);
        assert_eq!(ports.uncounted, []);
    }

    #[test]
    fn a_rune_that_comes_or_goes_moves_nobody() {
        let first = assigned(&[("b", None), ("d", None)], &[], &[]).unwrap();
        assert_eq!(shown(&first), "b=20000 d=20001");
        let before = [("b", 20000), ("d", 20001)];
        let more = assigned(&[("a", None), ("b", None), ("c", None), ("d", None)], &[], &before).unwrap();
        assert_eq!(shown(&more), "a=20002 b=20000 c=20003 d=20001");
        let name = |text: &str| text.parse::<RuneName>().unwrap();
        assert_eq!(
            more.uncounted,
            [
                (name("a"), 20002, 20000),
                (name("b"), 20000, 20001),
                (name("c"), 20003, 20002),
                (name("d"), 20001, 20003)
            ],
            "what LychD counts for itself is told"
        );
        // Fewer runes: what is left stays, and nobody inherits.
        let fewer = assigned(&[("d", None)], &[], &before).unwrap();
        assert_eq!(shown(&fewer), "d=20001");
        assert_eq!(fewer.uncounted, [(name("d"), 20001, 20000)]);
    }

    #[test]
    fn a_former_port_yields_to_a_written_one() {
        let before = [("a", 20000), ("b", 20001)];
        let ports = assigned(&[("a", None), ("b", Some(20000))], &[], &before).unwrap();
        assert_eq!(shown(&ports), "a=20001 b=20000");
        // Two that say they had the same: the first in load order keeps it. One out of range is forgotten.
        let odd = [("a", 20005), ("b", 20005), ("c", 80)];
        let ports = assigned(&[("a", None), ("b", None), ("c", None)], &[], &odd).unwrap();
        assert_eq!(shown(&ports), "a=20005 b=20000 c=20001");
        let phoenix = Source::new("runes/observability/phoenix/p.toml", "ui_port = 20005\n");
        let ports = assigned(&[("a", None)], &[phoenix], &odd).unwrap();
        assert_eq!(shown(&ports), "a=20000");
    }

    #[test]
    fn who_wants_the_same_port_is_told_together() {
        let error =
            assigned(&[("a", Some(8100)), ("b", Some(8100)), ("c", Some(8100))], &[], &[]).unwrap_err();
        assert!(
            error.starts_with(
                "port 8100 of the pod is wanted by Soulstone `a` and Soulstone `b` and Soulstone `c`\n  at \
                 runes/animator/soulstones/vllm/a.toml:2:8: Soulstone `a`\n  at "
            ),
            "{error}"
        );
        assert_eq!(error.matches("port 8100").count(), 1, "{error}");
    }
}
