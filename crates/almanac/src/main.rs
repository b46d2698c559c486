//! The `almanac` binary: reads the command line, hands over to one command, draws its failure, exits with its code.
//!
//! Not here: any work. A command is a file under `commands/`; concrete models and stores are chosen there and passed down.

mod cli;
mod commands;
mod compose;
mod context;
mod coverage;
mod demo;
mod environment;
mod exit;
mod failure;
mod models;
mod printer;
mod privacy;
mod serving;
mod session;
mod xgboost;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, GlobalArgs};
use crate::commands as verb;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    // Versions of data need no LightGBM, and a start of the program less shows there.
    if !matches!(command, Command::Data(_)) {
        environment::sleep_while_waiting();
    }
    global.color.apply();
    start_log(&global);
    let printer = Printer::new(global.verbosity());
    let ctx = Context::new(global.project, global.threads, printer.clone());
    let status = dispatch(&ctx, command).unwrap_or_else(|failure| {
        printer.failure(&failure);
        failure.status()
    });
    status.into()
}

fn dispatch(ctx: &Context, command: Command) -> Result<ExitStatus, Failure> {
    match command {
        Command::Demo(args) => verb::demo::demo(ctx, args),
        Command::Init(args) => verb::init::init(ctx, args),
        Command::Run(args) => verb::run::run(ctx, args),
        Command::Status(args) => verb::status::status(ctx, args),
        Command::Forecast(args) => verb::forecast::forecast(ctx, args),
        Command::Backtest(args) => verb::backtest::backtest(ctx, args),
        Command::Audit(args) => verb::audit::audit(ctx, args),
        Command::Profile(args) => verb::profile::profile(ctx, args),
        Command::Check(args) => verb::check::check(ctx, args),
        Command::Features(args) => verb::features::features(ctx, args),
        Command::Data(args) => verb::data::data(ctx, args),
        Command::Serve(args) => verb::serve::serve(ctx, args),
        Command::Access(args) => verb::access::access(ctx, args),
        Command::Tracking(args) => verb::tracking::tracking(ctx, args),
        Command::Privacy(args) => verb::privacy::privacy(ctx, args),
        Command::Erase(args) => verb::erase::erase(ctx, args),
        Command::Doctor(args) => verb::doctor::doctor(ctx, args),
    }
}

/// Logs to standard error, filtered by the environment or by `-v`.
fn start_log(global: &GlobalArgs) {
    use tracing_subscriber::EnvFilter;

    let filter = EnvFilter::try_from_env(environment::LOG).unwrap_or_else(|_| EnvFilter::new(global.log_filter()));
    let has_colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    // A server goes on when nobody reads its log any more.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colour)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .compact()
        .init();
}
