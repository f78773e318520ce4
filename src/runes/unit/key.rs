//! The keys that generated units have: a closed list, so nothing from outside can name one.
//!
//! A new key is one row of the list below. Its class decides what is escaped, so choose it by who reads the value and
//! not by how it looks; the first that fits, in this order:
//!
//! 1. systemd itself, and it splits at blanks into names of units or plain words (`After=`): [`Class::Names`].
//! 2. systemd itself, as one text (`Description=`): [`Class::Text`].
//! 3. podman's generator, which splits it into a command line (`Exec=`): [`Class::Words`].
//! 4. podman's generator, which takes one word and unquotes it (`Environment=`): [`Class::Word`], or
//!    [`Class::Unescaped`] if it knows the quotes but no backslash in them.
//! 5. podman's generator, which takes the line as it stands (`Image=`): [`Class::Raw`].
//!
//! podman-systemd.unit(5) does not say 3 to 5 of every key: look how `quadlet.go` looks the key up (`LookupAllArgs`,
//! `LookupAllStrv`, `LookupAllKeyVal` and `Lookup`), then give the generator a value with a blank, a quote, `\`, `%`
//! and `$` and read the `ExecStart=` that it makes. A wrong class is found by the tests beside this file only when the
//! reader in them knows the key, so add it there too.

use super::value::Class;

/// A section of a unit file, in the order they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// `[Unit]`
    Unit,
    /// `[Quadlet]`
    Quadlet,
    /// `[Pod]`
    Pod,
    /// `[Container]`
    Container,
    /// `[Timer]`
    Timer,
    /// `[Service]`
    Service,
    /// `[Install]`
    Install,
}

impl Section {
    /// All of them, in the order they are written.
    pub const ALL: [Self; 7] =
        [Self::Unit, Self::Quadlet, Self::Pod, Self::Container, Self::Timer, Self::Service, Self::Install];

    /// Its name, without brackets.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "Unit",
            Self::Quadlet => "Quadlet",
            Self::Pod => "Pod",
            Self::Timer => "Timer",
            Self::Container => "Container",
            Self::Service => "Service",
            Self::Install => "Install",
        }
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $variant:ident = $section:ident, $name:literal, $class:ident;)*) => {
        /// A key of a generated unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key {
            $($(#[$doc])* $variant,)*
        }

        impl Key {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As it stands before the `=`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The section it belongs to.
            #[must_use]
            pub const fn section(self) -> Section {
                match self { $(Self::$variant => Section::$section,)* }
            }

            /// How its value is read.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }
        }
    };
}

