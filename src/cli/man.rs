//! `man`: the manual, as one stream or as a page for the program and one for each verb.

use std::io;

use clap::{Command, CommandFactory as _};

use super::{
    Cli, ManArgs, Outcome, settings,
    ui::{self, Ui},
};
use crate::{diagnostic::Failure, host::file, report};

/// The text of one page, and the file that `man` looks for.
struct Page {
    file: String,
    roff: Vec<u8>,
}

pub(super) fn run(args: &ManArgs, ui: &Ui) -> Result<Outcome, Failure> {
    let pages = pages().map_err(|error| ui::unprinted(&error))?;
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

/// The page of the program and, behind it, those of its verbs. Global options are on the first alone.
fn pages() -> io::Result<Vec<Page>> {
    let mut program = Cli::command();
    program.build();
    let mut pages = vec![page(program.clone())?];
    for verb in program.get_subcommands().filter(|verb| verb.get_name() != "help") {
        pages.push(page(verb.clone().mut_args(|option| {
            let everywhere = option.is_global_set();
            option.hide(everywhere)
        }))?);
    }
    Ok(pages)
}

fn page(command: Command) -> io::Result<Page> {
    let man = clap_mangen::Man::new(command);
    let mut roff = Vec::new();
    man.render(&mut roff)?;
    Ok(Page { file: man.get_filename(), roff })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_a_page_for_every_verb() {
        let pages = pages().unwrap();
        let program = Cli::command();
        let verbs = program.get_subcommands().map(|verb| format!("lychd-forge-{}.1", verb.get_name()));
        let expected: Vec<String> = std::iter::once("lychd-forge.1".to_owned()).chain(verbs).collect();
        assert_eq!(pages.iter().map(|page| page.file.clone()).collect::<Vec<_>>(), expected);
        let manual = String::from_utf8(pages.into_iter().flat_map(|page| page.roff).collect()).unwrap();
        assert_eq!(manual.matches(".TH ").count(), expected.len());
        for heading in [".TH lychd-forge-forge 1", "nix\\-store", "Exit codes:"] {
            assert!(manual.contains(heading), "{heading}\n{manual}");
        }
        assert_eq!(manual.matches("fB\\-\\-offline").count(), 2, "in the first page's synopsis and options");
    }
}
