//! What the user's own Quadlet files claim of podman that ours claim as well: names of containers and pods, which two
//! units would take from each other by `--replace`, ports of this host, and the pod itself.

mod install;
mod names;
mod theirs;

pub use self::theirs::Claims;
use self::{names::Ours, theirs::Theirs};
use super::{
    drop_ins::units_of,
    entries::{entries, last, list},
    search::SearchTree,
};
use crate::runes::{POD_FILE, Rendered};

/// Compares what podman is told by a rendered set with what it is told by the user's own files, their drop-ins among it.
#[must_use]
pub fn claims(rendered: &Rendered, found: &SearchTree) -> Claims {
    let ours = Ours::of(rendered);
    let mut all = Claims::default();
    all.wrong.extend(ours.renamed(found));
    let units = units_of(rendered);
    install::of_ours(rendered, &units, found, &mut all);
    for directory in &found.directories {
        for (name, content) in &directory.quadlets {
            let Some(text) = content.text() else { continue };
            let mut said = entries(text);
            for (_, drop_in) in found.drop_ins_of(name) {
                said.extend(drop_in.text().map(entries).unwrap_or_default());
            }
            let theirs = Theirs { path: directory.path.join(name), name, said };
            theirs.names(&ours, &mut all);
            theirs.installs(&units, &mut all);
            theirs.ports(rendered, &mut all);
            theirs.pod(&mut all);
        }
    }
    all
}

impl Theirs<'_> {
    fn ports(&self, rendered: &Rendered, all: &mut Claims) {
        for entry in list(&self.said, &["Container", "Pod", "Kube"], "PublishPort") {
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
        if let Some(entry) =
            last(&self.said, &["Container"], "Pod").filter(|entry| entry.single() == POD_FILE)
        {
            all.notes.push(format!(
                "{}: `Pod={POD_FILE}` puts `{}` into our pod: it shares its network and its users, and stops with it",
                entry.place, self.name
            ));
        }
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
    use crate::{
        binding::search::{Content, DropIns, SearchDirectory},
        diagnostic::Source,
        runes::Service,
    };

    fn file(name: &str, text: &str) -> (String, Content) {
        (name.to_owned(), Content::Text(Source::new(format!("/u/{name}"), text)))
    }

    pub(super) fn told_with(name: &str, text: &str, drop_ins: &[(&str, &str)]) -> Vec<String> {
        let mut rendered = Rendered { ports: vec![(7134, 8000), (5432, 5432)], ..Rendered::default() };
        let mut put = |name: &str, text: &str| rendered.quadlets.insert_text(name.parse().unwrap(), text);
        put("lychd.pod", "[Pod]\nPodName=lychd\n");
        let vessel = "[Container]\nContainerName=lychd-vessel\nPod=lychd.pod\nVolume=%h/x:/x\nVolume=lychd-core-keep:/keep\n";
        put("lychd-vessel.container", vessel);
        rendered.units.insert_text("lychd-vessel.timer".parse().unwrap(), "");
        for name in ["lychd-pod.service", "lychd-vessel.service"] {
            rendered.services.insert(name.to_owned(), Service::default());
        }
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

    pub(super) fn told(name: &str, text: &str) -> Vec<String> {
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
                let mut all = told(&format!("m.{kind}"), &format!("[{section}]\nPublishPort={value}\n"));
                all.retain(|one| !one.contains("YAML"));
                assert_eq!(all.len(), count, "{kind} {value}: {all:?}");
            }
        }
    }
}
