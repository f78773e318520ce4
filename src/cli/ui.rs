//! What people see: results on standard output, everything else on standard error.

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    sync::Mutex,
    time::Duration,
};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstream::{AutoStream, ColorChoice};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::global::{Color, Global};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::progress::{Progress, Unit},
    report::{Failed, Line, Page, Report, Tone},
};

/// The most bytes that podman takes for a secret.
const SECRET_LIMIT: u64 = 512_000;

/// Prints and draws for one run.
pub(super) struct Ui {
    quiet: bool,
    json: bool,
    terminal: bool,
    renderer: Renderer,
    out: Mutex<AutoStream<std::io::Stdout>>,
    running: Mutex<Running>,
}

/// The stage that is under way.
#[derive(Default)]
struct Running {
    bar: Option<ProgressBar>,
    stage: String,
    tenth: u64,
}

/// A line on standard error. Nobody may be listening there, which is no reason to stop.
fn remark(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// A failure to print, which is the operating system's.
pub(super) fn unprinted(error: &std::io::Error) -> Failure {
    Failure::unable(Diagnostic::new(format!("cannot write to standard output: {error}")))
}

/// Whether results go to a person's screen.
pub(super) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

impl Ui {
    pub(super) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
        let filter = match global.verbose {
            0 => "off",
            1 => "lychd_forge=info",
            _ => "lychd_forge=debug",
        };
        let plain = matches!(anstream::AutoStream::choice(&std::io::stderr()), ColorChoice::Never);
        tracing_subscriber::fmt()
            .with_ansi(!plain)
            .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .without_time()
            .with_target(false)
            .init();
        Self {
            quiet: global.quiet,
            json: global.json,
            terminal: std::io::stderr().is_terminal(),
            renderer: if plain { Renderer::plain() } else { Renderer::styled() },
            out: Mutex::new(anstream::stdout()),
            running: Mutex::default(),
        }
    }

    /// The result of a verb: one JSON object, or its lines.
    pub(super) fn report(&self, report: &impl Report) -> Result<(), Failure> {
        self.finish();
        if self.json {
            return json(report);
        }
        let mut page = Page::default();
        report.write(&mut page);
        for line in page.lines() {
            match line {
                Line::Field { label, text } => {
                    self.bytes(format!("{:>12}  {}\n", label.bold(), safe(text)).as_bytes())?;
                }
                Line::Hanging { before, text } => self.bytes(folded(before, &safe(text)).as_bytes())?,
                Line::Toned { text, tone } => {
                    self.bytes(format!("{}\n", coloured(&safe(text), *tone)).as_bytes())?;
                }
                Line::Text(text) => self.bytes(format!("{text}\n").as_bytes())?,
                Line::Raw(text) => self.bytes(text.as_bytes())?,
                Line::Remark(text) => self.say(text),
            }
        }
        Ok(())
    }

    /// A result in the place of the one before it, on a screen; below it, elsewhere.
    pub(super) fn redraw(&self, report: &impl Report) -> Result<(), Failure> {
        if stdout_is_terminal() {
            self.bytes(b"\x1b[H\x1b[2J\x1b[3J")?;
        }
        self.report(report)
    }

    /// A result as it is; a closed pipe is no failure.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unprinted(&error)),
            _ => Ok(()),
        }
    }

    /// A line for people on standard error.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.suspend(|| remark(text));
        }
    }

    /// A line for people on standard error, for whoever is about to be asked too who wanted no others.
    pub(super) fn insist(&self, text: &str) {
        self.suspend(|| remark(text));
    }

    /// Whether somebody is there to be asked.
    pub(super) fn can_ask(&self) -> bool {
        self.terminal && !self.json && std::io::stdin().is_terminal()
    }

    /// What a person is to see before being asked, beside the result.
    pub(super) fn show(&self, report: &impl Report) {
        let mut page = Page::default();
        report.write(&mut page);
        for line in page.lines() {
            match line {
                Line::Field { label, text } => self.insist(&format!("{:>12}  {}", label.bold(), safe(text))),
                Line::Hanging { before, text } => self.insist(folded(before, &safe(text)).trim_end()),
                Line::Toned { text, tone } => self.insist(&coloured(&safe(text), *tone)),
                Line::Text(text) | Line::Remark(text) => self.insist(text),
                Line::Raw(text) => self.insist(text.trim_end()),
            }
        }
    }

    /// Asks for a yes; whatever else is answered is a no.
    pub(super) fn ask(&self, question: &str) -> Result<bool, Failure> {
        let answer = self.ask_for(&format!("{question} [y/N]"))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a word.
    pub(super) fn ask_for(&self, question: &str) -> Result<String, Failure> {
        self.finish();
        let unread = |error: std::io::Error| {
            Failure::unable(Diagnostic::new(format!("the answer cannot be read: {error}")))
        };
        let mut err = anstream::stderr();
        write!(err, "{question} ").and_then(|()| err.flush()).map_err(unread)?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(unread)?;
        Ok(answer.trim().to_owned())
    }

    /// A secret: typed unseen, twice, or all that standard input has, without the end of its last line.
    pub(super) fn secret(&self, name: &str) -> Result<Vec<u8>, Failure> {
        self.finish();
        let unread = |error: std::io::Error| {
            Failure::unable(Diagnostic::new(format!("the secret cannot be read: {error}")))
        };
        if std::io::stdin().is_terminal() {
            let ask = |what: &str| rpassword::prompt_password(format!("{name}, {what}: ")).map_err(unread);
            let typed = ask("unseen")?;
            if ask("again")? != typed {
                return Err(Diagnostic::new("the two are not the same: nothing was changed").into());
            }
            return Ok(typed.into_bytes());
        }
        let mut value = Vec::new();
        std::io::stdin().take(SECRET_LIMIT + 1).read_to_end(&mut value).map_err(unread)?;
        if u64::try_from(value.len()).unwrap_or(u64::MAX) > SECRET_LIMIT {
            return Err(Diagnostic::new(format!("a secret has {SECRET_LIMIT} bytes at most")).into());
        }
        if value.last() == Some(&b'\n') {
            value.pop();
        }
        Ok(value)
    }

    /// Everything that was wrong: with carets for people, and as the one JSON object where machines listen and
    /// standard output is not what the verb itself writes.
    pub(super) fn failure(&self, failure: &Failure, is_data: bool) {
        self.finish();
        if self.json && !is_data {
            // Where nobody can be told, the exit code still tells.
            drop(json(&Failed::from(failure)));
        }
        let all = failure.diagnostics();
        for diagnostic in all.iter().take(ERRORS_SHOWN) {
            remark(&render(&self.renderer, diagnostic));
        }
        if let Some(more) = all.len().checked_sub(ERRORS_SHOWN).filter(|&more| more > 0) {
            remark(&format!("... and {more} more errors"));
        }
    }

    /// Ends the running stage's bar.
    pub(super) fn finish(&self) {
        if let Ok(mut running) = self.running.lock()
            && let Some(bar) = running.bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn suspend(&self, print: impl FnOnce()) {
        match self.running.lock() {
            Ok(running) => match &running.bar {
                Some(bar) => bar.suspend(print),
                None => print(),
            },
            Err(_) => print(),
        }
    }
}

/// A line in the colour of what it says; where there is none to be, it is taken away again.
fn coloured(text: &str, tone: Tone) -> String {
    match tone {
        Tone::Good => text.green().to_string(),
        Tone::Poor => text.yellow().to_string(),
        Tone::Bad => text.red().to_string(),
    }
}

/// A text behind what stands before it: folded there as wide as the screen is, in one line elsewhere. Words are left
/// whole, so that commands can be taken from it.
fn folded(before: &str, text: &str) -> String {
    let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size() else {
        return format!("{before}{text}\n");
    };
    let below = " ".repeat(before.chars().count());
    let options = textwrap::Options::new(width.into());
    let options = options
        .initial_indent(before)
        .subsequent_indent(&below)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}

/// The one JSON object.
fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| unprinted(&error.into()))?;
    // Machines get every character of it: what people's terminals are spared is data here.
    let mut out = std::io::stdout().lock();
    match out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unprinted(&error)),
        _ => Ok(()),
    }
}

