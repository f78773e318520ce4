//! The forge: a Synthesis becomes a body in podman.

pub mod air_gap;
pub mod blame;
pub mod executor;
pub mod fetch;
pub mod nix;
pub mod podman;
