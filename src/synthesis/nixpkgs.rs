//! System packages of an image on nixpkgs: what the members ask for and every image's base, as attribute paths.
//!
//! Whether an attribute exists is known to the pinned tree alone, so it is told when the flake is evaluated
//! (`nix/nixpkgs/find.nix`); members, places and names go there with it.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::value::{Member, NixpkgsPackage, Substrate};
use crate::{
    codex::{Codex, Nixpkgs, PythonSeries},
    crypt::{Federation, SystemDependency},
    debian::roots,
    diagnostic::{Diagnostic, Failure, Place, refuse_any},
    name::{AttributePath, DebianName, MemberId},
    python::record::PythonPackage,
};

/// A line `DEBIAN ATTRIBUTE` for each name that differs; `-` for what is not needed.
const NAMES: &str = include_str!("nixpkgs/names.txt");

/// The oldest C library of any nixpkgs that has this Python: what wheels are chosen for. The flake holds the
/// pinned tree against it.
#[must_use]
pub const fn oldest_glibc(python: PythonSeries) -> (u16, u16) {
    match python {
        // Both came with the release that had that glibc: 22.11 and 24.11.
        PythonSeries::V3_11 => (2, 35),
        PythonSeries::V3_13 => (2, 40),
    }
}

/// nixpkgs' attribute for a name of Debian's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It is called otherwise there.
    Called(&'static str),
    /// An image of nixpkgs has it without asking, or does without.
    Nothing,
}

fn known(name: &DebianName) -> Option<Known> {
    let rows = NAMES.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split_once(' '))
        .find(|(debian, _)| *debian == name.as_str())
        .map(|(_, attribute)| if attribute == "-" { Known::Nothing } else { Known::Called(attribute) })
}

/// A wish for one package.
struct Wish<'a> {
    attribute: AttributePath,
    by: Option<&'a MemberId>,
    place: Option<&'a Place>,
}

/// The substrate of a Synthesis on nixpkgs.
///
/// # Errors
/// Refused when a dependency has no name that can be nixpkgs', or one name is asked for as two attributes, and when
/// something is to be built that needs the tools of the embedded substrate.
pub fn substrate(
    codex: &Codex,
    nixpkgs: &Nixpkgs,
    federation: &Federation,
    members: &[Member],
    python_packages: &[PythonPackage],
) -> Result<Substrate, Failure> {
    let mut errors = native(members, python_packages);
    let mut wishes: BTreeMap<DebianName, Vec<Wish<'_>>> = BTreeMap::new();
    let base = roots::BASE.iter().map(|name| (*name).to_owned());
    for name in base.chain([format!("python{}-minimal", codex.image.python)]) {
        let name: DebianName =
            name.parse().map_err(|_| Failure::unable(Diagnostic::new("bad base package")))?;
        let attribute = match known(&name) {
            Some(Known::Nothing) => continue,
            Some(Known::Called(attribute)) => attribute,
            None => name.as_str(),
        };
        let attribute =
            attribute.parse().map_err(|_| Failure::unable(Diagnostic::new("bad base attribute")))?;
        wishes.entry(name).or_default().push(Wish { attribute, by: None, place: None });
    }
    for member in federation.members() {
        for dependency in &member.manifest.lychd.system_dependencies {
            match attribute(dependency) {
                Ok(None) => {}
                Ok(Some(attribute)) => {
                    let wish = Wish { attribute, by: Some(&member.id), place: Some(&dependency.place) };
                    wishes.entry(dependency.name.clone()).or_default().push(wish);
                }
                Err(error) => errors.push(error.requested_by(member.id.as_str())),
            }
        }
    }
    errors.extend(wishes.iter().filter_map(|(name, wishes)| disagreement(name, wishes)));
    refuse_any(errors)?;
    Ok(Substrate::Nixpkgs {
        reference: nixpkgs.reference.clone(),
        nar_hash: nixpkgs.nar_hash,
        glibc: oldest_glibc(codex.image.python).into(),
        packages: by_attribute(wishes),
    })
}

/// What only the embedded substrate has a compiler for.
fn native(members: &[Member], python_packages: &[PythonPackage]) -> Vec<Diagnostic> {
    let members =
        members.iter().filter(|member| member.native).map(|member| (&member.name, vec![&member.id]));
    let packages = python_packages
        .iter()
        .filter(|package| package.source.build().is_some_and(|build| build.native))
        .map(|package| (&package.name, package.requested_by.iter().collect()));
    members
        .chain(packages)
        .map(|(name, requested_by)| {
            let message = format!("`{name}` has native code, which is not compiled on nixpkgs yet");
            let by = requested_by.into_iter();
            by.fold(Diagnostic::new(message), |refused, member: &MemberId| {
                refused.requested_by(member.as_str())
            })
            .help("`kind = \"debian\"` in [substrate] builds it")
        })
        .collect()
}

