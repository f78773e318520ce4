//! Command lines of the forge for people to type.

use std::path::Path;

use crate::diagnostic::shell_word;

/// The program with the options that were given, and words behind them.
pub(super) fn command(options: &[(&str, bool, &Path)], words: &str) -> String {
    let given = options.iter().filter(|(_, given, _)| *given);
    let given = given.map(|(name, _, path)| format!("{name} {} ", shell_word(&path.display().to_string())));
    format!("lychd-forge {}{words}", given.collect::<String>())
}
