//! Whatever is put into a unit is refused, or read back as the same keys and values by a reader of its own.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    codex::Grants,
    runes::{podman::PodmanVersion, systemd::SystemdVersion},
};

const SYSTEMD: SystemdVersion = SystemdVersion::new(257);
const HOME: &str = "/the/home";
const USER: &str = "4711";
const GROUP: &str = "4712";
const FILLED: [&str; 3] = [HOME, USER, GROUP];

/// A unit as it is read: sections in order, each with keys and words in order.
type Sections = Vec<(String, Vec<(String, Vec<String>)>)>;

/// Reads a unit as systemd.syntax(7), systemd.service(5) and podman-systemd.unit(5) say, and as the strictest of
/// readers: whatever ends a line for one of them ends it here, and what it would drop or expand is an error.
fn read(text: &str) -> Result<Sections, String> {
    let mut sections = Sections::new();
    let mut continued = String::new();
    let ends =
        |c: char| matches!(c, '\n' | '\r' | '\0' | '\x0b' | '\x0c' | '\u{85}' | '\u{2028}' | '\u{2029}');
    for line in text.split(ends) {
        let line = line.trim();
        if line.is_empty() && continued.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            continued.extend([start, " "]);
            continue;
        }
        let line = std::mem::take(&mut continued) + line;
        if line.len() >= 1 << 20 {
            return Err("a line that systemd does not read".to_owned());
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), Vec::new()));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| format!("no assignment: {line:?}"))?;
        let (section, lines) = sections.last_mut().ok_or("a line before any section")?;
        let words = words(section, key.trim(), value.trim())?;
        lines.push((key.trim().to_owned(), words));
    }
    if continued.is_empty() { Ok(sections) } else { Err("continued beyond the end".to_owned()) }
}

/// The words of one value.
fn words(section: &str, key: &str, value: &str) -> Result<Vec<String>, String> {
    match (section, key) {
        _ if value.is_empty() => Err(format!("`{key}=` forgets what was there")),
        ("Unit", "Description") => Ok(vec![specifiers(value)?]),
        // Split at blanks, and quoted words are unquoted: neither quotes nor specifiers are expected.
        ("Unit" | "Quadlet" | "Timer" | "Service" | "Install", _)
            if value.contains(['"', '\'', '\\', '%', '$']) =>
        {
            Err(format!("`{key}={value}` is more than names"))
        }
        ("Unit" | "Quadlet" | "Timer" | "Service" | "Install", _) => {
            Ok(value.split_whitespace().map(str::to_owned).collect())
        }
        ("Pod", "PublishPort") | ("Container", "Tmpfs" | "Volume") => Ok(vec![argument(value)?]),
        ("Container", "DropCapability" | "AddCapability" | "AddDevice") => {
            split(value, false)?.iter().map(|word| argument(word)).collect()
        }
        (_, "PodmanArgs") | ("Container", "Environment" | "Secret" | "Label" | "Exec") => {
            split(value, true)?.iter().map(|word| argument(word)).collect()
        }
        // Older podman takes quotes away at each end, newer a pair of them.
        ("Pod" | "Container", _) => Ok(vec![argument(value.trim_matches('"'))?]),
        _ => Err(format!("no section [{section}]")),
    }
}

/// Splits as the manual says of quotes and of C escapes, which podman does not know in all keys.
fn split(value: &str, escapes: bool) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' if escapes => {
                let one = match rest.next().ok_or("a `\\` before nothing")? {
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\x0b',
                    's' => ' ',
                    same @ ('\\' | '"' | '\'') => same,
                    other => return Err(format!("`\\{other}`")),
                };
                word.get_or_insert_default().push(one);
            }
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ' ' | '\t' if quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some(quote) => Err(format!("{quote} without an end")),
        // With one of them podman stops reading.
        None if words.iter().any(String::is_empty) => Err("an empty word".to_owned()),
        None => Ok(words),
    }
}

