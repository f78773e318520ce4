//! What images promise to run: the application's, and further ones.

pub(super) mod core_image;
pub(super) mod further;
pub mod preset;

mod contract;
mod keys;

pub use self::{
    contract::{Health, ImageContract, User},
    core_image::{CoreImage, LYCHD_MIGRATES, Port},
    further::FurtherImage,
};
