//! `SGLang`.

use super::passthrough;
use crate::codex::runes::{
    soulstone::StoneHealth,
    stone_family::{StoneFamily, StoneImage},
};

pub(super) const STONE: StoneFamily = StoneFamily {
    // The registry is what podman's short name means; without it the generator warns.
    image: StoneImage::Default("docker.io/lmsysorg/sglang:latest"),
    shared_memory: 8 << 30,
    health: Some(StoneHealth::Python("/health")),
    launch: passthrough::launch,
    ..StoneFamily::PLAIN
};
