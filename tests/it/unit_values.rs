//! Values of units through podman's own generator: the commands it writes have exactly the words that were meant.

use std::collections::BTreeMap;

use lychd_forge::{
    runes::unit::{Key, Piece, Unit, Value},
    tree::FileTree,
};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::validator::VALIDATOR;

const HOME: &str = "/the/home";
const USER: &str = "4711";
const GROUP: &str = "4712";
const CONTAINERS: usize = 60;
const PODS: usize = 20;

/// A word as pieces, and the text that a process must get.
type Word = (Value, String);

/// Text of what readers of units treat specially; some of it cannot be written.
fn text() -> impl Strategy<Value = String> {
    let special = vec![
        "%", "%%", "%h", "%U", "$", "$$", "${A}", "$A", "\\", "\\x41", "\\n", "\"", "'", ";", "#", "[", "]",
        "=", " ", "  ", ",", "-", "@", "!", "a", "B.c", "/", "ß", "中", "\u{a0}", "\u{3000}", "|", "&", "*",
        "~", "{", "}",
    ];
    prop::collection::vec(prop::sample::select(special), 0..9).prop_map(|parts| parts.concat())
}

/// What may stand where podman itself looks for a colon.
fn word() -> impl Strategy<Value = Word> {
    let piece = prop_oneof![
        6 => text().prop_map(|text| (Piece::Text(text.clone()), text)),
        1 => Just((Piece::Home, HOME.to_owned())),
        1 => Just((Piece::UserId, USER.to_owned())),
        1 => Just((Piece::GroupId, GROUP.to_owned())),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| {
        let (pieces, texts): (Vec<Piece>, Vec<String>) = pieces.into_iter().unzip();
        (Value::of(pieces), texts.concat())
    })
}

/// A source of words, and of them only those that a key can hold.
struct Words(TestRunner);

impl Words {
    fn word(&mut self) -> Word {
        word().new_tree(&mut self.0).unwrap().current()
    }

    /// `before`, then a word; tried until it can be written.
    fn held(&mut self, key: Key, before: &str, behind: &str) -> Word {
        loop {
            let (value, text) = self.word();
            let value = Value::from(before).then(value).then(behind);
            let mut alone = Unit::new();
            alone.set(key, value.clone());
            if alone.to_text().is_ok() {
                return (value, format!("{before}{text}{behind}"));
            }
        }
    }

    fn several(&mut self, key: Key) -> (Value, Vec<String>) {
        let all: Vec<Word> = (0..4).map(|_| self.held(key, "", "")).collect();
        let (values, texts): (Vec<Value>, Vec<String>) = all.into_iter().unzip();
        (Value::words(values), texts)
    }
}

/// A unit, and what its command must have beyond that of an empty one.
#[derive(Default)]
struct Case {
    unit: Unit,
    options: Vec<(&'static str, String)>,
    tail: Vec<String>,
}

impl Case {
    fn set(&mut self, key: Key, option: &'static str, (value, text): Word) {
        self.unit.set(key, value);
        self.options.push((option, text));
    }

    fn container(words: &mut Words) -> Self {
        let mut case = Self::default();
        case.unit.set(Key::Description, words.held(Key::Description, "", "").0);
        case.unit.set(Key::Pod, "lychd.pod");
        case.unit.set(Key::StartWithPod, "false");
        for (key, option) in [(Key::ContainerName, "--name"), (Key::Pull, "--pull")] {
            case.set(key, option, words.held(key, "", ""));
        }
        let [(user, number), (group, its)] = [Key::User, Key::Group].map(|key| words.held(key, "", ""));
        case.unit.set(Key::User, user);
        case.unit.set(Key::Group, group);
        case.options.push(("--user", format!("{number}:{its}")));
        for index in 0..3 {
            let name = format!("NAME_{index}=");
            case.set(Key::Environment, "--env", words.held(Key::Environment, &name, ""));
            case.set(Key::Label, "--label", words.held(Key::Label, &format!("lychd.{name}"), ""));
            case.set(Key::Secret, "--secret", words.held(Key::Secret, "", ""));
            case.set(Key::AddDevice, "--device", words.held(Key::AddDevice, "", ""));
            case.set(Key::Tmpfs, "--tmpfs", words.held(Key::Tmpfs, "/", ":rw,mode=1777"));
            case.set(Key::Volume, "-v", words.held(Key::Volume, "/", ":/models:ro"));
            let below = words.held(Key::Volume, "/", ":/x");
            let home = Value::of([Piece::Home]).then(below.0);
            case.set(Key::Volume, "-v", (home, format!("{HOME}{}", below.1)));
        }
        let (arguments, texts) = words.several(Key::ContainerArguments);
        case.unit.set(Key::ContainerArguments, arguments);
        case.tail.extend(texts);
        let (image, text) = words.held(Key::Image, "localhost/", ":1");
        case.unit.set(Key::Image, image);
        case.tail.push(text);
        let (exec, texts) = words.several(Key::Exec);
        case.unit.set(Key::Exec, exec);
        case.tail.extend(texts);
        case
    }

