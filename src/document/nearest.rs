//! The known name nearest to one that was not known: for "did you mean".

/// The candidate with the smallest edit distance to `text`, if it is near enough to be a slip of the hand.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = text.chars().count().div_ceil(3).max(1);
    let folded = fold(text);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Case and the two word separators are the commonest slips, so they cost nothing.
fn fold(text: &str) -> String {
    text.chars().take(80).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_key_and_a_stranger_none() {
        let keys = ["name", "python", "platforms", "source-date-epoch"];
        assert_eq!(nearest("platform", keys), Some("platforms"));
        assert_eq!(nearest("Source_Date_Epoch", keys), Some("source-date-epoch"));
        assert_eq!(nearest("pyhton", keys), Some("python"));
        assert_eq!(nearest("registry", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
