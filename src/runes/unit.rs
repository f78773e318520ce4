//! Units as values, and the one writer of their text.
//!
//! A [`Pod`], [`Container`], [`Target`] or [`Timer`] becomes a [`Unit`]: sections of typed keys. Each [`Key`] knows its section
//! and how podman and systemd read its value, so there is one place that escapes. Sources: podman-systemd.unit(5),
//! systemd.unit(5), systemd.syntax(7); what podman's generator does with each kind of value was tried with 5.4.2.

mod container;
mod key;
mod pod;
mod quadlet;
mod target;
mod timer;
mod value;

#[cfg(test)]
mod tests;

pub use container::{
    Container, FailedStart, Health, Link, Restart, Secret, SecretForm, ServiceKind, Source, Stop, Unwell,
};
pub use key::{Key, Section};
pub use pod::Pod;
pub use quadlet::{is_quadlet, service_of};
pub use target::Target;
pub use timer::Timer;
pub use value::{Class, Piece, Unwritable, Value};

/// The first line of every file that the forge writes into a Binding Site.
pub const MARKER: &str =
    "# Written by lychd-forge from the Codex. Changes are lost: edit the Codex, then `lychd-forge bind`.";

/// A unit file: its lines in order, grouped by section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    lines: Vec<(Key, Value)>,
}

impl Unit {
    /// A unit without a line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn set(&mut self, key: Key, value: impl Into<Value>) {
        self.lines.push((key, value.into()));
    }

    /// Adds a line with `true`.
    pub fn flag(&mut self, key: Key) {
        self.set(key, "true");
    }

    /// Adds one line for all unit names of a list, or none for an empty one.
    pub fn list<'a>(&mut self, key: Key, names: impl IntoIterator<Item = &'a String>) {
        let mut names = names.into_iter().map(Value::from).peekable();
        if names.peek().is_some() {
            self.set(key, Value::words(names));
        }
    }

    /// The lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = &(Key, Value)> {
        self.lines.iter()
    }

    /// The text: marker, then sections in systemd's order, each key in the order it was set. Ends with LF.
    ///
    /// # Errors
    /// A value that its key cannot hold.
    pub fn to_text(&self) -> Result<String, Unwritable> {
        let mut text = format!("{MARKER}\n");
        for section in Section::ALL {
            let mut lines = self.lines.iter().filter(|(key, _)| key.section() == section).peekable();
            if lines.peek().is_none() {
                continue;
            }
            text.extend(["\n[", section.as_str(), "]\n"]);
            for (key, value) in lines {
                let encoded = value.encode(key.class()).map_err(|error| error.of(key.as_str()))?;
                text.extend([key.as_str(), "=", &encoded, "\n"]);
            }
        }
        Ok(text)
    }
}
