//! Text to [`UvLock`]: the lock's own fields.

use std::collections::BTreeSet;

use toml::de::DeTable;
use uv_pep440::VersionSpecifiers;
use uv_pep508::MarkerTree;

use super::{
    ConflictItem, ConflictKind, KNOWN_REVISION, Manifest, PACKAGE_LIMIT, Requirement, SIZE_LIMIT, UvLock,
    entry::Entry,
    fields::{Field, Fields, Findings, markers, names, required},
    join::join,
    package::read_package,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Source as Text, refuse_any},
    name::{ExtraName, GroupName, PackageName},
};

impl UvLock {
    /// Reads a lock.
    ///
    /// # Errors
    /// All that is wrong, each with its place: not TOML, another version, sizes over the caps, a value of the
    /// wrong type, an unknown kind of source, two entries with one id, an edge to no entry, a wheel whose file
    /// name is of another package or version.
    pub fn read(text: &Text) -> Result<Self, Failure> {
        check_bytes(text)?;
        let document = DeTable::parse(text.text()).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let reason = error.message().lines().next().unwrap_or_default();
            Diagnostic::new(format!("the lock is not TOML: {reason}")).at(text.at(span), "")
        })?;
        let mut findings = Findings::new(text);
        let mut fields = Fields::new(document.get_ref(), 0..0);
        let revision = read_version(&mut fields, &mut findings)?;

        let requires_python = if let Some(field) = fields.take("requires-python") {
            findings.parse::<VersionSpecifiers>(field, "requires-python")
        } else {
            findings.error(0..0, "the lock has no `requires-python`");
            None
        };
        let forks = markers(&mut fields, &mut findings, "resolution-markers");
        let supported = markers(&mut fields, &mut findings, "supported-markers");
        let required = markers(&mut fields, &mut findings, "required-markers");
        let conflicts =
            fields.take("conflicts").map(|field| read_conflicts(field, &mut findings)).unwrap_or_default();
        fields.ignore(&["options"]);
        let manifest =
            fields.take("manifest").map(|field| read_manifest(field, &mut findings)).unwrap_or_default();
        let entries = match fields.take_any(&["package", "distribution"]) {
            Some(field) => read_packages(field, &mut findings),
            None => Vec::new(),
        };
        fields.finish(&mut findings, "the lock");
        let packages = join(entries, &mut findings);
        refuse_any(findings.errors)?;
        let requires_python = requires_python.unwrap_or_default();
        Ok(Self {
            text: text.clone(),
            revision,
            requires_python,
            forks,
            supported,
            required,
            conflicts,
            manifest,
            packages,
            notes: findings.notes,
        })
    }
}

fn check_bytes(text: &Text) -> Result<(), Failure> {
    let whole = text.text();
    if whole.len() > SIZE_LIMIT {
        let message = format!("the lock has {} bytes, more than {SIZE_LIMIT}", whole.len());
        return Err(Diagnostic::new(message).at(text.at(0..0), "").into());
    }
    if whole.starts_with('\u{feff}') {
        let refusal = Diagnostic::new("the lock starts with a byte order mark").at(text.at(0..0), "");
        return Err(refusal.help("save it as plain UTF-8, or let uv write it again with `uv lock`").into());
    }
    if let Some(position) = whole.find('\r') {
        let refusal =
            Diagnostic::new("the lock has a carriage return").at(text.at(position..position + 1), "");
        return Err(refusal
            .help("uv writes LF line ends: switch off line-end conversion (`git config core.autocrlf false`) and check the file out again")
            .into());
    }
    Ok(())
}

