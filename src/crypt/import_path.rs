//! Import paths: how metadata names a Python module, and an object in it.

/// `package.module:object.attribute`.
pub(super) fn is_object_reference(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(module, object)| is_dotted(module.trim_end()) && is_dotted(object.trim_start()))
}

/// `package.module`.
pub(super) fn is_dotted(text: &str) -> bool {
    let letter = |c: char| c == '_' || c.is_alphabetic();
    text.split('.')
        .all(|part| part.starts_with(letter) && part.chars().all(|c| letter(c) || c.is_alphanumeric()))
}
