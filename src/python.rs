//! Python: uv's lock, what of it is installed, what is built from source, and the workspace it is locked in.

pub mod install;
pub mod lock;
mod plan;
pub mod record;
mod sizes;
pub mod sources;
pub mod workspace;

pub use plan::{Plan, plan};
pub use record::{BuildBackend, BuildEnvironment, PythonPackage, SourceBuild};
pub use sizes::sized;
