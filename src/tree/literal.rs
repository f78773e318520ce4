//! Paths that are written in the source.

/// A plain relative path of ASCII, checked when the forge is compiled; made by `relative_path!`.
#[derive(Clone, Copy, Debug)]
pub struct PathLiteral(&'static str);

impl PathLiteral {
    /// A literal, which must be a [`crate::tree::RelativePath`].
    ///
    /// # Panics
    /// When it is none: in a constant, an error of the compiler.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        assert!(is_plain(text), "not a plain relative path");
        Self(text)
    }

    pub(super) const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The rules of `RelativePath`, which a constant cannot ask: there are no iterators in one.
const fn is_plain(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let (mut length, mut only_dots) = (0_usize, true);
    while let [byte, after @ ..] = rest {
        match *byte {
            b'/' => {
                if !is_part(length, only_dots) {
                    return false;
                }
                (length, only_dots) = (0, true);
            }
            b'\\' | ..b' ' | 0x7f.. => return false,
            byte => {
                length += 1;
                only_dots = only_dots && byte == b'.';
            }
        }
        rest = after;
    }
    is_part(length, only_dots) && text.len() <= 4096
}

const fn is_part(length: usize, only_dots: bool) -> bool {
    length > 0 && length <= 255 && !(only_dots && length <= 2)
}

#[cfg(test)]
mod tests {
    use super::is_plain;
    use crate::tree::RelativePath;

    #[test]
    fn a_literal_is_plain_where_a_path_is() {
        let (long, longer) = ("x".repeat(255), "x".repeat(256));
        let (deep, deeper) = ("x/".repeat(2047) + "xx", "x/".repeat(2048) + "x");
        for text in [
            "a", "a/b.json", "...", "a/...", ".a", "a b", "", "/", "/a", "a/", "a//b", ".", "..", "./a",
            "a/..", "a/./b", "a\\b", "a\nb", "a\u{7f}", "a\0", &long, &longer, &deep, &deeper,
        ] {
            assert_eq!(is_plain(text), text.parse::<RelativePath>().is_ok(), "{text:?}");
        }
        assert!(!is_plain("é"), "ASCII alone");
    }
}
