//! A program that is not trusted to end, or to be brief.

use std::{
    collections::BTreeMap,
    io::{self, PipeWriter, Read, Write},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio},
};

use super::{Command, Output};
use crate::diagnostic::Failure;

/// How long the last words of a killed program are waited for: who inherited its outputs may hold them open.
const GRACE: Duration = Duration::from_secs(1);

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// `input` is its standard input.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_bounded(
        &self,
        input: &[u8],
        bounds: &Bounds,
    ) -> Result<(Output, Option<Stopped>), Failure> {
        // A program may end without having read it all.
        let (output, stopped, _fed) = self.output_fed_bounded(|stdin| stdin.write_all(input), bounds)?;
        Ok((output, stopped))
    }

    /// Like [`Command::output_fed`], but kills the program at its bounds; at that of time `feed` gets an error as well.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_fed_bounded<T>(
        &self,
        feed: impl FnOnce(&mut dyn Write) -> T,
        bounds: &Bounds,
    ) -> Result<(Output, Option<Stopped>, T), Failure> {
        tracing::debug!(command = %self.display(), "run");
        let failed = |error: io::Error| self.not_started(&error);
        let (stdin, pipe) = io::pipe().map_err(failed)?;
        let (stdout, stdout_end) = io::pipe().map_err(failed)?;
        let (stderr, stderr_end) = io::pipe().map_err(failed)?;
        ioctl_fionbio(&pipe, true).map_err(|error| failed(error.into()))?;
        let expression = self.expression().stdin_file(stdin).stdout_file(stdout_end).stderr_file(stderr_end);
        let handle = expression.start().map_err(failed)?;
        // The expression holds the programs' ends: with them open nobody would see the end of anything.
        drop(expression);
        let deadline = Instant::now() + bounds.wall;

        let (sender, ended) = channel();
        for (which, from, limit) in
            [(Stopped::Stdout, stdout, bounds.stdout), (Stopped::Stderr, stderr, bounds.stderr)]
        {
            let sender = sender.clone();
            // Nobody waits any more when the program was killed.
            std::thread::spawn(move || drop(sender.send((which, read(from, limit)))));
        }
        drop(sender);
        let mut feeding = Feed { pipe, deadline };
        let result = feed(&mut feeding);
        drop(feeding);

        let mut outputs = BTreeMap::new();
        let mut stopped = None;
        while stopped.is_none() && outputs.len() < 2 {
            let left = deadline.saturating_duration_since(Instant::now());
            match ended.recv_timeout(left) {
                Ok((which, (bytes, is_over))) => {
                    stopped = is_over.then_some(which);
                    outputs.insert(which, bytes);
                }
                Err(_) => stopped = Some(Stopped::Time),
            }
        }
        // Both outputs may be closed long before the program ends.
        if stopped.is_none() && handle.wait_deadline(deadline).map_err(failed)?.is_none() {
            stopped = Some(Stopped::Time);
        }
        if stopped.is_some() {
            handle.kill().map_err(failed)?;
            while let Ok((which, (bytes, _))) = ended.recv_timeout(GRACE) {
                outputs.insert(which, bytes);
            }
        }
        let done = handle.wait_deadline(Instant::now() + GRACE).map_err(failed)?;
        let code = done.and_then(|done| done.status.code());
        let mut output = |which| outputs.remove(&which).unwrap_or_default();
        let (stdout, stderr) = (output(Stopped::Stdout), output(Stopped::Stderr));
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ok((Output { code, stdout, stderr }, stopped, result))
    }
}

/// The writing end of a pipe whose reader may stop reading: no write waits beyond the deadline.
struct Feed {
    pipe: PipeWriter,
    deadline: Instant,
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Feed {
    /// Waits until something can be written.
    fn wait(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.pipe, PollFlags::OUT)], Some(&left)) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads up to a limit; says whether there was more.
fn read(from: impl Read, limit: u64) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    // A pipe that breaks is a pipe that ends.
    drop(from.take(limit + 1).read_to_end(&mut bytes));
    let is_over = bytes.len() as u64 > limit;
    (bytes, is_over)
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

    #[test]
    fn what_a_killed_program_started_is_not_waited_for() {
        let begun = Instant::now();
        let (_, stopped) = run("sh", &["-c", "sleep 30; true"], Duration::from_millis(50));
        assert_eq!(stopped, Some(Stopped::Time));
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_program_that_reads_no_more_is_fed_no_longer_than_its_time() {
        let bounds = Bounds { wall: Duration::from_millis(50), stdout: 10, stderr: 10 };
        let endless = |input: &mut dyn Write| -> io::Error {
            loop {
                if let Err(error) = input.write_all(&[0; 4096]) {
                    return error;
                }
            }
        };
        let (_, stopped, fed) = Command::new("sleep").arg("30").output_fed_bounded(endless, &bounds).unwrap();
        assert_eq!((stopped, fed.kind()), (Some(Stopped::Time), io::ErrorKind::TimedOut));
    }
}
