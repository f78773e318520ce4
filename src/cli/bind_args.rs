//! What `bind` is asked for.

use crate::runes::{podman::PodmanVersion, systemd::SystemdVersion};

const EXAMPLES: &str = "\
Examples:
  lychd-forge bind --dry-run                    # the plan for the newest body
  lychd-forge bind --dry-run --diff             # every line that would change
  lychd-forge bind --first                      # the first body: asks, inscribes its units and starts them
  lychd-forge bind --body active --restart      # after a change of the Codex
  lychd-forge bind --first --confirm 1f0c7a…    # without a terminal: the hash that --dry-run prints
  lychd-forge bind --dry-run --podman 5.3       # as an older podman would get it";

/// Inscribe the units of the active body, or stage those of another
///
/// One pod with all containers: the application of the body, its migration, the database, the Soulstones
/// and portals of the Codex (runes/) and the runes that members bring. The units are judged by podman's own
/// generator and by systemd before anything is written, and held against what systemd then loaded: else all is
/// put back. Every image is pinned, every container hardened; what a rune may do beyond that stands in the plan,
/// and where it becomes more, a human is asked.
///
/// systemd runs what is inscribed, after a crash or a boot without anybody's word. So only the active body's units
/// are inscribed; those of any other are staged where systemd does not find them. --first activates the first body;
/// `rebirth` brings another one to life, and `unbind` takes all of it away.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the command line")]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Show the plan and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// With --dry-run: show every change as a unified diff
    #[arg(long, requires = "dry_run")]
    pub(super) diff: bool,
    /// The body: `newest`, `active`, or its ID or that of its image, or the first digits of one (six at least) [default: newest; with --first the one that was inscribed last, where one was]
    #[arg(long, value_name = "ID")]
    pub(super) body: Option<String>,
    /// Activate the first body: inscribe its units and start them
    #[arg(long)]
    pub(super) first: bool,
    /// Consent to the candidate of this hash, or of these first digits of it (twelve at least), instead of being asked
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    pub(super) confirm: Option<String>,
    /// Take the place of the units that LychD's own `lychd bind` wrote: they are kept aside
    #[arg(long, conflicts_with = "first")]
    pub(super) adopt: bool,
    /// Give the place back to the units that were taken over; nothing of the forge's is inscribed then
    #[arg(long, conflicts_with_all = ["dry_run", "body", "first", "adopt", "confirm", "restart", "recover"])]
    pub(super) release: bool,
    /// Start what is new and restart what changed
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) restart: bool,
    /// Only finish or undo an inscription that was cut short
    #[arg(long, conflicts_with_all = ["dry_run", "body", "first", "confirm", "restart"])]
    pub(super) recover: bool,
    /// With --dry-run: the podman to write for, such as 5.3 [default: this host's, or Debian 13's where that is older]
    #[arg(long, value_name = "VERSION", requires = "dry_run")]
    pub(super) podman: Option<PodmanVersion>,
    /// With --dry-run: the systemd to write for, such as 257 [default: this host's, or Debian 13's where that is older than 252]
    #[arg(long, value_name = "NUMBER", requires = "dry_run")]
    pub(super) systemd: Option<SystemdVersion>,
}
