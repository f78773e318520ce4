//! A Nix expression as a value. There is no variant that holds raw text: data goes into [`Expr::Text`] and
//! [`Key::Name`], and identifiers come from this program alone (`&'static str`).

use crate::tree::RelativePath;

/// The part of the Nix language that generated files need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number; Nix holds up to 2⁶³−1.
    Int(u64),
    /// A string: data, whatever it says.
    Text(String),
    /// `[ … ]`
    List(Vec<Expr>),
    /// `{ … }`, in this order.
    Set(Vec<Binding>),
    /// A path literal below the flake's root.
    Path(FlakePath),
    /// A name in scope.
    Variable(&'static str),
    /// `base.key`
    Select(Box<Expr>, Key),
    /// `function argument`
    Apply(Box<Expr>, Box<Expr>),
    /// `let … in body`
    Let(Vec<Binding>, Box<Expr>),
    /// `{ a, b }: body`
    Lambda(Vec<&'static str>, Box<Expr>),
}

/// One entry of a set or a `let`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `key = value;`
    Value {
        /// A line above it.
        comment: Option<&'static str>,
        /// The attribute's name.
        key: Key,
        /// Its value.
        value: Expr,
    },
    /// `inherit name;`
    Inherit(&'static str),
}

/// An attribute's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A field that the hand-written library knows; written bare.
    Field(&'static str),
    /// Data; always written in quotes.
    Name(String),
}

impl Key {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Field(name) => name,
            Self::Name(name) => name,
        }
    }
}

/// A path below the flake's root whose every character may stand in a path literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlakePath(RelativePath);

/// A path that cannot be written as a literal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be a Nix path (only letters, digits, `.`, `_`, `+`, `-` and `/`)", .0.escape_debug())]
pub struct FlakePathError(String);

impl TryFrom<RelativePath> for FlakePath {
    type Error = FlakePathError;

    fn try_from(path: RelativePath) -> Result<Self, Self::Error> {
        let sound = |c: char| c.is_ascii_alphanumeric() || "._+-/".contains(c);
        if path.as_str().chars().all(sound) { Ok(Self(path)) } else { Err(FlakePathError(path.to_string())) }
    }
}

impl FlakePath {
    /// The path as text, relative to the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Expr {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of strings.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::list(texts.into_iter().map(Self::text))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Expr>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A set whose names are data.
    pub fn named<N: Into<String>>(entries: impl IntoIterator<Item = (N, Expr)>) -> Self {
        Self::Set(entries.into_iter().map(|(name, value)| Binding::named(name, value)).collect())
    }

    /// A set of the library's fields.
    pub fn fields(entries: impl IntoIterator<Item = (&'static str, Expr)>) -> Self {
        Self::Set(entries.into_iter().map(|(name, value)| Binding::field(name, value)).collect())
    }

    /// `self.name` with a bare name.
    #[must_use]
    pub fn field(self, name: &'static str) -> Self {
        Self::Select(Box::new(self), Key::Field(name))
    }

    /// `self."name"`.
    #[must_use]
    pub fn member(self, name: impl Into<String>) -> Self {
        Self::Select(Box::new(self), Key::Name(name.into()))
    }

    /// A call into the library: `forge.<function> argument`.
    #[must_use]
    pub fn library(function: &'static str, argument: Expr) -> Self {
        Self::Variable("forge").field(function).call(argument)
    }

    /// `self argument`.
    #[must_use]
    pub fn call(self, argument: Expr) -> Self {
        Self::Apply(Box::new(self), Box::new(argument))
    }
}

impl Binding {
    /// `name = value;` with a bare name.
    #[must_use]
    pub fn field(name: &'static str, value: Expr) -> Self {
        Self::Value { comment: None, key: Key::Field(name), value }
    }

    /// `"name" = value;`
    #[must_use]
    pub fn named(name: impl Into<String>, value: Expr) -> Self {
        Self::Value { comment: None, key: Key::Name(name.into()), value }
    }

    /// Puts a comment line above it.
    #[must_use]
    pub fn commented(mut self, line: &'static str) -> Self {
        if let Self::Value { comment, .. } = &mut self {
            *comment = Some(line);
        }
        self
    }

    /// The name it binds.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Value { key, .. } => key.as_str(),
            Self::Inherit(name) => name,
        }
    }
}
