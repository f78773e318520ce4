//! Container images of runes.

use std::collections::{BTreeMap, BTreeSet};

use super::told::asked_by;
use crate::{crypt::rune::ImageReference, diagnostic::Diagnostic, digest::Sha256, runes::MemberRune};

/// Container images that are pinned to two digests. Two references are to one image when their repositories are
/// equal and their tags do not tell them apart.
pub(super) fn pinned_twice(runes: &[MemberRune]) -> Vec<Diagnostic> {
    let mut repositories: BTreeMap<String, Vec<&MemberRune>> = BTreeMap::new();
    for rune in runes.iter().filter(|rune| image(rune).digest().is_some()) {
        repositories.entry(whole(image(rune))).or_default().push(rune);
    }
    let mut wrong = Vec::new();
    for (repository, runes) in repositories {
        let tagged: BTreeSet<Option<&str>> = runes.iter().map(|rune| image(rune).tag()).collect();
        let untagged = |rune: &&&MemberRune| image(rune).tag().is_none();
        let unsure = digests(runes.iter().filter(untagged).copied());
        if unsure.len() > 1 || !unsure.is_empty() && digests(runes.iter().copied()).len() > 1 {
            wrong.push(two_digests(&repository, &runes));
            continue;
        }
        for tag in tagged {
            let same: Vec<&MemberRune> =
                runes.iter().filter(|rune| image(rune).tag() == tag).copied().collect();
            if digests(same.iter().copied()).len() > 1 {
                let name = tag.map_or_else(|| repository.clone(), |tag| format!("{repository}:{tag}"));
                wrong.push(two_digests(&name, &same));
            }
        }
    }
    wrong
}

fn image(rune: &MemberRune) -> &ImageReference {
    &rune.definition.image.value
}

fn digests<'a>(runes: impl Iterator<Item = &'a MemberRune>) -> BTreeSet<Sha256> {
    runes.filter_map(|rune| image(rune).digest()).collect()
}

/// The repository with the host that podman and docker mean when there is none.
fn whole(image: &ImageReference) -> String {
    match (image.host(), image.path()) {
        (None | Some("docker.io"), path) if !path.contains('/') => format!("docker.io/library/{path}"),
        (host, path) => format!("{}/{path}", host.unwrap_or("docker.io")),
    }
}

fn two_digests(name: &str, runes: &[&MemberRune]) -> Diagnostic {
    let at = |diagnostic: Diagnostic, rune: &&MemberRune| {
        let label = format!("rune `{}` of `{}`", rune.definition.name.value, rune.member);
        diagnostic.at(rune.definition.image.place.clone(), label)
    };
    let message = format!("the container image `{name}` is pinned to more than one digest");
    let diagnostic = runes.iter().fold(Diagnostic::new(message), at);
    asked_by(diagnostic, runes.iter().map(|rune| &rune.member))
        .help("pin all to one digest, or tell them apart by their tags")
}
