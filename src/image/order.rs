//! The order of names in a layer.

use std::{cmp::Ordering, ffi::OsStr, os::unix::ffi::OsStrExt as _};

use super::tar;

/// Names in the order of Python's decoded strings, which is that of the bytes while they are UTF-8.
pub(super) fn python_order(a: &OsStr, b: &OsStr) -> Ordering {
    match (a.to_str(), b.to_str()) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => tar::characters(a.as_bytes()).cmp(tar::characters(b.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_text_sort_as_surrogates() {
        // sorted(os.fsdecode(n) for n in names) in Python.
        let sorted: [&[u8]; 4] = [b"a", "\u{100}".as_bytes(), b"\x80", "\u{ffff}".as_bytes()];
        let mut names: Vec<_> = sorted.iter().rev().map(|name| OsStr::from_bytes(name)).collect();
        names.sort_by(|a, b| python_order(a, b));
        assert_eq!(names, sorted.map(OsStr::from_bytes));
    }
}