/// A command line that cannot be parsed, as the one JSON object.
pub(super) fn usage_as_json(error: &clap::Error) {
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let problem =
        Diagnostic::new(message.trim_start_matches("error: ")).of_kind(Fault::Usage).help(rest.trim());
    // Where nobody can be told, the exit code still tells.
    drop(json(&Failed::from(&Failure::unable(problem))));
}

/// Foreign text may hold terminal controls: shown escaped.
pub(super) fn safe(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            if (c.is_control() && c != '\n') || hidden { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}

/// The lines of a file as a terminal may be shown them, at the same bytes. The renderer takes care of all other
/// controls.
fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{80}'..='\u{9f}' => shown.push_str("??"),
            c => shown.push(c),
        }
    }
    shown
}

fn render(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let message = safe(&diagnostic.message);
    let requested = safe(&diagnostic.requested_by.join(", "));
    let places: Vec<(String, String, String)> = diagnostic
        .places
        .iter()
        .map(|(place, label)| (inert(place.source().text()), safe(place.source().name()), safe(label)))
        .collect();
    let notes: Vec<String> = diagnostic.notes.iter().map(|note| safe(note)).collect();
    let help: Vec<String> = diagnostic.help.iter().map(|help| safe(help)).collect();
    let mut group = Group::with_title(Level::ERROR.primary_title(message.as_str()));
    for (index, ((place, _), (text, name, label))) in diagnostic.places.iter().zip(&places).enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = group.element(
            Snippet::source(text.as_str())
                .path(name.as_str())
                .fold(true)
                .annotation(kind.span(place.span()).label(label.as_str())),
        );
    }
    for note in &notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if !requested.is_empty() {
        group = group.element(Level::NOTE.message(format!("requested by {requested}")));
    }
    for help in &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

