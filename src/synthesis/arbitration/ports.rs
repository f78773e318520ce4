//! Ports. All containers run in one pod and share its ports; a few ports are published on the host besides.

use std::collections::BTreeMap;

use super::{Rune, asked_by};
use crate::{
    codex::{Codex, document},
    crypt::{Federation, Manifest},
    diagnostic::{Diagnostic, Place},
    name::MemberId,
};

/// The builtin that runs Phoenix, and the ports Phoenix has in the pod: its pages, and what telemetry is sent to.
const PHOENIX: (&str, [u16; 2]) = ("observability/phoenix", [6006, 4317]);
/// The database's port in the pod, whatever it is on the host.
const DATABASE: u16 = 5432;

/// Who wants a port.
struct Claim<'a> {
    what: String,
    /// `None`: LychD itself.
    member: Option<&'a MemberId>,
    place: Option<Place>,
}

type Claims<'a> = BTreeMap<u16, Vec<Claim<'a>>>;

/// Ports that more than one container wants, when a member can do something about it.
pub(super) fn collisions(codex: &Codex, federation: &Federation, runes: &[Rune<'_>]) -> Vec<Diagnostic> {
    let (mut pod, mut host) = (Claims::new(), Claims::new());
    let own = |what: &str, place: Option<Place>| Claim { what: what.to_owned(), member: None, place };
    if let Some(core) = federation.core()
        && let Some(image) = &core.manifest.lychd.image
    {
        for port in image.ports() {
            let place = image_port(&core.manifest);
            let claim = Claim { what: "the image's own port".to_owned(), member: Some(&core.id), place };
            pod.entry(port).or_default().push(claim);
        }
    }
    pod.entry(DATABASE).or_default().push(own("LychD's database", None));
    if let Some(phoenix) = codex.extensions.builtins.iter().find(|id| id.value.as_str() == PHOENIX.0) {
        for port in PHOENIX.1 {
            pod.entry(port).or_default().push(own("LychD's Phoenix", Some(phoenix.place.clone())));
        }
    }
    let ports = &codex.ports;
    host.entry(ports.web.port).or_default().push(own("LychD's web server", ports.web.place.clone()));
    let database = own("LychD's database", ports.database.place.clone());
    host.entry(ports.database.port).or_default().push(database);
    for Rune { member, definition } in runes {
        let Some(port) = &definition.port else { continue };
        let claim = || Claim {
            what: format!("rune `{}` of `{member}`", definition.name.value),
            member: Some(member),
            place: Some(port.place.clone()),
        };
        pod.entry(port.value).or_default().push(claim());
        if definition.expose_port {
            host.entry(port.value).or_default().push(claim());
        }
    }
    let mut wrong = Vec::new();
    for (port, claims) in &pod {
        wrong.extend(collision(*port, "the pod", claims));
    }
    for (port, claims) in &host {
        // Runes that meet on the host meet in the pod as well, and so does the database at its own port.
        let told = pod
            .get(port)
            .is_some_and(|pod| claims.iter().all(|one| pod.iter().any(|two| one.what == two.what)));
        if !told {
            wrong.extend(collision(*port, "the host", claims));
        }
    }
    wrong
}

fn collision(port: u16, of: &str, claims: &[Claim<'_>]) -> Option<Diagnostic> {
    if claims.len() < 2 || claims.iter().all(|claim| claim.member.is_none()) {
        return None;
    }
    let who: Vec<&str> = claims.iter().map(|claim| claim.what.as_str()).collect();
    let mut diagnostic = Diagnostic::new(format!("port {port} of {of} is wanted by {}", who.join(" and ")));
    for claim in claims {
        if let Some(place) = &claim.place {
            diagnostic = diagnostic.at(place.clone(), claim.what.clone());
        }
    }
    let diagnostic = asked_by(diagnostic, claims.iter().filter_map(|claim| claim.member));
    Some(diagnostic.help("all containers share one pod: give one of them another port"))
}

/// Where the core says its port, or that there is an image at all.
fn image_port(manifest: &Manifest) -> Option<Place> {
    let table = document::parse(&manifest.source).ok()?;
    let image = table.table("tool")?.table("lychd")?.table("image")?;
    let health = image.field("health")?;
    let port = health.node.as_table().and_then(|health| health.get("port"));
    Some(port.map_or_else(|| health.key.clone(), |port| port.place.clone()))
}
