//! How a service is, by what systemd and podman say of it together: either alone says too little. A pod that was killed
//! leaves services that are `inactive` by a success.

use serde::Serialize;

use crate::engine::{
    podman::Container,
    systemd::{ServiceState, UnitState},
};

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// It runs, and is well by its own account where it has one.
    Well,
    /// It does not run, and need not: it is started when somebody asks for it, or it has done what it does.
    Resting,
    /// It is on its way up or down.
    Moving,
    /// It runs, and is not well by its own account.
    Unhealthy,
    /// It is to run, and does not.
    Down,
    /// It failed; systemd may be trying it again.
    Failed,
    /// systemd does not know it.
    Unknown,
}

impl Life {
    /// Whether nobody has to look.
    #[must_use]
    pub const fn is_well(self) -> bool {
        matches!(self, Self::Well | Self::Resting)
    }

    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Resting => "resting",
            Self::Moving => "on its way",
            Self::Unhealthy => "unhealthy",
            Self::Down => "down",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Of a service that is wanted at boot, or not; `container` is that of its name, where podman has one.
#[must_use]
pub fn of(wanted: bool, unit: &UnitState, service: &ServiceState, container: Option<&Container>) -> Life {
    if !unit.is_loaded() {
        return Life::Unknown;
    }
    match unit.active.as_str() {
        "failed" => Life::Failed,
        "inactive" if unit.job != 0 => Life::Moving,
        "inactive" if wanted => Life::Down,
        "inactive" => Life::Resting,
        // It ended, and waits to be tried again; or is being tried again, after one that failed.
        "activating" if unit.sub.starts_with("auto-restart") || service.has_failed => Life::Failed,
        "active" => match container {
            Some(container) if container.health == "unhealthy" => Life::Unhealthy,
            Some(container) if container.state != "running" => Life::Moving,
            _ => Life::Well,
        },
        _ => Life::Moving,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(active: &str, sub: &str) -> UnitState {
        UnitState { load: "loaded".into(), active: active.into(), sub: sub.into(), ..UnitState::default() }
    }

    fn container(state: &str, health: &str) -> Container {
        Container {
            image: "ab".parse().unwrap(),
            state: state.to_owned(),
            health: health.to_owned(),
            created: 0,
            command: Vec::new(),
        }
    }

    #[test]
    fn what_is_wanted_and_does_not_run_is_down_though_nothing_failed() {
        let fine = ServiceState::default();
        let dead = unit("inactive", "dead");
        assert_eq!(of(true, &dead, &fine, None), Life::Down);
        assert_eq!(of(false, &dead, &fine, None), Life::Resting);
        assert_eq!(of(true, &UnitState { job: 7, ..dead }, &fine, None), Life::Moving);
        assert_eq!(of(true, &UnitState::default(), &fine, None), Life::Unknown);
    }

    #[test]
    fn what_is_tried_again_has_failed() {
        let fallen = ServiceState { restarts: 1, has_failed: true };
        assert_eq!(of(true, &unit("activating", "auto-restart-queued"), &fallen, None), Life::Failed);
        assert_eq!(of(true, &unit("activating", "start"), &fallen, None), Life::Failed);
        assert_eq!(of(true, &unit("activating", "start"), &ServiceState::default(), None), Life::Moving);
        assert_eq!(of(false, &unit("failed", "failed"), &fallen, None), Life::Failed);
    }

    #[test]
    fn what_runs_is_well_by_its_own_account() {
        let (runs, fine) = (unit("active", "running"), ServiceState::default());
        for (state, health, want) in [
            ("running", "", Life::Well),
            ("running", "healthy", Life::Well),
            ("running", "starting", Life::Well),
            ("running", "unhealthy", Life::Unhealthy),
            ("exited", "healthy", Life::Moving),
        ] {
            assert_eq!(of(true, &runs, &fine, Some(&container(state, health))), want, "{state} {health}");
        }
        // What systemd calls active after an end that was to come has no container.
        assert_eq!(of(true, &unit("active", "exited"), &fine, None), Life::Well);
    }
}
