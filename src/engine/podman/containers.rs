//! Containers and secrets as podman shows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{ANSWER, Podman, answer, failed, fed};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::process::Output,
    image::EngineId,
};

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What podman calls the image that it was made of.
    pub image: EngineId,
    /// What podman calls its state: `running`, `exited` and the like.
    pub state: String,
    /// `healthy`, `unhealthy` or `starting`; empty of one that nobody asks.
    pub health: String,
    /// When it was made, in nanoseconds since 1970.
    pub created: i128,
    /// The command line that made it, the program first.
    pub command: Vec<String>,
}

/// A secret, without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What podman calls it: another one with each change.
    pub id: String,
    /// When it was given what it holds, in nanoseconds since 1970.
    pub updated: i128,
}

/// What of `podman container inspect` is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    name: String,
    created: String,
    image: String,
    state: ShownState,
    config: ShownConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShownState {
    status: String,
    health: Option<ShownHealth>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShownHealth {
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShownConfig {
    create_command: Option<Vec<String>>,
}

/// What of `podman secret inspect` is read.
#[derive(Debug, Deserialize)]
struct ShownSecret {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "UpdatedAt")]
    updated: String,
    #[serde(rename = "Spec")]
    spec: ShownSpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShownSpec {
    name: String,
}

impl Podman {
    /// Those containers of these names that there are.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn inspect<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Container>, Failure> {
        let there = self.containers()?;
        let names: Vec<&str> = names.into_iter().filter(|name| there.contains(*name)).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        // One that goes meanwhile makes podman fail; the others are told all the same.
        let command = self.command(["container", "inspect"].into_iter().chain(names));
        let output = answer(&command, ANSWER)?;
        match containers(&output.stdout) {
            Ok(all) => Ok(all),
            Err(_) if !output.success() => Err(failed(&command, &output)),
            Err(unclear) => Err(unclear),
        }
    }

    /// The command line that made a pod, the program first; `None` where there is none of that name.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn command_of_pod(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let command = self.command(["pod", "exists", name]);
        let output = answer(&command, ANSWER)?;
        match output.code {
            Some(0) => {}
            Some(1) => return Ok(None),
            _ => return Err(failed(&command, &output)),
        }
        let shown = self.run(["pod", "inspect", name])?;
        let shown: Value =
            serde_json::from_slice(&shown.stdout).map_err(|error| unclear("pod inspect", &error))?;
        // A list since podman 5, and one pod before.
        let pod = shown.get(0).unwrap_or(&shown);
        let words = pod.get("CreateCommand").and_then(Value::as_array);
        let words = words.into_iter().flatten().filter_map(Value::as_str);
        Ok(Some(words.map(str::to_owned).collect()))
    }

    /// The secrets that it has, by name.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn secrets(&self) -> Result<BTreeMap<String, Secret>, Failure> {
        let listed = self.run(["secret", "ls", "--format", "{{.Name}}"])?.text();
        if listed.is_empty() {
            return Ok(BTreeMap::new());
        }
        secrets(&self.run(["secret", "inspect"].into_iter().chain(listed.lines()))?.stdout)
    }
}

/// What secrets hold.
impl Podman {
    /// Makes a secret of this value, or gives one that is there another; its containers keep what they were given.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn put_secret(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        let command = self.command(["secret", "create", "--replace", name, "-"]);
        let (output, fed) = fed(&command, ANSWER, |input| input.write_all(value))?;
        match (output.success(), fed) {
            (true, Ok(())) => Ok(()),
            (true, Err(error)) => {
                Err(Failure::unable(Diagnostic::new(format!("podman does not read a secret: {error}"))))
            }
            (false, _) => Err(failed(&command, &output)),
        }
    }

    /// What a secret holds.
    ///
    /// # Errors
    /// As [`Podman::exists`]; refused when there is none of that name.
    pub fn value_of_secret(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let format = "{{.SecretData}}";
        let output = self.run(["secret", "inspect", "--showsecret", "--format", format, name])?;
        let value = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
        Ok(value.to_vec())
    }

    /// Takes a secret away; none of that name is success.
    ///
    /// # Errors
    /// As [`Podman::exists`].
    pub fn remove_secret(&self, name: &str) -> Result<(), Failure> {
        self.run(["secret", "rm", "--ignore", name]).map(drop)
    }

    /// Runs words in a container that runs, with these bytes to read.
    ///
    /// # Errors
    /// As [`Podman::exec`].
    pub fn exec_fed(&self, container: &str, words: &[&str], input: &[u8]) -> Result<Output, Failure> {
        let command = self.command(["exec", "--interactive", container].iter().chain(words));
        // Who ends without having read it all says why.
        let (output, _fed) = fed(&command, ANSWER, |stdin| stdin.write_all(input))?;
        Ok(output)
    }
}

