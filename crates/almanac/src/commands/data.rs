//! `almanac data`: the versions of data.

pub(crate) mod tables;

use clap::{Args, Subcommand};

use self::tables::DiffArgs;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Look at the versions of data
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) data: Data,
}

/// What can be done with data.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Data {
    /// Show how the content of a table differs between two versions
    #[command(after_help = tables::EXAMPLE)]
    Diff(DiffArgs),
}

/// Carries out `almanac data`.
pub(crate) fn data(ctx: &Context, args: DataArgs) -> Result<ExitStatus, Failure> {
    match args.data {
        Data::Diff(args) => tables::diff(ctx, args),
    }
}
