//! Signals that stop a container.

use std::str::FromStr;

/// A signal as an image names it (OCI image-spec, `StopSignal`): `SIG` and its name in signal(7), or
/// `SIGRTMIN+n`. None that a process cannot take or does not end by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StopSignal(String);
text_name!(StopSignal);

/// What signal(7) lists for Linux, but for `SIGKILL` and `SIGSTOP`, which nobody takes, and those that stop, go on or
/// tell of a window or a child.
const NAMES: [&str; 20] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGPIPE",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGXCPU",
];
/// The highest `n` of `SIGRTMIN+n`: `SIGRTMAX` is 30 above.
const REAL_TIME: u8 = 30;

/// Why a text is no such signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a signal by which a container can be asked to end: `SIGTERM`, `SIGINT`, `SIGQUIT`, …", .0.escape_debug())]
pub struct SignalError(String);

impl FromStr for StopSignal {
    type Err = SignalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |n: &str| !n.starts_with('0') && n.bytes().all(|c| c.is_ascii_digit());
        let real_time = text
            .strip_prefix("SIGRTMIN+")
            .is_some_and(|n| plain(n) && n.parse().is_ok_and(|n: u8| (1..=REAL_TIME).contains(&n)));
        if real_time || NAMES.contains(&text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SignalError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_spelled_as_images_spell_it() {
        for good in ["SIGINT", "SIGTERM", "SIGQUIT", "SIGRTMIN+3", "SIGRTMIN+30"] {
            assert_eq!(good.parse::<StopSignal>().map(|signal| signal.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "INT", "sigint", "2", "SIGKILL", "SIGSTOP", "SIGRTMIN+31", "SIGRTMIN+03", "SIGRTMIN+"]
        {
            assert!(bad.parse::<StopSignal>().is_err(), "{bad}");
        }
    }
}
