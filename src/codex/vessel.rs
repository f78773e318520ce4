//! `[vessel.env]` and `[health]` of `forge.toml`: what the application is told, and how services are asked.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{
        Located, Node, Table, Value,
        reader::{Reader, like},
    },
    name::{RuneName, SecretName, unit_text::is_printable, variable::VariableName},
};

/// A variable of the application's own, which its migration has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VesselVariable {
    /// This text.
    Text(String),
    /// Where the database is: `<scheme>://<user>[:<password>]@localhost:5432/<database>`.
    DatabaseUrl {
        /// The scheme that the application wants, such as `postgresql+asyncpg`.
        scheme: String,
        /// Whether the password is in it: it is put there from the secret's file when the container starts.
        password: bool,
    },
    /// What is in a secret of podman.
    Secret(SecretName),
    /// The file of one.
    SecretFile(SecretName),
}

/// How a service is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthCheck {
    /// It is not, whatever its image or family says.
    Off,
    /// By a program in its container, which ends with 0 then.
    Command(Vec<String>),
}

/// The longest text of a variable or word of a command, in bytes.
const LIMIT: usize = 4096;

/// Variables that units set themselves, or LychD reads beside those: another value would lead the application astray, or put
/// a password into a unit. LychD does not look at the case of some.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 4] = ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
    let upper = name.to_ascii_uppercase();
    OURS.contains(&name)
        || upper.starts_with("SERVER__DATABASE__")
        || ["LYCHD_DB_", "LYCHD_APP_SECRET"].iter().any(|start| upper.starts_with(start))
        || upper.starts_with("LYCHD_") && upper.ends_with("_FILE")
}

