//! `stream`: the archive of a body.

use std::path::PathBuf;

use super::{
    outcome::Outcome,
    settings::{Settings, absolute},
    ui::{self, Ui},
};
use crate::{
    body::{Bodies, Store},
    diagnostic::{Diagnostic, Failure},
    forge::archive::Archive,
    name::Role,
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge stream newest | podman load
  lychd-forge stream newest --image database | podman load
  lychd-forge stream 2fd2e5f06975 > body.tar";

/// Write the image archive of a body to standard output, for `podman load` or `skopeo`
///
/// It is made from the body's record and the store that holds its layers: Nix is not needed. Who loads it gets
/// both tags, `custom` and the image's own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// `newest`, or the ID of a body or of its image: all of it, or its first digits (six at least)
    body: String,
    /// Which image of the body, where it has several: `vessel` is the application's
    #[arg(long, value_name = "ROLE")]
    image: Option<Role>,
    /// Take the layers from the Nix store below this directory instead of the one that the body was built in
    #[arg(long, value_name = "DIR")]
    nix_store: Option<PathBuf>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if ui::stdout_is_terminal() {
        return Err(Failure::unable(
            Diagnostic::new("the archive would go to the terminal")
                .help("redirect it: `lychd-forge stream newest | podman load`"),
        ));
    }
    let listing = Bodies::of_state(&settings.directories.state).list()?;
    listing.note_unreadable(ui);
    let (record, role) = listing.find_image(&args.body, args.image.as_ref())?;
    let store = args.nix_store.as_deref().map(absolute).transpose()?.map(Store::Below);
    let archive = Archive::of(record, &role, store, &settings.directories.layers(), ui)?;
    ui.finish();
    archive.write(&mut std::io::stdout().lock())?;
    Ok(Outcome::Done)
}
