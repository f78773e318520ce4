//! Words of SQL, as far as databases are handled as wholes.

/// Settings that are lists of names.
const LISTS: [&str; 4] =
    ["local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces"];

/// A name.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, however the server reads backslashes.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// What gives somebody a setting, as the server has written it down; `whose` is `database "d"` or the like. A list is quoted
/// in its parts, and is no text.
pub(super) fn setting(whose: &str, key: &str, value: &str) -> Vec<String> {
    let quoted = identifier(key);
    if LISTS.contains(&key) {
        return vec![
            format!("select set_config({}, {}, false)", literal(key), literal(value)),
            format!("alter {whose} set {quoted} from current"),
        ];
    }
    vec![format!("alter {whose} set {quoted} to {}", literal(value))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b\\"), "E'a''b\\\\'");
        assert_eq!(
            setting("database \"d\"", "work_mem", "7MB"),
            ["alter database \"d\" set \"work_mem\" to E'7MB'"]
        );
        assert_eq!(
            setting("database \"d\"", "search_path", "\"$user\", public"),
            [
                "select set_config(E'search_path', E'\"$user\", public', false)",
                "alter database \"d\" set \"search_path\" from current",
            ]
        );
    }
}
