//! `bodies`, and what `forge` says of the one it made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report};
use crate::{
    body::{self, BodyId, BodyImage, ExecutorKind, Listing, Store, SubstrateKind, Unreadable},
    digest::Sha256,
    name::Role,
    rebirth::standing::Standing,
};

/// The bodies that were forged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bodies --json", deny_unknown_fields)]
pub struct Bodies {
    /// Newest first.
    pub bodies: Vec<Listed>,
    /// Records that this forge cannot read.
    pub unreadable: Vec<Unreadable>,
}

/// A body in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Listed {
    /// The number of its record; `null` in one of a forge that did not count.
    pub sequence: Option<u64>,
    /// Whether its units are inscribed.
    pub active: bool,
    /// The generations that are kept of it, and lived.
    pub generations: BTreeSet<u64>,
    /// Those that did not live.
    pub fallen: BTreeSet<u64>,
    /// Whether podman has all its images; `null` where podman cannot be asked, or nothing was ever inscribed.
    pub loaded: Option<bool>,
    /// What it is.
    #[serde(flatten)]
    pub body: Body,
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Body {
    /// Its ID.
    pub body: Digest,
    /// Its images, by role.
    pub images: BTreeMap<Role, Image>,
    /// The image ID to pin, of the `vessel`: the engine's, or the configuration's digest where no engine has answered.
    pub image_id: String,
    /// Of the OCI manifest that the forge writes, of the `vessel`.
    pub manifest_digest: Digest,
    /// The own tag of the `vessel`, with its repository.
    pub reference: String,
    /// Who built it.
    pub backend: ExecutorKind,
    /// What it is built on.
    pub substrate: SubstrateKind,
    /// The synthesis id.
    pub synthesis_sha256: Sha256,
    /// How many layers the `vessel` has.
    pub layers: usize,
    /// Bytes of all its layers, uncompressed.
    pub size: u64,
    /// The executable in the store that streams the `vessel`.
    pub store_path: String,
    /// The store, when it is not the system's.
    pub nix_store: Option<PathBuf>,
}

/// What identifies an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Image {
    /// sha256 of its configuration: ours.
    pub config_digest: Digest,
    /// sha256 of the OCI manifest that the forge writes.
    pub manifest_digest: Digest,
    /// What the engine calls it; `null` when none was asked.
    pub engine_id: Option<String>,
    /// Its own tag, with its repository.
    pub reference: String,
    /// How many layers it has.
    pub layers: usize,
    /// Bytes of all its layers, uncompressed.
    pub size: u64,
}

impl Image {
    /// What it is pinned by.
    pub(super) fn found_by(&self) -> String {
        self.engine_id.clone().unwrap_or_else(|| self.config_digest.to_string())
    }

    fn of(image: &BodyImage) -> Self {
        Self {
            config_digest: Digest(image.config_digest.sha256()),
            manifest_digest: Digest(image.manifest_digest),
            engine_id: image.engine_id.as_ref().map(crate::image::EngineId::reference),
            reference: image.reference.to_string(),
            layers: image.layers,
            size: image.size,
        }
    }
}

impl Body {
    /// What is told of a body.
    #[must_use]
    pub fn of(body: &body::Body) -> Self {
        let vessel = &body.images.vessel;
        Self {
            body: Digest(body.id().sha256()),
            images: body.images.iter().map(|(role, image)| (role, Image::of(image))).collect(),
            image_id: vessel.found_by().reference(),
            manifest_digest: Digest(vessel.manifest_digest),
            reference: vessel.reference.to_string(),
            backend: body.executor,
            substrate: body.substrate,
            synthesis_sha256: body.synthesis_sha256,
            layers: vessel.layers,
            size: vessel.size,
            store_path: vessel.store_path.to_string(),
            nix_store: body.store.as_ref().and_then(Store::directory).map(ToOwned::to_owned),
        }
    }
}

impl Bodies {
    /// What is told of all records.
    #[must_use]
    pub fn of(listing: Listing, standing: &BTreeMap<BodyId, Standing>) -> Self {
        let listed = |record: &body::Record| {
            let Standing { is_active, generations, fallen, is_loaded } =
                standing.get(&record.body.id()).cloned().unwrap_or_default();
            Listed {
                sequence: record.order.sequence(),
                active: is_active,
                generations,
                fallen,
                loaded: is_loaded,
                body: Body::of(&record.body),
            }
        };
        Self { bodies: listing.records.iter().map(listed).collect(), unreadable: listing.unreadable }
    }
}

impl Listed {
    /// What is said of how it stands.
    fn stands(&self) -> String {
        let of =
            |word: &str, all: &BTreeSet<u64>| (!all.is_empty()).then(|| format!("{word} {}", spans(all)));
        let active = self.active.then(|| "active".to_owned());
        let lived =
            of(if self.generations.len() > 1 { "generations" } else { "generation" }, &self.generations);
        let fallen = of("did not live as", &self.fallen);
        let gone = (self.loaded == Some(false)).then(|| "not in podman".to_owned());
        active.into_iter().chain(lived).chain(fallen).chain(gone).collect::<Vec<_>>().join("; ")
    }
}

/// Numbers as people write them: `1, 3-5`.
pub(super) fn spans(numbers: &BTreeSet<u64>) -> String {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match spans.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => spans.push((number, number)),
        }
    }
    let shown = spans.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

impl Report for Bodies {
    fn write(&self, page: &mut Page) {
        if self.bodies.is_empty() && self.unreadable.is_empty() {
            page.remark("No body was forged yet: `lychd-forge forge` makes one.");
            return;
        }
        let references = self.bodies.iter().map(|listed| listed.body.reference.len());
        let width = references.max().unwrap_or_default().max("REFERENCE".len());
        page.line(format!("BODY          IMAGE ID      LAYERS        SIZE  {:<width$}  STANDS", "REFERENCE"));
        for listed @ Listed { body, .. } in &self.bodies {
            let image_id: String = body.image_id.trim_start_matches("sha256:").chars().take(12).collect();
            let (id, size) = (body.body.0.short(12), HumanBytes(body.size).to_string());
            let stands = listed.stands();
            let line = format!(
                "{id}  {image_id:<12}  {:>6}  {size:>10}  {:<width$}  {stands}",
                body.layers, body.reference
            );
            page.line(line.trim_end());
            for (_, image) in body.images.iter().filter(|(role, _)| **role != Role::vessel()) {
                let found_by = image.found_by();
                let id: String = found_by.trim_start_matches("sha256:").chars().take(12).collect();
                let size = HumanBytes(image.size).to_string();
                page.line(format!(
                    "{:12}  {id:<12}  {:>6}  {size:>10}  {}",
                    "", image.layers, image.reference
                ));
            }
        }
        for unreadable in &self.unreadable {
            page.field("unreadable", unreadable.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_span() {
        for (numbers, want) in [
            ([1, 3, 5].as_slice(), "1, 3, 5"),
            (&[1, 2, 4], "1, 2, 4"),
            (&[1, 3, 4, 5, 9], "1, 3-5, 9"),
            (&[u64::MAX], "18446744073709551615"),
        ] {
            assert_eq!(spans(&numbers.iter().copied().collect()), want);
        }
    }
}
