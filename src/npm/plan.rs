//! All members' packages as one npm workspace: where each lies, what is lifted to the root, and the staged files.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::{
    crypt::{
        Member, PackageJson,
        package_json::{Kind, Spec},
    },
    diagnostic::{Diagnostic, Failure, Place, refuse_any},
    document::{Node, Table, Value, canonical_json},
    name::{MemberId, npm::NpmName},
    npm::lock::InstallPath,
    tree::{Entry, FileTree, RelativePath, RelativePathError},
};

/// The name of the workspace's root, which nobody else can have.
pub(super) const ROOT: &str = "lychd-forge-federation";

/// One package of a member.
#[derive(Clone, Debug)]
pub(super) struct Project<'a> {
    pub(super) member: &'a MemberId,
    pub(super) package: &'a PackageJson,
    /// Its directory below the workspace's root.
    pub(super) directory: String,
    /// Its name; made of the directory when it has none.
    pub(super) name: NpmName,
}

/// The workspace.
pub(super) struct Plan<'a> {
    pub(super) projects: Vec<Project<'a>>,
    /// Tarballs of members by their path below the workspace's root.
    pub(super) tarballs: BTreeMap<RelativePath, &'a [u8]>,
    overrides: Map<String, Json>,
    pub(super) notes: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Plans the workspace.
    ///
    /// # Errors
    /// Refused with everything in which the members disagree.
    pub(super) fn of(members: &'a [Member]) -> Result<Self, Failure> {
        let mut plan = Self {
            projects: Vec::new(),
            tarballs: BTreeMap::new(),
            overrides: Map::new(),
            notes: Vec::new(),
        };
        let mut errors = Vec::new();
        for member in members {
            for package in &member.packages {
                plan.add(member, package, &mut errors);
            }
        }
        errors.extend(same_names(&plan.projects));
        plan.lift(&mut errors);
        refuse_any(errors)?;
        Ok(plan)
    }

    fn add(&mut self, member: &'a Member, package: &'a PackageJson, errors: &mut Vec<Diagnostic>) {
        let root = member.id.directory();
        let directory = match &package.directory {
            Some(below) => format!("{root}/{below}"),
            None => root.clone(),
        };
        // npm reads the list of workspaces as patterns.
        if !directory.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._/@+ ".contains(&c)) {
            errors.push(
                Diagnostic::new(format!("`{}` cannot be a workspace of npm", directory.escape_debug()))
                    .requested_by(member.id.to_string())
                    .help("give the directory a name of letters, digits, `-`, `.`, `_`, `@` and `+`"),
            );
            return;
        }
        let name = match &package.name {
            Some(name) => Some(name.value.clone()),
            None => format!("lychd-{}", directory.replace(['/', ' ', '@', '+'], "-")).parse().ok(),
        };
        let Some(name) = name else {
            let nameless = Diagnostic::new(format!("`{}` has no `name`", package.source.name()));
            errors.push(nameless.requested_by(member.id.to_string()).help("give it one"));
            return;
        };
        if name.as_str() == ROOT {
            let taken = Diagnostic::new(format!("`{ROOT}` is the forge's own name"));
            errors.push(taken.requested_by(member.id.to_string()));
        }
        for (_, _, dependency) in package.asked() {
            let Spec::File(Some(path)) = &dependency.spec else { continue };
            let Ok(place) = format!("{root}/{path}").parse::<RelativePath>() else { continue };
            if let Some(bytes) = member.source.tree.file(path) {
                self.tarballs.insert(place, bytes);
            }
        }
        self.projects.push(Project { member: &member.id, package, directory, name });
    }

    /// npm reads `overrides` at the root alone: they count for the whole federation.
    fn lift(&mut self, errors: &mut Vec<Diagnostic>) {
        let mut first: BTreeMap<String, (Json, Place, &MemberId)> = BTreeMap::new();
        for project in &self.projects {
            let Some(overrides) = &project.package.overrides else { continue };
            for (name, field) in overrides.value.iter() {
                let checked = checked_key(name, &field.key);
                let value = match checked.and_then(|()| resolved(&field.node, project.package)) {
                    Ok(value) => value,
                    Err(wrong) => {
                        errors.push(wrong.requested_by(project.member.to_string()));
                        continue;
                    }
                };
                match first.get(name) {
                    Some((other, place, by)) if *other != value => errors.push(
                        Diagnostic::new(format!(
                            "`{by}` and `{}` override `{}` in two ways",
                            project.member,
                            name.escape_debug()
                        ))
                        .at(place.clone(), "one way")
                        .at(field.key.clone(), "another way")
                        .requested_by(by.to_string())
                        .requested_by(project.member.to_string())
                        .help("`overrides` count for the whole federation: agree on one, or leave one out"),
                    ),
                    Some(_) => {}
                    None => {
                        first.insert(name.to_owned(), (value, field.key.clone(), project.member));
                    }
                }
            }
        }
        for (name, (value, _, by)) in first {
            if self.projects.iter().any(|project| project.member != by) {
                self.notes.push(format!("`overrides` of `{by}` for `{name}` count for the whole federation"));
            }
            self.overrides.insert(name, value);
        }
    }

    /// The project at a place of the lock.
    pub(super) fn at(&self, path: &InstallPath) -> Option<&Project<'a>> {
        self.projects.iter().find(|project| project.directory == path.as_str())
    }

    /// Where the members' packages lie.
    pub(super) fn roots(&self) -> BTreeMap<InstallPath, MemberId> {
        self.projects
            .iter()
            .filter_map(|project| Some((project.directory.parse().ok()?, project.member.clone())))
            .collect()
    }

    /// The workspace as files: manifests alone, and the members' tarballs.
    ///
    /// # Errors
    /// Never: every part was checked.
    pub(super) fn stage(&self) -> Result<FileTree, RelativePathError> {
        let mut tree = FileTree::new();
        for (path, bytes) in &self.tarballs {
            tree.insert(path.clone(), Entry::File { bytes: (*bytes).into(), executable: false });
        }
        for project in &self.projects {
            let path = format!("{}/package.json", project.directory).parse()?;
            tree.insert_text(path, canonical_json(&project.manifest()));
        }
        tree.insert_text("package.json".parse()?, canonical_json(&self.root()));
        Ok(tree)
    }

    pub(super) fn root(&self) -> Json {
        let directories: Vec<&str> = self.projects.iter().map(|project| project.directory.as_str()).collect();
        let mut root =
            json!({ "name": ROOT, "version": "0.0.0", "private": true, "workspaces": directories });
        if let (Some(root), false) = (root.as_object_mut(), self.overrides.is_empty()) {
            root.insert("overrides".to_owned(), Json::Object(self.overrides.clone()));
        }
        root
    }
}

