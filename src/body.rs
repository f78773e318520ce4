//! Bodies as they are kept: what was forged, from what, and the evidence for it.
//!
//! A body is a set of images by role. Its ID is the hash of what it is: the configurations of its images and what of
//! its members shapes the units. An image has two identities: [`crate::image::ConfigDigest`], which is ours, and
//! [`crate::image::EngineId`], which an engine answers.

mod compare;
mod contents;
mod evidence;
mod id;
mod images;
mod record;
mod store;
mod wire;

pub use compare::{Changed, ChangedImage, Comparison, compare};
pub use contents::{BuiltImage, Contents, Part, Parts, Version};
pub use evidence::{Evidence, ImageEvidence, Kept};
pub use id::BodyId;
pub use images::Images;
pub use record::{Body, BodyImage, ExecutorKind, Order, Record, Store, SubstrateKind};
pub use store::{Bodies, Listing, NoBody, Unreadable};
pub use wire::{SCHEMA, Written};
