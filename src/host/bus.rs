//! A message bus: calls of methods, each with a deadline, never through a program whose words would have to be read.

use std::{
    fmt,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use futures_lite::future::block_on;
use futures_util::future::join_all;
use zbus::{Connection, connection::Builder};

/// A connection to the bus of a user.
#[derive(Clone)]
pub struct Bus {
    connection: Connection,
    socket: PathBuf,
}

impl fmt::Debug for Bus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Bus({})", self.socket.display())
    }
}

/// Where a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method<'a> {
    /// The name of the service on the bus.
    pub service: &'a str,
    /// The object's path.
    pub object: &'a str,
    /// The interface of the object.
    pub interface: &'a str,
    /// The method's name.
    pub name: &'a str,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Whoever was called says no.
    #[error("{said}")]
    Answered {
        /// The name of the error, such as `org.freedesktop.systemd1.NoSuchUnit`.
        name: String,
        /// What it says.
        said: String,
    },
    /// There is no answer: nobody can tell whether it was done.
    #[error("{0}")]
    Lost(String),
}

impl From<zbus::Error> for BusError {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, said, _) => {
                Self::Answered { said: said.unwrap_or_else(|| name.to_string()), name: name.to_string() }
            }
            zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Self::Lost("there was no answer in time".to_owned())
            }
            other => Self::Lost(other.to_string()),
        }
    }
}

impl Bus {
    /// Connects to the bus behind a socket. No call on it, nor this, takes longer than `patience`.
    ///
    /// # Errors
    /// [`BusError::Lost`] when there is no bus, or it does not answer.
    pub fn connect(socket: &Path, patience: Duration) -> Result<Self, BusError> {
        let (sender, answer) = mpsc::channel();
        let path = socket.to_owned();
        // A socket that nobody serves any more takes connections, and says nothing.
        thread::spawn(move || {
            let connected = UnixStream::connect(&path).map_err(|error| BusError::Lost(error.to_string()));
            let built = connected.and_then(|stream| {
                let builder = Builder::unix_stream(stream).method_timeout(patience);
                block_on(builder.build()).map_err(BusError::from)
            });
            // Who no longer waits has said so.
            let _late = sender.send(built);
        });
        let connection = answer
            .recv_timeout(patience)
            .map_err(|_| BusError::Lost("there was no answer in time".to_owned()))??;
        Ok(Self { connection, socket: socket.to_owned() })
    }

    /// The socket that it was found behind.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Calls a method and reads what it answers.
    ///
    /// # Errors
    /// What it says, or that there is no answer.
    pub fn call<A, R>(&self, method: Method<'_>, arguments: &A) -> Result<R, BusError>
    where
        A: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        block_on(self.ask(method, arguments))
    }

    /// Calls methods all at once: whoever answers need not wait for the next question. The answers come in the order of the
    /// calls.
    ///
    /// # Errors
    /// As [`Bus::call`], of each.
    pub fn call_all<A, R>(&self, calls: &[(Method<'_>, A)]) -> Vec<Result<R, BusError>>
    where
        A: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        block_on(join_all(calls.iter().map(|(method, arguments)| self.ask(*method, arguments))))
    }

    async fn ask<A, R>(&self, method: Method<'_>, arguments: &A) -> Result<R, BusError>
    where
        A: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        let Method { service, object, interface, name } = method;
        let call = self.connection.call_method(Some(service), object, Some(interface), name, arguments);
        Ok(call.await?.body().deserialize_ignore_signature()?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_bus_that_is_not_there_or_does_not_answer_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("bus");
        let patience = Duration::from_millis(50);
        assert!(matches!(Bus::connect(&socket, patience), Err(BusError::Lost(_))));
        let _deaf = UnixListener::bind(&socket).unwrap();
        let lost = Bus::connect(&socket, patience).unwrap_err();
        assert_eq!(lost, BusError::Lost("there was no answer in time".to_owned()));
    }
}