/// What systemd makes of one word of a command that podman's generator has written.
fn argument(word: &str) -> Result<String, String> {
    if word == ";" {
        return Err("the command ends before this word".to_owned());
    }
    let mut argument = String::new();
    let word = specifiers(word)?;
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('$', Some('$')) => {
                rest.next();
                argument.push('$');
            }
            ('$', Some(next)) if next == '{' || next == '_' || next.is_ascii_alphabetic() => {
                return Err(format!("a variable in `{word}`"));
            }
            _ => argument.push(c),
        }
    }
    Ok(argument)
}

fn specifiers(text: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, if c == '%' { rest.next() } else { None }) {
            ('%', Some('%')) => expanded.push('%'),
            ('%', Some('h')) => expanded.push_str(HOME),
            ('%', Some('U')) => expanded.push_str(USER),
            ('%', Some('G')) => expanded.push_str(GROUP),
            ('%', other) => return Err(format!("the specifier %{other:?}")),
            _ => expanded.push(c),
        }
    }
    Ok(expanded)
}

/// What a unit means.
fn meant(unit: &Unit) -> Sections {
    let lines = |section: Section| -> Vec<(String, Vec<String>)> {
        let own = unit.lines().filter(|(key, _)| key.section() == section);
        own.map(|(key, value)| (key.as_str().to_owned(), value.meant(FILLED))).collect()
    };
    let all = Section::ALL.map(|section| (section.as_str().to_owned(), lines(section)));
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

fn one(key: Key, value: impl Into<Value>) -> Unit {
    let mut unit = Unit::new();
    // Neighbours on both sides: a value that leaks out changes them.
    for before in [Key::Description, Key::Pod, Key::Restart, Key::WantedBy] {
        unit.set(before, "before");
    }
    unit.set(key, value);
    for after in [Key::After, Key::Image, Key::Type, Key::WantedBy] {
        unit.set(after, "after");
    }
    unit
}

/// Whether it is written; then it must read back.
#[track_caller]
fn survives(unit: &Unit) -> bool {
    let Ok(text) = unit.to_text() else { return false };
    assert_eq!(read(&text), Ok(meant(unit)), "{text}");
    true
}

/// Strings that have broken other writers of units.
const HOSTILE: [&str; 34] = [
    "x\nExecStartPre=/bin/sh -c id",
    "x\r\nExecStartPre=/bin/sh -c id",
    "x\x0bExecStartPre=/bin/sh",
    "x\u{85}ExecStartPre=/bin/sh",
    "x\u{2028}ExecStartPre=/bin/sh",
    "x\n[Service]\nExecStart=/bin/sh",
    "\0",
    "a\tb",
    "a\u{202e}b",
    "a\u{61c}b",
    "swallows the next line\\",
    "\\",
    "\\\\",
    "#x",
    ";x",
    "[Install]",
    "%h %u %m %n %i %%",
    "100%",
    "%",
    "$HOME ${USER} $$",
    "$",
    "@exe -cmd +cmd !cmd :cmd",
    ";",
    "a ; b",
    "\"",
    "'",
    "\\\"",
    "\"unbalanced",
    "it's",
    "\"pair\"",
    " blank before",
    "blank behind ",
    "\u{3000}",
    "",
];

#[test]
fn hostile_strings_stay_in_their_value() {
    let long = "x".repeat(1 << 20);
    for key in Key::ALL {
        for text in HOSTILE.into_iter().chain([long.as_str()]) {
            let ends_a_line = text.contains(|c: char| c.is_control() || c == '\u{2028}');
            for value in [
                Value::from(text),
                Value::from("NAME=").then(text),
                Value::words(["a", text, "b"].map(Value::from)),
            ] {
                let written = survives(&one(*key, value));
                assert!(!(written && (ends_a_line || text.len() > 4096)), "{}={text:?}", key.as_str());
            }
        }
    }
}

#[test]
fn what_people_write_is_not_refused() {
    for text in HOSTILE
        .into_iter()
        .filter(|text| !text.contains(|c: char| c.is_control() || "\u{2028}\u{202e}\u{61c}".contains(c)))
    {
        let variable = Value::from("NAME=").then(text);
        assert!(survives(&one(Key::Environment, variable)), "{text:?}");
        let exec = Value::words([Value::from("-c"), Value::from("x").then(text)]);
        assert!(survives(&one(Key::Exec, exec)), "{text:?}");
    }
    for (key, text) in [
        (Key::Description, "The \"Vessel\": 100% of $HOME; it's [here] #1"),
        (Key::Volume, "/srv/My Models:/models, 50%:ro"),
        (Key::Tmpfs, "/a \"b\" c:rw"),
        (Key::PublishPort, "127.0.0.1:7134:8000"),
    ] {
        assert!(survives(&one(key, text)), "{text:?}");
    }
}

#[test]
fn what_a_reader_would_take_for_something_else_is_refused() {
    for (key, value) in [
        // A second command; an end of all words; nothing, which forgets what was there.
        (Key::Exec, Value::words(["a", ";", "b"].map(Value::from))),
        (Key::User, Value::from(";")),
        (Key::Exec, Value::words(["a", "", "b"].map(Value::from))),
        (Key::Environment, Value::default()),
        // Options where values are meant.
        (Key::Image, Value::from("--privileged")),
        (Key::AddDevice, Value::from("-/dev/fuse")),
        // Two where one is meant.
        (Key::Secret, Value::words(["a", "b"].map(Value::from))),
        (Key::Image, Value::words(["a", "b"].map(Value::from))),
        // Nothing is expanded or quoted there.
        (Key::SuccessExitStatus, Value::from("%%")),
        (Key::Wants, Value::from("a.service b.service")),
        (Key::WantedBy, Value::of([Piece::Home])),
        // Quotes at an end are taken away.
        (Key::ContainerName, Value::from("\"a")),
        // There are no escapes.
        (Key::AddDevice, Value::from("/dev/a\\b")),
        (Key::AddDevice, Value::from("/dev/\"a")),
        (Key::Image, Value::from("a\"")),
    ] {
        let error = one(key, value).to_text().unwrap_err().to_string();
        assert!(error.starts_with(&format!("a value of `{}=` ", key.as_str())), "{error}");
    }
}

/// Text of what readers of units treat specially, and whatever else there is.
fn text() -> impl Strategy<Value = String> {
    let special = vec![
        "%", "%%", "%h", "%U", "$", "$$", "${A}", "\\", "\"", "'", ";", "#", "[", "]", "=", " ", ":", ",",
        "-", "@", "a", "b.c", "/", "ß", "\u{a0}", "\u{3000}",
    ];
    let broken =
        vec!["\n", "\r", "\t", "\0", "\x0b", "\\\n", "\u{85}", "\u{2028}", "\u{202e}", "\u{200b}", "a", " "];
    let mixed = |parts: Vec<&'static str>, most| {
        prop::collection::vec(prop::sample::select(parts), 0..most).prop_map(|parts| parts.concat())
    };
    prop_oneof![
        6 => mixed(special, 8),
        1 => mixed(broken, 4),
        1 => any::<String>(),
        3 => "[a-zA-Z0-9_./:-]{1,12}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let piece = prop_oneof![
        8 => text().prop_map(Piece::Text),
        1 => Just(Piece::Home),
        1 => Just(Piece::UserId),
        1 => Just(Piece::GroupId),
    ];
    let word = prop::collection::vec(piece, 0..4).prop_map(Value::of);
    prop_oneof![
        3 => word.clone(),
        1 => prop::collection::vec(word, 0..4).prop_map(Value::words),
    ]
}

