//! What `secrets` is asked for.

use crate::name::SecretName;

const EXAMPLES: &str = "\
Examples:
  lychd-forge secrets                                  # which are asked for, and which are missing
  lychd-forge secrets set lychd_app_secret_key --random
  lychd-forge secrets set openai_api_key               # asks for it, unseen
  pass show openai | lychd-forge secrets set openai_api_key
  lychd-forge secrets rotate lychd_db_password         # in the database too";

/// List, set and change the secrets that services ask for
///
/// Podman keeps them. What a secret holds is read from a terminal, unseen, or from standard input, or is made by chance; it
/// is never shown, and stands in no file, log, environment or command line of the forge's. A service has what a secret was
/// when its container was made: who has to be started again is said.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List those that what is inscribed or staged asks for; exit code 1 when podman lacks one
    List,
    /// Give podman a secret, or another value for one
    Set {
        /// Its name
        #[arg(value_name = "NAME")]
        name: SecretName,
        /// Make the value by chance: 43 letters, digits, `-` and `_`
        #[arg(long)]
        random: bool,
    },
    /// Give the database another password, made by chance: in the database, with podman and for those who use it
    ///
    /// Those who use it are started again. Whoever is cut short calls it again: until all of it is done, the next password is
    /// podman's secret NAME.next.
    Rotate {
        /// The name of the secret
        #[arg(value_name = "NAME")]
        name: SecretName,
    },
}
