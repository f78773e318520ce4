//! From rendered units to inscribed ones: the plan, and the checks before anything is activated.

pub mod candidate;
pub mod changes;
pub mod claims;
pub mod drop_ins;
mod entries;
pub mod host;
pub mod judge;
mod owners;
pub mod places;
pub mod plan;
mod proposal;
pub mod search;
pub mod shadowing;
pub mod site;
pub mod validator;

pub use proposal::{Proposal, Wanted, propose};
