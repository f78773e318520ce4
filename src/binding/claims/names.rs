//! Names that podman is told: of containers, pods and volumes.

use std::collections::BTreeMap;

use super::theirs::{Claims, Theirs};
use crate::{
    binding::{
        entries::{Entry, entries, list, words},
        search::{SearchTree, shown},
        shadowing::service_said,
    },
    diagnostic::{Diagnostic, Source},
    runes::Rendered,
    tree::Entry as File,
};

/// Our names in podman, each with the rendered file that gives it.
pub(super) struct Ours {
    /// Of containers and pods.
    names: BTreeMap<String, String>,
    /// Of volumes, each with one of the files that mount it.
    volumes: BTreeMap<String, String>,
    /// The name that each file gives.
    own: BTreeMap<String, String>,
}

impl Ours {
    pub(super) fn of(rendered: &Rendered) -> Self {
        let mut ours = Self { names: BTreeMap::new(), volumes: BTreeMap::new(), own: BTreeMap::new() };
        for (path, file) in rendered.quadlets.iter() {
            let File::File { bytes, .. } = file else { continue };
            let said = entries(&Source::new(path.as_str(), String::from_utf8_lossy(bytes)));
            for (_, name) in given(path.as_str(), &said) {
                if kind_of(path.as_str()) == "pod" {
                    ours.names.insert(infra(&name), path.to_string());
                }
                ours.names.insert(name.clone(), path.to_string());
                ours.own.insert(path.to_string(), name);
            }
            for entry in list(&said, &["Container", "Pod"], "Volume") {
                let name = entry.single().split(':').next().unwrap_or_default();
                if !name.contains(['/', '%', '.']) {
                    ours.volumes.entry(name.to_owned()).or_insert_with(|| path.to_string());
                }
            }
        }
        ours
    }

    /// Drop-ins that give one of ours another name: two of ours could get one, and nobody would find it by its own.
    pub(super) fn renamed(&self, found: &SearchTree) -> Vec<Diagnostic> {
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for (file, name) in &self.own {
            let drop_ins = found.drop_ins_of(file);
            let said: Vec<Entry> =
                drop_ins.iter().filter_map(|(_, content)| content.text()).flat_map(entries).collect();
            let mut given = given(file, &said).into_iter();
            let Some((entry, other)) = given.find(|(_, other)| other != name) else { continue };
            if wrong.iter().any(|one| one.places.first().is_some_and(|(place, _)| *place == entry.place)) {
                continue;
            }
            let message = format!("a drop-in of `{file}` has podman call it `{other}`, not `{name}`");
            let told = Diagnostic::new(message).at(entry.place.clone(), "");
            wrong.push(told.help("take that line out: the forge and its units know it by its own name"));
        }
        wrong
    }
}

/// What kind of thing a Quadlet file is.
fn kind_of(file: &str) -> &str {
    file.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// What podman calls a pod's own container.
fn infra(pod: &str) -> String {
    format!("{pod}-infra")
}

/// The names that a file with its drop-ins gives. One without any is `systemd-<name>` to podman, which no name of ours
/// is.
fn given<'a>(file: &str, said: &'a [Entry]) -> Vec<(&'a Entry, String)> {
    let (section, key) = match kind_of(file) {
        "container" => ("Container", "ContainerName"),
        "pod" => ("Pod", "PodName"),
        "volume" => ("Volume", "VolumeName"),
        _ => return Vec::new(),
    };
    // An empty one is that without any, too.
    let named = said.iter().rfind(|entry| entry.is(&[section], key));
    let named = named.map(|entry| (entry, entry.single().to_owned()));
    let mut given: Vec<(&Entry, String)> = named.into_iter().collect();
    if section == "Volume" {
        return given;
    }
    // A name and its value may stand in two of them.
    let arguments = list(said, &[section], "PodmanArgs");
    let mut words =
        arguments.iter().flat_map(|entry| words(&entry.value).into_iter().map(|word| (*entry, word)));
    while let Some((entry, word)) = words.next() {
        let of_pod = section == "Pod" && matches!(word.as_str(), "-n" | "--infra-name");
        let of_pod_with = || word.strip_prefix("--infra-name=").filter(|_| section == "Pod");
        if word == "--name" || of_pod {
            given.extend(words.next().map(|(_, name)| (entry, name)));
        } else if let Some(name) = word.strip_prefix("--name=").or_else(of_pod_with) {
            given.push((entry, name.to_owned()));
        }
    }
    given
}

