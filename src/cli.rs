//! The command line: documentation and types here, one file a verb below.

mod bind;
mod bodies;
mod fetch;
mod forge;
mod init;
mod man;
mod settings;
mod stages;
mod stream;
mod synthesize;
mod transmute;
mod ui;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::{diagnostic::Failure, host::environment};
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

const SYNTHESIZE_EXAMPLES: &str = "\
Examples:
  lychd-forge synthesize                  # lock what is new, keep every pin
  lychd-forge synthesize --locked         # only check, as CI does
  lychd-forge synthesize --update         # move all pins to the newest
  lychd-forge synthesize --update system  # move Debian's alone
  lychd-forge synthesize --json           # the synthesis id, for scripts";

const TRANSMUTE_EXAMPLES: &str = "\
Examples:
  lychd-forge transmute --locked --out flake          # of the locks as they are
  lychd-forge transmute --locked --out flake --check  # is it up to date?
  nix build path:./flake#lychd-image                  # without the forge";

const FETCH_EXAMPLES: &str = "\
Examples:
  lychd-forge fetch                    # `forge --offline` needs no network after it
  lychd-forge fetch --to /media/stick  # for a host that has none; copy Codex and Crypt as well
  lychd-forge forge --from /media/stick --locked  # there";

const FORGE_EXAMPLES: &str = "\
Examples:
  lychd-forge forge              # build and load into podman
  lychd-forge forge --locked     # from the locks as they are, or not at all
  lychd-forge forge --update uv  # with the newest Python packages
  lychd-forge forge --no-load    # without podman; `stream` gives the archive
  lychd-forge --codex examples/codex --crypt examples/crypt forge";

const STREAM_EXAMPLES: &str = "\
Examples:
  lychd-forge stream newest | podman load
  lychd-forge stream 2fd2e5f06975 > body.tar";

const BIND_EXAMPLES: &str = "\
Examples:
  lychd-forge bind --dry-run                    # the plan for the newest body
  lychd-forge bind --dry-run --diff             # every line that would change
  lychd-forge bind --dry-run --body 2fd2e5f0 --json
  lychd-forge bind --dry-run --podman 5.3       # as an older podman would get it";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  lychd-forge completions bash > ~/.local/share/bash-completion/completions/lychd-forge";

const MAN_EXAMPLES: &str = "\
Examples:
  lychd-forge man | man -l -
  lychd-forge man --out ~/.local/share/man/man1  # then: man lychd-forge, man lychd-forge-forge";

/// Options of every verb.
#[derive(Debug, Args)]
struct Global {
    /// The Codex: the directory of forge.toml and lychd.toml [default: ~/.config/lychd]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    codex: Option<PathBuf>,
    /// The Crypt: the directory of core/, extensions/ and the locks [default: ~/.local/share/lychd]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    crypt: Option<PathBuf>,
    /// Where the forge keeps the flake and the bodies [default: ~/.local/state/lychd-forge]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    state: Option<PathBuf>,
    /// Print the result as one JSON object on standard output
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// No progress and no notes: the result, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    quiet: bool,
    /// Log more to standard error; twice for every program that is run
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Global options")]
    color: Color,
    /// Use no network: what is neither in the cache nor in the Nix store is an error
    #[arg(long, global = true, help_heading = "Global options")]
    offline: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal, and without `NO_COLOR`
    Auto,
    /// Even into a file or pipe
    Always,
    /// Plain text
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a Codex and a Crypt to start from
    ///
    /// The core it writes is a small web application that forges as it is. Nothing that exists is
    /// overwritten.
    Init,
    /// Merge and lock all manifests into one Synthesis
    ///
    /// Every pin of an existing lock is kept; a changed manifest re-locks as little as it can and says
    /// what moved. The locks are written into the Crypt (synthesis/), for version control. Manifests that
    /// disagree are told apart with file, line and who asked, and nothing is written.
    #[command(visible_alias = "lock", after_help = SYNTHESIZE_EXAMPLES)]
    Synthesize(SynthesizeArgs),
    /// Synthesize, and bring every download into the Nix store
    ///
    /// Downloads in parallel, mirror by mirror, resumes what broke off and checks every hash. `forge` does
    /// it as well; alone it prepares a build without network: on this host (`forge --offline`), or with `--to`
    /// on another.
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchArgs),
    /// Synthesize, and write the Synthesis as a Nix flake
    ///
    /// The flake stands alone: it carries the sources of all members and has no inputs, or with
    /// `kind = "nixpkgs"` that one, pinned. A directory that holds what the forge did not write is refused.
    #[command(visible_alias = "emit", after_help = TRANSMUTE_EXAMPLES)]
    Transmute(TransmuteArgs),
    /// Synthesize, transmute, fetch, build and load: from a Crypt to an image in podman
    ///
    /// Prints the body's ID and its image's, which podman calls it by, and how to run it. The image gets two tags:
    /// `custom`, which moves to the newest body, and one of its own, `b-` and 12 digits of its configuration's
    /// hash. What was built is recorded in the state directory; a Synthesis that was built before is not built again.
    #[command(visible_alias = "build", after_help = FORGE_EXAMPLES)]
    Forge(ForgeArgs),
    /// Write the image archive of a body to standard output, for `podman load` or `skopeo`
    ///
    /// It is made from the body's record and the store that holds its layers: Nix is not needed. Who loads it gets
    /// both tags, `custom` and the image's own.
    #[command(after_help = STREAM_EXAMPLES)]
    Stream(StreamArgs),
    /// Render the units of a body and show what inscribing them would change
    ///
    /// One pod with all containers: the application of the body, its migration, the database, the Soulstones
    /// and portals of the Codex (runes/) and the runes that members bring. The units are judged by podman's own
    /// generator and by systemd before anything is shown. Every image is pinned, every container hardened; what
    /// a rune may do beyond that stands in the plan. For now only --dry-run works: nothing is ever written.
    #[command(after_help = BIND_EXAMPLES)]
    Bind(BindArgs),
    /// List the bodies that were forged, newest first
    Bodies,
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual (roff): `lychd-forge man | man -l -`
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

