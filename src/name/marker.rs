//! Limits on requirements and markers (PEP 508), kept before they are parsed: the parser calls itself for each
//! parenthesis, and the algebra of markers for each variable, so a hostile text could exhaust the stack.

use std::collections::BTreeSet;

/// The most parentheses around each other.
pub const DEPTH_LIMIT: usize = 64;
/// The most distinct literals together: each can be a variable. Large locks have some dozen.
pub const LITERAL_LIMIT: usize = 500;
/// The most distinct literals of one requirement; real ones have a handful.
const REQUIREMENT_LITERALS: usize = 64;
/// The most bytes of one requirement.
const REQUIREMENT_LENGTH: usize = 8192;

/// How deep the parentheses of a text go.
#[must_use]
pub fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// What stands between quotes, and more: never fewer literals than a parser finds.
pub fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\'', '"']).skip(1)
}

/// Whether a requirement may be parsed, here and by uv.
///
/// # Errors
/// What is wrong with it, to follow `is not a requirement:`.
pub fn check_requirement(text: &str) -> Result<(), &'static str> {
    // uv-pep508 would read the environment for `${NAME}` in an address.
    if text.contains('$') {
        return Err("`$` is not allowed: a requirement does not depend on the environment");
    }
    if text.len() > REQUIREMENT_LENGTH || text.contains(char::is_control) {
        return Err("it is too long or has control characters");
    }
    if depth(text) > DEPTH_LIMIT || literals(text).collect::<BTreeSet<_>>().len() > REQUIREMENT_LITERALS {
        return Err("its marker is too large");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_exhaust_a_stack_is_refused() {
        let chain: Vec<String> = (0..200).map(|index| format!("extra == 'x{index}'")).collect();
        for bad in [
            format!("six ; {}os_name == 'x'{}", "(".repeat(65), ")".repeat(65)),
            format!("six ; {}", chain.join(" or ")),
            format!("six ; {}", "os_name == 'x' or ".repeat(1000)),
            "six @ https://pypi.org/${HOME}".to_owned(),
            "six\n".to_owned(),
        ] {
            assert!(check_requirement(&bad).is_err(), "{bad}");
        }
        assert!(check_requirement("six>=1 ; (os_name == 'nt' or python_version < \"4\")").is_ok());
    }
}