fn texts() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(text(), 0..3)
}

fn container() -> impl Strategy<Value = Container> {
    let source = prop_oneof![text().prop_map(Source::Loaded), text().prop_map(Source::Fetched)];
    let link = (texts(), texts(), texts(), texts()).prop_map(|(binds_to, wants, requires, after)| Link {
        binds_to,
        wants,
        requires,
        after,
    });
    let environment = prop::collection::btree_map("[A-Z_]{1,8}", value(), 0..4).prop_map(|all| {
        all.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect::<BTreeMap<_, _>>()
    });
    let form = prop_oneof![
        Just(SecretForm::File),
        text().prop_map(SecretForm::FileAt),
        "[A-Z_]{1,8}".prop_map(|name| SecretForm::Variable(name.parse().unwrap())),
    ];
    let secret =
        ("[a-z][a-z0-9_]{0,8}", form).prop_map(|(name, form)| Secret { name: name.parse().unwrap(), form });
    let health = (prop::collection::vec(text(), 1..3), prop::option::of(prop::collection::vec(text(), 1..3)))
        .prop_map(|(command, first)| Health { command, first, every: 1, failed: Unwell::Killed });
    let service = prop_oneof![
        Just(ServiceKind::Once),
        Just(ServiceKind::Lasting(Restart::Always)),
        Just(ServiceKind::Lasting(Restart::OnFailure)),
    ];
    let grants =
        (any::<[bool; 4]>(), prop::collection::vec(text(), 0..2)).prop_map(|(flags, devices)| Grants {
            writable: flags[0],
            new_privileges: flags[1],
            label_disable: flags[2],
            image_user: flags[3],
            devices: devices.iter().filter_map(|device| device.parse().ok()).collect(),
            ..Grants::default()
        });
    let mounts = (prop::collection::btree_set(value(), 0..3), prop::collection::vec(value(), 0..3));
    let labels = prop::collection::vec(text(), 0..2);
    let rest = (
        prop::collection::vec(secret, 0..3),
        labels,
        prop::collection::vec(text(), 0..4),
        service,
        prop::option::of(health),
    );
    (text(), text(), source, link, grants, mounts, environment, rest, any::<u32>(), any::<bool>()).prop_map(
        |(description, name, source, link, grants, mounts, environment, rest, start_seconds, at_boot)| {
            let (secrets, labels, exec, service, health) = rest;
            Container {
                description,
                name,
                source,
                link,
                grants,
                memory: mounts.0,
                volumes: mounts.1,
                environment,
                secrets,
                labels: ["lychd.a", "lychd.b"].into_iter().zip(labels).collect(),
                exec,
                service,
                health,
                stop: at_boot.then_some(Stop { signal: "SIGINT", seconds: start_seconds }),
                start_seconds,
                failed_start: if at_boot { FailedStart::TriedAgain } else { FailedStart::WaitedFor },
                at_boot,
            }
        },
    )
}

