//! From rendered units to inscribed ones: the checks before anything is activated.

pub mod clashes;
pub mod validator;
