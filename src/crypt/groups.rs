//! `[dependency-groups]` (PEP 735), and which of them belong to the body.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use super::requirement::{Dependency, dependency};
use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Located, Node, Table, Value, nearest::nearest, reader::Reader},
    name::GroupName,
};

/// The group that `uv sync --no-dev` leaves out.
const DEV: &str = "dev";
/// The most groups that one may lie in another, far above any real manifest.
const DEPTH: usize = 64;

/// The groups of the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Groups {
    /// Their names, those that they include among them.
    pub(super) names: BTreeSet<GroupName>,
    /// What they ask for, in order.
    pub(super) dependencies: Vec<Dependency>,
    /// The others.
    pub(super) left: BTreeSet<GroupName>,
}

/// The groups that `named` has, or else uv's `default-groups` without `dev`, as `uv sync --no-dev` installs them.
pub(super) fn of_body(
    manifest: &Table,
    uv: &Table,
    named: Option<Vec<Located<GroupName>>>,
    errors: &mut Vec<Diagnostic>,
) -> Groups {
    let all = groups(manifest, errors);
    let wanted = match named {
        Some(named) => named,
        None => defaults(uv, &all, errors),
    };
    let legacy = Reader::open(uv, "[tool.uv]", errors).node("dev-dependencies");
    let mut reading = Reading { all: &all, found: Groups::default(), errors };
    for group in wanted {
        let is_dev = group.value.as_ref() == DEV && legacy.is_some();
        if !is_dev || all.contains_key(&group.value) {
            reading.add(&group.value, &group.place, &mut Vec::new());
        }
        // uv adds its own old list to that group.
        for item in legacy.filter(|_| is_dev).and_then(Node::as_array).unwrap_or_default() {
            reading.item(&group.value, item, &mut vec![group.value.clone()]);
        }
        if is_dev {
            reading.found.names.insert(group.value);
        }
    }
    let mut found = reading.found;
    found.left = all.into_keys().filter(|name| !found.names.contains(name)).collect();
    found
}

/// All groups of a manifest, as they are written.
fn groups<'a>(manifest: &'a Table, errors: &mut Vec<Diagnostic>) -> BTreeMap<GroupName, &'a Node> {
    let groups = Reader::open(manifest, "the manifest", errors).table("dependency-groups");
    let mut read = BTreeMap::new();
    for (key, field) in groups.iter().flat_map(|groups| groups.iter()) {
        match GroupName::from_str(key) {
            Ok(name) => {
                if read.insert(name, &field.node).is_some() {
                    let twice =
                        format!("the group `{}` stands twice under two spellings", key.escape_debug());
                    errors.push(Diagnostic::new(twice).at(field.key.clone(), ""));
                }
            }
            Err(error) => errors.push(Diagnostic::new(error.to_string()).at(field.key.clone(), "")),
        }
    }
    read
}

