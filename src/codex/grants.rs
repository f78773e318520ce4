//! What a rune may do beyond the hardened default. It is asked for by name, and every plan lists it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    diagnostic::Diagnostic,
    document::{
        Located, Table,
        reader::{Reader, like},
    },
    name::{
        mount::{ContainerPath, HostPath},
        unit_text::UnitText,
    },
};

/// Beyond the default, which is: nothing writable, no capability, no new privilege, no device, the user's own number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a permission of its own")]
pub struct Grants {
    /// The image's files may be written; what is written is lost with the container.
    pub writable: bool,
    /// Processes may gain privileges by set-user-id programs.
    pub new_privileges: bool,
    /// Capabilities it keeps.
    pub linux_capabilities: BTreeSet<LinuxCapability>,
    /// `SELinux` leaves it alone.
    pub label_disable: bool,
    /// Devices of the host.
    pub devices: Vec<UnitText>,
    /// Directories in memory that it may write.
    pub tmpfs: BTreeSet<ContainerPath>,
    /// It runs as the image says instead of as the user.
    pub image_user: bool,
}

impl Grants {
    /// The grants as JSON, with the keys that [`read`] takes.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "writable": self.writable,
            "new-privileges": self.new_privileges,
            "linux-capabilities": self.linux_capabilities.iter().map(LinuxCapability::as_str).collect::<Vec<_>>(),
            "label-disable": self.label_disable,
            "devices": self.devices,
            "tmpfs": self.tmpfs,
            "image-user": self.image_user,
        })
    }

    /// What it may do, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let said = [
            (self.writable, "writes the image's files"),
            (self.new_privileges, "may gain privileges"),
            (self.label_disable, "is not confined by SELinux"),
            (self.image_user, "runs as the image's user"),
        ];
        let flags = said.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned());
        let capabilities = self.linux_capabilities.iter().map(|one| format!("keeps CAP_{one}"));
        let devices = self.devices.iter().map(|device| format!("uses the device {device}"));
        let memory = self.tmpfs.iter().map(|path| format!("has memory mounted at {path}"));
        flags.chain(capabilities).chain(devices).chain(memory).collect()
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, more: &Self) -> Self {
        let mut devices = self.devices.clone();
        devices.extend(more.devices.iter().filter(|device| !self.devices.contains(device)).cloned());
        Self {
            writable: self.writable || more.writable,
            new_privileges: self.new_privileges || more.new_privileges,
            linux_capabilities: &self.linux_capabilities | &more.linux_capabilities,
            label_disable: self.label_disable || more.label_disable,
            devices,
            tmpfs: &self.tmpfs | &more.tmpfs,
            image_user: self.image_user || more.image_user,
        }
    }
}

/// What the operator grants a service: what the service may ask for by itself, and what only the operator may give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorGrants {
    /// Beyond the hardened default.
    pub beyond: Grants,
    /// What of the host it may mount, each with what lies below it, besides what is everybody's.
    pub mounts: Vec<Located<HostPath>>,
}

/// Reads what a rune asks for; `title` is what its table is called in messages.
pub fn read(table: &Table, title: &str, errors: &mut Vec<Diagnostic>) -> Grants {
    beyond(&mut Reader::new(table, title, errors))
}

