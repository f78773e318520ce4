//! Typed readers of lock files: a wire type each, then a domain type that cannot be wrong. Foreign locks are read
//! tolerantly where their own tool is tolerant, strictly where trust begins.

pub mod debian;
pub mod npm;
pub mod uv;
