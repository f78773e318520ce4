//! The Synthesis: all manifests merged, locked and hashed.

pub mod arbitration;
mod artifact;
pub mod federation;
pub mod hook;
pub mod lock_names;
mod locks;
mod merge;
mod moves;
pub mod nixpkgs;
pub mod node;
pub mod python;
pub mod sources;
pub mod system;
pub mod tools;
pub mod value;
pub mod workspace;

pub use artifact::{Artifact, Bring, artifacts};
pub use locks::Locks;
pub use merge::{Mode, Synthesized, Workshop, synthesize};
pub use moves::Move;
pub use value::Synthesis;
