//! `[orchestration]`: queues, and how one runtime is exchanged for another.

use super::{
    section::{Keys, ORCHESTRATION, ROUTE, SWITCHING, WHIM},
    value::{Actuator, Switching},
};
use crate::{diagnostic::Diagnostic, document::Table};

/// Urgency, from background work to what cannot wait.
const PRIORITY: std::ops::RangeInclusive<i64> = 0..=100;

pub(super) fn read(table: &Table, own: &mut Switching, errors: &mut Vec<Diagnostic>) {
    let mut orchestration = Keys::of(&ORCHESTRATION, table, errors);
    let switching = orchestration.table("switching");
    if let Some(table) = orchestration.table("whim") {
        let mut whim = Keys::of(&WHIM, table, orchestration.errors());
        whim.integers(&["idle_evict_after_s"]);
        whim.read("preload", |reader| reader.strings("preload"));
    }
    if let Some(table) = orchestration.table("routing") {
        read_routing(table, orchestration.errors());
    }
    orchestration.finish();
    if let Some(table) = switching {
        read_switching(table, own, errors);
    }
}

/// Sources of work by name, each with its queue; LychD's own four are there without being written.
fn read_routing(table: &Table, errors: &mut Vec<Diagnostic>) {
    for (name, field) in table.iter() {
        let name = name.escape_debug();
        let title = format!("[orchestration.routing.{name}]");
        let Some(route) = field.node.as_table() else {
            let message =
                format!("`{name}` in [orchestration.routing] must be a table, not {}", field.node.kind());
            let help = format!("such as `{name} = {{ queue = \"runs\", priority = 50 }}`");
            errors.push(Diagnostic::new(message).at(field.node.place.clone(), "").help(help));
            continue;
        };
        let mut route = Keys::titled(&ROUTE, &title, route, errors);
        route.read("queue", |reader| reader.choice("queue", &[("runs", ()), ("rites", ())]));
        route.integers_within(&["priority"], &PRIORITY);
    }
}

fn read_switching(table: &Table, own: &mut Switching, errors: &mut Vec<Diagnostic>) {
    let mut switching = Keys::of(&SWITCHING, table, errors);
    switching.set("actuator", &mut own.actuator, |reader| reader.choice("actuator", &Actuator::ALL));
    own.host_reactor_dir = switching.read("host_reactor_dir", |reader| reader.parsed("host_reactor_dir"));
    switching.strings(&["policy"]);
    switching.integers_within(&["min_priority_for_hard_swap"], &PRIORITY);
    for key in ["drain_timeout_s", "warmup_timeout_s", "reactor_ack_timeout_s", "systemctl_timeout_s"] {
        let Some(seconds) = switching.read(key, |reader| reader.float(key)) else { continue };
        // Only systemctl must come to an end.
        if seconds.value.is_nan() || seconds.value <= 0.0 {
            switching.refuse(key, "must be more than 0");
        } else if key == "systemctl_timeout_s" && seconds.value.is_infinite() {
            switching.refuse(key, "must be finite");
        }
    }
}
