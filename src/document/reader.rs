//! Takes typed values out of a TOML table and collects everything that is wrong on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display},
    ops::RangeInclusive,
    str::FromStr,
};

use super::{Located, Node, Table, Value, nearest::nearest};
use crate::diagnostic::{Diagnostic, Place};

/// Bytes for the names of the keys that a table may have: enough for most, so that they are put in one piece of memory.
const KNOWN: usize = 256;

/// A key to read, with a right value to show where a wrong one stands.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    name: &'k str,
    example: Option<&'k str>,
}

/// The key `name`, of which `example` is a right value, as TOML has it.
#[must_use]
pub const fn like<'k>(name: &'k str, example: &'k str) -> Key<'k> {
    Key { name, example: Some(example) }
}

impl Display for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Without an example, a message shows the shape alone.
impl<'k> From<&'k str> for Key<'k> {
    fn from(name: &'k str) -> Self {
        Self { name, example: None }
    }
}

/// One table that is being read. Methods give `None` for a missing key and for a wrong value; the latter is
/// also told to `errors`.
///
/// What was asked for is what is known: when the reader ends, keys that nobody asked for are errors, each with the
/// nearest known one. So ask for every key before leaving, and see [`Reader::knows`].
pub struct Reader<'a, 'e> {
    table: &'a Table,
    title: String,
    errors: &'e mut Vec<Diagnostic>,
    /// How many errors there were before: what is unknown is told first.
    before: usize,
    /// The keys that are known so far, each with a line end, as asked for; `None` for a table that is not ours alone.
    known: Option<String>,
    /// Whether the shape of a right value is shown where a wrong one stands.
    shows: bool,
}

impl<'a, 'e> Reader<'a, 'e> {
    /// `title` is what the table is called in messages, such as `[image]`.
    pub fn new(table: &'a Table, title: impl Into<String>, errors: &'e mut Vec<Diagnostic>) -> Self {
        let before = errors.len();
        Self {
            table,
            title: title.into(),
            errors,
            before,
            known: Some(String::with_capacity(KNOWN)),
            shows: true,
        }
    }

    /// A table of which only some keys are ours to judge. Whoever reads it has better hints than a shape.
    pub fn open(table: &'a Table, title: impl Into<String>, errors: &'e mut Vec<Diagnostic>) -> Self {
        let before = errors.len();
        Self { table, title: title.into(), errors, before, known: None, shows: false }
    }

    /// Says that these keys are known though this reader does not ask for them: another does, or nobody.
    pub fn knows(&mut self, keys: &[&str]) {
        let Some(known) = &mut self.known else { return };
        for key in keys {
            known.push_str(key);
            known.push('\n');
        }
    }

