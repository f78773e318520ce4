//! Lines of a result, before any colour.

/// A line of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// `      layers  42`.
    Field {
        /// What it is.
        label: String,
        /// What is said of it; foreign text may be in it.
        text: String,
    },
    /// A text behind what stands before it, folded there on a narrow screen.
    Hanging {
        /// What stands before it.
        before: String,
        /// The text; foreign text may be in it.
        text: String,
    },
    /// A line as it is, in the colour of what it says.
    Toned {
        /// The line; foreign text may be in it.
        text: String,
        /// What it says.
        tone: Tone,
    },
    /// A line as it is.
    Text(String),
    /// Lines as they are, with their ends; escaped where they were made.
    Raw(String),
    /// A line for whoever watches, and no part of the result.
    Remark(String),
}

/// What a line says, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is as it is to be.
    Good,
    /// Somebody should look.
    Poor,
    /// Something is wrong.
    Bad,
}

/// The lines of a result, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(Vec<Line>);

impl Page {
    /// Adds a labelled line.
    pub fn field(&mut self, label: impl Into<String>, text: impl Into<String>) {
        self.0.push(Line::Field { label: label.into(), text: text.into() });
    }

    /// Adds a text that is folded behind what stands before it.
    pub fn hanging(&mut self, before: impl Into<String>, text: impl Into<String>) {
        self.0.push(Line::Hanging { before: before.into(), text: text.into() });
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl Into<String>) {
        self.0.push(Line::Text(text.into()));
    }

    /// Adds a line in the colour of what it says.
    pub fn toned(&mut self, tone: Tone, text: impl Into<String>) {
        self.0.push(Line::Toned { text: text.into(), tone });
    }

    /// Adds lines that have their ends already.
    pub fn raw(&mut self, text: impl Into<String>) {
        self.0.push(Line::Raw(text.into()));
    }

    /// Adds a line that is no part of the result.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.0.push(Line::Remark(text.into()));
    }

    /// All of them.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}
