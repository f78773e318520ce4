//! Relations between packages (Debian policy 7.1) and the order of versions (policy 5.6.12).

use std::{cmp::Ordering, fmt};

/// One alternative: `name[:qualifier] [(operator version)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation<'a> {
    /// The package's name, real or virtual.
    pub name: &'a str,
    /// What stands after the colon, e.g. `any`.
    pub qualifier: Option<&'a str>,
    /// The version it must have.
    pub constraint: Option<(Operator, &'a str)>,
}

/// How two versions must compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `<<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>>`
    Greater,
}

/// Alternatives, any of which will do; never empty.
pub type Group<'a> = Vec<Relation<'a>>;

/// Why a text is no list of relations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a relation between packages", .0.escape_debug())]
pub struct RelationError(String);

impl Operator {
    /// Whether `have` stands to `want` as this operator says.
    #[must_use]
    pub fn holds(self, have: &str, want: &str) -> bool {
        let order = compare(have, want);
        match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Greater => order == Ordering::Greater,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Less => "<<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">>",
        })
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)?;
        if let Some(qualifier) = self.qualifier {
            write!(formatter, ":{qualifier}")?;
        }
        if let Some((operator, version)) = self.constraint {
            write!(formatter, " ({operator} {version})")?;
        }
        Ok(())
    }
}

/// The order of two versions; what is no version at all sorts as text.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (left.parse::<debversion::Version>(), right.parse::<debversion::Version>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// The groups of a field such as `Depends`.
///
/// # Errors
/// [`RelationError`] with the part that is malformed.
pub fn parse(text: &str) -> Result<Vec<Group<'_>>, RelationError> {
    text.split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty())
        .map(|group| group.split('|').map(|part| relation(part.trim())).collect())
        .collect()
}

fn relation(text: &str) -> Result<Relation<'_>, RelationError> {
    let wrong = || RelationError(text.to_owned());
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '(').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).ok_or_else(wrong)?;
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (name, None),
    };
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"+-.".contains(&c);
    let sound = |word: &str| !word.is_empty() && word.bytes().all(plain);
    if !sound(name) || !qualifier.is_none_or(sound) {
        return Err(wrong());
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(Relation { name, qualifier, constraint: None });
    }
    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?.trim();
    let end = inner.find(|c: char| !"<>=".contains(c)).ok_or_else(wrong)?;
    let (operator, version) = inner.split_at_checked(end).ok_or_else(wrong)?;
    let operator = match operator {
        "<<" => Operator::Less,
        "<=" | "<" => Operator::LessOrEqual,
        "=" => Operator::Equal,
        ">=" | ">" => Operator::GreaterOrEqual,
        ">>" => Operator::Greater,
        _ => return Err(wrong()),
    };
    let version = version.trim();
    if version.is_empty() || version.contains(|c: char| c.is_whitespace() || "()<>=".contains(c)) {
        return Err(wrong());
    }
    Ok(Relation { name, qualifier, constraint: Some((operator, version)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_policy_says() {
        let groups = parse("libc6 (>= 2.38), a:any | b (<<1:2~),\n c(=1) ,").unwrap();
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[0][0].constraint, Some((Operator::GreaterOrEqual, "2.38")));
        assert_eq!(groups[1][0], Relation { name: "a", qualifier: Some("any"), constraint: None });
        assert_eq!(groups[1][1].to_string(), "b (<< 1:2~)");
        assert_eq!(groups[2][0].to_string(), "c (= 1)");
        assert_eq!(parse("").unwrap(), Vec::<Group<'_>>::new());
        for bad in
            ["a b", "a (1)", "a (>= )", "a (>= 1", "a |", "${x}", "../a", "a (=> 1)", "a (= 1 2)", "a:"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        // Ascending; the integration tests hold the same table against dpkg itself.
        for pair in ORDERED.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (left, right) in EQUAL {
            assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
        }
    }

    const ORDERED: [&str; 25] = [
        "0~~",
        "0~",
        "0",
        "0a",
        "0+a",
        "1.0~beta1~svc1",
        "1.0~beta1",
        "1.0",
        "1.0-0a",
        "1.0-1~bpo12+1",
        "1.0-1",
        "1.0-1+b1",
        "1.0-1+b2",
        "1.0-1+b10",
        "1.0-1+deb13u1",
        "1.0-1.1",
        "1.0a-1",
        "1.0+dfsg-1",
        "1.0-2-1",
        "1.0.1-1",
        "1.9",
        "1.10",
        "1:0.1",
        "1:0.1-1",
        "10:0",
    ];
    const EQUAL: [(&str, &str); 4] = [("1.0", "1.0-0"), ("0:1", "1"), ("1.01", "1.1"), ("1.00-00", "1.0")];
}
