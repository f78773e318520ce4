//! From rendered units to inscribed ones: the plan, and the checks before anything is activated.

pub mod candidate;
pub mod drop_ins;
pub mod host;
pub mod judge;
mod owners;
pub mod places;
pub mod plan;
mod proposal;
pub mod shadowing;
pub mod site;
pub mod validator;

pub use proposal::{Proposal, Wanted, propose};
