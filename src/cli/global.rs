//! Options of every verb.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every verb.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The Codex: the directory of forge.toml and lychd.toml [default: ~/.config/lychd]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) codex: Option<PathBuf>,
    /// The Crypt: the directory of core/, extensions/ and the locks [default: ~/.local/share/lychd]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) crypt: Option<PathBuf>,
    /// Where the forge keeps the flake and the bodies [default: ~/.local/state/lychd-forge]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) state: Option<PathBuf>,
    /// Print the result as one JSON object on standard output
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,
    /// No progress and no notes: the result, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub(super) quiet: bool,
    /// Log more to standard error; twice for every program that is run
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(super) verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Global options")]
    pub(super) color: Color,
    /// Use no network: what is neither in the cache nor in the Nix store is an error
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) offline: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, and without `NO_COLOR`
    Auto,
    /// Even into a file or pipe
    Always,
    /// Plain text
    Never,
}
