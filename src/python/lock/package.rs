//! One `[[package]]`: its id, its source and its wheels.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use uv_distribution_filename::WheelFilename;
use uv_pep440::Version;

use super::{
    Package, PackageId, Sdist, Source, Wheel, WheelLocation,
    edges::{edges_by, read_edges},
    entry::Entry,
    fields::{Field, Findings, markers, names, required},
    source::read_source,
};
use crate::name::{ExtraName, GroupName, PackageName};

pub(super) fn read_package(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Option<Entry> {
    let mut fields = findings.table(field, "package")?;
    let span = fields.take("name").map_or(field.span(), toml::Spanned::span);
    let name = required::<PackageName>(&mut fields, findings, "name", "a package");
    let version = fields.take("version").and_then(|it| findings.parse::<Version>(it, "version"));
    let source_field = fields.take("source");
    let source_span = source_field.map_or(field.span(), toml::Spanned::span);
    let source = if let Some(field) = source_field {
        read_source(field, findings)
    } else {
        findings.error(span.clone(), "a package has no `source`");
        None
    };
    let forks = markers(&mut fields, findings, "resolution-markers");
    let edges = |field, findings: &mut Findings<'_>| read_edges(field, findings);
    let dependencies = fields.take("dependencies").map(|it| edges(it, findings)).unwrap_or_default();
    let optional = fields.take("optional-dependencies").map(|it| edges_by(it, findings)).unwrap_or_default();
    let groups = fields
        .take_any(&["dev-dependencies", "dependency-groups"])
        .map(|it| edges_by(it, findings))
        .unwrap_or_default();
    let (provides_extras, provides_groups) =
        fields.take("metadata").map(|it| provides(it, findings)).unwrap_or_default();
    let id = name.zip(source).map(|(name, source)| PackageId { name, version, source });
    let sdist = match (fields.take("sdist"), &id) {
        (Some(field), Some(id)) => read_sdist(field, &id.source, findings),
        _ => None,
    };
    let wheels = match (fields.take("wheels"), &id) {
        (Some(field), Some(id)) => read_wheels(field, id, findings),
        _ => Vec::new(),
    };
    // Default groups come from the manifest, as for `uv sync --frozen`.
    fields.ignore(&["default-groups"]);
    fields.finish(findings, "a package");
    let id = id?;
    if matches!(id.source, Source::Registry(_)) && id.version.is_none() {
        findings.error(span.clone(), format!("`{id}` comes from an index and has no `version`"));
    }
    let package = Package {
        id,
        forks,
        dependencies: Vec::new(),
        optional: BTreeMap::new(),
        groups: BTreeMap::new(),
        provides_extras,
        provides_groups,
        wheels,
        sdist,
        span,
        source_span,
    };
    Some(Entry { package, dependencies, optional, groups })
}

fn provides(field: Field<'_, '_>, findings: &mut Findings<'_>) -> (BTreeSet<ExtraName>, BTreeSet<GroupName>) {
    let Some(mut fields) = findings.table(field, "metadata") else { return Default::default() };
    let extras =
        fields.take("provides-extras").map(|it| names(it, findings, "provides-extras")).unwrap_or_default();
    let groups = fields
        .take_any(&["requires-dev", "dependency-groups"])
        .map(|it| findings.map(it, "requires-dev"))
        .unwrap_or_default();
    let groups = groups.iter().filter_map(|(_, key)| findings.parse_key(key, "requires-dev")).collect();
    fields.ignore(&["requires-dist"]);
    fields.finish(findings, "`metadata`");
    (extras, groups)
}

fn read_wheels(field: Field<'_, '_>, id: &PackageId, findings: &mut Findings<'_>) -> Vec<Wheel> {
    let mut wheels = Vec::new();
    for element in findings.array(field, "wheels") {
        if let Some(wheel) = read_wheel(element, id, findings) {
            wheels.push(wheel);
        }
    }
    wheels
}

fn read_wheel(field: Field<'_, '_>, id: &PackageId, findings: &mut Findings<'_>) -> Option<Wheel> {
    let mut fields = findings.table(field, "a wheel")?;
    let url = fields.take("url").and_then(|it| findings.string(it, "url"));
    let path = fields.take("path").and_then(|it| findings.string(it, "path"));
    let named = fields.take("filename").and_then(|it| findings.string(it, "filename"));
    let hash = fields.take("hash").and_then(|it| findings.string(it, "hash")).map(str::parse);
    let size = fields.take("size").and_then(|it| findings.number(it, "size"));
    fields.ignore(&["upload-time", "upload_time", "zstd"]);
    fields.finish(findings, "a wheel");
    let (location, encoded) = match (url, path, named) {
        (Some(url), _, _) => (WheelLocation::Url(url.to_owned()), last_part(url)),
        (None, Some(path), _) => (WheelLocation::Local(path.to_owned()), last_part(path)),
        (None, None, Some(name)) => match &id.source {
            Source::Path(path) => (WheelLocation::Local(path.clone()), name),
            _ => (WheelLocation::Local(name.to_owned()), name),
        },
        (None, None, None) => {
            findings.error(field.span(), "a wheel has no `url`, `path` or `filename`");
            return None;
        }
    };
    let base = if url.is_some() { percent_decoded(encoded) } else { Some(encoded.to_owned()) };
    let base = base.filter(|name| !name.contains(['/', '\\']) && !name.contains(char::is_control));
    let tags = base.as_deref().and_then(|name| WheelFilename::from_str(name).ok());
    let Some((file_name, tags)) = base.zip(tags) else {
        findings.error(field.span(), format!("`{}` is not the name of a wheel file", encoded.escape_debug()));
        return None;
    };
    // A local version may stand in the file's name alone, as uv allows it.
    let same_version = id
        .version
        .as_ref()
        .is_none_or(|version| *version == tags.version || *version == tags.version.clone().without_local());
    if tags.name != id.name || !same_version {
        findings.error(field.span(), format!("file `{}` is not of {id}", file_name.escape_debug()));
        return None;
    }
    Some(Wheel { location, file_name, tags, hash, size, span: field.span() })
}

/// A source archive. What is wrong with its name or hash matters to nobody unless it is built.
fn read_sdist(field: Field<'_, '_>, source: &Source, findings: &mut Findings<'_>) -> Option<Sdist> {
    let mut fields = findings.table(field, "a source archive")?;
    let url = fields.take("url").and_then(|it| findings.string(it, "url"));
    let path = fields.take("path").and_then(|it| findings.string(it, "path"));
    let hash = fields.take("hash").and_then(|it| findings.string(it, "hash")).map(str::parse);
    let size = fields.take("size").and_then(|it| findings.number(it, "size"));
    fields.ignore(&["upload-time", "upload_time", "zstd", "filename"]);
    fields.finish(findings, "a source archive");
    let location = match (url, path, source) {
        (Some(url), ..) => WheelLocation::Url(url.to_owned()),
        (None, Some(path), _) => WheelLocation::Local(path.to_owned()),
        (None, None, Source::Path(path)) => WheelLocation::Local(path.clone()),
        (None, None, Source::Url { url, .. }) => WheelLocation::Url(url.clone()),
        (None, None, _) => {
            findings.error(field.span(), "a source archive has no `url` or `path`");
            return None;
        }
    };
    let file_name = match &location {
        WheelLocation::Url(url) => percent_decoded(last_part(url)),
        WheelLocation::Local(path) => Some(last_part(path).to_owned()),
    };
    let sound =
        |name: &String| !name.is_empty() && !name.contains(['/', '\\']) && !name.contains(char::is_control);
    Some(Sdist { location, file_name: file_name.filter(sound), hash, size, span: field.span() })
}

fn last_part(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// Undoes percent-encoding; `None` when it is broken or not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
