//! What to do about libraries that files of the image need and no package of it has.
//!
//! The check of the Nix library (`nix/root/check_elf.py`) finds them inside the build, where no index is: it can say
//! what is missing, and not who has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    codex::{ImagePackage, Soname},
    debian::soname,
    name::{DebianName, MemberId, Role},
    synthesis::{
        Synthesis,
        value::{Member, Substrate},
    },
};

/// How the check begins and ends what it says of each: `error: /app/x.so of wheel numba (requested by core) needs
/// libgomp.so.1, which …`.
const BEGINS: &str = "error: /";
const ENDS: &str = ", which no package of the image provides where the loader looks";

/// A library that a file of a package needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingLibrary {
    /// The package.
    pub package: ImagePackage,
    /// The library.
    pub soname: Soname,
}

impl MissingLibrary {
    /// The one that a line of the check tells of; `None` for any other line.
    #[must_use]
    pub fn told(line: &str) -> Option<Self> {
        let (file, soname) = line.strip_prefix(BEGINS)?.strip_suffix(ENDS)?.rsplit_once(" needs ")?;
        let asked = file.strip_suffix(')').and_then(|file| file.rsplit_once(" (requested by "));
        let (_, label) = asked.map_or(file, |(file, _)| file).rsplit_once(" of ")?;
        let (_kind, package) = label.split_once(' ')?;
        Some(Self { package: package.parse().ok()?, soname: soname.parse().ok()? })
    }
}

/// What to do about them, each as a line to paste with where it belongs: the packages of Debian that have them, as far
/// as there are such packages (`exists`; `None` where that could not be looked up), then the waiver.
#[must_use]
pub fn remedies(
    missing: &BTreeSet<MissingLibrary>,
    synthesis: &Synthesis,
    exists: Option<&dyn Fn(&DebianName) -> bool>,
) -> Vec<String> {
    let mut waived: BTreeMap<&ImagePackage, BTreeSet<&str>> = BTreeMap::new();
    for one in missing {
        waived.entry(&one.package).or_default().insert(one.soname.as_str());
    }
    if waived.is_empty() {
        return Vec::new();
    }
    let mut lines = match &synthesis.substrate {
        Substrate::Debian { .. } => packages(missing, synthesis, exists),
        Substrate::Nixpkgs { .. } => Vec::new(),
    };
    let waived: Vec<String> = waived
        .into_iter()
        .map(|(package, sonames)| format!("{} = {}", key(package), list(sonames)))
        .collect();
    lines.push(format!(
        "`missing-libraries = {{ {} }}` under [policy] in forge.toml lets them be missing, where the package does without",
        waived.join(", ")
    ));
    lines
}

/// A line for each member that is to ask for packages, and what is to be said of the others.
fn packages(
    missing: &BTreeSet<MissingLibrary>,
    synthesis: &Synthesis,
    exists: Option<&dyn Fn(&DebianName) -> bool>,
) -> Vec<String> {
    let mut wanted: BTreeMap<(Option<&MemberId>, String), BTreeSet<DebianName>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for MissingLibrary { package, soname } in missing {
        let mut names = soname::packages(soname.as_str()).into_iter();
        match names.find(|name| exists.is_none_or(|exists| exists(name))) {
            Some(name) => {
                let place = (asker(package, synthesis), table(package, synthesis));
                wanted.entry(place).or_default().insert(name);
            }
            None => {
                unknown.insert(soname.as_str());
            }
        }
    }
    let line = |((member, table), names): ((Option<&MemberId>, String), BTreeSet<DebianName>)| {
        let list = list(names.iter().map(DebianName::as_str));
        let place = member.map_or_else(|| "a member".to_owned(), MemberId::directory);
        let own = synthesis.members.iter().find(|one| Some(&one.id) == member);
        let has_list = table == TABLE && own.is_some_and(|own| !own.system_dependencies.is_empty());
        let more = if has_list { "; it has such a list: add to that" } else { "" };
        let brings = if exists.is_some() {
            "brings them"
        } else {
            "may bring them: so Debian calls such packages, and its index was not looked at"
        };
        format!("`system-dependencies = {list}` under {table} in {place}/pyproject.toml {brings}{more}")
    };
    let mut lines: Vec<String> = wanted.into_iter().map(line).collect();
    if !unknown.is_empty() {
        let unknown = unknown.into_iter().collect::<Vec<_>>().join(", ");
        lines.push(format!(
            "no Debian package is called as that of {unknown} should be: `apt-file search` finds packages by their files"
        ));
    }
    lines
}