/// The attribute that a dependency means: the one it names, that of the table, or its own name.
fn attribute(dependency: &SystemDependency) -> Result<Option<AttributePath>, Diagnostic> {
    if let Some(attribute) = &dependency.nixpkgs {
        return Ok(Some(attribute.clone()));
    }
    let text = match known(&dependency.debian).or_else(|| known(&dependency.name)) {
        Some(Known::Nothing) => return Ok(None),
        Some(Known::Called(attribute)) => attribute,
        None => dependency.name.as_str(),
    };
    // A dot of Debian's (`libfoo-1.2`) is no way into a set.
    let parsed = text
        .parse::<AttributePath>()
        .ok()
        .filter(|_| text != dependency.name.as_str() || !text.contains('.'));
    parsed.map(Some).ok_or_else(|| {
        Diagnostic::new(format!(
            "no name in nixpkgs is known for the system dependency `{}`",
            dependency.name
        ))
        .at(dependency.place.clone(), "")
        .help(format!("say it: {{ name = \"{}\", nixpkgs = \"ATTRIBUTE\" }}", dependency.name))
    })
}

/// One name that is asked for as two attributes.
fn disagreement(name: &DebianName, wishes: &[Wish<'_>]) -> Option<Diagnostic> {
    let attributes: BTreeSet<&AttributePath> = wishes.iter().map(|wish| &wish.attribute).collect();
    if attributes.len() < 2 {
        return None;
    }
    let shown: Vec<String> = attributes.iter().map(|attribute| format!("`{attribute}`")).collect();
    let message =
        format!("the system dependency `{name}` is asked for as {} of nixpkgs", shown.join(" and "));
    let mut told = Diagnostic::new(message);
    for wish in wishes {
        if let Some(place) = wish.place {
            told = told.at(place.clone(), format!("`{}`", wish.attribute));
        }
        if let Some(by) = wish.by.filter(|by| !told.requested_by.contains(&by.to_string())) {
            told = told.requested_by(by.as_str());
        }
    }
    Some(told.help("agree on one, or give one of them another `name`"))
}

/// Each attribute once, under the first of the names it was asked for by.
fn by_attribute(wishes: BTreeMap<DebianName, Vec<Wish<'_>>>) -> Vec<NixpkgsPackage> {
    let mut packages: BTreeMap<AttributePath, NixpkgsPackage> = BTreeMap::new();
    for (name, wishes) in wishes {
        for wish in wishes {
            let package = match packages.entry(wish.attribute.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(NixpkgsPackage {
                    name: name.clone(),
                    attribute: wish.attribute,
                    requested_by: BTreeSet::new(),
                    places: BTreeSet::new(),
                }),
            };
            package.requested_by.extend(wish.by.cloned());
            package.places.extend(wish.place.map(ToString::to_string));
        }
    }
    let mut packages: Vec<_> = packages.into_values().collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypt::{Manifest, WorkingCopy},
        digest::{
            Sha256,
            store_path::{StoreName, StorePath},
        },
        python::record::{self, BuildBackend, SourceBuild},
        synthesis::value::Role,
    };

    #[test]
    fn the_table_is_sorted_and_every_name_in_it_is_sound() {
        let rows: Vec<(&str, &str)> = NAMES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once(' ').expect(line))
            .collect();
        assert!(rows.len() > 100 && rows.is_sorted() && NAMES.ends_with('\n'));
        assert!(rows.windows(2).all(|pair| pair[0].0 != pair[1].0), "a name stands once");
        for (debian, attribute) in rows {
            assert!(debian.parse::<DebianName>().is_ok(), "{debian}");
            assert!(attribute == "-" || attribute.parse::<AttributePath>().is_ok(), "{attribute}");
            assert_ne!(debian, attribute, "only what differs");
        }
    }

    #[test]
    fn native_members_and_source_packages_are_refused_by_name() {
        let member = |native: bool| Member {
            id: "scribe".parse().unwrap(),
            role: Role::Extension,
            name: "lychd-scribe".parse().unwrap(),
            version: None,
            nar_sha256: Sha256::of(""),
            working_copy: WorkingCopy::Unversioned,
            store_path: StorePath::of_source(&Sha256::of(""), &StoreName::mapped("lychd-scribe-source")),
            place: None,
            build_environment: Some("0123456789abcdef".to_owned()),
            build_backend: Some(BuildBackend { object: "mesonpy".to_owned(), path: Vec::new() }),
            native,
            system_dependencies: Vec::new(),
            hook: None,
            dependencies: BTreeSet::new(),
        };
        let built = |native: bool| PythonPackage {
            name: "greenlet".parse().unwrap(),
            version: "3.2".to_owned(),
            source: record::PackageSource::Sdist {
                file: record::File {
                    place: record::Place::Member("core/greenlet-3.2.tar.gz".parse().unwrap()),
                    name: "greenlet-3.2.tar.gz".to_owned(),
                    size: 3,
                    origin: record::Origin::Unnamed,
                },
                build: SourceBuild {
                    environment: "0123456789abcdef".to_owned(),
                    backend: BuildBackend { object: "setuptools.build_meta".to_owned(), path: Vec::new() },
                    subdirectory: None,
                    native,
                },
            },
            sha256: Sha256::of(""),
            requested_by: BTreeSet::from([MemberId::core()]),
            dependencies: BTreeSet::new(),
        };
        assert_eq!(native(&[member(false)], &[built(false)]), []);
        let told: Vec<String> =
            native(&[member(true)], &[built(true)]).iter().map(ToString::to_string).collect();
        for (told, (name, by)) in told.iter().zip([("lychd-scribe", "scribe"), ("greenlet", "core")]) {
            let want = format!(
                "`{name}` has native code, which is not compiled on nixpkgs yet\n  requested by {by}\n  help: `kind"
            );
            assert!(told.contains(&want), "{told}");
        }
        assert_eq!(told.len(), 2);
    }

    fn attributes(list: &str) -> Result<Vec<Option<String>>, String> {
        let text =
            format!("[project]\nname = 'a'\nversion = '1'\n[tool.lychd]\nsystem-dependencies = {list}\n");
        let id: MemberId = "scribe".parse().unwrap();
        let manifest = Manifest::parse(&id, "extensions/scribe/pyproject.toml", text.as_bytes())
            .map_err(|failure| failure.to_string())?;
        let dependencies = &manifest.lychd.system_dependencies;
        let found = dependencies.iter().map(attribute).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|attribute| attribute.map(|attribute| attribute.to_string())).collect())
    }

    #[test]
    fn a_name_of_debian_becomes_nixpkgs_own() {
        let found = attributes(
            "['libpq5', 'tesseract-ocr', 'ffmpeg', { name = 'pq', debian = 'libpq5' }, \
             { name = 'libpq5', nixpkgs = 'postgresql.lib' }, 'lsb-base', 'libpng16-16t64']",
        );
        let expected = [
            Some("libpq"),
            Some("tesseract"),
            Some("ffmpeg"),
            Some("libpq"),
            Some("postgresql.lib"),
            None,
            Some("libpng"),
        ];
        assert_eq!(found.unwrap(), expected.map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn a_name_that_cannot_be_nixpkgs_is_refused_with_what_to_write() {
        for name in ["libwibble-1.0", "libwibble++2", "0ad"] {
            let error = attributes(&format!("['{name}']")).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "no name in nixpkgs is known for the system dependency `{name}`\n  \
                     at extensions/scribe/pyproject.toml:5:24\n  \
                     help: say it: {{ name = \"{name}\", nixpkgs = \"ATTRIBUTE\" }}"
                )
            );
        }
    }

    #[test]
    fn an_attribute_is_in_the_image_once_and_knows_who_asked() {
        let (one, two): (MemberId, MemberId) = ("one".parse().unwrap(), "two".parse().unwrap());
        let source = crate::diagnostic::Source::new("core/pyproject.toml", "a\nb\n");
        let (first, second) = (source.at(0..1), source.at(2..3));
        let wish = |attribute: &str, by, place| Wish {
            attribute: attribute.parse().unwrap(),
            by: Some(by),
            place: Some(place),
        };
        let wishes = BTreeMap::from([
            ("libmagic1".parse().unwrap(), vec![wish("file", &one, &first), wish("file", &two, &second)]),
            ("libmagic1t64".parse().unwrap(), vec![wish("file", &two, &second)]),
        ]);
        let packages = by_attribute(wishes);
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].name.as_str(), "libmagic1");
        assert_eq!(packages[0].requested_by, [one.clone(), two.clone()].into());
        assert_eq!(
            packages[0].places,
            ["core/pyproject.toml:1:1".to_owned(), "core/pyproject.toml:2:1".to_owned()].into()
        );

        let two_ways = [wish("libpq", &one, &first), wish("postgresql.lib", &two, &second)];
        let told = disagreement(&"libpq5".parse().unwrap(), &two_ways).unwrap().to_string();
        assert_eq!(
            told,
            "the system dependency `libpq5` is asked for as `libpq` and `postgresql.lib` of nixpkgs\n  \
             at core/pyproject.toml:1:1: `libpq`\n  at core/pyproject.toml:2:1: `postgresql.lib`\n  \
             requested by one, two\n  help: agree on one, or give one of them another `name`"
        );
    }
}
