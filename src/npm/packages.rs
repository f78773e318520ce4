//! From what is installed to the values of the Synthesis: tarballs with addresses and hashes, links, commands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Completions, Selected, plan::Plan, requested_by::named};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{Integrity, store_path::StoreName},
    name::{npm::NpmName, url::HostPolicy},
    npm::{
        lock::{Entry, From, NpmLock, Package, Pins},
        record::{NodeBundled, NodeLink, NodePackage, TarballSource},
    },
    tree::RelativePath,
};

/// Where the public registry's tarballs are.
const REGISTRY: &str = "https://registry.npmjs.org/";

/// All that decides them.
pub(super) struct Packages<'a> {
    pub(super) lock: &'a NpmLock,
    pub(super) selected: &'a Selected,
    pub(super) completions: &'a Completions,
    pub(super) policy: &'a HostPolicy,
    pub(super) allow_scripts: &'a BTreeSet<NpmName>,
    pub(super) plan: &'a Plan<'a>,
}

/// What was made.
#[derive(Default)]
pub(super) struct Made {
    pub(super) packages: Vec<NodePackage>,
    pub(super) bundled: Vec<NodeBundled>,
    pub(super) links: Vec<NodeLink>,
    pub(super) notes: Vec<String>,
}

impl Packages<'_> {
    /// Makes them.
    ///
    /// # Errors
    /// Refused with everything that cannot be fetched or trusted.
    pub(super) fn make(&self) -> Result<Made, Failure> {
        let mut made = Made::default();
        let mut by_tarball: BTreeMap<(NpmName, String, Integrity), NodePackage> = BTreeMap::new();
        let mut errors = Vec::new();
        let mut silent = BTreeSet::new();
        for path in &self.selected.places {
            let Some(entry) = self.lock.entries.get(path) else { continue };
            match &entry.package {
                Package::Directory { .. } => {}
                Package::Bundled if entry.bin.is_empty() => {}
                Package::Bundled => {
                    made.bundled.push(NodeBundled { place: path.to_string(), bin: entry.bin.clone() });
                }
                Package::Link { target } => match self.plan.at(target) {
                    Some(project) => made.links.push(NodeLink {
                        place: path.to_string(),
                        target: target.to_string(),
                        member: project.member.clone(),
                        bin: project.package.bin.clone(),
                    }),
                    None => {
                        errors.push(self.about(entry, format!("a link to `{target}`, which is no member's")));
                    }
                },
                Package::Tarball { name, scripts, .. } => match self.tarball(entry) {
                    Ok(package) => {
                        if *scripts && !package.scripts {
                            silent.insert(name.to_string());
                        }
                        let key = (name.clone(), package.version.clone(), package.integrity);
                        let known = by_tarball.entry(key).or_insert_with(|| package.clone());
                        known.places.extend(package.places);
                        known.requested_by.extend(package.requested_by);
                        known.dependencies.extend(package.dependencies);
                    }
                    Err(error) => errors.push(*error),
                },
            }
        }
        errors.extend(self.two_hashes(&by_tarball));
        refuse_any(errors)?;
        made.links.extend(self.unreached());
        made.links.sort_by(|one, other| one.place.cmp(&other.place));
        made.packages = by_tarball.into_values().collect();
        let completed = made.packages.iter().filter(|package| package.completed).count();
        if completed > 0 {
            made.notes.push(format!(
                "the registry supplied address or hash of {completed} of {} npm packages",
                made.packages.len()
            ));
        }
        if !silent.is_empty() {
            let names = silent.into_iter().collect::<Vec<_>>().join(", ");
            made.notes.push(format!(
                "install scripts do not run: {names} (`[policy] allow-scripts` in forge.toml lets them)"
            ));
        }
        let names: BTreeSet<&NpmName> = made.packages.iter().map(|package| &package.name).collect();
        for name in self.allow_scripts.iter().filter(|name| !names.contains(name)) {
            made.notes.push(format!("`allow-scripts` names `{name}`, which is not installed"));
        }
        Ok(made)
    }

    /// Links that only the root asks for: a member's own package that nobody depends on.
    fn unreached(&self) -> Vec<NodeLink> {
        let links = self.lock.entries.iter().filter(|(path, _)| !self.selected.places.contains(*path));
        links
            .filter_map(|(path, entry)| {
                let Package::Link { target } = &entry.package else { return None };
                let project = self.plan.at(target)?;
                Some(NodeLink {
                    place: path.to_string(),
                    target: target.to_string(),
                    member: project.member.clone(),
                    bin: project.package.bin.clone(),
                })
            })
            .collect()
    }

    fn about(&self, entry: &Entry, message: impl Into<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(format!("`{}`: {}", entry.path, message.into()));
        diagnostic.requested_by = named(self.selected.requested_by.get(&entry.path));
        diagnostic.at(entry.place.clone(), "")
    }

    fn tarball(&self, entry: &Entry) -> Result<NodePackage, Box<Diagnostic>> {
        let wrong = |message: String| Box::new(self.about(entry, message));
        let Package::Tarball { name, version, from, pins, scripts } = &entry.package else {
            return Err(wrong("it is no tarball".to_owned()));
        };
        if let Some(project) = self.plan.projects.iter().find(|project| project.name == *name) {
            return Err(Box::new(
                self.about(
                    entry,
                    format!("`{name}` is a package of `{}`, and one of the registry as well", project.member),
                )
                .help(format!(
                    "a member's package is version {}: ask for one that fits, or give it a name of its own",
                    project.package.version.as_ref().map_or("0.0.0", |version| version.value.as_str())
                )),
            ));
        }
        let completion = self.completions.get(name, version);
        let public = |url: &str| -> Result<_, Box<Diagnostic>> {
            let url = self.policy.check(url).map_err(|error| wrong(error.to_string()))?;
            names(url.as_str(), name, version).map_err(wrong)?;
            let filename = StoreName::mapped(url.file_name());
            Ok((TarballSource::Registry(url), filename))
        };
        let ((source, filename), integrity, completed) = match (from, pins, completion) {
            (From::File(path), pins, _) => {
                let (filename, integrity) = self.own(path, pins).map_err(wrong)?;
                ((TarballSource::Member(path.clone()), filename), integrity, false)
            }
            (From::Address(url), Pins::Pinned(integrity), _) => (public(url)?, *integrity, false),
            (_, _, Some(known)) => (public(&known.resolved)?, known.integrity, true),
            _ => return Err(wrong("it has no address or no hash".to_owned())),
        };
        let dependencies = entry.edges.keys().filter(|name| {
            self.lock.resolve(&entry.path, name).is_some_and(|to| self.selected.places.contains(&to.path))
        });
        Ok(NodePackage {
            name: name.clone(),
            version: version.clone(),
            source,
            filename,
            integrity,
            requested_by: self.selected.requested_by.get(&entry.path).cloned().unwrap_or_default(),
            dependencies: dependencies.cloned().collect(),
            completed,
            places: BTreeSet::from([entry.path.to_string()]),
            bin: entry.bin.clone(),
            scripts: *scripts && self.allow_scripts.contains(name),
        })
    }

    /// A tarball of a member's own tree: its name and hash.
    fn own(&self, path: &RelativePath, pins: &Pins) -> Result<(StoreName, Integrity), String> {
        let bytes = self
            .plan
            .tarballs
            .get(path)
            .ok_or_else(|| format!("`{path}` is a tarball that no member has"))?;
        let integrity = match pins {
            Pins::Pinned(pinned) => *pinned,
            Pins::Either(all) => {
                let fits = |one: &&Integrity| one.of_same_kind(bytes) == **one;
                all.iter().find(fits).copied().unwrap_or(Integrity::Sha512([0; 64]))
            }
            Pins::Weak { .. } | Pins::Missing => Integrity::Sha512([0; 64]).of_same_kind(bytes),
        };
        if integrity.of_same_kind(bytes) != integrity {
            return Err(format!("`{path}` is not what the lock pins"));
        }
        let name = path.components().next_back().unwrap_or_default();
        Ok((StoreName::mapped(name), integrity))
    }

    /// One version with two hashes is two things under one name.
    fn two_hashes(
        &self,
        by_tarball: &BTreeMap<(NpmName, String, Integrity), NodePackage>,
    ) -> Vec<Diagnostic> {
        let all: Vec<&NodePackage> = by_tarball.values().collect();
        let twice = all.windows(2).filter_map(|pair| {
            let [one, other] = pair else { return None };
            ((&one.name, &one.version) == (&other.name, &other.version)).then_some((one, other))
        });
        twice
            .map(|(one, other)| {
                let title = format!("`{}` {} has two hashes in the lock", one.name, one.version);
                let places = one.places.iter().chain(&other.places);
                let entries = places.filter_map(|place| self.lock.entries.get(&place.parse().ok()?));
                let mut diagnostic = Diagnostic::new(title);
                diagnostic.requested_by =
                    named(Some(&one.requested_by.union(&other.requested_by).cloned().collect()));
                entries.fold(diagnostic, |diagnostic, entry| diagnostic.at(entry.place.clone(), ""))
            })
            .collect()
    }
}

