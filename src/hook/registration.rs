//! From what a hook said to validated values, through the manifest's own validators.

use serde_json::Value as Json;

use super::{
    answer::{Entry, Registered},
    engine,
    failing::{Hook, plain},
    record,
};
use crate::{
    crypt::{
        manifest::SystemDependency,
        rune::{self, RuneDefinition},
        system_dependency,
    },
    diagnostic::{Diagnostic, Failure, Place, refuse_any},
    digest::Sha256,
    document::{Field, Node, Table, Value},
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
        registered.ignored.iter().map(|name| format!("`{}`", plain(name, 200))).collect();
    let notes = if ignored.is_empty() {
        Vec::new()
    } else {
        let name = hook.source.name();
        vec![format!("`{name}` uses {}: LychD's at run time, without effect on the body", ignored.join(", "))]
    };
    Ok(Registration { system_dependencies, runes, record, notes })
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
