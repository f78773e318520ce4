//! Requirements (PEP 508) with their places.

use std::str::FromStr;

use uv_pep508::{Requirement, VerbatimUrl};

use crate::{
    diagnostic::{Diagnostic, Place},
    document::{Located, reader::Reader},
    name::marker,
};

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What it says.
    pub requirement: Requirement<VerbatimUrl>,
    /// How it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// A list of PEP 508 requirements.
pub(super) fn dependencies(reader: &mut Reader<'_, '_>, key: &str, title: &str) -> Option<Vec<Dependency>> {
    let mut list = Vec::new();
    for text in reader.strings(key)? {
        match dependency(&text) {
            Ok(dependency) => list.push(dependency),
            Err(reason) => {
                let shown = shortened(text.value);
                let message = format!("`{shown}` in `{key}` of {title} is not a requirement: {reason}");
                reader.errors().push(Diagnostic::new(message).at(text.place, ""));
            }
        }
    }
    Some(list)
}

/// The start of a foreign text, for a message: the place shows the rest.
fn shortened(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", start.escape_debug())
}

pub(super) fn dependency(text: &Located<&str>) -> Result<Dependency, String> {
    marker::check_requirement(text.value).map_err(str::to_owned)?;
    let requirement = Requirement::<VerbatimUrl>::from_str(text.value)
        .map_err(|error| error.message.to_string().replace('\n', " "))?;
    Ok(Dependency { requirement, text: text.value.to_owned(), place: text.place.clone() })
}

/// A requirement of a file that is no manifest, written at `place`.
///
/// # Errors
/// The reason why `text` is none.
pub fn requirement_at(text: &str, place: Place) -> Result<Dependency, Diagnostic> {
    let located = Located { value: text, place };
    dependency(&located).map_err(|reason| {
        Diagnostic::new(format!("`{}` is not a requirement: {reason}", shortened(text)))
            .at(located.place.clone(), "")
    })
}
