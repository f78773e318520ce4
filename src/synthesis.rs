//! The Synthesis: all manifests merged, locked and hashed.

pub mod value;

pub use value::Synthesis;
