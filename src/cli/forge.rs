//! `forge`: from a Crypt to an image in podman.

use std::path::PathBuf;

use super::{
    lock_args::LockArgs,
    outcome::Outcome,
    settings::{Settings, absolute},
    store_args::StoreArgs,
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    engine::podman::Podman,
    forge::{self, Forging, executor::Wanted},
    name::Role,
    report,
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge forge              # build and load into podman
  lychd-forge forge --locked     # from the locks as they are, or not at all
  lychd-forge forge --update uv  # with the newest Python packages
  lychd-forge forge --no-load    # without podman; `stream` gives the archive
  lychd-forge --codex examples/codex --crypt examples/crypt forge";

/// Synthesize, transmute, fetch, build and load: from a Crypt to an image in podman
///
/// Prints the body's ID and its image's, which podman calls it by, and how to run it. The image gets two tags:
/// `custom`, which moves to the newest body, and one of its own, `b-` and 12 digits of its configuration's
/// hash. What was built is recorded in the state directory; a Synthesis that was built before is not built again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Build and record the body, but do not load it: podman is not needed
    #[arg(long)]
    no_load: bool,
    /// Use the nixpkgs in this directory instead of fetching it; it must have the pinned hash
    #[arg(long, value_name = "DIR")]
    nixpkgs: Option<PathBuf>,
    /// Machines that build, passed to Nix as it is (Nix's --builders)
    #[arg(long, value_name = "SPEC")]
    builders: Option<String>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(told) = args.lock.trial(settings, ui)? {
        return Ok(told);
    }
    let wanted = Wanted { store: args.store.store()?, builders: args.builders.clone() };
    let forging = Forging {
        executor: forge::executor(&wanted)?,
        podman: if args.no_load { None } else { Some(Podman::on_path()?) },
        nixpkgs: args.nixpkgs.as_deref().map(absolute).transpose()?,
        preparation: args.lock.preparation(settings)?,
    };
    let forged = forge::forge(forging, ui)?;
    let id = forged.body.id().short(12);
    let stream = |role: &Role| {
        let image = if *role == Role::vessel() { String::new() } else { format!(" --image {role}") };
        settings.command(&format!("stream {id}{image} | podman load"))
    };
    ui.report(&report::Forge::of(forged, stream))?;
    Ok(Outcome::Done)
}
