//! Child processes: an argument vector and a stated environment, never a shell.
#![expect(clippy::disallowed_methods, reason = "this is the module that starts processes")]

mod bounded;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write},
    path::{Path, PathBuf},
};

pub use bounded::{Bounds, Stopped};

use crate::diagnostic::{Diagnostic, Failure, Fault};

/// A program to run, completely described.
#[derive(Clone, Debug)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Option<BTreeMap<OsString, OsString>>,
    directory: Option<PathBuf>,
}

/// What a program that ran left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// Exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output as text, without the last newline.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

impl Command {
    /// A program by absolute path, or by a name that `PATH` resolves.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: None, directory: None }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Replaces the whole inherited environment by these variables.
    #[must_use]
    pub fn only_env<K: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.environment =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Runs in this directory.
    #[must_use]
    pub fn current_dir(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// The command as a person would read it; for messages only.
    #[must_use]
    pub fn display(&self) -> String {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str());
        std::iter::once(program)
            .chain(self.arguments.iter().map(OsString::as_os_str))
            .map(|word| word.to_string_lossy().escape_debug().to_string())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn expression(&self) -> duct::Expression {
        // As a path, a bare name would mean the working directory.
        let mut expression = duct::cmd(self.program.as_os_str(), &self.arguments).unchecked();
        if let Some(environment) = &self.environment {
            expression = expression.full_env(environment);
        }
        if let Some(directory) = &self.directory {
            expression = expression.dir(directory);
        }
        expression
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        let name = self.program.display();
        Failure::unable(Diagnostic::new(format!("cannot start `{name}`: {error}")).of_kind(Fault::Program))
    }

    /// Runs to the end with no standard input and captures both outputs.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be started; a bad exit status is in the [`Output`].
    pub fn output(&self) -> Result<Output, Failure> {
        self.captured(&self.expression().stdin_null().stdout_capture())
    }

    /// Like [`Command::output`], with standard input written by `feed` while the program runs. A program
    /// that stops reading gives `feed` a broken pipe; what `feed` returns is returned beside the output.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_fed<T>(&self, feed: impl FnOnce(&mut dyn Write) -> T) -> Result<(Output, T), Failure> {
        tracing::debug!(command = %self.display(), "run");
        let failed = |error: std::io::Error| self.not_started(&error);
        let (reader, mut writer) = std::io::pipe().map_err(failed)?;
        let expression = self.expression().stdin_file(reader).stdout_capture().stderr_capture();
        let handle = expression.start().map_err(failed)?;
        // The expression holds a copy of the pipe's reading end; with it open nobody would see the pipe break.
        drop(expression);
        let result = feed(&mut writer);
        drop(writer);
        let done = handle.into_output().map_err(failed)?;
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        Ok((Output { code: done.status.code(), stdout: done.stdout, stderr }, result))
    }

    /// Like [`Command::output`], with standard output in a file.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_into(&self, file: std::fs::File) -> Result<Output, Failure> {
        self.captured(&self.expression().stdin_null().stdout_file(file))
    }

    /// Like [`Command::output`], with a file as standard input.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_from(&self, file: std::fs::File) -> Result<Output, Failure> {
        self.captured(&self.expression().stdin_file(file).stdout_capture())
    }

    fn captured(&self, expression: &duct::Expression) -> Result<Output, Failure> {
        tracing::debug!(command = %self.display(), "run");
        let done = expression.stderr_capture().run().map_err(|error| self.not_started(&error))?;
        Ok(Output {
            code: done.status.code(),
            stdout: done.stdout,
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }

    /// Like [`Command::output`], but hands over each line of standard error as it comes.
    ///
    /// # Errors
    /// As [`Command::output`].
    pub fn output_with_lines(&self, mut line: impl FnMut(&str)) -> Result<Output, Failure> {
        tracing::debug!(command = %self.display(), "run");
        let failed = |error: std::io::Error| self.not_started(&error);
        let stdout = tempfile::tempfile().map_err(failed)?;
        let copy = stdout.try_clone().map_err(failed)?;
        let reader =
            self.expression().stdin_null().stdout_file(copy).stderr_to_stdout().reader().map_err(failed)?;
        let mut stderr = String::new();
        for read in BufReader::new(&reader).split(b'\n') {
            let text = String::from_utf8_lossy(&read.map_err(failed)?).into_owned();
            line(&text);
            stderr.push_str(&text);
            stderr.push('\n');
        }
        let code = reader.try_wait().map_err(failed)?.and_then(|done| done.status.code());
        Ok(Output { code, stdout: read_back(stdout).map_err(failed)?, stderr })
    }
}

fn read_back(mut file: std::fs::File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_fed_and_may_stop_reading() {
        let (output, fed) = Command::new("cat").output_fed(|input| input.write_all(b"all of it")).unwrap();
        assert!(output.success() && fed.is_ok());
        assert_eq!(output.text(), "all of it");
        let endless = |input: &mut dyn Write| {
            loop {
                if let Err(error) = input.write_all(&[0; 4096]) {
                    return error.kind();
                }
            }
        };
        let (output, kind) = Command::new("head").args(["-c", "1"]).output_fed(endless).unwrap();
        assert!(output.success());
        assert_eq!(kind, std::io::ErrorKind::BrokenPipe);
    }
}
