//! Each law of a Codex by a Codex that breaks it: what is said, where, and what to do about it. The cases are in
//! `tests/cases/codex`, one file a law: `== title`, `-- file` with its text, then `>>` and what is said.
#![expect(clippy::disallowed_methods, reason = "tests read their cases")]
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use lychd_forge::{
    codex,
    diagnostic::{Diagnostic, Failure, Source},
    image::ConfigDigest,
    runes::{RenderInput, Rendered, RuneRecord, render, systemd::SystemdVersion},
};

use crate::{
    golden,
    inscription::{NO_MEMBERS, layout},
};

/// What a case has that says nothing else.
const LYCHD: &str = "[extensions]\nbuiltins = [\"animator\", \"animator/llamacpp\", \"animator/vllm\", \
                     \"animator/sglang\", \"animator/exllamav3\", \"observability/phoenix\", \"simulation\"]\n";
const FORGE: &str = "[policy]\nallow-tags = [\"docker.io/pgvector/pgvector\", \"docker.io/arize-ai/phoenix\", \
                     \"docker.io/vllm/vllm-openai\", \"docker.io/lmsysorg/sglang\", \"ghcr.io/ggml-org/llama.cpp\", \
                     \"localhost/g\"]\n";

/// A Codex, and what is said of it.
struct Case {
    title: String,
    files: Vec<(String, String)>,
    said: String,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut is_said = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            cases.push(Case { title: title.to_owned(), files: Vec::new(), said: String::new() });
            is_said = false;
            continue;
        }
        let case = cases.last_mut().unwrap();
        if line == ">>" {
            is_said = true;
        } else if is_said {
            case.said.extend([line, "\n"]);
        } else if let Some(name) = line.strip_prefix("-- ") {
            case.files.push((name.to_owned(), String::new()));
        } else {
            case.files.last_mut().unwrap().1.extend([line, "\n"]);
        }
    }
    cases
}

impl Case {
    fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str())
    }

    fn render(&self) -> Result<Rendered, Failure> {
        let own = self.files.iter().filter(|(name, _)| !matches!(name.as_str(), "links" | "federation.json"));
        let mut sources: Vec<Source> =
            own.map(|(name, text)| Source::new(name.as_str(), text.as_str())).collect();
        for (name, text) in [("lychd.toml", LYCHD), ("forge.toml", FORGE)] {
            if self.file(name).is_none() {
                sources.push(Source::new(name, text));
            }
        }
        let links: Vec<(&str, &str)> = self
            .file("links")
            .unwrap_or_default()
            .lines()
            .map(|line| line.split_once(" -> ").unwrap())
            .collect();
        let resolve = |path: &Path| -> Result<PathBuf, Failure> {
            let found = links.iter().find_map(|(link, to)| Some((to, path.strip_prefix(link).ok()?)));
            Ok(found.map_or_else(
                || path.to_owned(),
                |(to, below)| Path::new(to).join(below).components().collect(),
            ))
        };
        let members = self.file("federation.json").unwrap_or(NO_MEMBERS).as_bytes().to_vec();
        let codex = codex::parse(&sources)?;
        render(&RenderInput {
            codex: &codex,
            federated: &RuneRecord::parse("federation.json", members)?,
            body: &ConfigDigest::of("body").into(),
            further: &BTreeMap::new(),
            layout: &layout(),
            resolve: &resolve,
            podman: "5.4.2".parse().unwrap(),
            systemd: SystemdVersion::new(257),
            ports: &BTreeMap::new(),
        })
    }

    /// What is said of it now.
    fn say(&self, mute: &mut Vec<String>) -> String {
        match self.render() {
            Err(failure) => {
                let lacking = failure.diagnostics().iter().filter_map(lack);
                mute.extend(lacking.map(|what| format!("{}: {what}", self.title)));
                format!("{failure}\n")
            }
            Ok(rendered) => {
                let mut said = "accepted\n".to_owned();
                for note in rendered.notes {
                    writeln!(said, "note: {note}").unwrap();
                }
                said
            }
        }
    }

    fn text(&self, said: &str) -> String {
        let mut text = format!("== {}\n", self.title);
        for (name, body) in &self.files {
            write!(text, "-- {name}\n{body}").unwrap();
        }
        write!(text, ">>\n{said}").unwrap();
        text
    }
}

/// Where and what to do: a grammar at the end of the message is an answer too.
fn lack(diagnostic: &Diagnostic) -> Option<String> {
    let is_default = diagnostic.notes.iter().any(|note| note.contains("it is LychD's default"));
    let is_helpful = !diagnostic.help.is_empty() || diagnostic.message.ends_with(')');
    match (is_default || !diagnostic.places.is_empty(), is_helpful) {
        (false, _) => Some(format!("no place: {diagnostic}")),
        (_, false) => Some(format!("no help: {diagnostic}")),
        (true, true) => None,
    }
}

#[test]
fn each_law_refuses_what_breaks_it_with_place_and_help() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/codex");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut count, mut mute) = (0, Vec::new());
    for file in files {
        let cases = cases(&fs::read_to_string(&file).unwrap());
        count += cases.len();
        if golden::renews() {
            let texts: Vec<String> = cases.iter().map(|case| case.text(&case.say(&mut mute))).collect();
            fs::write(&file, texts.concat()).unwrap();
            continue;
        }
        for case in cases {
            let place = format!("{} in {}", case.title, file.display());
            golden::same(&place, &case.said, &case.say(&mut mute));
        }
    }
    assert!(count > 250, "{count}");
    assert!(mute.is_empty(), "{}", mute.join("\n"));
}
