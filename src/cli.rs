//! The command line: the table of verbs here, one file a verb below.

mod bind;
mod bind_args;
mod bodies;
mod command_line;
mod completions;
mod consent;
mod doctor;
mod fetch;
mod forge;
mod gc;
mod global;
mod init;
mod lock_args;
mod man;
mod outcome;
mod outdated;
mod rebirth;
mod rebirth_args;
mod secrets;
mod secrets_args;
mod settings;
mod snapshots;
mod snapshots_args;
mod status;
mod store_args;
mod stream;
mod synthesize;
mod transmute;
mod trial;
mod ui;
mod unbind;
mod word;

use std::process::ExitCode;

use clap::{Command, CommandFactory as _, Parser, Subcommand};

use crate::{diagnostic::Failure, host::environment};
use global::Global;
use outcome::Outcome;
use settings::Settings;
use ui::Ui;

/// Merges the manifests of a living application into one proven container image for podman
///
/// The Codex holds the configuration (forge.toml), the Crypt the sources (core/ and extensions/) and the
/// locks (synthesis/). The forge merges all manifests into one locked, hashed Synthesis, writes that as a
/// Nix flake, builds a layered image from the flake and loads it into podman. The same Synthesis gives
/// the same image, to the byte. `lychd-forge forge` does it all; the other verbs are its steps.
#[derive(Debug, Parser)]
#[command(
    name = "lychd-forge",
    bin_name = "lychd-forge",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_long_help = EXIT_CODES
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused (say, manifests that disagree) or different (--check)
  2  could not run (say, wrong usage, no network, a missing program)

Environment:
  XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME  move those directories
  XDG_CACHE_HOME  holds lychd-forge/: downloads and tools, safe to delete
  SSL_CERT_FILE   certificates to trust instead of the system's
  NO_COLOR        no colour

Start with:
  lychd-forge init     # writes a Codex and a Crypt
  lychd-forge forge    # makes the first body of them";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a Codex and a Crypt to start from
    ///
    /// The core it writes is a small web application that forges as it is. Nothing that exists is
    /// overwritten.
    Init,
    #[command(visible_alias = "lock")]
    Synthesize(synthesize::Args),
    /// Tell which pins would move with `--update`, and write nothing
    ///
    /// The same as `synthesize --update --dry-run`: Python, npm and Debian packages, and where the repositories of the
    /// federation are. Exit code 1 when something would move.
    Outdated,
    Fetch(fetch::Args),
    #[command(visible_alias = "emit")]
    Transmute(transmute::Args),
    #[command(visible_alias = "build")]
    Forge(forge::Args),
    Stream(stream::Args),
    Bind(bind::Args),
    Rebirth(rebirth::Args),
    Snapshots(snapshots::Args),
    Status(status::Args),
    /// Tell what this host lacks, and what mends it
    ///
    /// Nix, podman, namespaces, IDs, networks, the user's systemd, control groups, devices that runes ask for, disks, and
    /// versions that advisories name. Nothing is changed. Exit code 1 when something is lacking.
    Doctor,
    Secrets(secrets::Args),
    Gc(gc::Args),
    /// Stop what is inscribed and take its units away
    ///
    /// Units, links, containers and the files that those read go; LychD's own units come back where they were taken over.
    /// Databases, snapshots, secrets, images, the Codex and the Crypt stay, and it is said where: `bind --first` brings it
    /// all back.
    Unbind,
    /// List the bodies that were forged, newest first
    Bodies,
    Completions(completions::Args),
    Man(man::Args),
}

impl Verb {
    /// Whether standard output is something else than a result: an archive, a script, a manual.
    fn is_data(&self) -> bool {
        match self {
            Self::Stream(_) | Self::Completions(_) => true,
            Self::Man(args) => args.is_data(),
            _ => false,
        }
    }
}

/// The whole command line: verbs, options and help.
#[must_use]
pub fn command() -> Command {
    Cli::command()
}

/// Parses the arguments and runs the verb.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let ui = Ui::new(&cli.global);
    match run(&cli, &ui) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            ui.failure(&failure, cli.verb.is_data());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The answer to a command line that cannot be parsed, or that asks for help or the version.
fn misused(error: &clap::Error) -> ExitCode {
    let given = |word: &str| environment::arguments().any(|argument| argument == word);
    // What reads the output of these must not take a message for data.
    let is_data = given("stream") || given("completions");
    if error.use_stderr() && given("--json") && !is_data {
        ui::usage_as_json(error);
    }
    // Where nobody can be told, the exit code still tells.
    drop(error.print());
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run(cli: &Cli, ui: &Ui) -> Result<Outcome, Failure> {
    let settings = || Settings::resolve(&cli.global);
    match &cli.verb {
        Verb::Init => init::run(&settings()?, ui),
        Verb::Synthesize(args) => synthesize::run(args, &settings()?, ui),
        Verb::Outdated => outdated::run(&settings()?, ui),
        Verb::Fetch(args) => fetch::run(args, &settings()?, ui),
        Verb::Transmute(args) => transmute::run(args, &settings()?, ui),
        Verb::Forge(args) => forge::run(args, &settings()?, ui),
        Verb::Stream(args) => stream::run(args, &settings()?, ui),
        Verb::Bind(args) => bind::run(args, &settings()?, ui),
        Verb::Rebirth(args) => rebirth::run(args, &settings()?, ui),
        Verb::Snapshots(args) => snapshots::run(args, &settings()?, ui),
        Verb::Status(args) => status::run(args, &settings()?, ui),
        Verb::Doctor => doctor::run(&settings()?, ui),
        Verb::Secrets(args) => secrets::run(args, &settings()?, ui),
        Verb::Gc(args) => gc::run(args, &settings()?, ui),
        Verb::Unbind => unbind::run(&settings()?, ui),
        Verb::Bodies => bodies::run(&settings()?, ui),
        Verb::Completions(args) => completions::run(args, command(), ui),
        Verb::Man(args) => man::run(args, command(), ui),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }
}
