//! The units that a body would get, judged, with what inscribing them would change. Pure, but for the programs that
//! judge.

use std::collections::BTreeMap;

use super::{
    changes,
    claims::{Claims, claims},
    drop_ins::units_of,
    host::HostView,
    judge::{Judge, Origin, Theirs, Verdict},
    manifest::Manifest,
    plan::{Plan, plan},
    search::odd,
    shadowing::shadowing,
};
use crate::{
    body::BodyId,
    codex::Codex,
    diagnostic::{Diagnostic, Failure, refuse_any},
    image::EngineId,
    name::Role,
    runes::{
        RenderInput, Rendered, RuneRecord,
        podman::PodmanVersion,
        render,
        systemd::{SystemdVersion, SystemdVersionError},
    },
};

/// A set of units that may be inscribed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The files.
    pub rendered: Rendered,
    /// What they are made of, as one value: its hash is what is consented to.
    pub manifest: Manifest,
    /// What inscribing them would change.
    pub plan: Plan,
    /// The podman that they are written for.
    pub podman: PodmanVersion,
    /// The podman that judged them.
    pub judged_by_podman: (PodmanVersion, Origin),
    /// The systemd that judged them.
    pub judged_by_systemd: (String, Origin),
    /// What a person should know of them.
    pub notes: Vec<String>,
}

/// Of what the units are made besides the host.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The body.
    pub body: BodyId,
    /// The configuration.
    pub codex: &'a Codex,
    /// What the members bring.
    pub members: &'a RuneRecord,
    /// What podman finds the body's image by.
    pub image: &'a EngineId,
    /// What it finds the body's further images by.
    pub further: &'a BTreeMap<Role, EngineId>,
    /// The podman to write for; `None`: the one that judges.
    pub podman: Option<PodmanVersion>,
    /// The systemd to write for; `None`: the one that judges.
    pub systemd: Option<SystemdVersion>,
}

/// Renders and judges the units of a body and holds them against what lies on the host.
///
/// # Errors
/// Refused when the Codex and the members are no organism, the units are wrong, or something of the user's is in the
/// place of one of them; unable when they could not be judged.
pub fn candidate(subject: Subject<'_>, host: &HostView, judge: &dyn Judge) -> Result<Candidate, Failure> {
    let (judging, origin) = judge.podman();
    let podman = subject.podman.unwrap_or(judging);
    let its_systemd: SystemdVersion = judge
        .systemd()
        .0
        .parse()
        .map_err(|error: SystemdVersionError| Failure::unable(Diagnostic::new(error.to_string())))?;
    let systemd = subject.systemd.unwrap_or(its_systemd);
    let input = RenderInput {
        codex: subject.codex,
        federated: subject.members,
        body: subject.image,
        further: subject.further,
        layout: &host.layout,
        resolve: &host.resolve,
        podman,
        systemd,
        ports: &host.ports,
    };
    let rendered = render(&input)?;
    let mut notes = rendered.notes.clone();
    // Neither knows the directives of a newer one.
    let older = (podman > judging || systemd > its_systemd)
        .then(|| {
            let (podman, systemd) = (podman.min(judging), systemd.min(its_systemd));
            render(&RenderInput { podman, systemd, ..input })
        })
        .transpose()?;
    let subject_of_judges = older.as_ref().unwrap_or(&rendered);
    let alone = judged(judge, subject_of_judges)?;
    notes.extend(alone.notes);
    let newer = [
        (podman > judging).then(|| ("podman", judging.to_string(), podman.to_string())),
        (systemd > its_systemd).then(|| ("systemd", its_systemd.to_string(), systemd.to_string())),
    ];
    notes.extend(newer.into_iter().flatten().map(|(what, has, wanted)| {
        format!("{what} {has} judged the units as it would get them; there is no {what} {wanted} here")
    }));
    host.found.refuse_foreign(&rendered.units)?;
    let Claims { wrong, notes: claimed } = claims(&rendered, &host.quadlets);
    let mut theirs = shadowing(&rendered.quadlets, &host.quadlets)?;
    theirs.extend(wrong);
    theirs.extend(host.units.hiding(&rendered, &host.sites.units));
    let quadlets = rendered.quadlets.iter();
    theirs.extend(odd(quadlets.flat_map(|(path, _)| host.quadlets.drop_ins_of(path.as_str()))));
    theirs.extend(odd(units_of(&rendered).iter().flat_map(|unit| host.units.drop_ins_of(unit))));
    refuse_any(theirs)?;
    notes.extend(claimed);
    notes.extend(host.units.linked(&rendered));
    let Among { notes: told, changed, made } = among(judge, subject_of_judges, alone.made, host)?;
    for note in told.into_iter().chain(changed.iter().cloned()) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes.extend(host.found.edited.iter().map(|path| {
        format!("`{}` was changed by hand since it was inscribed: `bind` writes it anew", path.display())
    }));
    notes.extend(host.notes.iter().cloned());
    if origin == Origin::Debian && subject.podman.is_none() {
        notes.push(format!("the units are for podman {podman}: this host has none that is new enough (5.3)"));
    }
    let plan = plan(&rendered, &host.found, &host.sites);
    let (version, of) = judge.systemd();
    let judged_by_systemd = (version.to_owned(), of);
    let mut images = subject.further.clone();
    images.insert(Role::vessel(), subject.image.clone());
    let manifest = Manifest::of(&host.sites.quadlets, (subject.body, images), &rendered, &host.layout);
    let loads = rendered.generated();
    let loads = loads.into_iter().filter_map(|name| {
        let fingerprint = changes::fingerprint(made.get(&name)?);
        Some((name, fingerprint))
    });
    let manifest = manifest.among(loads.collect(), &changed);
    Ok(Candidate {
        rendered,
        manifest,
        plan,
        podman,
        judged_by_podman: (judging, origin),
        judged_by_systemd,
        notes,
    })
}

