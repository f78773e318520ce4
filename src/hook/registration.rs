//! From what a hook said to validated values, through the manifest's own validators.

use serde_json::Value as Json;

use super::{
    answer::{Entry, Ignored, Registered},
    engine,
    failing::{Hook, plain},
    record,
};
use crate::{
    crypt::{
        inputs::lychd::HOOK,
        manifest::SystemDependency,
        rune::{self, RuneDefinition},
        system_dependency,
    },
    diagnostic::{Diagnostic, Failure, Place, refuse_any},
    digest::Sha256,
    document::{Field, Node, Table, Value, nearest::nearest},
};

/// What the hook of one member adds to its manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// System packages, in order.
    pub system_dependencies: Vec<SystemDependency>,
    /// Runes, in order.
    pub runes: Vec<RuneDefinition>,
    /// What the Synthesis records of the run.
    pub record: record::Hook,
    /// What a person should know.
    pub notes: Vec<String>,
}

pub(super) fn read(
    hook: &Hook<'_>,
    registered: &Registered,
    sha256: Sha256,
) -> Result<Registration, Failure> {
    let mut errors = Vec::new();
    let mut system_dependencies = Vec::new();
    for entry in &registered.system_dependencies {
        if let Some(node) = node(&entry.value.0, &hook.line(entry.line), &mut errors) {
            let title = "`add_system_dependency`";
            system_dependencies.extend(system_dependency::read(&node, title, &mut errors));
        }
    }
    let mut runes = Vec::new();
    for entry in &registered.runes {
        if let Some(node) = node(&entry.value.0, &hook.line(entry.line), &mut errors) {
            runes.extend(rune::read(&node, "`RuneDefinition`", &mut errors));
        }
    }
    errors.extend(registered.ignored.iter().filter_map(|ignored| near_miss(hook, ignored)));
    for error in &mut errors {
        error.requested_by.push(hook.member.to_string());
    }
    refuse_any(errors)?;
    let values = |entries: &[Entry]| entries.iter().map(|entry| entry.value.0.clone()).collect::<Json>();
    let all = serde_json::json!({
        "runes": values(&registered.runes),
        "system_dependencies": values(&registered.system_dependencies),
    });
    let record = record::Hook {
        sha256,
        registered_sha256: Sha256::of(all.to_string()),
        engine: engine::recorded(),
        limits: *hook.limits,
    };
    let ignored: Vec<String> =
        registered.ignored.iter().map(|ignored| format!("`{}`", plain(&ignored.name, 200))).collect();
    let notes = if ignored.is_empty() {
        Vec::new()
    } else {
        let name = hook.source.name();
        vec![format!("`{name}` uses {}: LychD's at run time, without effect on the body", ignored.join(", "))]
    };
    Ok(Registration { system_dependencies, runes, record, notes })
}

/// An error for a name that is a slip of one of the forge's own: what was meant would be missing without a word.
fn near_miss(hook: &Hook<'_>, ignored: &Ignored) -> Option<Diagnostic> {
    let own = HOOK.rows.iter().copied().flatten().flat_map(|row| row.keys).copied();
    let near = near_name(&ignored.name, own)?;
    let message = format!("a hook's context has no `{}`", plain(&ignored.name, 200));
    Some(Diagnostic::new(message).at(hook.line(ignored.line), "").help(format!("did you mean `{near}`?")))
}

/// Nearer than what else is a slip: LychD's own names are many, and begin alike.
fn near_name<'a>(name: &str, own: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(name, own).filter(|near| strsim::osa_distance(&name.to_ascii_lowercase(), near) <= near.len() / 6)
}

/// The value as a manifest would hold it, each part at the line of the hook that registered it.
fn node(json: &Json, place: &Place, errors: &mut Vec<Diagnostic>) -> Option<Node> {
    let mut wrong = |what: &str| {
        errors.push(Diagnostic::new(format!("a hook cannot register {what}")).at(place.clone(), ""));
        None
    };
    let value = match json {
        Json::Null => return wrong("`None` as a value"),
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Integer(number),
            (None, Some(float)) if number.is_f64() => Value::Float(float),
            _ => return wrong("so large a number"),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => {
            Value::Array(items.iter().map(|item| node(item, place, errors)).collect::<Option<_>>()?)
        }
        Json::Object(entries) => {
            let field = |(key, value): (&String, &Json)| {
                Some((key.clone(), Field { key: place.clone(), node: node(value, place, errors)? }))
            };
            Value::Table(entries.iter().map(field).collect::<Option<Table>>()?)
        }
    };
    Some(Node { place: place.clone(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_an_own_name_is_none_of_lychds() {
        let own = || HOOK.rows.iter().copied().flatten().flat_map(|row| row.keys).copied();
        for (name, near) in [
            ("add_system_dependancy", "add_system_dependency"),
            ("add_system_dependencies", "add_system_dependency"),
            ("addRune", "add_rune"),
            ("add_runes", "add_rune"),
            ("add_containers", "add_container"),
        ] {
            assert_eq!(near_name(name, own()), Some(near), "{name}");
        }
        for other in [
            "add_route",
            "add_router",
            "add_task",
            "runes.add_schema",
            "soulstones.add",
            "portals.add",
            "vessel",
        ] {
            assert_eq!(near_name(other, own()), None, "{other}");
        }
    }
}
