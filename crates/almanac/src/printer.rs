//! The one place that writes to the terminal: data to standard output, everything else to standard error.
//!
//! Colours and widths adapt to what is on the other end (`anstream`); the meaning never hangs on a colour. Progress is a bar on
//! a terminal and a line now and then elsewhere, so that logs stay readable.

mod assets;
mod progress;

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::exit::ExitStatus;
use crate::failure::Failure;

pub(crate) use assets::AssetProgress;
pub(crate) use progress::Progress;

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// Progress and summaries as well.
    Normal,
    /// Details as well.
    Verbose,
}

/// The form of a command's data: for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}

/// Writes to the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    verbosity: Verbosity,
    is_terminal: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output")]
struct OutputError {
    source: io::Error,
}

#[expect(clippy::unused_self, reason = "whoever speaks was handed the printer, quiet or not")]
impl Printer {
    /// Makes a printer that says this much.
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, is_terminal: io::stderr().is_terminal() }
    }

    /// Returns whether questions can be asked and answered.
    pub(crate) fn is_interactive(&self) -> bool {
        self.is_terminal && io::stdin().is_terminal() && self.verbosity > Verbosity::Quiet
    }

    /// Writes data to standard output.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|source| Failure::foreign(ExitStatus::Io, OutputError { source }))
    }

    /// Writes one JSON document to standard output.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::foreign(ExitStatus::Unexpected, error))?;
        text.push('\n');
        self.data(&text)
    }

    /// Tells the user how things go.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            say(text);
        }
    }

    /// Tells those who asked for more.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            say(text);
        }
    }

    /// Tells even the quiet.
    pub(crate) fn warning(&self, text: &str) {
        let style = anstyle::AnsiColor::Yellow.on_default().bold();
        say(&format!("{style}warning:{style:#} {text}"));
    }

    /// Draws a failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        let text = failure.to_text();
        if !text.is_empty() {
            say(text.trim_end());
        }
    }

    /// Asks a question with a default answer; without a terminal, takes the default.
    pub(crate) fn ask(&self, question: &str, default: &str) -> Result<String, Failure> {
        if !self.is_interactive() {
            return Ok(default.to_owned());
        }
        let style = anstyle::Style::new().bold();
        let prompt = write!(anstream::stderr().lock(), "{style}{question}{style:#} [{default}] ");
        let mut answer = String::new();
        let read = prompt.and_then(|()| io::stdin().read_line(&mut answer));
        read.map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
        let answer = answer.trim();
        Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }

    /// Starts to show how far `total` units of work have come.
    pub(crate) fn progress(&self, label: &str, total: u64) -> Progress {
        Progress::start(label, total, self.verbosity >= Verbosity::Normal, self.is_terminal)
    }
}

/// A failure to complain is not worth a complaint.
fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Lays out rows under headings, no line longer than `width`: long cells go on below.
pub(crate) fn table_within<const N: usize>(width: u16, headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    table.set_header(headings);
    table.add_rows(rows);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Lays out rows under headings; the columns named in `numbers` are aligned to the right.
pub(crate) fn table<const N: usize>(headings: [&str; N], numbers: &[usize], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    if text.is_empty() {
        text.push('\n');
    }
    text
}
