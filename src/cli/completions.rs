//! `completions`: the script of a shell.

use clap::Command;

use super::{outcome::Outcome, ui::Ui};
use crate::diagnostic::Failure;

const EXAMPLES: &str = "\
Examples:
  lychd-forge completions bash > ~/.local/share/bash-completion/completions/lychd-forge";

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, mut program: Command, ui: &Ui) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "lychd-forge", &mut script);
    ui.bytes(&script)?;
    Ok(Outcome::Done)
}
