//! From rendered units to inscribed ones: the plan, and the checks before anything is activated.

pub mod alterations;
pub mod clashes;
pub mod plan;
pub mod site;
pub mod validator;
