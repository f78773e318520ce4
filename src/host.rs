//! Every effect: files, processes, the network, the environment and the clock. Nothing else touches them.

pub mod bus;
pub mod clock;
pub mod directories;
pub mod environment;
pub mod file;
pub mod http;
pub mod ports;
pub mod process;
pub mod progress;
pub mod random;
pub mod vcs;
pub mod walk;