fn containers(answer: &[u8]) -> Result<BTreeMap<String, Container>, Failure> {
    let asked = "container inspect";
    let all: Vec<Shown> = serde_json::from_slice(answer).map_err(|error| unclear(asked, &error))?;
    let container = |shown: Shown| {
        let health = shown.state.health.and_then(|health| health.status).unwrap_or_default();
        let container = Container {
            image: shown.image.parse().map_err(|error| unclear(asked, &error))?,
            state: shown.state.status,
            health,
            created: moment(asked, &shown.created)?,
            command: shown.config.create_command.unwrap_or_default(),
        };
        Ok((shown.name, container))
    };
    all.into_iter().map(container).collect()
}

fn secrets(answer: &[u8]) -> Result<BTreeMap<String, Secret>, Failure> {
    let asked = "secret inspect";
    let all: Vec<ShownSecret> = serde_json::from_slice(answer).map_err(|error| unclear(asked, &error))?;
    let secret = |ShownSecret { id, updated, spec }: ShownSecret| {
        Ok((spec.name, Secret { id, updated: moment(asked, &updated)? }))
    };
    all.into_iter().map(secret).collect()
}

fn moment(asked: &str, text: &str) -> Result<i128, Failure> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| unclear(asked, &error))?;
    Ok(moment.unix_timestamp_nanos())
}

fn unclear(asked: &str, reason: &dyn std::fmt::Display) -> Failure {
    Diagnostic::new(format!("`podman {asked}` gave no clear answer: {reason}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_read_as_podman_shows_them() {
        let id = "ab".repeat(32);
        let shown = format!(
            r#"[{{"Name": "lychd-a", "Created": "2026-11-01T10:00:00.5+02:00", "Image": "{id}", "Pod": "",
                 "State": {{"Status": "running", "Health": {{"Status": "starting", "Log": null}}}},
                 "Config": {{"CreateCommand": ["/usr/bin/podman", "run", "a"]}}}},
                {{"Name": "lychd-b", "Created": "1970-01-01T00:00:01Z", "Image": "{id}",
                 "State": {{"Status": "exited"}}, "Config": {{"CreateCommand": null}}}}]"#
        );
        let all = containers(shown.as_bytes()).unwrap();
        let a = Container {
            image: id.parse().unwrap(),
            state: "running".to_owned(),
            health: "starting".to_owned(),
            created: 1_793_520_000_500_000_000,
            command: ["/usr/bin/podman", "run", "a"].map(str::to_owned).into(),
        };
        let b = Container {
            state: "exited".to_owned(),
            health: String::new(),
            created: 1_000_000_000,
            command: Vec::new(),
            ..a.clone()
        };
        assert_eq!(all, [("lychd-a".to_owned(), a), ("lychd-b".to_owned(), b)].into());
        for unclear in ["", "{}", &shown.replace("2026-11", "today"), &shown.replace(&id, "-abc")] {
            let told = containers(unclear.as_bytes()).unwrap_err().to_string();
            assert!(told.starts_with("`podman container inspect` gave no clear answer: "), "{told}");
        }
    }

    #[test]
    fn secrets_are_read_without_what_they_hold() {
        let shown = r#"[{"ID": "4f", "CreatedAt": "2026-11-01T10:00:00Z", "UpdatedAt": "1970-01-01T00:00:02Z",
            "Spec": {"Name": "key", "Driver": {"Name": "file", "Options": {}}}}]"#;
        let key = Secret { id: "4f".to_owned(), updated: 2_000_000_000 };
        assert_eq!(secrets(shown.as_bytes()).unwrap(), [("key".to_owned(), key)].into());
    }
}
