//! The Synthesis: all manifests merged, locked and hashed.

pub mod arbitration;
mod artifacts;
pub mod federation;
mod locks;
mod merge;
pub mod nixpkgs;
pub mod value;

pub use artifacts::{artifacts, tool_downloads};
pub use locks::Locks;
pub use merge::{Synthesized, synthesize};
pub use value::Synthesis;
