//! `source = …`: where an entry comes from.

use super::{
    Source,
    fields::{Field, Findings},
};

/// A kind of source from its address, and for an address of its own the directory in the archive.
type Kind = fn(String, Option<String>) -> Source;

/// How `uv.lock` calls each kind.
const KINDS: [(&str, Kind); 7] = [
    ("registry", |index, _| Source::Registry(index)),
    ("git", |address, _| Source::Git(address)),
    ("url", |url, subdirectory| Source::Url { url, subdirectory }),
    ("path", |path, _| Source::Path(path)),
    ("directory", |path, _| Source::Directory(path)),
    ("editable", |path, _| Source::Editable(path)),
    ("virtual", |path, _| Source::Virtual(path)),
];

pub(super) fn read_source(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Option<Source> {
    let mut fields = findings.table(field, "source")?;
    let mut kinds = Vec::new();
    for (kind, source) in KINDS {
        if let Some(value) = fields.take(kind) {
            kinds.push((source, findings.string(value, kind)?.to_owned()));
        }
    }
    let subdirectory = match fields.take("subdirectory") {
        Some(value) => Some(findings.string(value, "subdirectory")?.to_owned()),
        None => None,
    };
    let Some((source, what)) = kinds.pop().filter(|_| kinds.is_empty()) else {
        findings.error(field.span(), "this kind of source is not known");
        return None;
    };
    fields.finish(findings, "a source");
    Some(source(what, subdirectory))
}
