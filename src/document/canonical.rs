//! JSON that is hashed and compared: one text for one value.

use serde::Serialize;

/// Canonical JSON: sorted keys, two-space indent, LF at the end.
///
/// # Panics
/// Where `T` cannot be JSON (a map whose keys are no texts, a path that is not UTF-8). No type that the forge writes
/// is such a one, so this is no error that anybody could do something about.
#[must_use]
#[expect(clippy::expect_used, reason = "a fault of the forge, not of what it was given")]
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> String {
    // `Value` keeps its keys sorted; a struct would be written in the order of its fields.
    let value = serde_json::to_value(value).expect("a type that is written as JSON is JSON");
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::canonical_json;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        #[derive(serde::Serialize)]
        struct Outer {
            z: Inner,
            a: Vec<u8>,
        }
        #[derive(serde::Serialize)]
        struct Inner {
            y: &'static str,
            b: Option<u8>,
        }
        let text = canonical_json(&Outer { z: Inner { y: "é", b: None }, a: Vec::new() });
        assert_eq!(text, "{\n  \"a\": [],\n  \"z\": {\n    \"b\": null,\n    \"y\": \"é\"\n  }\n}\n");
    }
}
