//! The families of runes: a row each, and what sets a family apart in a file of its own.
//!
//! A new family of Soulstones is a file here that begins with [`StoneFamily::PLAIN`], and its row in [`ALL`]. Its
//! `launch` lowers the family's fields to the values that all families have, so nothing behind the Codex knows it. An
//! extension of LychD that is new with it is named in [`Builtin`].

mod exllamav3;
mod gemini;
mod generic;
mod llamacpp;
mod openai;
mod passthrough;
mod preauth;
mod sglang;
mod simulation;
mod vllm;

use super::{portal::PortalFamily, stone_family::StoneFamily};
use crate::{
    codex::selection::Builtin,
    diagnostic::{Diagnostic, Source},
    document::Table,
};

/// A rune family: one schema, one directory.
pub(super) struct Family {
    /// Its directory below `runes/`.
    pub(super) anchor: &'static str,
    /// LychD's built-in extension that brings it; `None` for what the core reads always.
    pub(super) builtin: Option<Builtin>,
    /// What its runes become.
    pub(super) kind: Kind,
}

/// What the runes of a family become.
pub(super) enum Kind {
    /// Local containers that serve models.
    Soulstone(&'static StoneFamily),
    /// Remote providers.
    Portal(&'static PortalFamily),
    /// The tracing UI.
    Phoenix,
    /// Nothing: LychD reads them at run time, and here they are judged.
    Judged(fn(&Source, &Table, &mut Vec<Diagnostic>)),
}

impl Family {
    const fn new(anchor: &'static str, builtin: Option<Builtin>, kind: Kind) -> Self {
        Self { anchor, builtin, kind }
    }

    /// The family's own name: the last part of its directory.
    pub(super) fn name(&self) -> &'static str {
        self.anchor.rsplit('/').next().unwrap_or_default()
    }
}

/// All of them, in the order in which LychD reads those of one extension.
pub(super) static ALL: [Family; 10] = [
    Family::new("animator/soulstones/generic", Some(Builtin::Animator), Kind::Soulstone(&generic::STONE)),
    Family::new("animator/soulstones/llamacpp", Some(Builtin::Llamacpp), Kind::Soulstone(&llamacpp::STONE)),
    Family::new("animator/soulstones/vllm", Some(Builtin::Vllm), Kind::Soulstone(&vllm::STONE)),
    Family::new("animator/soulstones/sglang", Some(Builtin::Sglang), Kind::Soulstone(&sglang::STONE)),
    Family::new(
        "animator/soulstones/exllamav3",
        Some(Builtin::Exllamav3),
        Kind::Soulstone(&exllamav3::STONE),
    ),
    Family::new("animator/portals/openai", Some(Builtin::Animator), Kind::Portal(&openai::PORTAL)),
    Family::new("animator/portals/google-gemini", Some(Builtin::Animator), Kind::Portal(&gemini::PORTAL)),
    Family::new("observability/phoenix", Some(Builtin::Phoenix), Kind::Phoenix),
    Family::new("codex/preauth", None, Kind::Judged(preauth::judge)),
    Family::new("simulation", Some(Builtin::Simulation), Kind::Judged(simulation::judge)),
];