/// A container without the parts that cannot be written.
fn writable(mut container: Container) -> Container {
    let can = |key: Key, value: Value| one(key, value).to_text().is_ok();
    let mount = |key: Key, value: &Value| can(key, value.clone().then(":x"));
    if !can(Key::Description, Value::from(&container.description)) {
        container.description = "x".to_owned();
    }
    if !can(Key::ContainerName, Value::from(&container.name)) {
        container.name = "x".to_owned();
    }
    if !can(Key::OnFailure, Value::from(&container.name)) {
        container.failed_start = FailedStart::Told;
    }
    let (Source::Loaded(image) | Source::Fetched(image)) = &mut container.source;
    if !can(Key::Image, Value::from(&*image)) {
        *image = "x".to_owned();
    }
    let Link { binds_to, wants, requires, after } = &mut container.link;
    for names in [binds_to, wants, requires, after] {
        names.retain(|name| can(Key::After, Value::from(name)));
    }
    container.memory.retain(|value| mount(Key::Tmpfs, value));
    container.volumes.retain(|value| can(Key::Volume, value.clone()));
    container.environment.retain(|_, value| can(Key::Environment, Value::from("x=").then(value.clone())));
    container.secrets.retain(|secret| {
        let SecretForm::FileAt(target) = &secret.form else { return true };
        can(Key::Secret, Value::from("x").then(target))
    });
    if let Some(health) = &mut container.health {
        let can = |word: &String| can(Key::HealthCmd, Value::from("[").then(word).then("]"));
        health.command.retain(can);
        health.first.iter_mut().for_each(|first| first.retain(can));
    }
    container.labels.retain(|_, value| can(Key::Label, Value::from("x=").then(&*value)));
    container.exec.retain(|word| can(Key::Exec, Value::from(word)));
    container.grants.devices.retain(|device| can(Key::AddDevice, Value::from(device.meant())));
    container
}

