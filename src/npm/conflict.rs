//! Tells in terms of the members why npm found no set of versions.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Plan, Project};
use crate::{
    crypt::package_json::{Kind, NpmDependency},
    diagnostic::{Diagnostic, Failure, Fault},
    name::npm::NpmName,
};

/// Codes of a network that did not answer.
const NETWORK: [&str; 9] = [
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "ENOTCACHED",
    "ENOTFOUND",
    "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
];

/// Turns npm's complaint into a failure: what could not be had, who asked for it and where, and npm's own
/// explanation.
pub(super) fn explain(text: &str, plan: &Plan<'_>) -> Failure {
    let code = text.lines().find_map(|line| line.strip_prefix("code ")).unwrap_or_default();
    let told = with_members(text, plan);
    let note = if told.is_empty() { "npm said nothing".to_owned() } else { format!("npm says:\n{told}") };
    if text.contains("error while loading shared libraries") || text.contains("GLIBC") {
        return Failure::unable(
            Diagnostic::new("the forge's Node does not start on this host")
                .note(note)
                .help("it needs glibc 2.28 or newer and libstdc++"),
        );
    }
    if NETWORK.contains(&code) {
        let offline = code == "ENOTCACHED";
        let message = if offline {
            "the npm lock needs the registry, and --offline forbids the network"
        } else {
            "the npm registry could not be asked"
        };
        let help = if offline {
            "run once without --offline"
        } else {
            "check the network, the proxy variables and SSL_CERT_FILE, then run it again"
        };
        let kind = if offline { Fault::Offline } else { Fault::Network };
        return Failure::unable(Diagnostic::new(message).of_kind(kind).note(note).help(help));
    }
    let named = names(text);
    let asks = asks(plan, &named);
    let (message, help) = story(code, text, &asks, plan);
    let mut diagnostic = Diagnostic::new(message).of_kind(Fault::Conflict);
    let mut members = BTreeSet::new();
    for (project, kind, name, dependency) in &asks {
        let list = match kind {
            Kind::Production => String::new(),
            other => format!(" ({})", other.key()),
        };
        let label = format!("`{}` wants `{name}` {}{list}", project.member, dependency.text.escape_debug());
        diagnostic = diagnostic.at(dependency.place.clone(), label);
        members.insert(project.member.to_string());
    }
    diagnostic.requested_by = members.into_iter().collect();
    diagnostic.note(note).help(help).into()
}

type Ask<'a> = (&'a Project<'a>, Kind, &'a NpmName, &'a NpmDependency);

/// The members' dependencies that npm names: with the very range it names, when it does.
fn asks<'a>(plan: &'a Plan<'a>, named: &BTreeMap<NpmName, BTreeSet<String>>) -> Vec<Ask<'a>> {
    let all: Vec<Ask<'a>> = plan
        .projects
        .iter()
        .flat_map(|project| {
            project.package.asked().map(move |(kind, name, dependency)| (project, kind, name, dependency))
        })
        .filter(|(_, _, name, _)| named.contains_key(*name))
        .collect();
    let exact: Vec<Ask<'a>> = all
        .iter()
        .filter(|(_, _, name, dependency)| {
            named.get(*name).is_some_and(|ranges| ranges.contains(&dependency.text))
        })
        .copied()
        .collect();
    if exact.is_empty() { all } else { exact }
}

fn story(code: &str, text: &str, asks: &[Ask<'_>], plan: &Plan<'_>) -> (String, &'static str) {
    let members: BTreeSet<String> =
        asks.iter().map(|(project, ..)| format!("`{}`", project.member)).collect();
    let members = match members.len() {
        0 => "the members".to_owned(),
        _ => members.into_iter().collect::<Vec<_>>().join(" and "),
    };
    let first = asks.first().map(|(_, _, name, _)| name.to_string());
    match code {
        "ETARGET" => {
            let what = word_after(text, "No matching version found for ").unwrap_or_default();
            (
                format!("no version in the npm registry is `{}`", what.trim_end_matches('.').escape_debug()),
                "ask for a version that exists",
            )
        }
        "E404" => (
            format!("`{}` is not in the npm registry", first.unwrap_or_else(|| "a package".to_owned())),
            "check the name; packages of other registries cannot be had",
        ),
        "ERESOLVE" => {
            let peer = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("peer "))
                .find_map(|rest| split(rest.split_whitespace().next()?))
                .filter(|(name, _)| !plan.projects.iter().any(|project| project.name == *name));
            let want = if members.contains(" and ") || members == "the members" { "want" } else { "wants" };
            let message = match peer {
                Some((name, _)) => {
                    format!("what {members} {want} leads to versions of `{name}` that cannot be one")
                }
                None => format!("what {members} {want} cannot be installed together"),
            };
            let help = "loosen one of these requirements, leave one of the members out, or say the version that a peer is to have as \
                        `overrides` of `package.json`: `{ \"<package>\": { \"<peer>\": \"$<peer>\" } }`";
            (message, help)
        }
        "EOVERRIDE" => (
            format!("an override contradicts what {members} want"),
            "make `overrides` and the dependency say the same",
        ),
        "EBADENGINE" | "EBADPLATFORM" => (
            format!("something that {members} want is for another engine or platform"),
            "ask for a version that fits, or leave it out",
        ),
        _ => ("npm cannot lock the federation".to_owned(), "npm's own words are above"),
    }
}

