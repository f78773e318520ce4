//! Time, for progress and for signatures' validity; never for outputs.
#![expect(clippy::disallowed_methods, reason = "this is the module that reads the clock")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Measures how long a stage takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Seconds since 1970, for `Valid-Until` of signed indexes.
#[must_use]
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Waits, between two tries of a download.
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
