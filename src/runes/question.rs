//! How an image of the body is asked whether it is well, as a body's record keeps it.

use serde_json::{Value as Json, json};

use crate::{
    crypt::image_contract::Health,
    diagnostic::Diagnostic,
    document::{Node, reader::Reader},
};

/// What an image answers to, as its contract says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A path over HTTP, which answers 2xx when it is well.
    Http {
        /// The path, starting with `/`.
        path: String,
        /// The TCP port in the container.
        port: u16,
    },
    /// A program in the container that ends with 0 then.
    Command(Vec<String>),
}

impl From<&Health> for Question {
    fn from(health: &Health) -> Self {
        match health {
            Health::Http { path, port, place: _ } => Self::Http { path: path.clone(), port: *port },
            Health::Command(words) => Self::Command(words.clone()),
        }
    }
}

impl Question {
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Http { path, port } => json!({ "http": path, "port": port }),
            Self::Command(words) => json!({ "command": words }),
        }
    }

    pub(super) fn read(node: &Node, errors: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut reader = Reader::new(node.as_table()?, "the record's `health`", errors);
        let words = reader.strings("command");
        let path = reader.string("http");
        let port = reader.port("port");
        reader.finish();
        match (words, path, port) {
            (Some(words), None, None) => {
                Some(Self::Command(words.iter().map(|word| word.value.to_owned()).collect()))
            }
            (None, Some(path), Some(port)) => {
                Some(Self::Http { path: path.value.to_owned(), port: port.value })
            }
            _ => None,
        }
    }
}
