//! `[Install]` in Quadlet files: podman's generator itself makes the links that it asks for.

use std::collections::BTreeSet;

use super::theirs::{Claims, Theirs};
use crate::{
    binding::{
        entries::{Entry, entries, list, words},
        search::SearchTree,
    },
    diagnostic::Diagnostic,
    runes::Rendered,
};

/// Drop-ins of ours that ask for a link in the place of a unit of ours.
pub(super) fn of_ours(rendered: &Rendered, units: &BTreeSet<String>, found: &SearchTree, all: &mut Claims) {
    for (quadlet, _) in rendered.quadlets.iter() {
        let drop_ins = found.drop_ins_of(quadlet.as_str());
        let said: Vec<Entry> =
            drop_ins.iter().filter_map(|(_, content)| content.text()).flat_map(entries).collect();
        aliases(&said, units, all);
    }
}

impl Theirs<'_> {
    pub(super) fn installs(&self, units: &BTreeSet<String>, all: &mut Claims) {
        aliases(&self.said, units, all);
        for (key, told) in [
            ("RequiredBy", "when it does not start, neither does ours"),
            ("WantedBy", "it starts with ours"),
            ("UpheldBy", "it is started whenever ours runs"),
        ] {
            for (entry, unit) in named(&self.said, key).into_iter().filter(|(_, unit)| units.contains(unit)) {
                all.notes.push(format!(
                    "{}: `{key}={unit}` ties `{}` to our unit: {told}",
                    entry.place, self.name
                ));
            }
        }
    }
}

fn aliases(said: &[Entry], units: &BTreeSet<String>, all: &mut Claims) {
    for (entry, alias) in named(said, "Alias") {
        let unit = clean(&alias);
        if !units.contains(&unit) {
            continue;
        }
        let message =
            format!("`Alias={alias}` has podman's generator put a link in the place of our `{unit}`");
        let told = Diagnostic::new(message).at(entry.place.clone(), "");
        let told = told.note("the unit of the forge's would be gone").help("take that name out");
        if !all.wrong.contains(&told) {
            all.wrong.push(told);
        }
    }
}

/// The units that a key names, as lines that go on are joined with a blank and without.
fn named<'a>(said: &'a [Entry], key: &str) -> Vec<(&'a Entry, String)> {
    let mut all: Vec<(&Entry, String)> = Vec::new();
    for entry in list(said, &["Install"], key) {
        for word in [&entry.value, &entry.joined].into_iter().flat_map(|text| words(text)) {
            if !all.iter().any(|(known, name)| known.place == entry.place && *name == word) {
                all.push((entry, word));
            }
        }
    }
    all
}

/// A path below the generator's directory in short, as the generator has it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use crate::binding::claims::tests::{told, told_with};

    #[test]
    fn no_alias_is_a_unit_of_ours() {
        assert_eq!(
            told("m.network", "[Network]\n[Install]\nAlias=m.service lychd-vessel.service\n"),
            ["refused: `Alias=lychd-vessel.service` has podman's generator put a link in the place of our \
              `lychd-vessel.service`|  at /u/m.network:3:1|  note: the unit of the forge's would be gone|  help: take that \
              name out"]
        );
        for alias in
            ["lychd-vessel.timer", "\"lychd-pod.service\"", "./lychd-pod.service", "lychd-\\\npod.service"]
        {
            let text = format!("[Install]\nAlias={alias}\n");
            assert_eq!(told("m.container", &text).len(), 1, "{alias}");
            for directory in ["container.d", "lychd.pod.d", "m.container.d"] {
                let all = told_with("m.container", "[Container]\n", &[(directory, &text)]);
                assert!(all.len() == 1 && all[0].contains("at /u/x.conf:2:1"), "{directory}: {all:?}");
            }
        }
        for text in ["[Install]\nAlias=lychd-pod.service\nAlias=\n", "[Instal]\nAlias=lychd-pod.service\n"] {
            assert_eq!(told("m.container", text), Vec::<String>::new());
        }
    }

    #[test]
    fn what_is_tied_to_ours_is_noted() {
        assert_eq!(
            told(
                "m.container",
                "[Install]\nRequiredBy=lychd-pod.service x.service\nWantedBy=default.target\n"
            ),
            [
                "/u/m.container:2:1: `RequiredBy=lychd-pod.service` ties `m.container` to our unit: when it does not start, \
              neither does ours"
            ]
        );
        for key in ["WantedBy", "UpheldBy"] {
            assert_eq!(told("m.pod", &format!("[Install]\n{key}=lychd-vessel.timer\n")).len(), 1);
        }
    }
}
