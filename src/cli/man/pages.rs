//! The manual's pages.

use std::io;

use clap::Command;

/// The text of one page, and the file that `man` looks for.
pub(super) struct Page {
    pub(super) file: String,
    pub(super) roff: Vec<u8>,
}

/// The page of the program and, behind it, those of its verbs. Global options are on the first alone.
pub(super) fn pages(mut program: Command) -> io::Result<Vec<Page>> {
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
    use crate::cli::command;

    #[test]
    fn the_manual_has_a_page_for_every_verb() {
        let pages = pages(command()).unwrap();
        let program = command();
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
