//! Exit codes: what a script may rely on. `docs/exit-codes.md` explains each to users.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(dead_code, reason = "the table is the whole contract; a stop by signal has its code from the shell")]
pub(crate) enum ExitStatus {
    /// Done.
    Success = 0,
    /// A bug, or a failure that has no code of its own.
    Unexpected = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `almanac.toml` is missing or wrong.
    Config = 3,
    /// A source cannot be read.
    DataInput = 4,
    /// The data was read and failed a check.
    DataCheck = 5,
    /// No model passed the gates.
    ModelGate = 6,
    /// The metadata database failed.
    Store = 7,
    /// The operating system said no: disk full, permission, address in use.
    Io = 8,
    /// Stopped by the user.
    Interrupted = 130,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
