//! systemd's version, and what came in when.

use std::{fmt, str::FromStr};

/// The number of a systemd: 257 of `257.13-1~deb13u1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemdVersion(u32);

/// Why a text is no [`SystemdVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no version of systemd", .0.escape_debug())]
pub struct SystemdVersionError(String);

impl SystemdVersion {
    /// From its number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Whether it knows `RestartMode=`: with `direct` those who wait for a service do not see a try that failed.
    #[must_use]
    pub const fn has_restart_mode(self) -> bool {
        self.0 >= 254
    }

    /// What its lack means, for a person.
    #[must_use]
    pub fn lack(self) -> Option<String> {
        (!self.has_restart_mode()).then(|| {
            format!(
                "systemd {self} has no `RestartMode=direct`, which came with 254: after a failed start of the database or of the \
                 migration the application is started a minute later"
            )
        })
    }
}

impl fmt::Display for SystemdVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for SystemdVersion {
    type Err = SystemdVersionError;

    /// From the digits at the beginning: `257.13-1~deb13u1`, `252 (252.39-1)`, `260~rc1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| text.split_at(end).0);
        let number = digits.parse().ok().filter(|_| digits.len() <= 4);
        number.map(Self).ok_or_else(|| SystemdVersionError(text.chars().take(200).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_systemd_and_distributions_write_them() {
        for (text, want) in
            [("257.13-1~deb13u1", 257), ("252", 252), ("260~rc1", 260), (" 254 (254.5) ", 254)]
        {
            assert_eq!(text.parse(), Ok(SystemdVersion::new(want)), "{text}");
        }
        for bad in ["", "v257", "99999", "-1"] {
            assert!(bad.parse::<SystemdVersion>().is_err(), "{bad}");
        }
        assert!(SystemdVersion::new(253).lack().is_some_and(|told| told.starts_with("systemd 253 has no")));
        assert_eq!(SystemdVersion::new(254).lack(), None);
    }
}
