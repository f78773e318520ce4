//! `bind`: the units of a body. For now the plan alone.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    binding::{self, Wanted},
    diagnostic::{Diagnostic, Failure, Fault},
    report,
    runes::{podman::PodmanVersion, systemd::SystemdVersion},
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge bind --dry-run                    # the plan for the newest body
  lychd-forge bind --dry-run --diff             # every line that would change
  lychd-forge bind --dry-run --body 2fd2e5f0 --json
  lychd-forge bind --dry-run --podman 5.3       # as an older podman would get it";

/// Render the units of a body and show what inscribing them would change
///
/// One pod with all containers: the application of the body, its migration, the database, the Soulstones
/// and portals of the Codex (runes/) and the runes that members bring. The units are judged by podman's own
/// generator and by systemd before anything is shown. Every image is pinned, every container hardened; what
/// a rune may do beyond that stands in the plan. For now only --dry-run works: nothing is ever written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Show the plan and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Show every change as a unified diff
    #[arg(long, requires = "dry_run")]
    diff: bool,
    /// The body: `newest`, or its ID or that of its image, or the first digits of one (six at least) [default: newest]
    #[arg(long, value_name = "ID")]
    body: Option<String>,
    /// The podman to write for, such as 5.3 [default: this host's, or Debian 13's where that is older]
    #[arg(long, value_name = "VERSION")]
    podman: Option<PodmanVersion>,
    /// The systemd to write for, such as 257 [default: this host's, or Debian 13's where that is older than 252]
    #[arg(long, value_name = "NUMBER")]
    systemd: Option<SystemdVersion>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if !args.dry_run {
        return Err(Failure::unable(
            Diagnostic::new("inscription is not built yet: `bind` can only show its plan")
                .of_kind(Fault::Usage)
                .help("lychd-forge bind --dry-run"),
        ));
    }
    let wanted =
        Wanted { body: args.body.as_deref().unwrap_or("newest"), podman: args.podman, systemd: args.systemd };
    let proposal = binding::propose(&settings.directories, settings.network, wanted, ui)?;
    ui.report(&report::Bind::dry_run(&proposal, args.diff))?;
    Ok(Outcome::Done)
}
