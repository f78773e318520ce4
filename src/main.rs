//! The `lychd-forge` command: parse, call the verb, map the outcome to an exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    lychd_forge::cli::main()
}
