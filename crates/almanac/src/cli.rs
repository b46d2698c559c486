//! The command line as it is typed: the global arguments and one variant per verb.
//!
//! The arguments of a verb lie in its file under `commands/`, beside the function that carries it out.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::commands::{
    access, audit, backtest, check, data, demo, doctor, erase, features, forecast, init, privacy, profile, run, serve, status, tracking,
};
use crate::printer::Verbosity;

const EXAMPLE: &str = "\
Examples:
  almanac demo shop && almanac -C shop serve
  almanac init sales.csv && almanac run && almanac forecast --out forecast.csv";

/// From raw sales history to served, monitored, probabilistic, coherent forecasts
#[derive(Debug, Parser)]
#[command(name = "almanac", version, after_help = EXAMPLE, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Arguments that every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Work in this folder, that of the project
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".", global = true)]
    pub(crate) project: PathBuf,
    /// Threads to use; all cores by default
    #[arg(long, value_name = "N", global = true)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more; twice for a log
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Colour on standard error
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorWhen,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoArgs),
    Init(init::InitArgs),
    Run(run::RunArgs),
    Status(status::StatusArgs),
    Forecast(forecast::ForecastArgs),
    Backtest(backtest::BacktestArgs),
    Audit(audit::AuditArgs),
    Profile(profile::ProfileArgs),
    Check(check::CheckArgs),
    Features(features::FeaturesArgs),
    Data(data::DataArgs),
    Serve(serve::ServeArgs),
    Access(access::AccessArgs),
    Tracking(tracking::TrackingArgs),
    Privacy(privacy::PrivacyArgs),
    Erase(erase::EraseArgs),
    Doctor(doctor::DoctorArgs),
}

impl GlobalArgs {
    /// Returns how much to say.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        }
    }

    /// Returns the filter of the log when the environment gives none.
    pub(crate) fn log_filter(&self) -> &'static str {
        match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0 | 1) => "warn",
            (false, 2) => "info,almanac=debug",
            (false, _) => "debug",
        }
    }
}

impl ColorWhen {
    /// Makes it so for the whole process.
    pub(crate) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