    /// The value of a key, which is known from now on.
    fn ask(&mut self, key: Key<'_>) -> Option<&'a Node> {
        self.knows(&[key.name]);
        self.table.get(key.name)
    }

    /// Ends the reading where its errors are looked at: keys that nobody asked for are told. Going out of scope does
    /// the same.
    pub fn finish(self) {}

    /// What the table is called in messages.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where to put further errors.
    pub fn errors(&mut self) -> &mut Vec<Diagnostic> {
        self.errors
    }

    /// The value of `key`, whatever it is.
    #[must_use]
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key)
    }

    fn wrong(&mut self, key: Key<'_>, want: &str, node: &Node) {
        let message = format!("`{key}` in {} must be {want}, not {}", self.title, node.kind());
        let diagnostic = Diagnostic::new(message).at(node.place.clone(), "");
        // Quotes too many and quotes too few are the commonest slips.
        let unquoted = node.as_str().filter(|text| match want {
            "`true` or `false`" => matches!(*text, "true" | "false"),
            "an integer" => text.parse::<i64>().is_ok(),
            "a number" => text.parse::<f64>().is_ok(),
            _ => false,
        });
        let quoted = match &node.value {
            Value::Integer(number) if want == "a string" => Some(number.to_string()),
            Value::Float(number) if want == "a string" => Some(number.to_string()),
            Value::Boolean(truth) if want == "a string" => Some(truth.to_string()),
            _ => None,
        };
        self.errors.push(match (unquoted, quoted) {
            (Some(text), _) => diagnostic.help(format!("without the quotes: `{key} = {text}`")),
            (_, Some(text)) => diagnostic.help(format!("in quotes: `{key} = \"{text}\"`")),
            _ if key.example.is_some() => with_example(diagnostic, key),
            _ if !self.shows => diagnostic,
            _ => {
                let shape = match want {
                    "`true` or `false`" => "true",
                    "an integer" | "a number" => "1",
                    "an array of strings" => "[\"…\"]",
                    "an array" => "[…]",
                    "a table" | "a table of strings" => "{ … }",
                    _ => "\"…\"",
                };
                diagnostic.help(format!("write `{key} = {shape}`"))
            }
        });
    }

    /// Says that a number is out of its range, with the nearest one that is not.
    fn outside(&mut self, key: &str, node: &Node, want: &str, near: &dyn Display) {
        let message = format!("`{key}` in {} must be {want}", self.title);
        let outside = Diagnostic::new(message).at(node.place.clone(), "");
        self.errors.push(outside.help(format!("the nearest that may be: `{key} = {near}`")));
    }

    /// A string.
    pub fn string<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Located<&'a str>> {
        let key = key.into();
        let node = self.ask(key)?;
        let Some(value) = node.as_str() else {
            self.wrong(key, "a string", node);
            return None;
        };
        Some(Located { value, place: node.place.clone() })
    }

    /// A string that is a `T`.
    pub fn parsed<'k, T: FromStr<Err: Display>>(&mut self, key: impl Into<Key<'k>>) -> Option<Located<T>> {
        let key = key.into();
        let text = self.string(key)?;
        self.parse(key, &text)
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, key: Key<'_>, text: &Located<&str>) -> Option<Located<T>> {
        match text.value.parse() {
            Ok(value) => Some(Located { value, place: text.place.clone() }),
            Err(error) => {
                // Some parsers draw a caret below the text; the place does that here.
                let error = error.to_string();
                let reason = error.lines().next().unwrap_or_default().trim_end_matches(':');
                let message = format!("`{key}` in {}: {reason}", self.title);
                let wrong = with_example(Diagnostic::new(message).at(text.place.clone(), ""), key);
                self.errors.push(wrong);
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<bool> {
        let key = key.into();
        let node = self.ask(key)?;
        let Value::Boolean(value) = node.value else {
            self.wrong(key, "`true` or `false`", node);
            return None;
        };
        Some(value)
    }

    /// An integer between 0 and `most`.
    pub fn number<'k>(&mut self, key: impl Into<Key<'k>>, most: u64) -> Option<u64> {
        let key = key.into();
        let node = self.ask(key)?;
        match node.value {
            Value::Integer(number) => match u64::try_from(number) {
                Ok(number) if number <= most => return Some(number),
                _ => {
                    let near = if number < 0 { 0 } else { most };
                    self.outside(key.name, node, &format!("between 0 and {most}"), &near);
                }
            },
            _ => self.wrong(key, "an integer", node),
        }
        None
    }

    /// An integer in `range`.
    pub fn integer<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        range: RangeInclusive<i64>,
    ) -> Option<Located<i64>> {
        let key = key.into();
        let node = self.ask(key)?;
        let Value::Integer(value) = node.value else {
            self.wrong(key, "an integer", node);
            return None;
        };
        if !range.contains(&value) {
            let want = match (*range.start(), *range.end()) {
                (least, i64::MAX) => format!("at least {least}"),
                (least, most) => format!("between {least} and {most}"),
            };
            self.outside(key.name, node, &want, &value.clamp(*range.start(), *range.end()));
            return None;
        }
        Some(Located { value, place: node.place.clone() })
    }

    /// A TCP port, 1 to 65535.
    pub fn port<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Located<u16>> {
        let key = key.into();
        let port = self.integer(key, 1..=i64::from(u16::MAX))?;
        u16::try_from(port.value).ok().map(|value| Located { value, place: port.place })
    }

    /// A number in `range`, whole or not.
    pub fn float_in<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        range: RangeInclusive<f64>,
    ) -> Option<Located<f64>> {
        let key = key.into();
        let number = self.float(key)?;
        if range.contains(&number.value) {
            return Some(number);
        }
        let node = self.table.get(key.name)?;
        let want = match (*range.start(), *range.end()) {
            (least, f64::MAX) => format!("at least {least}"),
            (least, most) => format!("between {least} and {most}"),
        };
        let near = if number.value > *range.end() { range.end() } else { range.start() };
        self.outside(key.name, node, &want, near);
        None
    }

    /// A table of strings: each key is a `K`, each value a `V`.
    pub fn parsed_map<'k, K, V>(&mut self, key: impl Into<Key<'k>>) -> Option<BTreeMap<K, Located<V>>>
    where
        K: FromStr<Err: Display> + Ord,
        V: FromStr<Err: Display>,
    {
        let key = key.into();
        let table = self.table(key)?;
        let mut map = BTreeMap::new();
        for (name, field) in table.iter() {
            let name = match name.parse::<K>() {
                Ok(name) => name,
                Err(error) => {
                    let message = format!("`{key}` in {}: {error}", self.title);
                    let wrong = with_example(Diagnostic::new(message).at(field.key.clone(), ""), key);
                    self.errors.push(wrong);
                    continue;
                }
            };
            let Some(value) = field.node.as_str() else {
                self.wrong(key, "a table of strings", &field.node);
                continue;
            };
            let value = self.parse(key, &Located { value, place: field.node.place.clone() });
            map.extend(value.map(|value| (name, value)));
        }
        Some(map)
    }

    /// Says that the value of `key` is refused, at its place, and what to do about it.
    pub fn refuse(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        if let Some(node) = self.table.get(key) {
            self.errors.push(Diagnostic::new(message).at(node.place.clone(), "").help(help));
        }
    }

    /// Says that `key` is missing, if it is; the table begins at `place`.
    pub fn require(&mut self, key: &str, place: &Place, help: impl Into<String>) {
        self.knows(&[key]);
        if self.table.get(key).is_none() {
            let message = format!("{} has no `{key}`", self.title);
            self.errors.push(Diagnostic::new(message).at(place.clone(), "").help(help));
        }
    }

    /// A number of either kind.
    pub fn float<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Located<f64>> {
        let key = key.into();
        let node = self.ask(key)?;
        let value = match node.value {
            Value::Float(number) => number,
            #[expect(clippy::cast_precision_loss, reason = "what a float is for")]
            Value::Integer(number) => number as f64,
            _ => {
                self.wrong(key, "a number", node);
                return None;
            }
        };
        Some(Located { value, place: node.place.clone() })
    }

    /// One of some words.
    pub fn choice<'k, T: Copy>(
        &mut self,
        key: impl Into<Key<'k>>,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        let key = key.into();
        let text = self.string(key)?;
        self.choose(key, &text, words)
    }

    /// An array of some words; repeats stay.
    pub fn choices<'k, T: Copy>(
        &mut self,
        key: impl Into<Key<'k>>,
        words: &[(&str, T)],
    ) -> Option<Vec<Located<T>>> {
        let key = key.into();
        let texts = self.strings(key)?;
        Some(texts.iter().filter_map(|text| self.choose(key, text, words)).collect())
    }

    fn choose<T: Copy>(
        &mut self,
        key: Key<'_>,
        text: &Located<&str>,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Located { value: *value, place: text.place.clone() });
        }
        let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let message = format!("`{key}` in {}: `{}` is not known", self.title, text.value.escape_debug());
        let last = |word: &&str| word.rsplit_once('/').is_some_and(|(_, last)| last == text.value);
        let mut candidates = words.iter().map(|(word, _)| *word);
        let help = match nearest(text.value, candidates.clone()).or_else(|| candidates.find(last)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known: {}", known.join(", ")),
        };
        self.errors.push(Diagnostic::new(message).at(text.place.clone(), "").help(help));
        None
    }

    /// An array of strings; what is no string is told and left out.
    pub fn strings<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Vec<Located<&'a str>>> {
        let key = key.into();
        let node = self.ask(key)?;
        let Some(items) = node.as_array() else {
            self.wrong(key, "an array of strings", node);
            return None;
        };
        let mut strings = Vec::new();
        for item in items {
            match item.as_str() {
                Some(value) => strings.push(Located { value, place: item.place.clone() }),
                None => self.wrong(key, "an array of strings", item),
            }
        }
        Some(strings)
    }

    /// An array of strings that are each a `T`, in order; repeats may be.
    pub fn parsed_words<'k, T: FromStr<Err: Display>>(
        &mut self,
        key: impl Into<Key<'k>>,
    ) -> Option<Vec<Located<T>>> {
        let key = key.into();
        let words = self.strings(key)?;
        Some(words.iter().filter_map(|word| self.parse::<T>(key, word)).collect())
    }

    /// An array of strings that are each a `T`, without repeats.
    pub fn parsed_list<'k, T: FromStr<Err: Display> + Ord + Clone>(
        &mut self,
        key: impl Into<Key<'k>>,
    ) -> Option<Vec<Located<T>>> {
        let key = key.into();
        let mut seen = BTreeSet::new();
        let mut list = Vec::new();
        for text in self.strings(key)? {
            let Some(item) = self.parse::<T>(key, &text) else { continue };
            if seen.insert(item.value.clone()) {
                list.push(item);
            } else {
                let message = format!("`{}` stands twice in `{key}` of {}", text.value, self.title);
                self.errors.push(Diagnostic::new(message).at(text.place, "").help("remove one of the two"));
            }
        }
        Some(list)
    }

    /// A table.
    pub fn table<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<&'a Table> {
        let key = key.into();
        let node = self.ask(key)?;
        let table = node.as_table();
        if table.is_none() {
            self.wrong(key, "a table", node);
        }
        table
    }

    /// An array.
    pub fn array<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<&'a [Node]> {
        let key = key.into();
        let node = self.ask(key)?;
        let array = node.as_array();
        if array.is_none() {
            self.wrong(key, "an array", node);
        }
        array
    }
}

