//! From rendered units to inscribed ones: the plan, and the checks before anything is activated.

pub mod activation;
pub mod bind;
pub mod candidate;
pub mod changes;
pub mod claims;
pub mod consents;
pub mod drop_ins;
mod entries;
pub mod facts;
pub mod generation;
pub mod ground;
pub mod host;
pub mod inscription;
pub mod journal;
pub mod judge;
pub mod loaded;
pub mod lost;
pub mod lychds;
pub mod manifest;
mod owners;
pub mod places;
pub mod plan;
pub mod preflight;
mod proposal;
pub mod search;
pub mod set;
pub mod settle;
pub mod shadowing;
pub mod site;
pub mod staged;
pub mod validator;

pub use proposal::{Proposal, Wanted, propose};
