//! What the user's own Quadlet files claim of podman that ours claim as well: names of containers and pods, which two
//! units would take from each other by `--replace`, ports of this host, and the pod itself.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    entries::{Entry, entries},
    search::SearchTree,
    shadowing::service_in,
};
use crate::{
    diagnostic::{Diagnostic, Source},
    runes::{POD_FILE, Rendered},
    tree::Entry as File,
};

/// What comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Names that only one can have.
    pub wrong: Vec<Diagnostic>,
    /// What can go wrong when both run.
    pub notes: Vec<String>,
}

/// Compares what podman is told by a rendered set with what it is told by the user's own files, their drop-ins among it.
#[must_use]
pub fn claims(rendered: &Rendered, found: &SearchTree) -> Claims {
    let ours = Ours::of(rendered);
    let mut all = Claims::default();
    all.wrong.extend(ours.renamed(found));
    for directory in &found.directories {
        for (name, content) in &directory.quadlets {
            let Some(text) = content.text() else { continue };
            let mut said = entries(text);
            for (_, drop_in) in found.drop_ins_of(name) {
                said.extend(drop_in.text().map(entries).unwrap_or_default());
            }
            let theirs = Theirs { path: directory.path.join(name), name, text, said };
            theirs.names(&ours, &mut all);
            theirs.ports(rendered, &mut all);
            theirs.pod(&mut all);
        }
    }
    all
}

/// Our names in podman, each with the rendered file that gives it.
struct Ours(BTreeMap<String, String>);

impl Ours {
    fn of(rendered: &Rendered) -> Self {
        let mut names = BTreeMap::new();
        for (path, file) in rendered.quadlets.iter() {
            let File::File { bytes, .. } = file else { continue };
            for entry in entries(&Source::new(path.as_str(), String::from_utf8_lossy(bytes))) {
                if entry.is(&["Container"], "ContainerName") {
                    names.insert(entry.value, path.to_string());
                } else if entry.is(&["Pod"], "PodName") {
                    names.insert(infra(&entry.value), path.to_string());
                    names.insert(entry.value, path.to_string());
                }
            }
        }
        Self(names)
    }
}

impl Ours {
    /// Drop-ins that give one of ours another name: two of ours could get one, and nobody would find it by its own.
    fn renamed(&self, found: &SearchTree) -> Vec<Diagnostic> {
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for (name, file) in &self.0 {
            let drop_ins = found.drop_ins_of(file);
            let said = drop_ins.iter().filter_map(|(_, content)| content.text()).flat_map(entries);
            let named = said
                .filter(|entry| entry.is(&["Container"], "ContainerName") || entry.is(&["Pod"], "PodName"));
            let Some(entry) =
                named.last().filter(|entry| entry.value != *name && infra(&entry.value) != *name)
            else {
                continue;
            };
            if wrong.iter().any(|one| one.places.first().is_some_and(|(place, _)| *place == entry.place)) {
                continue;
            }
            let message = format!("a drop-in of `{file}` has podman call it `{}`, not `{name}`", entry.value);
            let told = Diagnostic::new(message).at(entry.place, "");
            wrong.push(told.help("take that line out: the forge and its units know it by its own name"));
        }
        wrong
    }
}

/// What podman calls a pod's own container.
fn infra(pod: &str) -> String {
    format!("{pod}-infra")
}

/// A Quadlet file of the user's own with what its drop-ins add.
struct Theirs<'a> {
    path: PathBuf,
    name: &'a str,
    text: &'a Source,
    said: Vec<Entry>,
}

