//! What `snapshots` is asked for.

const EXAMPLES: &str = "\
Examples:
  lychd-forge snapshots                       # what is kept
  lychd-forge snapshots take                  # before something risky; nothing stops
  lychd-forge snapshots restore 3             # asks; what the databases hold now is kept first";

/// List, take and give back snapshots of the databases
///
/// A snapshot has every database of the server, written by its own tools. `rebirth` takes one before a migration
/// runs, and keeps what a failed body wrote. Each lies in snapshots/N/ of the state directory, for the user alone:
/// snapshot.json says what it is of, and N.dump is what `pg_restore` reads.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List them, the oldest first
    List,
    /// Take one; the organism goes on meanwhile
    Take,
    /// Give the databases their past back; what they hold now is kept as another snapshot
    ///
    /// It has to be of the schema that the active generation has: `rebirth --rollback` brings a past body as well.
    Restore {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
        /// Consent to the snapshot of this hash instead of being asked
        #[arg(long, value_name = "HASH")]
        confirm: Option<String>,
    },
    /// Say how the Crypt comes to lie on btrfs, where the databases are kept in an instant
    Ascension,
    /// Remove one for good
    ///
    /// Without a word it says what would be lost, and the hash of that.
    Remove {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
        /// Consent to what is lost, by its hash, instead of being asked
        #[arg(long, value_name = "HASH")]
        confirm: Option<String>,
    },
}
