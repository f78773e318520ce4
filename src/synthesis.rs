//! The Synthesis: all manifests merged, locked and hashed.

pub mod arbitration;
mod artifact;
pub mod change;
pub mod federation;
pub mod hook;
pub mod lock_names;
mod locked;
mod locks;
mod merge;
pub mod nixpkgs;
pub mod node;
pub mod python;
pub mod sources;
pub mod system;
pub mod tools;
pub mod value;
pub mod workspace;

pub use artifact::{Artifact, Bring, artifacts};
pub use change::Change;
pub use locks::Locks;
pub use merge::{Mode, Synthesized, Workshop, synthesize};
pub use value::Synthesis;
