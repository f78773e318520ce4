//! What `rebirth` is asked for.

const EXAMPLES: &str = "\
Examples:
  lychd-forge rebirth --dry-run            # what would change with the newest body
  lychd-forge rebirth                      # asks, then brings it to life
  lychd-forge rebirth --confirm 1f0c7a…    # without a terminal: the hash that --dry-run prints
  lychd-forge rebirth --rollback           # back to the last generation that lived before this one
  lychd-forge rebirth --rollback 41        # back to that one";

/// Bring another body to life, on a human's word; it comes back by itself where the new one does not live
///
/// What changes is shown first: rights, packages, units, what becomes of the database. The word is the first twelve
/// digits of the candidate's hash; where a past comes back, of one that covers that as well. Then the application stops;
/// where the new body has a migration, the databases are kept; the new units are inscribed, and the application starts
/// and is watched: that it is well, answers behind its port, and goes on in one run. Where it does not, units, databases
/// and the Codex come back as they were, and the exit code is 1.
///
/// --rollback goes to a generation that is kept, with its Codex and the databases as that generation left them.
/// Nothing is overwritten that is not kept as a snapshot: see `snapshots`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the command line")]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The body: `newest`, `active`, or its ID or that of its image, or the first digits of one (six at least)
    #[arg(value_name = "BODY", default_value = "newest", conflicts_with = "rollback")]
    pub(super) body: String,
    /// Go back to a generation that is kept [default: the last that lived before the active one]
    #[arg(long, value_name = "N", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the option stands with a number, without one, or not at all")]
    pub(super) rollback: Option<Option<u64>>,
    /// Show what would change and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Show every change of a unit as a unified diff
    #[arg(long)]
    pub(super) diff: bool,
    /// Consent to the candidate of this hash, or of these first digits of it (twelve at least), instead of being asked
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    pub(super) confirm: Option<String>,
    /// Seconds for which the new application is watched
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(super) watch: u32,
    /// Seconds until it must have begun: migrations come before it
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub(super) start: u32,
    /// Leave the databases to it as they are: none is kept, none gets its past, and nothing brings them back
    #[arg(long)]
    pub(super) no_snapshot: bool,
    /// Only finish or take back a rebirth that was cut short
    #[arg(long, conflicts_with_all = ["dry_run", "rollback", "confirm", "diff"])]
    pub(super) recover: bool,
}

impl Args {
    /// The words that show the same again.
    pub(super) fn dry_run_again(&self) -> String {
        let target = match self.rollback {
            Some(Some(number)) => format!("--rollback {number}"),
            Some(None) => "--rollback".to_owned(),
            None => self.body.clone(),
        };
        let unkept = if self.no_snapshot { " --no-snapshot" } else { "" };
        format!("rebirth {target}{unkept} --dry-run")
    }
}
