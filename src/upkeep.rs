//! What an operator lives with: whether the organism is well, what its host lacks, what can go.

pub mod advisories;
pub mod doctor;
pub mod gc;
pub mod host_facts;
pub mod life;
pub mod secrets;
pub mod sight;
pub mod status;
pub mod unbind;