fn read_version(fields: &mut Fields<'_, '_>, findings: &mut Findings<'_>) -> Result<u32, Failure> {
    let Some(field) = fields.take("version") else {
        let refusal = Diagnostic::new("the lock has no `version`").at(findings.text.at(0..0), "");
        return Err(refusal.help("is this a uv.lock?").into());
    };
    if let Some(version) = findings.number(field, "version")
        && version != 1
    {
        let refusal = Diagnostic::new(format!("uv.lock version {version} is not known, only version 1"))
            .at(findings.text.at(field.span()), "");
        return Err(refusal.into());
    }
    let Some(field) = fields.take("revision") else { return Ok(0) };
    let revision = findings.number(field, "revision").and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
    if revision > KNOWN_REVISION {
        let message =
            format!("uv.lock revision {revision} is newer than {KNOWN_REVISION}; read as far as known");
        findings.notes.push(Diagnostic::new(message).at(findings.text.at(field.span()), ""));
    }
    Ok(revision)
}

fn read_conflicts(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Vec<BTreeSet<ConflictItem>> {
    let mut sets = Vec::new();
    for set in findings.array(field, "conflicts") {
        let mut items = BTreeSet::new();
        for item in findings.array(set, "conflicts") {
            let Some(mut fields) = findings.table(item, "conflicts") else { continue };
            let package = fields.take("package").and_then(|it| findings.parse::<PackageName>(it, "package"));
            let extra = fields.take("extra").and_then(|it| findings.parse::<ExtraName>(it, "extra"));
            let group = fields.take("group").and_then(|it| findings.parse::<GroupName>(it, "group"));
            // A clause that is not understood could let two conflicting things in: no note, an error.
            let mut unknown = Findings::new(findings.text);
            fields.finish(&mut unknown, "a conflict");
            findings.errors.append(&mut unknown.notes);
            match (package, extra, group) {
                (Some(package), extra, None) => {
                    let kind = extra.map_or(ConflictKind::Project, ConflictKind::Extra);
                    items.insert(ConflictItem { package, kind });
                }
                (Some(package), None, Some(group)) => {
                    items.insert(ConflictItem { package, kind: ConflictKind::Group(group) });
                }
                _ => findings.error(item.span(), "a conflict is not a package with an extra or a group"),
            }
        }
        sets.push(items);
    }
    sets
}

fn read_manifest(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Manifest {
    let mut manifest = Manifest::default();
    let Some(mut fields) = findings.table(field, "manifest") else { return manifest };
    if let Some(field) = fields.take("members") {
        manifest.members = names(field, findings, "members");
    }
    if let Some(field) = fields.take("requirements") {
        manifest.requirements = read_requirements(field, findings, "requirements");
    }
    if let Some(field) = fields.take("dependency-groups") {
        for (value, key) in findings.map(field, "dependency-groups") {
            let requirements = read_requirements(value, findings, "dependency-groups");
            if let Some(group) = findings.parse_key::<GroupName>(&key, "dependency-groups") {
                manifest.groups.insert(group, requirements);
            }
        }
    }
    // How uv resolved: its business.
    fields.ignore(&["constraints", "overrides", "excludes", "build-constraints", "dependency-metadata"]);
    fields.finish(findings, "`manifest`");
    manifest
}

fn read_requirements(field: Field<'_, '_>, findings: &mut Findings<'_>, what: &str) -> Vec<Requirement> {
    let mut requirements = Vec::new();
    for element in findings.array(field, what) {
        let Some(mut fields) = findings.table(element, what) else { continue };
        let name = required(&mut fields, findings, "name", what);
        let marker = fields.take("marker").and_then(|it| findings.marker(it, "marker"));
        let extras = fields.take("extras").map(|it| names(it, findings, "extras")).unwrap_or_default();
        if let Some(name) = name {
            let marker = marker.unwrap_or(MarkerTree::TRUE);
            requirements.push(Requirement { name, extras, marker, span: element.span() });
        }
    }
    requirements
}

fn read_packages(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Vec<Entry> {
    let tables = findings.array(field, "package");
    if tables.len() > PACKAGE_LIMIT {
        let message = format!("the lock has {} packages, more than {PACKAGE_LIMIT}", tables.len());
        findings.error(0..0, message);
        return Vec::new();
    }
    tables.iter().filter_map(|table| read_package(table, findings)).collect()
}
