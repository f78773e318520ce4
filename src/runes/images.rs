//! Images of other people: each is pinned by its digest, or a tag that the policy admits.

use std::collections::BTreeMap;

use super::unit::Source;
use crate::{
    codex::Codex,
    diagnostic::{Diagnostic, Place},
    image::EngineId,
    name::{Role, image::UnitImage},
};

/// An image that is not the body's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUse {
    /// Whose it is: a service without suffix.
    pub service: String,
    /// The image.
    pub image: String,
    /// Whether it is what a tag means on the day it is fetched, as `[policy] allow-tags` admits.
    pub floating: bool,
}

/// Judges images: what is not pinned needs the policy's word.
pub(super) struct Images<'a> {
    codex: &'a Codex,
    /// The body's own besides the application's.
    further: &'a BTreeMap<Role, EngineId>,
    /// What was judged.
    pub(super) uses: Vec<ImageUse>,
    /// What is wrong with it.
    pub(super) errors: Vec<Diagnostic>,
}

impl<'a> Images<'a> {
    pub(super) const fn new(codex: &'a Codex, further: &'a BTreeMap<Role, EngineId>) -> Self {
        Self { codex, further, uses: Vec::new(), errors: Vec::new() }
    }

    /// The body's own image of a role, which is called by it.
    pub(super) fn forged(&mut self, role: &Role, place: Option<&Place>) -> Option<Source> {
        if let Some(image) = self.further.get(role) {
            return Some(Source::Loaded(image.reference()));
        }
        let message = format!("the body has no image `{role}`, which is wanted of it");
        self.errors.push(
            at(Diagnostic::new(message), place)
                .help(format!("add [tool.lychd.images.{role}] to `core/pyproject.toml` and forge again"))
                .help("or name an image of a registry instead"),
        );
        None
    }

    /// Where the container `name` has its image from. `forged:<role>` is the body's own.
    pub(super) fn source(&mut self, name: &str, image: &UnitImage, place: Option<&Place>) -> Option<Source> {
        let service = format!("{}{name}", super::PREFIX);
        let mut floating = false;
        let source = match image {
            UnitImage::Id(id) => Source::Loaded(format!("sha256:{}", id.digest())),
            UnitImage::Named(reference) if reference.repository() == FORGED => {
                let role = reference.tag().and_then(|tag| tag.parse::<Role>().ok());
                if let Some(role) = role.filter(|_| reference.digest().is_none()) {
                    return self.forged(&role, place);
                }
                let message = format!("the image `{reference}` of `{service}` is none of the body");
                let help = "write `forged:` and the name of one: of [tool.lychd.images.NAME]";
                self.errors.push(at(Diagnostic::new(message), place).help(help));
                return None;
            }
            UnitImage::Named(reference) => {
                floating = reference.digest().is_none();
                let allowed = self.codex.policy.allow_tags.contains(reference.repository());
                if floating && !allowed {
                    self.errors.push(unpinned(&service, reference.as_str(), reference.repository(), place));
                }
                if reference.host().is_none() {
                    let message = format!("the image `{reference}` of `{service}` has no registry");
                    let short = Diagnostic::new(message).help(format!(
                        "write `docker.io/…` or `localhost/…` before `{}`",
                        reference.repository()
                    ));
                    self.errors.push(at(short, place));
                }
                Source::Fetched(reference.to_string())
            }
        };
        self.uses.push(ImageUse { service, image: image.to_string(), floating });
        Some(source)
    }
}

/// What an image of the body is called by, with its role as the tag.
const FORGED: &str = "forged";

fn unpinned(service: &str, image: &str, repository: &str, place: Option<&Place>) -> Diagnostic {
    let message = format!("the image `{image}` of `{service}` is a tag, which can be another image tomorrow");
    let wrong = at(Diagnostic::new(message), place);
    wrong.help(format!(
        "pin it: `podman pull {image}`, then what `podman image inspect --format '{{{{index .RepoDigests 0}}}}' {image}` prints"
    ))
    .help(if service == "lychd-phylactery" {
        "write that as `image` under [server.database] of lychd.toml, or `forged` for the body's own"
    } else {
        "write that as `image` under [quadlet] of a rune, or where else the image is named"
    })
    .help(format!("or admit it in forge.toml: [policy] allow-tags = [\"{repository}\"]"))
}

fn at(diagnostic: Diagnostic, place: Option<&Place>) -> Diagnostic {
    match place {
        Some(place) => diagnostic.at(place.clone(), ""),
        None => diagnostic.note("nothing in the Codex sets it: it is LychD's default"),
    }
}