impl Progress for Ui {
    fn stage(&self, name: &str, detail: &str) {
        self.finish();
        if self.quiet {
            return;
        }
        remark(&format!("{:>12}  {}", name.bold().green(), safe(detail)));
        if let Ok(mut running) = self.running.lock() {
            *running = Running { bar: None, stage: name.to_owned(), tenth: 0 };
        }
    }

    fn advance(&self, done: u64, total: u64, unit: Unit) {
        if self.quiet {
            return;
        }
        let Ok(mut running) = self.running.lock() else { return };
        if self.terminal {
            let bar = running.bar.get_or_insert_with(|| new_bar(unit, total));
            bar.set_position(done);
            if total > 0 {
                bar.set_length(total);
            }
            return;
        }
        // No terminal: a plain line for every tenth, or for every so much when the total is small or unknown.
        let step = match unit {
            _ if total == 0 => STEP,
            Unit::Bytes => total.div_ceil(10).max(SMALL),
            Unit::Items => total.div_ceil(10),
        };
        if done / step > running.tenth {
            running.tenth = done / step;
            let show = |amount: u64| match unit {
                Unit::Bytes => HumanBytes(amount).to_string(),
                Unit::Items => amount.to_string(),
            };
            let amount = if total == 0 { show(done) } else { format!("{} of {}", show(done), show(total)) };
            remark(&format!("{:>12}  {amount}", running.stage));
        }
    }

    fn note(&self, line: &str) {
        for part in line.lines() {
            self.say(&format!("{:>12}  {}", "", safe(part)));
        }
    }

    fn waiting(&self, line: &str) {
        self.say(line);
    }
}

/// How many errors are shown in full: a hostile file may have thousands, and each is drawn with its source.
const ERRORS_SHOWN: usize = 50;
/// Bytes between two plain lines when the total is unknown.
const STEP: u64 = 32 << 20;
/// Fewer bytes are not worth a plain line.
const SMALL: u64 = 1 << 20;

fn new_bar(unit: Unit, total: u64) -> ProgressBar {
    let template = match unit {
        Unit::Bytes if total == 0 => "{spinner:>12}  {bytes}  {bytes_per_sec}",
        Unit::Bytes => "{spinner:>12}  [{bar:32}] {bytes}/{total_bytes}  {bytes_per_sec}",
        Unit::Items => "{spinner:>12}  [{bar:32}] {pos}/{len}  {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn a_report_shows_file_line_column_caret_requester_and_help() {
        let source = Source::new("core/pyproject.toml", "[project]\nname = 7\n");
        let diagnostic = Diagnostic::new("a name must be a string")
            .at(source.at(17..18), "not a string")
            .requested_by("core")
            .help("put it in quotes");
        let text = render(&Renderer::plain(), &diagnostic);
        for part in ["core/pyproject.toml:2:8", "^ not a string", "requested by core", "put it in quotes"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn terminal_controls_in_a_file_are_not_shown() {
        let source = Source::new("a\u{9b}.toml", "x = '\u{9b}31m\u{1b}[2J' é\n");
        let diagnostic = Diagnostic::new("wrong").at(source.at(16..18), "\u{9b}here");
        let text = render(&Renderer::styled(), &diagnostic);
        assert!(!text.contains('\u{9b}') && !text.contains("\u{1b}[2J"), "{text:?}");
        assert!(text.contains("??31m") && text.contains("here"), "{text:?}");
    }

    #[test]
    fn terminal_controls_in_foreign_text_are_escaped() {
        for bad in ["\u{1b}[2J", "\u{1b}]8;;x\u{7}", "a\rb", "\u{202e}abc"] {
            let shown = safe(bad);
            assert!(!shown.contains(['\u{1b}', '\r', '\u{7}', '\u{202e}']), "{shown:?}");
        }
    }
}
