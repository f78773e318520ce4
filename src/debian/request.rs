//! What is to be resolved.

use super::lock::DebianLock;
#[cfg(doc)]
use super::{essential, roots};
use crate::{
    diagnostic::{Diagnostic, Place},
    name::{DebianName, MemberId, Platform, Role, debian::Suite},
};

/// A system package somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// What was asked for; may be virtual.
    pub name: DebianName,
    /// Who asked; `None` is the substrate itself.
    pub requested_by: Option<MemberId>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// Says who asked for what a diagnostic is about, and where.
pub(super) fn asked_by(mut diagnostic: Diagnostic, roots: &[&Root]) -> Diagnostic {
    for root in roots {
        if let Some(place) = &root.place {
            diagnostic = diagnostic.at(place.clone(), "asked for here");
        }
        if let Some(member) = &root.requested_by {
            diagnostic = diagnostic.requested_by(member.as_str());
        }
    }
    if roots.iter().all(|root| root.requested_by.is_none()) {
        diagnostic = diagnostic.requested_by("the substrate");
    }
    diagnostic
}

/// What an image has that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// There is no image: the tools of the build alone are wanted.
    None,
    /// [`roots::BASE`].
    Small,
    /// Besides that the Essential packages ([`essential::ESSENTIAL`]), as on every Debian.
    Essential,
}

/// What is to be resolved. The substrate's own roots ([`roots`]) that it asks for come on top of `roots`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a purpose of its own")]
pub struct Request<'a> {
    /// For which platform.
    pub platform: Platform,
    /// Over which suites, in the configured order.
    pub suites: &'a [Suite],
    /// Python series, e.g. `3.13`; `None` when no Python is wanted.
    pub python: Option<&'a str>,
    /// What the members asked for.
    pub roots: &'a [Root],
    /// What an image that is made of them has besides.
    pub base: Base,
    /// Images besides the application's, each with what was asked for it. They have the base as well.
    pub further: &'a [(Role, Vec<Root>)],
    /// Whether locales are made for it, by [`roots::LOCALES`].
    pub locales: bool,
    /// The pins so far, of all platforms.
    pub lock: Option<&'a DebianLock>,
    /// Whether to take the newest versions whatever the pins say (`--update system`).
    pub update: bool,
    /// Whether something is compiled, so that the compiler is wanted beside the image.
    pub compiler: bool,
    /// Whether the maintainer scripts of the image's packages run, so that what they run in is wanted beside the image;
    /// never where there is no image.
    pub configure: bool,
}
