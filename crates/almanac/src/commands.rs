//! The verbs, one file each: what can be typed, and the function that does it.
//!
//! A command is `fn verb(ctx: &Context, args: VerbArgs) -> Result<ExitStatus, Failure>`. It writes data through the context's
//! printer and never exits by itself.

pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod forecast;
pub(crate) mod init;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod status;

use crate::exit::ExitStatus;
use crate::failure::Failure;

/// A verb whose work is not built in yet.
#[derive(Debug, thiserror::Error)]
#[error("`almanac {verb}` is not built in yet")]
struct NotBuilt {
    verb: &'static str,
}

/// Fails clearly where a plausible answer would be a lie.
fn not_built(verb: &'static str) -> Result<ExitStatus, Failure> {
    Err(Failure::foreign(ExitStatus::Unexpected, NotBuilt { verb }))
}