impl Theirs<'_> {
    pub(super) fn names(&self, ours: &Ours, all: &mut Claims) {
        let kind = kind_of(self.name);
        let shown = shown(&self.path);
        if kind == "kube" {
            all.notes.push(format!(
                "{shown}: the names that its YAML gives to pods and containers are not looked at"
            ));
        }
        let (known, verb) = if kind == "volume" { (&ours.volumes, "mounts") } else { (&ours.names, "does") };
        for (entry, name) in given(self.name, &self.said) {
            let Some(pattern) = self.expanded(&name) else {
                all.notes.push(format!(
                    "{}: whether `{}={}` is one of our names cannot be told",
                    entry.place, entry.key, entry.value
                ));
                continue;
            };
            let with_infra = (kind == "pod").then(|| infra(&pattern));
            for pattern in [pattern].into_iter().chain(with_infra) {
                for (name, file) in known.iter().filter(|(name, _)| fits(&pattern, name)) {
                    if pattern.contains('*') {
                        all.notes.push(format!(
                            "{}: an instance of `{}` may take the name `{name}` from the rendered `{file}`",
                            entry.place, self.name
                        ));
                        continue;
                    }
                    let message =
                        format!("`{shown}` gives podman a {kind} `{name}`, as the rendered `{file}` {verb}");
                    let told = Diagnostic::new(message).at(entry.place.clone(), "").note(match kind {
                        "volume" => "both would write into one volume, and it goes with either",
                        _ => "each of the two removes the other's when it starts (`--replace`)",
                    });
                    all.wrong.push(
                        told.help("give it another name, or move the file out of podman's directories"),
                    );
                    return;
                }
            }
        }
    }

    /// The text with what systemd puts in; `*` for what an instance of a template decides, `None` where the host or
    /// the user decides.
    fn expanded(&self, text: &str) -> Option<String> {
        let service = service_said(self.name, &self.said)?;
        let whole = service.strip_suffix(".service").unwrap_or(&service);
        let (prefix, instance) = match whole.split_once('@') {
            Some((prefix, "")) => (prefix, "*"),
            Some((prefix, instance)) => (prefix, instance),
            None => (whole, ""),
        };
        let whole = if instance == "*" { format!("{prefix}@*") } else { whole.to_owned() };
        let mut expanded = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            // A variable of the service's environment.
            if c == '$' {
                return None;
            }
            if c != '%' {
                expanded.push(c);
                continue;
            }
            expanded.push_str(match rest.next()? {
                '%' => "%",
                'n' => &service,
                'N' => &whole,
                'p' | 'P' => prefix,
                'i' | 'I' => instance,
                'j' => prefix.rsplit('-').next().unwrap_or(prefix),
                _ => return None,
            });
        }
        Some(expanded)
    }
}

/// Whether a name is one of a pattern, in which `*` is any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| fits(after, rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::binding::claims::tests::{told, told_with};

    #[test]
    fn names_are_found_as_podman_reads_them() {
        for (name, text) in [
            ("m.container", "[Container]\nContainerName=\"lychd-vessel\"\n"),
            ("m.container", "[Container]\nContainerName=lychd-\\\n# no\n  vessel\n"),
            ("m.container", "[Container]\nPodmanArgs=--name lychd-vessel\n"),
            ("m.container", "[Container]\nPodmanArgs=--name\nPodmanArgs='lychd-vessel'\n"),
            ("m.container", "[Container]\nContainerName=x\nPodmanArgs=--rm \"--name=lychd-vessel\"\n"),
            ("m.pod", "[Pod]\nPodName=\"lychd\"\n"),
            ("m.pod", "[Pod]\nPodmanArgs=--name=lychd\n"),
            ("m.pod", "[Pod]\nPodmanArgs=-n lychd\n"),
            ("m.pod", "[Pod]\nPodmanArgs=--infra-name=lychd-vessel\n"),
            ("m.pod", "[Pod]\nPodmanArgs=--infra-name lychd\n"),
            ("lychd-core-keep.volume", "[Volume]\nVolumeName=%N\nServiceName=lychd-core-keep\n"),
            ("m.volume", "[Volume]\nVolumeName=\"lychd-core-keep\"\n"),
        ] {
            let all = told(name, text);
            assert!(all.len() == 1 && all[0].starts_with("refused: `/u/"), "{text}: {all:?}");
        }
        let volume = told("m.volume", "[Volume]\nVolumeName=lychd-core-keep\n");
        assert!(
            volume[0].contains("a volume `lychd-core-keep`, as the rendered `lychd-vessel.container` mounts"),
            "{volume:?}"
        );
        for (name, text) in [
            ("m.container", "[Container]\nContainerName='lychd-vessel'\n"),
            ("m.container", "[Container]\nPodmanArgs=--name=lychd-vessel\nPodmanArgs=\n"),
            ("m.volume", "[Volume]\nVolumeName=lychd-vessel\n"),
            ("m.container", "[Container]\nContainerName=lychd-core-keep\n"),
        ] {
            assert_eq!(told(name, text), Vec::<String>::new(), "{text}");
        }
        let unknown = told("m.container", "[Container]\nContainerName=lychd-$X\n");
        assert!(
            unknown[0].contains("`ContainerName=lychd-$X` is one of our names cannot be told"),
            "{unknown:?}"
        );
        assert_eq!(
            told("m.kube", "[Kube]\nYaml=x.yml\n"),
            ["/u/m.kube: the names that its YAML gives to pods and containers are not looked at"]
        );
    }

    #[test]
    fn no_drop_in_renames_ours_by_an_argument() {
        for (directory, text) in [
            ("lychd-vessel.container.d", "[Container]\nPodmanArgs=--name=mine\n"),
            ("lychd.pod.d", "[Pod]\nPodmanArgs=--name mine\n"),
        ] {
            let all = told_with("a.container", "[Container]\n", &[(directory, text)]);
            assert!(all.len() == 1 && all[0].contains("has podman call it `mine`"), "{all:?}");
        }
        let all = told_with("a.container", "", &[("container.d", "[Container]\nContainerName=\n")]);
        assert!(all.len() == 1 && all[0].contains("has podman call it ``"), "{all:?}");
    }
}
