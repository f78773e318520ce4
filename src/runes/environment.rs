//! What the operator tells the application: `[vessel.env]` as variables of its containers.

use std::collections::BTreeMap;

use super::{
    mounts::SUPPORT,
    ports,
    unit::{Container, Secret, SecretForm, Value},
    variables::{secret_file, variable},
};
use crate::{
    codex::{Codex, VesselVariable},
    name::variable::VariableName,
};

/// The program that puts the password into variables, a file of [`super::support`].
pub(super) const PROGRAM_FILE: &str = "environment.py";
/// What stands for the password until then.
const PASSWORD: &str = "{password}";
/// `environment.py FILE NAME… -- COMMAND…`: no unit and no image can hold the password, and no engine puts a secret into
/// the middle of a text.
const PROGRAM: &str = r#""""Puts the database's password into the variables that want it, then becomes the command."""

import os
import sys
from urllib.parse import quote

file, *rest = sys.argv[1:]
at = rest.index("--")
with open(file, encoding="utf-8") as secret:
    password = quote(secret.read().rstrip("\n"), safe="")
for name in rest[:at]:
    os.environ[name] = os.environ[name].replace("{password}", password)
command = rest[at + 1 :]
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"#;

/// The variables that want the password.
fn with_password(codex: &Codex) -> impl Iterator<Item = &VariableName> {
    codex.vessel_env.iter().filter_map(|(name, value)| {
        matches!(value.value, VesselVariable::DatabaseUrl { password: true, .. }).then_some(name)
    })
}

/// The program and its name, where it is wanted.
pub(super) fn program(codex: &Codex) -> Option<(&'static str, &'static str)> {
    with_password(codex).next().map(|_| (PROGRAM_FILE, PROGRAM))
}

/// Adds the variables to a container of the application's image that runs `command`.
pub(super) fn add(container: &mut Container, codex: &Codex, command: &[String]) {
    let mut added = BTreeMap::new();
    for (name, value) in &codex.vessel_env {
        match &value.value {
            VesselVariable::Text(text) => variable(&mut added, name.as_str(), text.as_str()),
            VesselVariable::SecretFile(secret) => {
                variable(&mut added, name.as_str(), secret_file(secret));
                keep(container, Secret { name: secret.clone(), form: SecretForm::File });
            }
            VesselVariable::Secret(secret) => {
                let form = SecretForm::Variable(name.clone());
                keep(container, Secret { name: secret.clone(), form });
            }
            VesselVariable::DatabaseUrl { scheme, password } => {
                let own = &codex.lychd.database;
                let database = own.database.value.as_str();
                let url = database_url(scheme, own.user.value.as_str(), *password, database);
                variable(&mut added, name.as_str(), url);
            }
        }
    }
    container.environment.extend(added);
    let names: Vec<&str> = with_password(codex).map(VariableName::as_str).collect();
    if names.is_empty() {
        return;
    }
    let secret = secret_file(&codex.lychd.database.password_secret.value);
    let program = format!("{SUPPORT}/{PROGRAM_FILE}");
    let first = ["python", "-I", "-S", &program, &secret].into_iter().chain(names).chain(["--"]);
    container.exec = first.map(str::to_owned).chain(command.iter().cloned()).collect();
}

fn keep(container: &mut Container, secret: Secret) {
    if !container.secrets.contains(&secret) {
        container.secrets.push(secret);
    }
}

/// Where a database of the Phylactery is, whatever characters the user's name has.
pub(super) fn database_url(scheme: &str, user: &str, password: bool, database: &str) -> Value {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let encode = |text: &str| text.bytes().map(encoded).collect::<String>();
    let password = if password { format!(":{PASSWORD}") } else { String::new() };
    let (user, database) = (encode(user), encode(database));
    Value::from(format!("{scheme}://{user}{password}@localhost:{}/{database}", ports::DATABASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_hold_what_names_are_made_of() {
        for (scheme, user, password, want) in [
            ("postgresql", "lich", false, "postgresql://lich@localhost:5432/lychd"),
            (
                "postgresql+asyncpg",
                "l i/ch",
                true,
                "postgresql+asyncpg://l%20i%2Fch:{password}@localhost:5432/lychd",
            ),
        ] {
            assert_eq!(database_url(scheme, user, password, "lychd").to_string(), want);
        }
    }
}