/// What members ask in.
const TABLE: &str = "[tool.lychd]";

/// The table that asks for what a package lacks: that of the image which alone has it.
fn table(package: &ImagePackage, synthesis: &Synthesis) -> String {
    let system = synthesis.system_packages.iter().find(|one| one.name.as_str() == package.as_str());
    let roles = system.into_iter().flat_map(|one| one.images.keys().filter(|role| one.is_in_image(role)));
    match roles.collect::<Vec<_>>().as_slice() {
        [role] if **role != Role::vessel() => format!("[tool.lychd.images.{role}]"),
        _ => TABLE.to_owned(),
    }
}

/// The member that is to ask for what a package lacks: its own, or the core where it asks for the package, else the
/// first that does.
fn asker<'s>(package: &ImagePackage, synthesis: &'s Synthesis) -> Option<&'s MemberId> {
    let name = package.as_str();
    let is_in_image = |member: &Member| member.build_environment.is_some() || member.place.is_some();
    let is_member = |member: &&Member| is_in_image(member) && member.name.as_str() == name;
    if let Some(own) = synthesis.members.iter().find(is_member) {
        return Some(&own.id);
    }
    let python = synthesis.python_packages.iter().find(|one| one.name.as_str() == name);
    let system = synthesis.system_packages.iter().find(|one| one.name.as_str() == name);
    let asked = python.map(|one| &one.requested_by).or(system.map(|one| &one.requested_by))?;
    asked.iter().find(|member| member.is_core()).or(asked.first())
}

/// As TOML has it; no name of these has anything to escape.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(", "))
}

fn key(package: &ImagePackage) -> String {
    let name = package.as_str();
    if name.contains(['.', '+']) { format!("\"{name}\"") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "error: /app/.venv/lib/python3.13/site-packages/numba/np/ufunc/omppool.so of wheel numba \
                        (requested by core) needs libgomp.so.1.0.0, which no package of the image provides where the \
                        loader looks";

    #[test]
    fn the_sentence_is_the_checks() {
        let library = crate::transmute::library();
        let text = library.file(&"root/check_elf.py".parse().unwrap()).unwrap();
        let text = String::from_utf8_lossy(text).into_owned();
        let sentence = format!("\"{{path}} of {{package}} needs {{name}}{ENDS}\"");
        assert!(text.contains(&sentence), "{sentence}");
    }

    #[test]
    fn what_is_missing_is_read_of_the_sentence() {
        let missing = |line: &str| {
            MissingLibrary::told(line).map(|one| [one.package.to_string(), one.soname.to_string()])
        };
        let pair = |package: &str| Some([package.to_owned(), "libgomp.so.1.0.0".to_owned()]);
        assert_eq!(missing(SAID), pair("numba"));
        assert_eq!(missing(&SAID.replace(" (requested by core)", "")), pair("numba"));
        assert_eq!(missing(&SAID.replace("wheel numba", "package libx1.2")), pair("libx1.2"));
        // A file may be called anything.
        let odd = SAID.replace("omppool.so", "a of wheel six (requested by altar) needs x.so");
        assert_eq!(missing(&odd), pair("numba"));
        assert_eq!(missing(&odd.replace(" (requested by core)", "")), pair("numba"));
        for wrong in [
            SAID.replace("libgomp.so.1.0.0", "\u{1b}[2Jlib.so"),
            SAID.replace("wheel numba", "wheel ../numba"),
            SAID.replace("error: ", "note: "),
            SAID.replace("error: ", ""),
            String::new(),
            format!("{BEGINS}{ENDS}"),
            "note: /x.so: libx.so.1 is in the same package, but not where the loader looks".to_owned(),
        ] {
            assert_eq!(missing(&wrong), None, "{wrong}");
        }
    }
}