impl Drop for Reader<'_, '_> {
    fn drop(&mut self) {
        let Some(known) = self.known.take() else { return };
        if self.table.iter().all(|(key, _)| known.split_terminator('\n').any(|one| one == key)) {
            return;
        }
        let mut known: Vec<&str> = known.lines().collect();
        let mut seen = BTreeSet::new();
        known.retain(|key| seen.insert(*key));
        let unknown = self.table.iter().filter(|(key, _)| !known.contains(key));
        let told: Vec<_> =
            unknown.map(|(key, field)| unknown_key(key, &self.title, &known, &field.key)).collect();
        let at = self.before.min(self.errors.len());
        self.errors.splice(at..at, told);
    }
}

/// How a right value of `key` looks, where there is one to show.
fn with_example(diagnostic: Diagnostic, key: Key<'_>) -> Diagnostic {
    match key.example {
        Some(value) => diagnostic.help(format!("for example: `{key} = {value}`")),
        None => diagnostic,
    }
}

/// The diagnostic for a key nobody knows.
#[must_use]
pub fn unknown_key(key: &str, title: &str, known: &[&str], place: &Place) -> Diagnostic {
    let key = key.escape_debug();
    let unknown = Diagnostic::new(format!("unknown key `{key}` in {title}")).at(place.clone(), "");
    match nearest(&key.to_string(), known.iter().copied()) {
        Some(near) => unknown.help(format!("did you mean `{near}`?")),
        None => unknown.help(format!("known keys: {}", known.join(", "))),
    }
}

/// Puts the errors of one document into the order of its text.
pub fn sort_by_place(errors: &mut [Diagnostic]) {
    errors.sort_by_key(|error| error.places.first().map(|(place, _)| place.span().start));
}
