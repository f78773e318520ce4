//! `man`: the manual, as one stream or as a page for the program and one for each verb.

mod pages;

use std::path::PathBuf;

use clap::Command;

use super::{
    outcome::Outcome,
    settings,
    ui::{self, Ui},
};
use crate::{diagnostic::Failure, host::file, report};

const EXAMPLES: &str = "\
Examples:
  lychd-forge man | man -l -
  lychd-forge man --out ~/.local/share/man/man1  # then: man lychd-forge, man lychd-forge-forge";

/// Print the manual (roff): `lychd-forge man | man -l -`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Write a page for the program and one for each verb into this directory instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}
impl Args {
    /// Whether standard output is the manual.
    pub(super) fn is_data(&self) -> bool {
        self.out.is_none()
    }
}

pub(super) fn run(args: &Args, program: Command, ui: &Ui) -> Result<Outcome, Failure> {
    let pages = pages::pages(program).map_err(|error| ui::unprinted(&error))?;
    let Some(directory) = &args.out else {
        ui.bytes(&pages.into_iter().flat_map(|page| page.roff).collect::<Vec<u8>>())?;
        return Ok(Outcome::Done);
    };
    let directory = settings::absolute(directory)?;
    file::create_directory(&directory).map_err(|error| file::unable("create", &directory, &error))?;
    for page in &pages {
        let path = directory.join(&page.file);
        file::write(&path, &page.roff).map_err(|error| file::unable("write", &path, &error))?;
    }
    ui.report(&report::Man { directory, pages: pages.into_iter().map(|page| page.file).collect() })?;
    Ok(Outcome::Done)
}
