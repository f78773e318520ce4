//! What a hook may take.

use std::time::Duration;

use crate::{hook::record::Limits, host::process::Bounds};

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_seconds: 10,
            wall_seconds: 30,
            memory: 512 << 20,
            processes: 1,
            files: 64,
            file_size: 1 << 20,
            output: 1 << 20,
            messages: 64 << 10,
        }
    }
}

impl Limits {
    /// What the kernel holds the process to, as words `NAME=SOFT:HARD` (setrlimit(2)). At the soft limit of
    /// processor time the process gets a signal that says why; a second later it is killed.
    pub(super) fn words(&self) -> Vec<String> {
        let cpu = format!("CPU={}:{}", self.cpu_seconds, self.cpu_seconds + 1);
        let same = [
            ("AS", self.memory),
            ("NPROC", self.processes),
            ("NOFILE", self.files),
            ("FSIZE", self.file_size),
            ("CORE", 0),
            ("MEMLOCK", 0),
            ("MSGQUEUE", 0),
        ];
        std::iter::once(cpu)
            .chain(same.into_iter().map(|(name, most)| format!("{name}={most}:{most}")))
            .collect()
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds { wall: Duration::from_secs(self.wall_seconds), stdout: self.output, stderr: self.messages }
    }
}