/// Whether an address is that of this package and version. Of other hosts only the file's kind is known.
fn names(url: &str, name: &NpmName, version: &str) -> Result<(), String> {
    let Some(path) = url.strip_prefix(REGISTRY) else {
        let archive = [".tgz", ".tar.gz"].iter().any(|end| url.ends_with(end));
        return if archive { Ok(()) } else { Err(format!("`{url}` is no tarball")) };
    };
    let bare = version.split('+').next().unwrap_or_default();
    let expected = format!("{name}/-/{}-{bare}.tgz", name.base());
    if path == expected {
        Ok(())
    } else {
        Err(format!("`{url}` is not the tarball of `{name}` {version}, which is `{REGISTRY}{expected}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostic::Source,
        name::Platform,
        npm::{NodeTarget, plan::tests::member, select},
    };

    const HASH: &str =
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";

    fn made(entries: &str, allow: &[&str]) -> Result<Made, String> {
        let mut altar = member(
            "altar",
            &[(
                "web",
                r#"{"name": "altar", "version": "1.0.0", "bin": {"altar": "a.js"}, "dependencies": {"t": "file:../t.tgz"}}"#,
            )],
        );
        altar.source.tree.insert_text("t.tgz".parse().unwrap(), "");
        let members = [altar];
        let plan = Plan::of(&members).unwrap();
        let text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/altar\": {{\"link\": true, \"resolved\": \"extensions/altar/web\"}},\n{entries}}}}}"
        );
        let lock = NpmLock::read(&Source::new("synthesis/package-lock.json", text)).unwrap();
        let target = NodeTarget::new(Platform::X86_64Linux, "24.21.0").unwrap();
        let selected = select(&lock, &plan.roots(), &target).map_err(|failure| failure.to_string())?;
        let allow_scripts = allow.iter().map(|name| name.parse().unwrap()).collect();
        let (completions, policy) = (Completions::default(), HostPolicy::new([]));
        Packages {
            lock: &lock,
            selected: &selected,
            completions: &completions,
            policy: &policy,
            allow_scripts: &allow_scripts,
            plan: &plan,
        }
        .make()
        .map_err(|failure| failure.to_string())
    }

    fn package(place: &str, rest: &str) -> String {
        format!("\"{place}\": {{\"version\": \"1.0.0\", \"integrity\": \"{HASH}\", {rest}}}")
    }

    const WEB: &str = r#""extensions/altar/web": {"dependencies": {"a": "1", "b": "1"}}"#;
    const URL: &str = "https://registry.npmjs.org/@s/p/-/p-1.0.0.tgz";

    #[test]
    fn one_tarball_may_lie_at_several_places() {
        let a = package(
            "node_modules/a",
            &format!(
                "\"name\": \"@s/p\", \"resolved\": \"{URL}\", \"hasInstallScript\": true, \"bin\": \"x.js\""
            ),
        );
        let b = package(
            "node_modules/b",
            "\"resolved\": \"file:extensions/altar/t.tgz\", \"dependencies\": {\"c\": \"1\"}",
        );
        let c = package(
            "node_modules/b/node_modules/c",
            &format!("\"name\": \"@s/p\", \"resolved\": \"{URL}\", \"hasInstallScript\": true"),
        );
        let made = made(&[WEB, &a, &b, &c].join(",\n"), &["@s/p", "gone"]).unwrap();
        let p = &made.packages[0];
        assert_eq!(p.places.iter().collect::<Vec<_>>(), ["node_modules/a", "node_modules/b/node_modules/c"]);
        assert_eq!((p.filename.as_str(), p.scripts, p.bin["p"].as_str()), ("p-1.0.0.tgz", true, "x.js"));
        assert_eq!(made.packages[1].source.to_string(), "file:extensions/altar/t.tgz");
        assert_eq!(made.links[0].target, "extensions/altar/web");
        assert_eq!(made.notes, ["`allow-scripts` names `gone`, which is not installed"]);
    }

    #[test]
    fn what_cannot_be_trusted_is_refused() {
        let sound = package("node_modules/b", "\"resolved\": \"https://registry.npmjs.org/b/-/b-1.0.0.tgz\"");
        let of = |rest: &str| package("node_modules/a", rest);
        for (a, want) in [
            (
                of("\"resolved\": \"https://registry.npmjs.org/b/-/b-1.0.0.tgz\""),
                "is not the tarball of `a` 1.0.0, which is `https://registry.npmjs.org/a/-/a-1.0.0.tgz`",
            ),
            (
                of("\"resolved\": \"https://registry.npmjs.org/a/-/a-2.0.0.tgz\""),
                "is not the tarball of `a` 1.0.0",
            ),
            (of("\"resolved\": \"https://evil.example/a-1.0.0.tgz\""), "host `evil.example` is not allowed"),
            (of("\"resolved\": \"http://registry.npmjs.org/a/-/a-1.0.0.tgz\""), "uses `http:`, not https"),
            (of("\"resolved\": \"https://u@registry.npmjs.org/a/-/a-1.0.0.tgz\""), "has a user name"),
            (of("\"resolved\": \"file:extensions/altar/x.tgz\""), "is a tarball that no member has"),
            (of("\"dev\": true"), "it has no address or no hash"),
            (
                of(
                    "\"name\": \"altar\", \"resolved\": \"https://registry.npmjs.org/altar/-/altar-1.0.0.tgz\"",
                ),
                "`altar` is a package of `altar`, and one of the registry as well",
            ),
        ] {
            let error = made(&[WEB, &a, &sound].join(",\n"), &[]).err().unwrap();
            assert!(
                error.contains(want)
                    && error.contains("requested by altar")
                    && error.contains("lock.json:3:1"),
                "{want}\n--- not in ---\n{error}"
            );
        }
        let a = of("\"name\": \"b\", \"resolved\": \"https://registry.npmjs.org/b/-/b-1.0.0.tgz\"");
        let other = sound.replace("z4Ph", "A4Ph");
        let error = made(&[WEB, &a, &other].join(",\n"), &[]).err().unwrap();
        assert!(
            error.contains("`b` 1.0.0 has two hashes in the lock")
                && error.contains(":3:1")
                && error.contains(":4:1"),
            "{error}"
        );
        let bad = package("node_modules/a", "\"resolved\": \"file:extensions/altar/t.tgz\"")
            .replace("z4Ph", "A4Ph");
        assert!(
            made(&[WEB, &bad, &sound].join(",\n"), &[]).err().unwrap().contains("is not what the lock pins")
        );
    }
}
