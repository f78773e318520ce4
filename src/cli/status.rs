//! `status`: whether the organism is well.

use std::time::Duration;

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    host::clock::{Stopwatch, pause},
    report,
    upkeep::sight::Sight,
};

/// Tell whether the organism is well, and what mends it
///
/// What was wanted, what systemd has loaded and what podman runs are held against one another: services that are wanted
/// and do not run, images and secrets that are gone, files and units that somebody changed, ports that nobody answers
/// on. Nothing is locked or changed. Exit code 0: all is well; 1: something is not; 2: it could not be looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Look again every SECONDS, until interrupted
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", conflicts_with = "json",
          value_parser = clap::value_parser!(u64).range(1..))]
    watch: Option<u64>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    loop {
        let watch = Stopwatch::start();
        let sight = Sight::of_user(&settings.directories)?;
        let status = report::Status::of(&sight, |words| settings.command(words));
        let Some(seconds) = args.watch else {
            ui.report(&status)?;
            return Ok(if status.well { Outcome::Done } else { Outcome::Differs });
        };
        ui.redraw(&status)?;
        pause(Duration::from_secs(seconds).saturating_sub(watch.elapsed()));
    }
}
