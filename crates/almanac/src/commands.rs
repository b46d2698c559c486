//! The verbs, one file each: what can be typed, and the function that does it.
//!
//! A command is `fn verb(ctx: &Context, args: VerbArgs) -> Result<ExitStatus, Failure>`. It writes data through the context's
//! printer and never exits by itself.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod check;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod features;
pub(crate) mod forecast;
pub(crate) mod init;
pub(crate) mod privacy;
pub(crate) mod profile;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod tracking;
