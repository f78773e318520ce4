//! What a run of podman answers, in a time that has an end.

use std::{io::Write, time::Duration};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::process::{Bounds, Command, Output, Stopped},
};

/// How long an answer may take: whoever has podman's storage keeps others waiting.
pub(super) const ANSWER: Duration = Duration::from_mins(2);
/// How long the coming of an image may take.
pub(super) const LOAD: Duration = Duration::from_hours(1);

/// What podman answers, whatever its exit status is.
///
/// # Errors
/// [`Failure::Unable`] when it cannot be started, or does not end within `wall`.
pub(super) fn answer(command: &Command, wall: Duration) -> Result<Output, Failure> {
    let (output, stopped) = command.output_bounded(b"", &bounds(wall))?;
    in_time(command, stopped, wall)?;
    Ok(output)
}

/// The same of a podman that is fed; what `feed` returns is returned beside the answer.
///
/// # Errors
/// As [`answer`].
pub(super) fn fed<T>(
    command: &Command,
    wall: Duration,
    feed: impl FnOnce(&mut dyn Write) -> T,
) -> Result<(Output, T), Failure> {
    let (output, stopped, result) = command.output_fed_bounded(feed, &bounds(wall))?;
    in_time(command, stopped, wall)?;
    Ok((output, result))
}

fn bounds(wall: Duration) -> Bounds {
    Bounds { wall, stdout: 64 << 20, stderr: 4 << 20 }
}

fn in_time(command: &Command, stopped: Option<Stopped>, wall: Duration) -> Result<(), Failure> {
    let why = match stopped {
        None => return Ok(()),
        Some(Stopped::Time) => format!("did not end within {}", shown(wall)),
        Some(Stopped::Stdout | Stopped::Stderr) => "says more than anybody can read".to_owned(),
    };
    let told = Diagnostic::new(format!("`{}` {why}, and was killed", command.display()));
    Err(Failure::unable(told.of_kind(Fault::Program).help(
        "another podman may hold its storage: see `pgrep --list-full podman`, end what hangs there, and try again",
    )))
}

/// A time as people say it.
fn shown(wall: Duration) -> String {
    match wall.as_secs() {
        minutes @ 60.. => format!("{} minutes", minutes / 60),
        seconds => format!("{seconds} seconds"),
    }
}

/// That podman ended with an error.
pub(super) fn failed(command: &Command, output: &Output) -> Failure {
    let status = output.code.map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"));
    let said = output.stderr.trim();
    let mut diagnostic = Diagnostic::new(format!("`{}` ended with {status}", command.display()));
    if !said.is_empty() {
        diagnostic = diagnostic.help(format!("podman said: {said}"));
    }
    diagnostic.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_podman_that_hangs_is_given_up() {
        let podman = Command::new("sh").args(["-c", "sleep 30; true", "podman", "ps"]);
        let wall = Duration::from_millis(50);
        let endless = |input: &mut dyn Write| while input.write_all(&[0; 4096]).is_ok() {};
        for unable in [answer(&podman, wall).unwrap_err(), fed(&podman, wall, endless).unwrap_err()] {
            assert_eq!(unable.exit_code(), 2);
            let told = unable.to_string();
            assert!(
                told.starts_with("`sh -c sleep 30; true podman ps` did not end within 0 seconds"),
                "{told}"
            );
            assert!(told.contains("end what hangs there, and try again"), "{told}");
        }
        assert_eq!([ANSWER, LOAD].map(shown), ["2 minutes", "60 minutes"]);
    }

    #[test]
    fn a_podman_that_ends_in_time_is_heard() {
        let podman = Command::new("sh").args(["-c", "cat; exit 1"]);
        let (output, fed) = fed(&podman, ANSWER, |input| input.write_all(b"layers")).unwrap();
        assert_eq!((output.code, output.text().as_str(), fed.is_ok()), (Some(1), "layers", true));
        assert_eq!(failed(&podman, &output).to_string(), "`sh -c cat; exit 1` ended with status 1");
    }
}