/// Reads `[vessel]`: its `env`.
pub(super) fn read(
    table: &Table,
    errors: &mut Vec<Diagnostic>,
) -> BTreeMap<VariableName, Located<VesselVariable>> {
    let mut variables = BTreeMap::new();
    let mut vessel = Reader::new(table, "[vessel]", errors);
    let env = vessel.table(like("env", r#"{ LOG_LEVEL = "info" }"#));
    vessel.finish();
    for (name, field) in env.into_iter().flat_map(Table::iter) {
        let wrong = match name.parse::<VariableName>() {
            Ok(_) if is_ours(name) => {
                Diagnostic::new(format!("`{name}` in [vessel.env]: the units set this one themselves"))
                    .help("leave it out")
            }
            Ok(name) => {
                if let Some(value) = variable(name.as_str(), &field.node, errors) {
                    variables.insert(name, Located { value, place: field.key.clone() });
                }
                continue;
            }
            Err(error) => {
                Diagnostic::new(format!("[vessel.env]: {error}")).help("for example: `LOG_LEVEL = \"info\"`")
            }
        };
        errors.push(wrong.at(field.key.clone(), ""));
    }
    variables
}

fn variable(name: &str, node: &Node, errors: &mut Vec<Diagnostic>) -> Option<VesselVariable> {
    const FORMS: &str = "a text; `{ database-url = \"postgresql\" }`, with `password = true` where it needs one; `{ secret = \"NAME\" }` \
                         or `{ secret-file = \"NAME\" }` of podman";
    let title = format!("`{name}` of [vessel.env]");
    if let Some(text) = node.as_str() {
        return plain(text, &title, &node.place, errors).map(VesselVariable::Text);
    }
    let Some(table) = node.as_table() else {
        let message = format!("{title} cannot be {}", node.kind());
        errors.push(Diagnostic::new(message).at(node.place.clone(), "").help(FORMS));
        return None;
    };
    let before = errors.len();
    let mut reader = Reader::new(table, title.as_str(), errors);
    let url = reader.string(like("database-url", "\"postgresql\""));
    let password = reader.boolean(like("password", "true"));
    let secret = reader.parsed::<SecretName>(like("secret", "\"mail_key\""));
    let file = reader.parsed::<SecretName>(like("secret-file", "\"mail_key\""));
    reader.finish();
    if errors.len() > before {
        return None;
    }
    match (url, secret, file, password) {
        (Some(url), None, None, password) => {
            let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"+.-".contains(&c);
            let sound = url.value.bytes().next().is_some_and(|c| c.is_ascii_lowercase())
                && url.value.len() <= 64
                && url.value.bytes().all(inner);
            if sound {
                let scheme = url.value.to_owned();
                return Some(VesselVariable::DatabaseUrl { scheme, password: password.unwrap_or(false) });
            }
            let message =
                format!("`database-url` in {title}: `{}` is no scheme of a URL", url.value.escape_debug());
            let wrong = Diagnostic::new(message).at(url.place, "");
            errors.push(wrong.help("what stands before `://`, such as `postgresql` or `postgresql+asyncpg`"));
            None
        }
        (None, Some(secret), None, None) => Some(VesselVariable::Secret(secret.value)),
        (None, None, Some(file), None) => Some(VesselVariable::SecretFile(file.value)),
        _ => {
            let wrong = Diagnostic::new(format!("{title} is none of what a variable can be"));
            errors.push(wrong.at(node.place.clone(), "").help(FORMS));
            None
        }
    }
}

/// Reads `[health]`: `false` or `{ command = […] }` by the name of a service without `lychd-`.
pub(super) fn read_health(
    table: &Table,
    errors: &mut Vec<Diagnostic>,
) -> BTreeMap<RuneName, Located<HealthCheck>> {
    let mut checks = BTreeMap::new();
    for (name, field) in table.iter() {
        let title = format!("`{}` of [health]", name.escape_debug());
        let value = match name.parse::<RuneName>() {
            Ok(name) => check(&title, &field.node, errors).map(|value| (name, value)),
            Err(error) => {
                errors.push(
                    Diagnostic::new(format!("[health]: {error}"))
                        .at(field.key.clone(), "")
                        .help("a service of the body without `lychd-`"),
                );
                None
            }
        };
        if let Some((name, value)) = value {
            checks.insert(name, Located { value, place: field.key.clone() });
        }
    }
    checks
}

fn check(title: &str, node: &Node, errors: &mut Vec<Diagnostic>) -> Option<HealthCheck> {
    const FORMS: &str = "`{ command = [\"curl\", \"-fsS\", \"http://localhost:8100/health\"] }`, or `false`";
    if matches!(node.value, Value::Boolean(false)) {
        return Some(HealthCheck::Off);
    }
    let Some(table) = node.as_table() else {
        let message = format!("{title} must be a table or `false`");
        errors.push(Diagnostic::new(message).at(node.place.clone(), "").help(FORMS));
        return None;
    };
    let mut reader = Reader::new(table, title, errors);
    let given: Vec<(String, Place)> = reader
        .strings(like("command", r#"["curl", "-fsS", "http://localhost:8100/health"]"#))
        .unwrap_or_default()
        .into_iter()
        .map(|word| (word.value.to_owned(), word.place))
        .collect();
    let missing = table.get("command").is_none();
    reader.finish();
    if missing {
        let wrong = Diagnostic::new(format!("{title} has no `command`"));
        errors.push(wrong.at(node.place.clone(), "").help(FORMS));
        return None;
    }
    let all: Vec<Option<String>> =
        given.iter().map(|(word, place)| plain(word, title, place, errors)).collect();
    let words: Vec<String> = all.into_iter().collect::<Option<_>>()?;
    if words.first().is_none_or(String::is_empty) {
        let wrong = Diagnostic::new(format!("`command` in {title} names no program"));
        errors.push(wrong.at(node.place.clone(), "").help(FORMS));
        return None;
    }
    Some(HealthCheck::Command(words))
}

/// A text that a unit can hold.
fn plain(text: &str, title: &str, place: &Place, errors: &mut Vec<Diagnostic>) -> Option<String> {
    if text.len() <= LIMIT && is_printable(text) {
        return Some(text.to_owned());
    }
    let message = format!("{title} must be printable, in one line and of {LIMIT} bytes at most");
    errors.push(
        Diagnostic::new(message)
            .at(place.clone(), "")
            .help("a unit can hold no other: what is longer goes into a file or a secret"),
    );
    None
}
