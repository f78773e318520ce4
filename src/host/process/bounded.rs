//! A program that is not trusted to end, or to be brief.

use std::{
    io::{Read, Write as _},
    sync::mpsc::{Sender, channel},
    time::{Duration, Instant},
};

use super::{Command, Output};
use crate::diagnostic::Failure;

/// What a program may take before it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Time from its start to its end.
    pub wall: Duration,
    /// Bytes on standard output.
    pub stdout: u64,
    /// Bytes on standard error.
    pub stderr: u64,
}

/// Why a program was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It did not end in time.
    Time,
    /// It wrote too much to standard output.
    Stdout,
    /// It wrote too much to standard error.
    Stderr,
}

impl Command {
    /// Like [`Command::output`], but kills the program at its bounds; the outputs then hold what came before.
    /// `input` is its standard input, of at most 16 KiB: it is in the pipe before the program starts.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_bounded(
        &self,
        input: &[u8],
        bounds: &Bounds,
    ) -> Result<(Output, Option<Stopped>), Failure> {
        tracing::debug!(command = %self.display(), "run");
        let failed = |error: std::io::Error| self.not_started(&error);
        let (stdin, mut feed) = std::io::pipe().map_err(failed)?;
        let (stdout, stdout_end) = std::io::pipe().map_err(failed)?;
        let (stderr, stderr_end) = std::io::pipe().map_err(failed)?;
        feed.write_all(input).map_err(failed)?;
        drop(feed);
        let expression = self.expression().stdin_file(stdin).stdout_file(stdout_end).stderr_file(stderr_end);
        let handle = expression.start().map_err(failed)?;
        // The expression holds the writing ends: with them open nobody would see the end of the output.
        drop(expression);
        let deadline = Instant::now() + bounds.wall;
        std::thread::scope(|scope| {
            let (sender, ended) = channel();
            let of_stderr = sender.clone();
            let stdout = scope.spawn(move || read(stdout, bounds.stdout, Stopped::Stdout, &sender));
            let stderr = scope.spawn(move || read(stderr, bounds.stderr, Stopped::Stderr, &of_stderr));
            let mut stopped = None;
            for _ in 0..2 {
                let left = deadline.saturating_duration_since(Instant::now());
                stopped = ended.recv_timeout(left).unwrap_or(Some(Stopped::Time));
                if stopped.is_some() {
                    break;
                }
            }
            // Both outputs may be closed long before the program ends.
            if stopped.is_none() && handle.wait_deadline(deadline).map_err(failed)?.is_none() {
                stopped = Some(Stopped::Time);
            }
            if stopped.is_some() {
                handle.kill().map_err(failed)?;
            }
            let code = handle.wait().map_err(failed)?.status.code();
            let text = stderr.join().unwrap_or_default();
            let output = Output {
                code,
                stdout: stdout.join().unwrap_or_default(),
                stderr: String::from_utf8_lossy(&text).into_owned(),
            };
            Ok((output, stopped))
        })
    }
}

/// Reads up to a limit, and tells when there was nothing more, or too much.
fn read(from: impl Read, limit: u64, which: Stopped, ended: &Sender<Option<Stopped>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A pipe that breaks is a pipe that ends.
    drop(from.take(limit + 1).read_to_end(&mut bytes));
    let over = bytes.len() as u64 > limit;
    // Nobody waits any more when the program was killed.
    let _ = ended.send(over.then_some(which));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, arguments: &[&str], wall: Duration) -> (Output, Option<Stopped>) {
        let bounds = Bounds { wall, stdout: 1000, stderr: 10 };
        Command::new(program).args(arguments).output_bounded(b"fed", &bounds).unwrap()
    }

    #[test]
    fn a_program_within_its_bounds_is_left_alone() {
        let (output, stopped) = run("cat", &[], Duration::from_mins(1));
        assert_eq!((output.text().as_str(), output.code, stopped), ("fed", Some(0), None));
    }

    #[test]
    fn a_program_is_killed_at_each_bound() {
        let long = Duration::from_mins(1);
        let brief = Duration::from_millis(50);
        assert_eq!(run("yes", &[], long).1, Some(Stopped::Stdout));
        assert_eq!(run("cat", &["/nowhere/to/be/found"], long).1, Some(Stopped::Stderr));
        assert_eq!(run("sleep", &["1000"], brief).1, Some(Stopped::Time));
        // One that closed its outputs, too.
        assert_eq!(run("sh", &["-c", "exec >&- 2>&- && exec sleep 1000"], brief).1, Some(Stopped::Time));
    }
}