fn word_after<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    text.split_once(sign)?.1.split_whitespace().next()
}

/// `@scope/name@range` into its parts.
fn split(word: &str) -> Option<(NpmName, String)> {
    let word = word.trim_matches(|c: char| "'\"`(),;:".contains(c));
    let at = word.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(word.len(), |(at, _)| at);
    let (name, range) = word.split_at(at);
    let range =
        range.trim_start_matches('@').trim_matches(|c: char| "'\"`".contains(c)).trim_end_matches('.');
    Some((name.parse().ok()?, range.to_owned()))
}

/// The packages of an explanation, each with the ranges it is named with.
fn names(text: &str) -> BTreeMap<NpmName, BTreeSet<String>> {
    let mut found: BTreeMap<NpmName, BTreeSet<String>> = BTreeMap::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| "'\"`(),;:".contains(c));
        // `GET https://registry.npmjs.org/@scope%2fname`
        let path = word.strip_prefix("https://registry.npmjs.org/").map(|path| path.replace("%2f", "/"));
        let is_spec = word.char_indices().skip(1).any(|(_, c)| c == '@');
        if !is_spec && path.is_none() {
            continue;
        }
        if let Some((name, range)) = split(path.as_deref().unwrap_or(word)) {
            let ranges = found.entry(name).or_default();
            if !range.is_empty() {
                ranges.insert(range);
            }
        }
    }
    found
}

/// npm's text with the members behind the names of their packages.
fn with_members(text: &str, plan: &Plan<'_>) -> String {
    let line = |line: &str| {
        let owners: BTreeSet<String> = line
            .split_whitespace()
            .filter_map(split)
            .filter_map(|(name, _)| plan.projects.iter().find(|project| project.name == name))
            .filter(|project| project.name.as_str() != project.member.as_str())
            .map(|project| format!("{} is of {}", project.name, project.member))
            .collect();
        if owners.is_empty() {
            line.to_owned()
        } else {
            format!("{line}  ({})", owners.into_iter().collect::<Vec<_>>().join(", "))
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npm::plan::tests::member;

    fn told(text: &str) -> Failure {
        let members = [
            member("core", &[("web", "{\"name\": \"@l/web\",\n\"dependencies\": {\"react\": \"^19.0.0\"}}")]),
            member(
                "altar",
                &[(
                    "",
                    "{\"name\": \"altar\",\n\"devDependencies\": {\"old-kit\": \"1.0.0\", \"@no/where\": \"*\"}}",
                )],
            ),
        ];
        explain(text, &Plan::of(&members).unwrap())
    }

    #[test]
    fn complaints_name_members_files_and_lines() {
        let eresolve = "code ERESOLVE\nERESOLVE unable to resolve dependency tree\n\nWhile resolving: altar@0.0.0\n\
            Found: react@19.2.0\nnode_modules/react\n  react@\"^19.0.0\" from @l/web@0.0.0\n  core/web\n\
            Could not resolve dependency:\npeer react@\"^17\" from old-kit@1.0.0\nnode_modules/old-kit\n  dev old-kit@\"1.0.0\" from altar@0.0.0";
        for (text, wants) in [
            (
                eresolve,
                vec![
                    "what `altar` and `core` want leads to versions of `react` that cannot be one",
                    "at core/web/package.json:2:27: `core` wants `react` ^19.0.0",
                    "at extensions/altar/package.json:2:32: `altar` wants `old-kit` 1.0.0 (devDependencies)",
                    "requested by altar, core",
                    "react@\"^19.0.0\" from @l/web@0.0.0  (@l/web is of core)",
                    "help: loosen one of these requirements",
                ],
            ),
            (
                "code ETARGET\nnotarget No matching version found for react@^19.0.0.\nnotarget In most cases",
                vec!["no version in the npm registry is `react@^19.0.0`", "at core/web/package.json:2:27"],
            ),
            (
                "code E404\n404 Not Found - GET https://registry.npmjs.org/@no%2fwhere - Not found\n404\n404  '@no/where@*' is not in this registry.",
                vec![
                    "`@no/where` is not in the npm registry",
                    "at extensions/altar/package.json:2:54: `altar` wants `@no/where` *",
                ],
            ),
            ("code EWHATEVER\nodd", vec!["npm cannot lock the federation", "odd"]),
        ] {
            let failure = told(text);
            assert_eq!(failure.exit_code(), 1);
            for want in wants {
                assert!(failure.to_string().contains(want), "{want}\n--- not in ---\n{failure}");
            }
        }
    }

    #[test]
    fn a_network_that_does_not_answer_is_no_refusal() {
        let failure = told(
            "code ENOTCACHED\nrequest to https://registry.npmjs.org/react failed: cache mode is 'only-if-cached'",
        );
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("--offline forbids the network"), "{failure}");
        assert_eq!(told("code ECONNREFUSED").exit_code(), 2);
        let failure = told("error while loading shared libraries: libstdc++.so.6");
        assert!(failure.to_string().contains("does not start on this host"), "{failure}");
    }
}
