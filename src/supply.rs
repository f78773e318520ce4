//! Supply: every byte from outside, from mirrors in order or from a folder, checked against its hash.

pub mod air_gap;
pub mod downloads;
pub mod outside;
pub mod seed;
pub mod store;
