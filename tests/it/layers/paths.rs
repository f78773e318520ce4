//! Which file uses which: the paths in the sources, followed to the file that defines what they name.

use std::collections::{BTreeMap, BTreeSet};

/// The part of a source file that is no test.
pub(crate) fn product(text: &str) -> &str {
    let is_module = |at: &usize| {
        let item = text[*at..].lines().skip(1).find(|line| !line.starts_with("#["));
        item.is_some_and(|line| line.contains("mod ") && line.ends_with('{'))
    };
    let end = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(is_module);
    &text[..end.unwrap_or(text.len())]
}

/// The modules of the crate, each with its file and with the names it hands on.
pub(crate) struct House<'a> {
    sources: &'a BTreeMap<String, String>,
    /// Module path to file.
    files: BTreeMap<Vec<String>, &'a str>,
    /// `pub use` of each module: the name it gives, `*` for a glob, and what that stands for.
    handed_on: BTreeMap<Vec<String>, Vec<(String, Vec<String>)>>,
}

impl<'a> House<'a> {
    pub(crate) fn new(sources: &'a BTreeMap<String, String>) -> Self {
        let files: BTreeMap<_, _> = sources.keys().map(|file| (module_of(file), file.as_str())).collect();
        let mut house = Self { sources, files, handed_on: BTreeMap::new() };
        for (file, text) in sources {
            let module = module_of(file);
            let all = statements(product(text)).into_iter().filter(|(public, _)| *public);
            let handed = all
                .flat_map(|(_, tree)| leaves(&tree))
                .filter_map(|(path, alias)| Some((alias, house.absolute(&module, &path)?)))
                .collect();
            house.handed_on.insert(module, handed);
        }
        house
    }

    /// The files that a file uses, with the names it uses them by; itself left out, and what it only hands on.
    pub(crate) fn uses(&self, file: &str) -> BTreeMap<String, BTreeSet<String>> {
        let module = module_of(file);
        let text = product(&self.sources[file]);
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |path: &[String]| {
            if let Some(target) = self.defining(path, 0).filter(|target| *target != file) {
                found.entry(target.to_owned()).or_default().insert(path.join("::"));
            }
        };
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (public, tree) in statements(text) {
            for (path, alias) in leaves(&tree) {
                let Some(path) = self.absolute(&module, &path) else { continue };
                if public {
                    known.entry(alias).or_insert(path);
                } else if self.files.contains_key(&path) {
                    // A module that is brought into scope is used where a path begins with its name.
                    known.insert(alias, path);
                } else {
                    add(&path);
                }
            }
        }
        for path in inline_paths(text) {
            let first = path[0].as_str();
            let whole = match known.get(first) {
                Some(start) => [start.as_slice(), &path[1..]].concat(),
                None => match self.absolute(&module, &path) {
                    Some(path) => path,
                    None => continue,
                },
            };
            add(&whole);
        }
        found
    }

    /// A path as it stands in a module, from the crate's root; `None` for one of another crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([module, &path[1..]].concat()),
            "super" => {
                let up = path.iter().take_while(|word| *word == "super").count();
                let base = &module[..module.len().checked_sub(up)?];
                Some([base, &path[up..]].concat())
            }
            child => {
                let inner = [module, &[child.to_owned()]].concat();
                self.files.contains_key(&inner).then(|| [module, path].concat())
            }
        }
    }

    /// The file that defines what a path names, through what modules hand on.
    fn defining(&self, path: &[String], depth: usize) -> Option<&'a str> {
        let known = (0..=path.len()).rev().find(|end| self.files.contains_key(&path[..*end]))?;
        let file = self.files[&path[..known]];
        let Some(item) = path.get(known) else { return Some(file) };
        if depth > 8 {
            return Some(file);
        }
        let handed = &self.handed_on[&path[..known]];
        if let Some((_, target)) = handed.iter().find(|(name, _)| name == item) {
            return self.defining(&[target.as_slice(), &path[known + 1..]].concat(), depth + 1);
        }
        for (_, target) in handed.iter().filter(|(name, _)| name == "*") {
            let inner = self.files.get(&target[..target.len() - 1])?;
            if defines(product(&self.sources[*inner]), item) {
                return Some(inner);
            }
        }
        Some(file)
    }
}

fn defines(text: &str, item: &str) -> bool {
    ["struct", "enum", "fn", "const", "type", "trait", "static"].iter().any(|kind| {
        text.match_indices(&format!("pub {kind} {item}")).any(|(at, found)| {
            let next = text[at + found.len()..].chars().next();
            next.is_none_or(|next| !(next.is_alphanumeric() || next == '_'))
        })
    })
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    if matches!(path, "lib" | "main") { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The `use` statements of a text: whether each is public, and its tree.
fn statements(text: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let mut rest = text.lines();
    while let Some(line) = rest.next() {
        let word = line.trim_start();
        let (public, tree) = if let Some(tree) = word.strip_prefix("use ") {
            (false, tree)
        } else if let Some((visibility, tree)) =
            word.split_once(" use ").filter(|(v, _)| v.starts_with("pub"))
        {
            let _ = visibility;
            (true, tree)
        } else {
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree += rest.next().unwrap_or(";");
        }
        found.push((public, tree.replace(';', "").split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    found
}

/// The paths of a `use` tree, each with the name it brings into scope.
fn leaves(tree: &str) -> Vec<(Vec<String>, String)> {
    fn walk(prefix: &[String], tree: &str, found: &mut Vec<(Vec<String>, String)>) {
        let tree = tree.trim();
        if let Some((head, group)) = tree.split_once('{') {
            let words = head.split("::").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
            let prefix: Vec<String> = prefix.iter().cloned().chain(words).collect();
            let (mut depth, mut start) = (0, 0);
            let group = group.trim_end().strip_suffix('}').unwrap_or(group);
            for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        if !group[start..at].trim().is_empty() {
                            walk(&prefix, &group[start..at], found);
                        }
                        start = at + 1;
                    }
                    _ => {}
                }
            }
            return;
        }
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
        let mut whole: Vec<String> = prefix.to_vec();
        whole.extend(
            path.split("::")
                .map(|word| word.trim().to_owned())
                .filter(|word| word != "self" || prefix.is_empty()),
        );
        let name = alias.map_or_else(|| whole.last().cloned().unwrap_or_default(), str::to_owned);
        found.push((whole, name));
    }
    let mut found = Vec::new();
    walk(&[], tree, &mut found);
    found
}

/// Every `a::b` in the code, comments and `use` statements left out.
fn inline_paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut in_use = false;
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        let word = code.trim_start();
        in_use |= word.starts_with("use ") || word.starts_with("pub") && word.contains(" use ");
        if in_use {
            in_use = !code.contains(';');
            continue;
        }
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for piece in code.split(|c| !is_path(c)).filter(|piece| piece.contains("::")) {
            let path: Vec<String> = piece.split("::").map(str::to_owned).collect();
            if path.iter().all(|word| !word.is_empty() && !word.contains(':')) {
                found.push(path);
            } else if let Some(path) = piece.strip_suffix("::") {
                // Before a turbofish.
                found.push(path.split("::").map(str::to_owned).collect());
            }
        }
    }
    found
}
