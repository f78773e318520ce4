//! The engine: podman and systemd as they answer.

pub mod podman;
pub mod systemd;
