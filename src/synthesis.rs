//! The Synthesis: all manifests merged, locked and hashed.

mod artifact;
mod locks;
mod merge;
pub mod python;
pub mod system;
pub mod tools;
pub mod value;
pub mod workspace;

pub use artifact::{Artifact, artifacts};
pub use locks::Locks;
pub use merge::{Bring, Mode, Synthesized, Workshop, synthesize};
pub use value::Synthesis;