impl Project<'_> {
    /// What of its `package.json` decides versions; scripts and `workspaces` stay out.
    pub(super) fn manifest(&self) -> Json {
        let version = self.package.version.as_ref().map_or("0.0.0", |version| version.value.as_str());
        let mut manifest = Map::from_iter([
            ("name".to_owned(), json!(self.name)),
            ("version".to_owned(), json!(version)),
            ("private".to_owned(), json!(true)),
        ]);
        for kind in Kind::ALL {
            let Some(list) = self.package.dependencies.get(&kind).filter(|list| !list.is_empty()) else {
                continue;
            };
            let list: Map<String, Json> =
                list.iter().map(|(name, one)| (name.to_string(), json!(one.text))).collect();
            manifest.insert(kind.key().to_owned(), Json::Object(list));
        }
        let optional: Map<String, Json> = self
            .package
            .optional_peers
            .iter()
            .map(|name| (name.to_string(), json!({ "optional": true })))
            .collect();
        if !optional.is_empty() {
            manifest.insert("peerDependenciesMeta".to_owned(), Json::Object(optional));
        }
        if !self.package.bin.is_empty() {
            manifest.insert("bin".to_owned(), json!(self.package.bin));
        }
        Json::Object(manifest)
    }
}

fn same_names(projects: &[Project<'_>]) -> Vec<Diagnostic> {
    let mut by_name: BTreeMap<&NpmName, Vec<&Project<'_>>> = BTreeMap::new();
    for project in projects {
        by_name.entry(&project.name).or_default().push(project);
    }
    let twice = by_name.into_iter().filter(|(_, projects)| projects.len() > 1);
    twice
        .map(|(name, projects)| {
            let start = Diagnostic::new(format!("more than one member has the npm package `{name}`"))
                .help("give each a `name` of its own in package.json");
            projects.into_iter().fold(start, |diagnostic, project| {
                let place = project.package.name.as_ref().map(|name| name.place.clone());
                let place = place.unwrap_or_else(|| project.package.source.at(0..1));
                diagnostic.at(place, "").requested_by(project.member.to_string())
            })
        })
        .collect()
}

/// What an override is for: `.`, a package, or some versions of one (`name@range`).
fn checked_key(key: &str, place: &Place) -> Result<(), Diagnostic> {
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    let (name, range) = key.split_at(at.unwrap_or(key.len()));
    let range = Spec::parse(range.trim_start_matches('@'), None);
    if key == "." || name.parse::<NpmName>().is_ok() && range.is_ok_and(|range| range == Spec::Registry) {
        return Ok(());
    }
    let message = format!("`overrides`: `{}` is no package, and no range of one", key.escape_debug());
    let help = "npm's are `name`, `name@range`, and a table for what is below a package: `{ \"parent\": { \"name\": \"1\" } }`";
    Err(Diagnostic::new(message).at(place.clone(), "").help(help))
}

/// An override as JSON; `$name` becomes what the package itself wants of `name`, which the root does not know.
fn resolved(node: &Node, package: &PackageJson) -> Result<Json, Diagnostic> {
    let wrong = |message: String| Diagnostic::new(message).at(node.place.clone(), "");
    match &node.value {
        Value::Table(table) => object(table, package),
        Value::String(text) => match text.strip_prefix('$') {
            None => match Spec::parse(text, package.directory.as_ref()) {
                Ok(Spec::Registry | Spec::Alias(_)) => Ok(json!(text)),
                Ok(Spec::File(_)) => {
                    let shown = text.escape_debug();
                    Err(wrong(format!("`overrides`: `{shown}` is a file; an override names versions")))
                }
                Err(error) => Err(wrong(format!("`overrides`: {error}"))),
            },
            Some(name) => package
                .asked()
                .find(|(_, asked, _)| asked.as_str() == name)
                .map(|(_, _, dependency)| json!(dependency.text))
                .ok_or_else(|| {
                    wrong(format!("`overrides`: there is no dependency `{}`", name.escape_debug()))
                }),
        },
        _ => Err(wrong(format!("an override must be a string or a table, not {}", node.kind()))),
    }
}

fn object(table: &Table, package: &PackageJson) -> Result<Json, Diagnostic> {
    let pairs = table.iter().map(|(key, field)| {
        checked_key(key, &field.key)?;
        Ok((key.to_owned(), resolved(&field.node, package)?))
    });
    pairs.collect::<Result<Map<_, _>, _>>().map(Json::Object)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        crypt::{Manifest, SourceTree},
        digest::Sha256,
    };

    /// A member with `package.json` files by directory; "" is its root.
    pub(crate) fn member(id: &str, packages: &[(&str, &str)]) -> Member {
        let id: MemberId = id.parse().unwrap();
        let text = format!("[project]\nname = '{}'\nversion = '1'\n", id.as_str().replace('/', "-"));
        let mut tree = FileTree::new();
        let packages = packages
            .iter()
            .map(|(directory, text)| {
                let at = directory.parse::<RelativePath>().ok();
                let file = at.as_ref().map_or("package.json".to_owned(), |at| format!("{at}/package.json"));
                tree.insert_text(file.parse().unwrap(), text);
                let shown = format!("{}/{file}", id.directory());
                PackageJson::parse(&id, &shown, at.as_ref(), text.as_bytes()).unwrap()
            })
            .collect();
        Member {
            manifest: Manifest::parse(&id, "pyproject.toml", text.as_bytes()).unwrap(),
            directory: std::path::PathBuf::new(),
            packages,
            source: SourceTree { tree, nar_sha256: Sha256::of("") },
            checkout: crate::crypt::Checkout::default(),
            id,
        }
    }

    #[test]
    fn all_packages_are_one_workspace() {
        let members = [
            member(
                "core",
                &[(
                    "web",
                    r#"{"name": "@l/core", "version": "1.0.0", "scripts": {"x": "y"}, "overrides": {"a": "$b", "c": {"d": "1"}}, "dependencies": {"b": "^2"}}"#,
                )],
            ),
            member(
                "vision/ocr",
                &[
                    ("", r#"{"workspaces": ["p"], "overrides": {"c": {"d": "1"}}}"#),
                    ("p", r#"{"name": "p"}"#),
                ],
            ),
        ];
        let plan = Plan::of(&members).unwrap();
        let tree = plan.stage().unwrap();
        let file =
            |path: &str| String::from_utf8(tree.file(&path.parse().unwrap()).unwrap().to_vec()).unwrap();
        let root: Json = serde_json::from_str(&file("package.json")).unwrap();
        assert_eq!(
            root["workspaces"],
            json!(["core/web", "extensions/vision/ocr", "extensions/vision/ocr/p"])
        );
        assert_eq!(root["overrides"], json!({"a": "^2", "c": {"d": "1"}}));
        let nameless: Json = serde_json::from_str(&file("extensions/vision/ocr/package.json")).unwrap();
        assert_eq!(
            nameless,
            json!({"name": "lychd-extensions-vision-ocr", "version": "0.0.0", "private": true})
        );
        assert!(!file("core/web/package.json").contains("scripts"));
        assert_eq!(plan.notes.len(), 2);
    }

    #[test]
    fn members_that_disagree_are_told_with_their_lines() {
        let members = [
            member("core", &[("", "{\"name\": \"x\",\n\"overrides\": {\"a\": \"1\"}}")]),
            member(
                "altar",
                &[(
                    "",
                    "{\"name\": \"x\",\n\"overrides\": {\"a\": \"2\", \"b\": \"$c\", \"d\": 1, \"e\": \"git+ssh://x\"}}",
                )],
            ),
        ];
        let error = Plan::of(&members).err().unwrap().to_string();
        for want in [
            "more than one member has the npm package `x`\n  at core/package.json:1:10\n  at extensions/altar/package.json:1:10\n  requested by core, altar",
            "`core` and `altar` override `a` in two ways\n  at core/package.json:2:15: one way\n  at extensions/altar/package.json:2:15: another way",
            "there is no dependency `c`",
            "an override must be a string or a table, not an integer",
            "`overrides`: `git+ssh://x` comes from git or an address",
        ] {
            assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
        }
    }

    #[test]
    fn an_override_names_versions_of_the_registry_alone() {
        let refused = |overrides: &str| {
            let package = format!("{{\"name\": \"x\", \"overrides\": {overrides}}}");
            let error = Plan::of(&[member("altar", &[("", &package)])]).err();
            error.unwrap_or_else(|| panic!("{overrides} is taken")).to_string()
        };
        for (overrides, want) in [
            (r#"{"a": "jonschlinkert/is-number"}"#, "comes from git or an address"),
            (r#"{"a": "github:a/b"}"#, "comes from git or an address"),
            (r#"{"a": "https://a.example/b.tgz"}"#, "comes from git or an address"),
            (r#"{"a": "/etc/evil"}"#, "leaves the member"),
            (r#"{"a": {"b": "../../evil"}}"#, "leaves the member"),
            (r#"{"a": "file:vendor/x.tgz"}"#, "is a file; an override names versions"),
            (r#"{"a": "npm:../x@1"}"#, "`overrides`: "),
            (r#"{"a@github:c/d": "1"}"#, "is no package, and no range of one"),
            (r#"{"../a": "1"}"#, "is no package, and no range of one"),
        ] {
            let error = refused(overrides);
            assert!(error.contains(want) && error.contains("requested by altar"), "{overrides}: {error}");
        }
        let fine = r#"{"name": "x", "overrides": {"a": {".": "^1 || 2", "@s/b@<3": "npm:c@~1.2"}, "d": ""}}"#;
        assert!(Plan::of(&[member("altar", &[("", fine)])]).is_ok());
    }
}