keys! {
    /// What `systemctl status` shows.
    Description = Unit, "Description", Text;
    /// Stops with those.
    BindsTo = Unit, "BindsTo", Names;
    /// Starts those, whether they succeed or not.
    Wants = Unit, "Wants", Names;
    /// Starts those, and fails with them.
    Requires = Unit, "Requires", Names;
    /// Stops and restarts with those.
    PartOf = Unit, "PartOf", Names;
    /// Starts before those.
    Before = Unit, "Before", Names;
    /// Starts after those; with a conflict, after they have stopped.
    After = Unit, "After", Names;
    /// Starting one stops the other.
    Conflicts = Unit, "Conflicts", Names;
    /// Starts those when a start of it fails for good.
    OnFailure = Unit, "OnFailure", Names;
    /// The time within which more than a few starts are too many, in seconds; 0 for none.
    StartLimitIntervalSec = Unit, "StartLimitIntervalSec", Names;
    /// How long a start may be waited for, what comes first included, in seconds.
    JobTimeoutSec = Unit, "JobTimeoutSec", Names;
    /// Whether podman lets it wait for a network of the host's; podman 5.3.
    NetworkDependencies = Quadlet, "DefaultDependencies", Names;
    /// Seconds after the timer's own start.
    OnActiveSec = Timer, "OnActiveSec", Names;
    /// Whether a timer that has elapsed counts as active.
    RemainAfterElapse = Timer, "RemainAfterElapse", Names;
    /// The pod's name in podman.
    PodName = Pod, "PodName", Raw;
    /// The user namespace of all members.
    UserNs = Pod, "UserNS", Raw;
    /// Shared memory of all members, with its unit (`16g`); podman 5.4.
    PodShmSize = Pod, "ShmSize", Raw;
    /// A port on the host: `127.0.0.1:<host>:<pod>`.
    PublishPort = Pod, "PublishPort", Raw;
    /// What becomes of the pod without a running member; podman 5.6.
    ExitPolicy = Pod, "ExitPolicy", Raw;
    /// Further arguments of `podman pod create`.
    PodArguments = Pod, "PodmanArgs", Words;
    /// The pod's unit file.
    Pod = Container, "Pod", Raw;
    /// Whether it starts whenever the pod does; podman 5.3.
    StartWithPod = Container, "StartWithPod", Raw;
    /// The image: `sha256:<id>` or a reference.
    Image = Container, "Image", Raw;
    /// When podman fetches the image.
    Pull = Container, "Pull", Raw;
    /// Its name in podman.
    ContainerName = Container, "ContainerName", Raw;
    /// Who runs it, inside.
    User = Container, "User", Raw;
    /// Of which group, inside.
    Group = Container, "Group", Raw;
    /// A small init reaps processes and forwards signals.
    RunInit = Container, "RunInit", Raw;
    /// The image's files cannot be written.
    ReadOnly = Container, "ReadOnly", Raw;
    /// No process gains a privilege by `execve`.
    NoNewPrivileges = Container, "NoNewPrivileges", Raw;
    /// Capabilities that are taken away.
    DropCapability = Container, "DropCapability", Unescaped;
    /// Capabilities that are granted again.
    AddCapability = Container, "AddCapability", Unescaped;
    /// No confinement by `SELinux`.
    SecurityLabelDisable = Container, "SecurityLabelDisable", Raw;
    /// A device of the host, or of CDI.
    AddDevice = Container, "AddDevice", Unescaped;
    /// A directory in memory: `<path>:<options>`.
    Tmpfs = Container, "Tmpfs", Raw;
    /// A mount: `<host>:<container>:<options>`.
    Volume = Container, "Volume", Raw;
    /// A variable: `<name>=<value>`.
    Environment = Container, "Environment", Word;
    /// A secret of podman, as a file below `/run/secrets`.
    Secret = Container, "Secret", Word;
    /// A label: `<name>=<value>`.
    Label = Container, "Label", Word;
    /// The command, when it is not the image's own.
    Exec = Container, "Exec", Words;
    /// What asks it to end, when it is not the image's own; podman 5.2.
    StopSignal = Container, "StopSignal", Raw;
    /// How long it has for that before it is killed, in seconds.
    StopTimeout = Container, "StopTimeout", Raw;
    /// What systemd takes for its start: `healthy`.
    Notify = Container, "Notify", Raw;
    /// The question whether it is well, as a JSON list of words.
    HealthCmd = Container, "HealthCmd", Raw;
    /// The pause between two of them.
    HealthInterval = Container, "HealthInterval", Raw;
    /// How long an answer may take.
    HealthTimeout = Container, "HealthTimeout", Raw;
    /// How many may fail in a row.
    HealthRetries = Container, "HealthRetries", Raw;
    /// What becomes of it then.
    HealthOnFailure = Container, "HealthOnFailure", Raw;
    /// The same question until it is well for the first time.
    HealthStartupCmd = Container, "HealthStartupCmd", Raw;
    /// The pause between two of those.
    HealthStartupInterval = Container, "HealthStartupInterval", Raw;
    /// How long an answer to those may take.
    HealthStartupTimeout = Container, "HealthStartupTimeout", Raw;
    /// Further arguments of `podman run`.
    ContainerArguments = Container, "PodmanArgs", Words;
    /// How systemd knows that it has started.
    Type = Service, "Type", Names;
    /// When it is started again.
    Restart = Service, "Restart", Names;
    /// The pause before that, in seconds.
    RestartSec = Service, "RestartSec", Names;
    /// Exit codes after which it is started again in any case.
    RestartForceExitStatus = Service, "RestartForceExitStatus", Names;
    /// Whether those who wait for it see a failed try; systemd 254.
    RestartMode = Service, "RestartMode", Names;
    /// Exit codes that are no failure.
    SuccessExitStatus = Service, "SuccessExitStatus", Names;
    /// How long a start may take, in seconds.
    TimeoutStartSec = Service, "TimeoutStartSec", Names;
    /// How long a stop may take, in seconds.
    TimeoutStopSec = Service, "TimeoutStopSec", Names;
    /// The targets that start it.
    WantedBy = Install, "WantedBy", Names;
}
