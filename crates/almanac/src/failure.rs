//! A failed command: its exit code, its error with all causes, and what the user can do. Drawn here and nowhere else.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use almanac_series::Hint;
use anstyle::{AnsiColor, Style};

use crate::exit::ExitStatus;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const CAUSE: Style = Style::new().dimmed();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// What a command returns when it does not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    /// Wraps an error that may know what to do about it.
    pub(crate) fn new(status: ExitStatus, error: impl Error + Hint + Send + Sync + 'static) -> Self {
        let hint = error.hint();
        Self { status, error: Box::new(error), hint }.with_system_causes()
    }

    /// Wraps an error from outside, which has no hint of its own.
    pub(crate) fn foreign(status: ExitStatus, error: impl Error + Send + Sync + 'static) -> Self {
        Self { status, error: Box::new(error), hint: None }.with_system_causes()
    }

    /// Returns the exit code. A reader that closed our standard output has what it wanted: that is success.
    pub(crate) fn status(&self) -> ExitStatus {
        if self.is_broken_pipe() { ExitStatus::Success } else { self.status }
    }

    /// Returns what the user is told, in colours that are stripped where there is no terminal.
    pub(crate) fn to_text(&self) -> String {
        if self.is_broken_pipe() {
            return String::new();
        }
        let mut text = format!("{ERROR}error:{ERROR:#} {}\n", self.error);
        let mut cause = self.error.source();
        while let Some(current) = cause {
            // Several causes in one message, as parsers write them, stay under their heading.
            let message = current.to_string().replace('\n', "\n    ");
            writeln!(text, "  {CAUSE}caused by:{CAUSE:#} {message}").expect("a String takes any text");
            cause = current.source();
        }
        if let Some(hint) = &self.hint {
            writeln!(text, "\n{HINT}hint:{HINT:#} {hint}").expect("a String takes any text");
        }
        text
    }

    fn is_broken_pipe(&self) -> bool {
        io_causes(self.error.as_ref()).any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// A full disk is a full disk, whatever was being done.
    fn with_system_causes(mut self) -> Self {
        let is_full = io_causes(self.error.as_ref())
            .any(|cause| matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge));
        if is_full {
            self.status = ExitStatus::Io;
            self.hint = Some("free some space and run the command again: it goes on where it stopped".to_owned());
        }
        self
    }
}

/// Walks the chain of causes and yields those that come from the operating system.
fn io_causes<'a>(error: &'a (dyn Error + Send + Sync + 'static)) -> impl Iterator<Item = &'a io::Error> {
    let first: &'a (dyn Error + 'static) = error;
    std::iter::successors(Some(first), |current: &&'a (dyn Error + 'static)| (**current).source())
        .filter_map(|current| current.downcast_ref::<io::Error>())
}

/// Gives a result of a lower crate its exit code.
pub(crate) trait OrFail<T> {
    /// Turns the error into a [`Failure`] with this status.
    fn or_fail(self, status: ExitStatus) -> Result<T, Failure>;
}

impl<T, E: Error + Hint + Send + Sync + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self, status: ExitStatus) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(status, error))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to write `{path}`")]
    struct WriteError {
        path: &'static str,
        source: io::Error,
    }

    impl Hint for WriteError {
        fn hint(&self) -> Option<String> {
            Some("check the folder".to_owned())
        }
    }

    fn failure(kind: io::ErrorKind) -> Failure {
        Failure::new(ExitStatus::DataInput, WriteError { path: "a.csv", source: io::Error::new(kind, "the system said no") })
    }

    #[test]
    fn the_chain_and_the_hint_are_drawn() {
        let text = anstream::adapter::strip_str(&failure(io::ErrorKind::NotFound).to_text()).to_string();
        expect![[r"
            error: failed to write `a.csv`
              caused by: the system said no

            hint: check the folder
        "]]
        .assert_eq(&text);
    }

    #[test]
    fn a_full_disk_has_its_own_exit_code_whatever_was_being_done() {
        assert_eq!(failure(io::ErrorKind::NotFound).status(), ExitStatus::DataInput);
        assert_eq!(failure(io::ErrorKind::StorageFull).status(), ExitStatus::Io);
    }

    #[test]
    fn a_closed_reader_is_no_failure() {
        let closed = failure(io::ErrorKind::BrokenPipe);
        assert_eq!((closed.status(), closed.to_text().as_str()), (ExitStatus::Success, ""));
    }
}