impl Theirs<'_> {
    /// The entry that counts of a key that has one value.
    fn last(&self, sections: &[&str], key: &str) -> Option<&Entry> {
        self.said.iter().rfind(|entry| entry.is(sections, key)).filter(|entry| !entry.value.is_empty())
    }

    /// The entries of a key that adds up; an empty one begins anew.
    fn list(&self, sections: &[&str], key: &str) -> Vec<&Entry> {
        let mut all = Vec::new();
        for entry in self.said.iter().filter(|entry| entry.is(sections, key)) {
            if entry.value.is_empty() {
                all.clear();
            } else {
                all.push(entry);
            }
        }
        all
    }

    fn names(&self, ours: &Ours, all: &mut Claims) {
        // A file without either is `systemd-<name>` to podman, which no name of ours is.
        let container = self.last(&["Container"], "ContainerName").map(|entry| ("container", entry));
        let pod = self.last(&["Pod"], "PodName").map(|entry| ("pod", entry));
        for (kind, entry) in container.into_iter().chain(pod) {
            let Some(pattern) = self.expanded(&entry.value) else {
                all.notes.push(format!(
                    "{}: whether `{}={}` is one of our names cannot be told",
                    entry.place, entry.key, entry.value
                ));
                continue;
            };
            let with_infra = (kind == "pod").then(|| infra(&pattern));
            for pattern in [pattern].into_iter().chain(with_infra) {
                for (name, file) in ours.0.iter().filter(|(name, _)| fits(&pattern, name)) {
                    if pattern.contains('*') {
                        all.notes.push(format!(
                            "{}: an instance of `{}` may take the name `{name}` from the rendered `{file}`",
                            entry.place, self.name
                        ));
                        continue;
                    }
                    let shown = self.path.display();
                    let message =
                        format!("`{shown}` gives podman a {kind} `{name}`, as the rendered `{file}` does");
                    let told = Diagnostic::new(message).at(entry.place.clone(), "");
                    all.wrong.push(
                        told.note("each of the two removes the other's when it starts (`--replace`)")
                            .help("give it another name, or move the file out of podman's directories"),
                    );
                    return;
                }
            }
        }
    }

    /// The text with what systemd puts in; `*` for what an instance of a template decides, `None` where the host or
    /// the user decides.
    fn expanded(&self, text: &str) -> Option<String> {
        let service = service_in(self.name, self.text)?;
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

    fn ports(&self, rendered: &Rendered, all: &mut Claims) {
        for entry in self.list(&["Container", "Pod", "Kube"], "PublishPort") {
            let Some(published) = Published::read(&entry.value) else {
                if entry.value.contains('%') {
                    all.notes.push(format!(
                        "{}: whether `PublishPort={}` is one of our ports cannot be told",
                        entry.place, entry.value
                    ));
                }
                continue;
            };
            for (host, _) in rendered.ports.iter().filter(|(host, _)| published.has(*host)) {
                all.notes.push(format!(
                    "{}: `PublishPort={}` is the port {host} that our pod publishes too: of the two, the one that starts \
                     first has it, and the other does not start",
                    entry.place, entry.value
                ));
            }
        }
    }

    fn pod(&self, all: &mut Claims) {
        if let Some(entry) = self.last(&["Container"], "Pod").filter(|entry| entry.value == POD_FILE) {
            all.notes.push(format!(
                "{}: `Pod={POD_FILE}` puts `{}` into our pod: it shares its network and its users, and stops with it",
                entry.place, self.name
            ));
        }
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

/// What `PublishPort=` takes of this host's loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Published {
    first: u16,
    last: u16,
}

impl Published {
    /// `[[address:][host]:]container[/protocol]`, each port one or a range. `None` of what takes no certain port of
    /// the loopback's TCP.
    fn read(text: &str) -> Option<Self> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (before, _) = ports.rsplit_once(':')?;
        let (address, host) = before.rsplit_once(':').unwrap_or(("", before));
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let is_ours = matches!(address, "" | "0.0.0.0" | "127.0.0.1" | "::");
        let (first, last) = host.split_once('-').unwrap_or((host, host));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (is_ours && protocol.eq_ignore_ascii_case("tcp")).then_some(Self { first, last })
    }

    fn has(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::search::{Content, DropIns, SearchDirectory};

    fn file(name: &str, text: &str) -> (String, Content) {
        (name.to_owned(), Content::Text(Source::new(format!("/u/{name}"), text)))
    }

    fn told_with(name: &str, text: &str, drop_ins: &[(&str, &str)]) -> Vec<String> {
        let mut rendered = Rendered { ports: vec![(7134, 8000), (5432, 5432)], ..Rendered::default() };
        let mut put = |name: &str, text: &str| rendered.quadlets.insert_text(name.parse().unwrap(), text);
        put("lychd.pod", "[Pod]\nPodName=lychd\n");
        put("lychd-vessel.container", "[Container]\nContainerName=lychd-vessel\nPod=lychd.pod\n");
        let drop_ins = drop_ins.iter().map(|(directory, text)| DropIns {
            name: (*directory).to_owned(),
            files: vec![file("x.conf", text)],
        });
        let directory = SearchDirectory {
            path: "/u".into(),
            quadlets: vec![file(name, text)],
            drop_ins: drop_ins.collect(),
        };
        let tree = SearchTree { site: "/u/lychd".into(), directories: vec![directory], site_at: Some(1) };
        let Claims { wrong, notes } = claims(&rendered, &tree);
        let wrong = wrong.iter().map(|one| format!("refused: {}", one.to_string().replace('\n', "|")));
        wrong.chain(notes).collect()
    }

    fn told(name: &str, text: &str) -> Vec<String> {
        told_with(name, text, &[])
    }

    #[test]
    fn a_name_in_podman_is_ones_alone() {
        let refused = told("mine.pod", "[Pod]\nPodName=lychd\n");
        assert_eq!(
            refused,
            [
                "refused: `/u/mine.pod` gives podman a pod `lychd`, as the rendered `lychd.pod` does|  at /u/mine.pod:2:1|  \
              note: each of the two removes the other's when it starts (`--replace`)|  \
              help: give it another name, or move the file out of podman's directories"
            ]
        );
        for (name, text, want) in [
            ("mine.container", "[Container]\nContainerName=lychd-vessel\n", "a container `lychd-vessel`"),
            ("mine.container", "[Container]\nContainerName=lychd\n", "a container `lychd`"),
            ("mine.container", "[Container]\nContainerName=lychd-infra\n", "a container `lychd-infra`"),
            (
                "mine.container",
                "[Container]\nContainerName=a\nContainerName = lychd-vessel \n",
                "lychd-vessel",
            ),
            ("lychd@vessel.container", "[Container]\nContainerName=%p-%i\n", "a container `lychd-vessel`"),
            ("x-lychd.container", "[Container]\nContainerName=%j\n", "a container `lychd`"),
            ("x.container", "[Container]\nServiceName=lychd-infra\nContainerName=%N\n", "`lychd-infra`"),
            ("mine.pod", "[Pod]\nPodName=lychd-vessel\n", "a pod `lychd-vessel`"),
        ] {
            let all = told(name, text);
            assert!(
                all.len() == 1 && all[0].starts_with("refused") && all[0].contains(want),
                "{name}: {all:?}"
            );
        }
        for (name, text) in [
            ("mine.pod", "[Pod]\n"),
            ("mine.pod", "[Pod]\nPodName=lychd2\n"),
            ("lychd-vessel2.container", "[Container]\nImage=x\n"),
            ("mine.container", "[Container]\nContainerName=lychd-vessel\nContainerName=other\n"),
            ("mine.container", "[Containr]\nContainerName=lychd-vessel\n"),
            ("mine.container", "[Container]\n#ContainerName=lychd-vessel\nContainerName=100%%\n"),
        ] {
            assert_eq!(told(name, text), Vec::<String>::new(), "{text}");
        }
        // What a template will be called is in the hand of whoever starts it.
        assert_eq!(
            told("t@.container", "[Container]\nContainerName=lychd-%i\n"),
            [
                "/u/t@.container:2:1: an instance of `t@.container` may take the name `lychd-infra` from the rendered \
              `lychd.pod`",
                "/u/t@.container:2:1: an instance of `t@.container` may take the name `lychd-vessel` from the \
              rendered `lychd-vessel.container`"
            ]
        );
        let unknown = told("u.container", "[Container]\nContainerName=%u-x\n");
        assert!(
            unknown[0].ends_with("whether `ContainerName=%u-x` is one of our names cannot be told"),
            "{unknown:?}"
        );
    }

    #[test]
    fn drop_ins_count_as_what_they_are_dropped_into() {
        let all = told_with(
            "mine-own.container",
            "[Container]\nContainerName=own\nPublishPort=7134:1\n",
            &[(
                "mine-.container.d",
                "[Container]\nContainerName=lychd-vessel\nPublishPort=\nPublishPort=5432:1\n",
            )],
        );
        assert!(
            all.len() == 2 && all[0].contains("at /u/x.conf:2:1") && all[1].contains("the port 5432"),
            "{all:?}"
        );
        assert!(
            told_with(
                "a.container",
                "[Container]\n",
                &[("b.container.d", "[Container]\nContainerName=lychd\n")]
            )
            .is_empty()
        );
    }

    #[test]
    fn no_drop_in_renames_ours() {
        let drop_in = |directory, text| told_with("a.container", "[Container]\n", &[(directory, text)]);
        assert_eq!(
            drop_in("container.d", "[Container]\nContainerName=lychd-vessel2\n"),
            [
                "refused: a drop-in of `lychd-vessel.container` has podman call it `lychd-vessel2`, not `lychd-vessel`|  \
                 at /u/x.conf:2:1|  help: take that line out: the forge and its units know it by its own name"
            ]
        );
        assert_eq!(drop_in("lychd.pod.d", "[Pod]\nPodName=mine\n").len(), 1);
        assert_eq!(drop_in("lychd.pod.d", "[Pod]\nPodName=lychd\n"), Vec::<String>::new());
        assert_eq!(drop_in("lychd-vessel.container.d", "[Container]\nContainerName=lychd-vessel\n").len(), 0);
    }

    #[test]
    fn ports_and_the_pod_are_noted() {
        assert_eq!(
            told("mine.container", "[Container]\nPod=lychd.pod\nPublishPort=7134:80\n"),
            [
                "/u/mine.container:3:1: `PublishPort=7134:80` is the port 7134 that our pod publishes too: of the two, the \
                 one that starts first has it, and the other does not start",
                "/u/mine.container:2:1: `Pod=lychd.pod` puts `mine.container` into our pod: it shares its network and its \
                 users, and stops with it",
            ]
        );
        for (value, count) in [
            ("7134:80", 1),
            ("127.0.0.1:7134:80", 1),
            ("0.0.0.0:7134:80/tcp", 1),
            ("[::]:7134:80/tcp", 1),
            ("7000-7200:80-280", 1),
            ("5000-8000:5000-8000", 2),
            ("5432", 0),
            ("127.0.0.1::5432", 0),
            ("7134:80/udp", 0),
            ("192.168.1.2:7134:80", 0),
            ("[::1]:7134:80", 0),
            ("8134:7134", 0),
            ("nonsense:80", 0),
            ("71%i:80", 1),
        ] {
            for kind in ["container", "pod", "kube"] {
                let section = kind[..1].to_uppercase() + &kind[1..];
                let all = told(&format!("m.{kind}"), &format!("[{section}]\nPublishPort={value}\n"));
                assert_eq!(all.len(), count, "{kind} {value}: {all:?}");
            }
        }
    }
}