/// Reads `[grants.<rune>]` of the operator.
pub fn read_operators(table: &Table, title: &str, errors: &mut Vec<Diagnostic>) -> OperatorGrants {
    let mut reader = Reader::new(table, title, errors);
    OperatorGrants {
        beyond: beyond(&mut reader),
        mounts: reader.parsed_list(like("mounts", r#"["~/weights"]"#)).unwrap_or_default(),
    }
}

fn beyond(reader: &mut Reader<'_, '_>) -> Grants {
    Grants {
        writable: reader.boolean(like("writable", "true")).unwrap_or(false),
        new_privileges: reader.boolean(like("new-privileges", "true")).unwrap_or(false),
        linux_capabilities: values(reader.parsed_list(like("linux-capabilities", r#"["NET_BIND_SERVICE"]"#))),
        label_disable: reader.boolean(like("label-disable", "true")).unwrap_or(false),
        devices: devices(reader),
        tmpfs: values(reader.parsed_list(like("tmpfs", r#"["/var/tmp"]"#))),
        image_user: reader.boolean(like("image-user", "true")).unwrap_or(false),
    }
}

fn values<T: Ord>(list: Option<Vec<Located<T>>>) -> BTreeSet<T> {
    list.into_iter().flatten().map(|one| one.value).collect()
}

/// `devices`: each one word of a unit.
pub(super) fn devices(reader: &mut Reader<'_, '_>) -> Vec<UnitText> {
    const EXAMPLE: &str = r#"["nvidia.com/gpu=0"]"#;
    let mut devices = Vec::new();
    for device in reader.parsed_words::<UnitText>(like("devices", EXAMPLE)).unwrap_or_default() {
        let text = device.value.as_str();
        if text.is_empty() || text.contains(' ') || text.starts_with('-') {
            let message = format!("`devices` in {}: `{text}` is not one device", reader.title());
            let wrong = Diagnostic::new(message).at(device.place, "");
            reader.errors().push(wrong.help(format!("for example: `devices = {EXAMPLE}`")));
        } else {
            devices.push(device.value);
        }
    }
    devices
}

/// A capability of capabilities(7), without `CAP_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinuxCapability(&'static str);

/// Why a text is no [`LinuxCapability`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a capability, such as `NET_BIND_SERVICE`", .0.escape_debug())]
pub struct LinuxCapabilityError(String);

impl LinuxCapability {
    /// As podman takes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for LinuxCapability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl FromStr for LinuxCapability {
    type Err = LinuxCapabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = CAPABILITIES.iter().find(|known| **known == text);
        known.map(|known| Self(known)).ok_or_else(|| LinuxCapabilityError(text.to_owned()))
    }
}

const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn grants_are_read_and_added_up() {
        let read = |text: &str| {
            let table = document::parse(&document::source("x.toml", text).unwrap()).unwrap();
            let mut errors = Vec::new();
            let grants = super::read(&table, "[grants.x]", &mut errors);
            (grants, errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        };
        let (one, none) =
            read("writable = true\nlinux-capabilities = ['SYS_NICE']\ndevices = ['/dev/dri']\n");
        let (two, _) = read("tmpfs = ['/var/tmp/x']\ndevices = ['/dev/dri', '/dev/kfd']\n");
        assert_eq!(none, "");
        let both = one.and(&two);
        assert!(both.writable && !both.new_privileges && both.tmpfs.len() == 1);
        assert_eq!(both.devices.iter().map(UnitText::as_str).collect::<Vec<_>>(), ["/dev/dri", "/dev/kfd"]);
        assert_eq!(Grants::default().and(&Grants::default()), Grants::default());
        let (_, errors) = read(
            "privileged = true\nlinux-capabilities = ['CAP_KILL']\ntmpfs = ['x']\ndevices = ['-a', 'a b']\n",
        );
        for want in [
            "unknown key `privileged` in [grants.x]",
            "`CAP_KILL` is not a capability",
            "`x` is not an absolute path in a container",
            "`-a` is not one device",
            "`a b` is not one device",
        ] {
            assert!(errors.contains(want), "{want}\n--- not in ---\n{errors}");
        }
    }

    #[test]
    fn mounts_are_the_operators_to_grant() {
        let text = "writable = true\nmounts = ['~/.aws', '/srv/x/']\n";
        let table = document::parse(&document::source("x.toml", text).unwrap()).unwrap();
        let mut errors = Vec::new();
        let granted = read_operators(&table, "[grants.x]", &mut errors);
        assert_eq!((granted.beyond.writable, errors.as_slice()), (true, &[][..]));
        let shown: Vec<String> = granted.mounts.iter().map(|path| path.value.to_string()).collect();
        assert_eq!(shown, ["%h/.aws", "/srv/x"]);
        read(&table, "`grants` of a rune", &mut errors);
        assert!(
            errors[0].to_string().starts_with("unknown key `mounts` in `grants` of a rune"),
            "{errors:?}"
        );
        let table =
            document::parse(&document::source("x.toml", "mounts = ['~', 'x', '~/a:/b']\n").unwrap()).unwrap();
        errors.clear();
        read_operators(&table, "[grants.x]", &mut errors);
        assert_eq!(errors.len(), 3, "{errors:?}");
    }
}