impl Verb {
    /// Whether standard output is something else than a result: an archive, a script, a manual.
    fn is_data(&self) -> bool {
        match self {
            Self::Stream(_) | Self::Completions { .. } => true,
            Self::Man(args) => args.out.is_none(),
            _ => false,
        }
    }
}

/// What may be moved away from its pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Update {
    /// Python packages
    Uv,
    /// npm packages
    Npm,
    /// Debian packages
    System,
    /// lychd.lock: where the repositories of the federation are
    Federation,
}

#[derive(Debug, Args)]
struct LockArgs {
    /// Leave the locks alone: manifests that do not fit them are an error (exit 1)
    #[arg(long, conflicts_with = "update")]
    locked: bool,
    /// Move pins to the newest versions allowed: all, or those of one kind
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, value_delimiter = ',', default_missing_value = "uv,npm,system,federation")]
    update: Vec<Update>,
    /// Take every download from this folder, which `fetch --to` made, and use no network; the locks must be there
    #[arg(long, value_name = "DIR", conflicts_with = "update")]
    from: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SynthesizeArgs {
    #[command(flatten)]
    lock: LockArgs,
}

#[derive(Debug, Args)]
struct StoreArgs {
    /// Use the Nix store below this directory instead of /nix (Nix's --store); it may be new
    #[arg(long, value_name = "DIR")]
    nix_store: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FetchArgs {
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Put every download into this folder instead, for a host without a network (`--from` there)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "nix_store"])]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct TransmuteArgs {
    #[command(flatten)]
    lock: LockArgs,
    /// Write the flake here [default: flake/ in the state directory]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leave the flake alone; print a diff and exit 1 when it is not up to date. Locks are written all the same: `--locked` keeps them
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Args)]
struct ForgeArgs {
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

#[derive(Debug, Args)]
struct StreamArgs {
    /// `newest`, or the ID of a body or of its image: all of it, or its first digits (six at least)
    body: String,
    /// Take the layers from the Nix store below this directory instead of the one that the body was built in
    #[arg(long, value_name = "DIR")]
    nix_store: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ManArgs {
    /// Write a page for the program and one for each verb into this directory instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct BindArgs {
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
    podman: Option<crate::runes::podman::PodmanVersion>,
}

/// Parses the arguments and runs the verb.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let ui = Ui::new(&cli.global);
    let is_data = cli.verb.is_data();
    match run(cli, &ui) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            ui.failure(&failure, is_data);
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

/// How a verb that ran ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Done, or equal.
    Done,
    /// A check found a difference.
    Differs,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Differs => ExitCode::from(1),
        }
    }
}

fn run(cli: Cli, ui: &Ui) -> Result<Outcome, Failure> {
    match cli.verb {
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lychd-forge", &mut script);
            ui.bytes(&script)?;
            return Ok(Outcome::Done);
        }
        Verb::Man(args) => return man::run(&args, ui),
        _ => {}
    }
    let settings = Settings::resolve(&cli.global)?;
    match cli.verb {
        Verb::Init => init::run(&settings, ui),
        Verb::Synthesize(args) => synthesize::run(&args, &settings, ui),
        Verb::Fetch(args) => fetch::run(&args, &settings, ui),
        Verb::Transmute(args) => transmute::run(&args, &settings, ui),
        Verb::Forge(args) => forge::run(&args, &settings, ui),
        Verb::Stream(args) => stream::run(&args, &settings, ui),
        Verb::Bind(args) => bind::run(&args, &settings, ui),
        Verb::Bodies => bodies::run(&settings, ui),
        Verb::Completions { .. } | Verb::Man(_) => Ok(Outcome::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