/// `default-groups`: names, or `"all"`.
fn defaults(
    uv: &Table,
    all: &BTreeMap<GroupName, &Node>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Located<GroupName>> {
    let Some(node) = uv.get("default-groups") else { return Vec::new() };
    let place = || node.place.clone();
    let named = match &node.value {
        Value::String(text) if text == "all" => {
            all.keys().map(|name| Located { value: name.clone(), place: place() }).collect()
        }
        Value::Array(_) => {
            let mut reader = Reader::open(uv, "[tool.uv]", errors);
            names(&mut reader, "default-groups")
        }
        _ => {
            let message = format!(
                "`default-groups` in [tool.uv] must be an array of names or \"all\", not {}",
                node.kind()
            );
            errors.push(Diagnostic::new(message).at(place(), ""));
            Vec::new()
        }
    };
    named.into_iter().filter(|name| name.value.as_ref() != DEV).collect()
}

/// An array of names of groups.
pub(super) fn names(reader: &mut Reader<'_, '_>, key: &str) -> Vec<Located<GroupName>> {
    let mut named = Vec::new();
    for text in reader.strings(key).unwrap_or_default() {
        if let Ok(value) = text.value.parse() {
            named.push(Located { value, place: text.place });
            continue;
        }
        let message = format!(
            "`{}` in `{key}` of {} is not the name of a group",
            text.value.escape_debug(),
            reader.title()
        );
        reader.errors().push(Diagnostic::new(message).at(text.place, ""));
    }
    named
}

struct Reading<'a, 'e> {
    all: &'a BTreeMap<GroupName, &'a Node>,
    found: Groups,
    errors: &'e mut Vec<Diagnostic>,
}

impl Reading<'_, '_> {
    /// Adds a group and what it includes; `within` are those that lead to it.
    fn add(&mut self, name: &GroupName, place: &Place, within: &mut Vec<GroupName>) {
        if within.contains(name) || within.len() > DEPTH {
            let message = if within.contains(name) {
                format!("the group `{name}` includes itself")
            } else {
                format!("the group `{name}` lies in more than {DEPTH} others")
            };
            self.errors.push(Diagnostic::new(message).at(place.clone(), ""));
            return;
        }
        if self.found.names.contains(name) {
            return;
        }
        let Some(node) = self.all.get(name) else {
            let known = || self.all.keys().map(AsRef::as_ref);
            let help = match nearest(name.as_ref(), known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.all.is_empty() => "[dependency-groups] is empty or missing".to_owned(),
                None => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
            };
            let missing = Diagnostic::new(format!("there is no dependency group `{name}`"));
            self.errors.push(missing.at(place.clone(), "named here").help(help));
            return;
        };
        let Some(items) = node.as_array() else {
            let message = format!("the group `{name}` must be an array, not {}", node.kind());
            self.errors.push(Diagnostic::new(message).at(node.place.clone(), ""));
            return;
        };
        within.push(name.clone());
        for item in items {
            self.item(name, item, within);
        }
        within.pop();
        self.found.names.insert(name.clone());
    }

    fn item(&mut self, name: &GroupName, item: &Node, within: &mut Vec<GroupName>) {
        if let Some(text) = item.as_str() {
            match dependency(&Located { value: text, place: item.place.clone() }) {
                Ok(dependency) => self.found.dependencies.push(dependency),
                Err(reason) => {
                    let message = format!("an entry of the group `{name}` is not a requirement: {reason}");
                    self.errors.push(Diagnostic::new(message).at(item.place.clone(), ""));
                }
            }
            return;
        }
        let alone = item.as_table().filter(|table| table.iter().count() == 1);
        let included = alone.and_then(|table| table.get("include-group")).and_then(Node::as_str);
        if let Some(Ok(included)) = included.map(str::parse::<GroupName>) {
            self.add(&included, &item.place, within);
            return;
        }
        let message = format!(
            "an entry of the group `{name}` is neither a requirement nor `{{ include-group = \"…\" }}`"
        );
        self.errors.push(Diagnostic::new(message).at(item.place.clone(), ""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Source, document};

    fn of(text: &str, named: Option<&str>) -> Result<(Vec<String>, Vec<String>), String> {
        let source = Source::new("m/pyproject.toml", text);
        let table = document::parse(&source).unwrap();
        let uv = table.table("tool").and_then(|tool| tool.table("uv")).cloned().unwrap_or_default();
        let mut errors = Vec::new();
        let named = named.map(|name| {
            name.split_whitespace()
                .map(|name| Located { value: name.parse().unwrap(), place: source.at(0..0) })
                .collect()
        });
        let groups = of_body(&table, &uv, named, &mut errors);
        if errors.is_empty() {
            let texts = groups.dependencies.into_iter().map(|one| one.text);
            Ok((groups.names.iter().map(ToString::to_string).collect(), texts.collect()))
        } else {
            Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }

    const GROUPS: &str = "[dependency-groups]\nBase = ['a']\nprod = [{ include-group = 'base' }, 'b']\n\
                          dev = ['c', { include-group = 'prod' }]\nodd = [1]\n";

    #[test]
    fn the_default_ones_without_dev_belong_to_the_body() {
        let defaults = |value: &str| of(&format!("[tool.uv]\ndefault-groups = {value}\n{GROUPS}"), None);
        let strings = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        assert_eq!(of(GROUPS, None).unwrap(), (vec![], vec![]));
        assert_eq!(defaults("['dev', 'prod']").unwrap(), (strings(&["base", "prod"]), strings(&["a", "b"])));
        assert_eq!(defaults("['dev']").unwrap(), (vec![], vec![]));
        // Named by the member itself, `dev` is one like any other, and nothing of uv counts.
        let named = of(&format!("[tool.uv]\ndefault-groups = ['odd']\n{GROUPS}"), Some("dev prod")).unwrap();
        assert_eq!(named, (strings(&["base", "dev", "prod"]), strings(&["c", "a", "b"])));
        assert!(
            defaults("'all'").unwrap_err().contains("an entry of the group `odd` is neither a requirement")
        );
    }

    #[test]
    fn uvs_old_list_is_part_of_dev() {
        let of = |rest: &str| {
            of(&format!("[tool.uv]\ndev-dependencies = ['old']\n{rest}"), Some("dev")).unwrap().1
        };
        assert_eq!(of("[dependency-groups]\ndev = ['new']\n"), ["new", "old"]);
        assert_eq!(of(""), ["old"]);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, want) in [
            (
                "[tool.uv]\ndefault-groups = ['prd']\n[dependency-groups]\nprod = []\n",
                "there is no dependency group `prd`\n  at m/pyproject.toml:2:19: named here\n  help: did you mean `prod`?",
            ),
            (
                "[tool.uv]\ndefault-groups = 1\n",
                "must be an array of names or \"all\", not an integer\n  at m/pyproject.toml:2:18",
            ),
            (
                "[tool.uv]\ndefault-groups = ['a']\n[dependency-groups]\na = [{ include-group = 'b' }]\nb = [{ include-group = 'a' }]\n",
                "the group `a` includes itself\n  at m/pyproject.toml:5:6",
            ),
            ("[tool.uv]\ndefault-groups = ['a']\n[dependency-groups]\na = ['!']\n", "is not a requirement"),
            (
                "[dependency-groups]\na = []\nA = []\n",
                "the group `a` stands twice under two spellings\n  at m/pyproject.toml:2:1",
            ),
        ] {
            let told = of(text, None).unwrap_err();
            assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
        }
    }
}
