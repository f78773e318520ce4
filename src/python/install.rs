//! From a `uv.lock` to the exact set of wheels one environment consists of, as uv itself would install it.
//!
//! ```text
//!   UvLock ──┬─ Target     CPython version, platform, glibc: marker values and wheel tags, all fixed
//!            ├─ Selection  root packages with extras and groups, what may be built
//!            ▼ closure     entries reached over the lock's edges, who reaches them
//!            ▼ wheel       the best wheel of each, or a source archive that may be built
//!            ▼ environment judged against the host policy: PythonEnvironment
//! ```
//!
//! Grammar, marker evaluation and tag ranking are uv's own crates; the traversal follows uv's
//! (`uv-resolver`, `Installable::to_resolution`) and is held against uv by `tests/it/uv_corpus.rs`.

mod choice;
pub mod closure;
pub mod environment;
mod reached;
pub mod selection;
pub mod target;
#[cfg(test)]
mod tests;
mod walk;
pub mod wheel;

pub use choice::FileKind;
pub use closure::closure;
pub use environment::{EnvironmentMember, EnvironmentPackage, PythonEnvironment, environment};
pub use reached::{Closure, Reached};
pub use selection::{Building, Extras, Groups, Root, Selection};
pub use target::Target;
