//! `source = …`: where an entry comes from.

use super::{
    Source,
    fields::{Field, Findings},
};

pub(super) fn read_source(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Option<Source> {
    let mut fields = findings.table(field, "source")?;
    let mut kinds = Vec::new();
    for kind in ["registry", "git", "url", "path", "directory", "editable", "virtual"] {
        if let Some(value) = fields.take(kind) {
            kinds.push((kind, findings.string(value, kind)?.to_owned()));
        }
    }
    let subdirectory = match fields.take("subdirectory") {
        Some(value) => Some(findings.string(value, "subdirectory")?.to_owned()),
        None => None,
    };
    let Some((kind, what)) = kinds.pop().filter(|_| kinds.is_empty()) else {
        findings.error(field.span(), "this kind of source is not known");
        return None;
    };
    fields.finish(findings, "a source");
    Some(match kind {
        "registry" => Source::Registry(what),
        "git" => Source::Git(what),
        "url" => Source::Url { url: what, subdirectory },
        "path" => Source::Path(what),
        "directory" => Source::Directory(what),
        "editable" => Source::Editable(what),
        _ => Source::Virtual(what),
    })
}