/// Nothing wrong, or refused.
fn judged(judge: &dyn Judge, rendered: &Rendered) -> Result<Verdict, Failure> {
    let mut verdict = judge.judge(rendered)?;
    let told = |finding: Diagnostic| {
        finding.help("this is a fault of the forge or of a value it let pass: please report it")
    };
    refuse_any(std::mem::take(&mut verdict.findings).into_iter().map(told).collect())?;
    Ok(verdict)
}

/// A set among what is the user's own.
#[derive(Default)]
struct Among {
    /// What the judges say besides.
    notes: Vec<String>,
    /// What is changed, a line each.
    changed: Vec<String>,
    /// The units that are made.
    made: BTreeMap<String, String>,
}

/// What becomes of the set among what is the user's own: nothing wrong, or refused; notes, what is changed, and the units
/// that are made. Where nothing of the user's own takes part, there is nothing to judge.
fn among(
    judge: &dyn Judge,
    rendered: &Rendered,
    alone: BTreeMap<String, String>,
    host: &HostView,
) -> Result<Among, Failure> {
    let theirs = Theirs { quadlets: &host.quadlets, units: &host.units };
    let has_drop_ins = || units_of(rendered).iter().any(|unit| !host.units.drop_ins_of(unit).is_empty());
    if host.quadlets.is_empty() && !has_drop_ins() {
        return Ok(Among { made: alone, ..Among::default() });
    }
    let Verdict { findings, notes, made } = judge.judge_among(rendered, &alone, theirs)?;
    refuse_any(findings)?;
    let changed = changes::notes(rendered, &alone, &made, theirs);
    Ok(Among { notes, changed, made })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        binding::{
            drop_ins::UserUnits,
            plan::Action,
            search::{Content, SearchDirectory, SearchTree},
            site::{Found, Sites},
        },
        codex,
        diagnostic::Source,
        image::ConfigDigest,
        runes::Layout,
    };

    /// A podman that answers what it is told to.
    struct Answer {
        podman: &'static str,
        origin: Origin,
        findings: Vec<Diagnostic>,
        /// What is wrong among the user's own.
        among: Option<&'static str>,
    }

    impl Judge for Answer {
        fn podman(&self) -> (PodmanVersion, Origin) {
            (self.podman.parse().unwrap(), self.origin)
        }

        fn systemd(&self) -> (&str, Origin) {
            ("257", Origin::Host)
        }

        fn judge(&self, rendered: &Rendered) -> Result<Verdict, Failure> {
            let pod = rendered.quadlets.file(&"lychd.pod".parse().unwrap()).unwrap();
            let notes = vec![
                String::from_utf8_lossy(pod)
                    .lines()
                    .filter(|l| l.contains("xitPolicy") || l.contains("exit-policy"))
                    .collect(),
            ];
            let made = rendered.generated().into_iter().map(|name| (name, "[Unit]\n".to_owned())).collect();
            Ok(Verdict { findings: self.findings.clone(), notes, made })
        }

        fn judge_among(
            &self,
            _: &Rendered,
            alone: &BTreeMap<String, String>,
            theirs: Theirs<'_>,
        ) -> Result<Verdict, Failure> {
            let more = theirs.quadlets.directories.len();
            let made = alone.iter().map(|(name, text)| (name.clone(), format!("{text}X=more\n"))).collect();
            let notes = vec![format!("among {more}")];
            let findings = self.among.iter().map(|message| Diagnostic::new(*message)).collect();
            Ok(Verdict { findings, notes, made })
        }
    }

    const PODMAN: Answer =
        Answer { podman: "5.4.2", origin: Origin::Host, findings: Vec::new(), among: None };

    /// A user who has nothing yet.
    fn host() -> HostView {
        let home = PathBuf::from("/home/magus");
        let sites = Sites::below(&home.join(".config"), &home.join(".local/state/lychd-forge"));
        HostView {
            layout: Layout {
                codex: home.join(".config/lychd"),
                crypt: home.join(".local/share/lychd"),
                support: sites.support.clone(),
                sites: vec![home.join(".config/containers/systemd"), home.join(".config/systemd/user")],
                own: vec![home.join(".local/state/lychd-forge"), home.join(".cache/lychd-forge")],
                closed: Vec::new(),
                home,
            },
            state: sites.support.parent().unwrap().to_owned(),
            sites,
            found: Found::default(),
            lychds: None,
            ports: [].into(),
            quadlets: SearchTree::default(),
            units: UserUnits::default(),
            notes: Vec::new(),
            resolve: |path| Ok(path.to_owned()),
        }
    }

    fn of(host: &HostView, judge: &Answer, podman: Option<&str>) -> Result<Candidate, Failure> {
        let digest = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8";
        let lychd = format!(
            "[orchestration.switching]\nactuator = \"systemd\"\n\
             [server.database]\nimage = \"docker.io/pgvector/pgvector@sha256:{digest}\"\n"
        );
        let members = r#"{ "runes": [], "schema": "lychd-forge/federation/1", "web_port": 8000 }"#;
        let subject = Subject {
            body: digest.parse().unwrap(),
            codex: &codex::parse(&[Source::new("lychd.toml", lychd)])?,
            members: &RuneRecord::parse("federation.json", members.as_bytes().to_vec())?,
            image: &ConfigDigest::of("body").into(),
            further: &BTreeMap::new(),
            podman: podman.map(|podman| podman.parse().unwrap()),
            systemd: None,
        };
        candidate(subject, host, judge)
    }

    #[test]
    fn a_candidate_is_made_of_values_alone() {
        let mut host = host();
        let first = of(&host, &PODMAN, None).unwrap();
        assert!(first.plan.steps.iter().all(|step| step.action == Action::Create), "{:?}", first.plan);
        let pod_and_services = ["lychd-phylactery.service", "lychd-pod.service", "lychd-vessel.service"];
        assert_eq!(first.plan.start.iter().collect::<Vec<_>>(), pod_and_services);
        assert_eq!(first.plan.on_demand.iter().collect::<Vec<_>>(), ["lychd-migrate.service"]);

        host.found.quadlets = first.rendered.quadlets.clone();
        host.found.support = first.rendered.support.clone();
        host.found.units = first.rendered.units.clone();
        assert!(!of(&host, &PODMAN, None).unwrap().plan.changes());

        // A unit names the very files that its container reads.
        let vessel = first.rendered.quadlets.file(&"lychd-vessel.container".parse().unwrap()).unwrap();
        let names = || first.rendered.support.iter().map(|(name, _)| name.to_string());
        let registry = names().find(|name| name.ends_with("-capabilities.json")).unwrap();
        assert!(String::from_utf8_lossy(vessel).contains(&format!("/support/{registry}:/run/lychd/cap")));
        assert_eq!(first.manifest.support.keys().cloned().collect::<Vec<_>>(), names().collect::<Vec<_>>());
        assert!(
            !first.manifest.may.iter().any(|line| line.contains("/support/")),
            "{:?}",
            first.manifest.may
        );
    }

    #[test]
    fn an_older_podman_judges_what_it_would_get() {
        let newer = of(&host(), &PODMAN, Some("5.6")).unwrap();
        let pod = newer.rendered.quadlets.file(&"lychd.pod".parse().unwrap()).unwrap();
        assert!(String::from_utf8_lossy(pod).contains("\nExitPolicy=continue\n"));
        let told = "podman 5.4.2 judged the units as it would get them; there is no podman 5.6.0 here";
        assert!(newer.notes.ends_with(&["PodmanArgs=--exit-policy=continue".to_owned(), told.to_owned()]));

        let debian = Answer { origin: Origin::Debian, ..PODMAN };
        let told = of(&host(), &debian, None).unwrap().notes.pop().unwrap();
        assert_eq!(told, "the units are for podman 5.4.2: this host has none that is new enough (5.3)");
    }

    #[test]
    fn what_is_the_users_own_takes_part_where_there_is_any() {
        let mut host = host();
        let wrong = Answer { among: Some("no such key"), ..PODMAN };
        assert!(of(&host, &wrong, None).is_ok(), "nothing lies there");
        let mine = |text: &str| {
            let quadlets =
                vec![("mine.container".to_owned(), Content::Text(Source::new("/u/mine.container", text)))];
            let directory = SearchDirectory { path: "/u".into(), quadlets, drop_ins: Vec::new() };
            SearchTree { site: "/u/lychd".into(), directories: vec![directory], site_at: Some(1) }
        };
        host.quadlets = mine("[Container]\nPublishPort=7134:80\n");
        let told = of(&host, &PODMAN, None).unwrap().notes;
        assert!(
            told[1].starts_with("/u/mine.container:2:1: `PublishPort=7134:80` is the port 7134"),
            "{told:?}"
        );
        assert_eq!(told[2], "among 1");
        assert!(
            told[3].contains("other Quadlet files of this host change `lychd-migrate.service`, "),
            "{told:?}"
        );
        assert_eq!(of(&host, &wrong, None).unwrap_err().to_string(), "no such key");
        host.quadlets = mine("[Container]\nContainerName=lychd-vessel\n");
        let told = of(&host, &PODMAN, None).unwrap_err().to_string();
        assert!(told.contains("gives podman a container `lychd-vessel`"), "{told}");
    }

    #[test]
    fn what_the_judge_finds_is_refused() {
        let wrong = Answer { findings: vec![Diagnostic::new("no such key")], ..PODMAN };
        let refused = of(&host(), &wrong, None).unwrap_err();
        assert_eq!(refused.exit_code(), 1);
        assert!(refused.to_string().starts_with("no such key\n  help: this is a fault of the forge"));
    }
}