/// All values of a key.
fn values(sections: &Sections, key: &str) -> Vec<String> {
    let lines = sections.iter().flat_map(|(_, lines)| lines).filter(|(name, _)| name == key);
    lines.flat_map(|(_, words)| words.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_key_holds_its_value_or_refuses_it(values in prop::collection::vec(value(), Key::ALL.len())) {
        let mut unit = Unit::new();
        for (key, value) in Key::ALL.iter().zip(values) {
            if survives(&one(*key, value.clone())) {
                unit.set(*key, value);
            } else {
                let mut alone = Unit::new();
                alone.set(*key, value);
                prop_assert!(alone.to_text().is_err());
            }
        }
        prop_assert!(survives(&unit));
    }

    #[test]
    fn containers_read_back(container in container()) {
        survives(&container.to_unit(SYSTEMD));
        let container = writable(container);
        let text = container.to_unit(SYSTEMD).to_text().unwrap();
        let sections = read(&text).unwrap();
        prop_assert_eq!(&sections, &meant(&container.to_unit(SYSTEMD)));
        let names: Vec<&str> = sections.iter().map(|(name, _)| name.as_str()).collect();
        let all = ["Unit", "Quadlet", "Container", "Service", "Install"];
        prop_assert_eq!(names, if container.at_boot { &all[..] } else { &all[..4] });

        prop_assert_eq!(values(&sections, "Description"), [container.description]);
        prop_assert_eq!(values(&sections, "BindsTo"), container.link.binds_to.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(values(&sections, "Exec"), container.exec);
        let environment: Vec<String> = container
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={}", value.meant(FILLED).concat()))
            .collect();
        prop_assert_eq!(values(&sections, "Environment"), environment);
        let labels: Vec<String> = container.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert_eq!(values(&sections, "Label"), labels);
        let volumes: Vec<String> = container.volumes.iter().flat_map(|value| value.meant(FILLED)).collect();
        prop_assert_eq!(values(&sections, "Volume"), volumes);
        prop_assert_eq!(values(&sections, "Secret").len(), container.secrets.len());
        prop_assert_eq!(values(&sections, "DropCapability"), ["ALL"]);
        let asked: Vec<Vec<String>> =
            values(&sections, "HealthCmd").iter().map(|list| serde_json::from_str(list).unwrap()).collect();
        prop_assert_eq!(asked, container.health.into_iter().map(|one| one.command).collect::<Vec<_>>());
    }

    #[test]
    fn pods_and_targets_read_back(
        description in text(),
        ports in prop::collection::vec(any::<(u16, u16)>(), 0..4),
        shared_memory in any::<Option<u64>>(),
        names in prop::collection::vec(texts(), 6),
        newer in any::<bool>(),
    ) {
        let podman: PodmanVersion = if newer { "5.6.0" } else { "5.3.0" }.parse().unwrap();
        let pod = Pod { description: description.clone(), wants: names[0].clone(), ports, shared_memory };
        if survives(&pod.to_unit(podman)) {
            prop_assert_eq!(meant(&pod.to_unit(podman)).len(), 5);
        }
        let [part_of, wants, requires, before, after, conflicts] = names.try_into().unwrap();
        let target = Target { description, part_of, wants, requires, before, after, conflicts };
        if survives(&target.to_unit()) {
            let sections = meant(&target.to_unit());
            prop_assert_eq!(sections.len(), 1);
            prop_assert_eq!(values(&sections, "Conflicts"), target.conflicts.into_iter().collect::<Vec<_>>());
        }
    }
}