    fn pod(words: &mut Words) -> Self {
        let mut case = Self::default();
        let (name, text) = words.held(Key::PodName, "", "");
        case.options.push(("--infra-name", format!("{text}-infra")));
        case.set(Key::PodName, "--name", (name, text));
        case.set(Key::UserNs, "--userns", words.held(Key::UserNs, "", ""));
        case.set(Key::PodShmSize, "--shm-size", words.held(Key::PodShmSize, "", ""));
        case.set(Key::PublishPort, "--publish", words.held(Key::PublishPort, "", ""));
        let (arguments, texts) = words.several(Key::PodArguments);
        case.unit.set(Key::PodArguments, arguments);
        case.tail.extend(texts);
        case
    }

    /// What is left of a command without all that was meant; an error when some of it is not there.
    fn rest(&self, command: &[String]) -> Result<Vec<String>, String> {
        let front = command.strip_suffix(self.tail.as_slice());
        let mut rest =
            front.ok_or_else(|| format!("{command:#?}\n does not end with {:#?}", self.tail))?.to_vec();
        for (option, value) in &self.options {
            let at = rest.windows(2).position(|pair| pair[0] == *option && pair[1] == *value);
            let at = at.ok_or_else(|| format!("no {option} {value:?} in {command:#?}"))?;
            rest.drain(at..at + 2);
        }
        Ok(rest)
    }
}

/// The words of a command as systemd starts it; `%t` and `%N`, which the generator writes, stay.
fn command(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut bare) = (Vec::new(), None::<String>, None, true);
    let mut rest = line.chars();
    loop {
        let c = rest.next();
        match c {
            Some(' ') | None if quote.is_none() => {
                let whole = word.take();
                assert!(!(bare && whole.as_deref() == Some(";")), "the command ends within {line}");
                words.extend(whole);
                bare = true;
                if c.is_none() {
                    break;
                }
            }
            None => panic!("a quote without an end in {line}"),
            Some('\\') => {
                bare = false;
                let escaped = rest.next().unwrap();
                assert!(matches!(escaped, '\\' | '"' | '\''), "\\{escaped} in {line}");
                word.get_or_insert_default().push(escaped);
            }
            Some(c) if quote == Some(c) => quote = None,
            Some(c @ ('"' | '\'')) if quote.is_none() => {
                (quote, bare) = (Some(c), false);
                word.get_or_insert_default();
            }
            Some('%') => match rest.next().unwrap() {
                '%' => word.get_or_insert_default().push('%'),
                'h' => word.get_or_insert_default().push_str(HOME),
                'U' => word.get_or_insert_default().push_str(USER),
                'G' => word.get_or_insert_default().push_str(GROUP),
                kept @ ('t' | 'N') => word.get_or_insert_default().extend(['%', kept]),
                other => panic!("the specifier %{other} in {line}"),
            },
            Some('$') => {
                assert_eq!(rest.next(), Some('$'), "a variable in {line}");
                word.get_or_insert_default().push('$');
            }
            Some(c) => word.get_or_insert_default().push(c),
        }
    }
    words
}

/// The one value of a key in a unit.
fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    let mut all = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = all.next().unwrap_or_else(|| panic!("no {key}= in\n{unit}"));
    assert_eq!(all.next(), None, "{key}= twice in\n{unit}");
    value
}

#[test]
fn commands_have_the_words_that_were_meant() {
    let mut words = Words(TestRunner::deterministic());
    let mut tree = FileTree::new();
    let mut add =
        |name: String, unit: &Unit| tree.insert_text(name.parse().unwrap(), unit.to_text().unwrap());
    let mut pod = Unit::new();
    pod.set(Key::PodName, "lychd");
    add("lychd.pod".to_owned(), &pod);
    let mut cases = BTreeMap::new();
    for index in 0..CONTAINERS {
        let case = Case::container(&mut words);
        add(format!("c{index}.container"), &case.unit);
        cases.insert(format!("c{index}.service"), (case, "ExecStart"));
    }
    for index in 0..PODS {
        let case = Case::pod(&mut words);
        add(format!("p{index}.pod"), &case.unit);
        cases.insert(format!("p{index}-pod.service"), (case, "ExecStartPre"));
    }
    let made = VALIDATOR.generated(&tree).unwrap();
    assert_eq!(made.len(), CONTAINERS + PODS + 1);
    for (name, (case, key)) in &cases {
        let command = command(value(&made[name], key));
        let rest = case.rest(&command).unwrap_or_else(|error| panic!("{name}: {error}"));
        let usual: &[&str] = if *key == "ExecStart" {
            &[
                "/usr/bin/podman",
                "run",
                "--cidfile=%t/%N.cid",
                "--replace",
                "--rm",
                "--cgroups=split",
                "--sdnotify=conmon",
                "-d",
                "--pod-id-file",
                "%t/lychd-pod.pod-id",
            ]
        } else {
            &[
                "/usr/bin/podman",
                "pod",
                "create",
                "--infra-conmon-pidfile=%t/%N.pid",
                "--pod-id-file=%t/%N.pod-id",
                "--exit-policy=stop",
                "--replace",
            ]
        };
        assert_eq!(rest, usual, "{name}");
    }
}
