//! `almanac doctor`: looks at the machine, the libraries and the project, and says what to do about what is wrong.

mod machine;
mod personal;
mod project;

use clap::Args;
pub(crate) use machine::memory_bytes;
use serde::Serialize;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};

const EXAMPLE: &str = "\
Examples:
  almanac doctor
  almanac -C shop doctor --format json

Succeeds unless a line says `fail`.";

/// Check the machine, the libraries and the project
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct DoctorArgs {
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// How a thing that was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    check: &'static str,
    health: Health,
    found: String,
    /// What to do; nothing if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// Exit code of the command if this line fails.
    #[serde(skip)]
    status: ExitStatus,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, health: Health::Ok, found: found.into(), advice: None, status: ExitStatus::Success }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, health: Health::Warn, found: found.into(), advice: Some(advice.into()), status: ExitStatus::Success }
    }

    fn fail(check: &'static str, status: ExitStatus, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, health: Health::Fail, found: found.into(), advice: Some(advice.into()), status }
    }
}

/// Carries out `almanac doctor`. The exit code is that of the first line that fails.
pub(crate) fn doctor(ctx: &Context, args: DoctorArgs) -> Result<ExitStatus, Failure> {
    let mut findings = machine::look(ctx);
    findings.extend(project::look(ctx));
    match args.format {
        OutputFormat::Json => ctx.printer.json(&findings)?,
        OutputFormat::Text => {
            let rows = findings.iter().map(|finding| {
                let health = match finding.health {
                    Health::Ok => "ok",
                    Health::Warn => "warn",
                    Health::Fail => "fail",
                };
                [health.to_owned(), finding.check.to_owned(), finding.found.clone()]
            });
            ctx.printer.data(&table(["", "check", "found"], &[], rows))?;
            for finding in &findings {
                if let Some(advice) = &finding.advice {
                    ctx.printer.data(&format!("\n{}: {advice}\n", finding.check))?;
                }
            }
        }
    }
    let failed = findings.iter().find(|finding| finding.health == Health::Fail);
    Ok(failed.map_or(ExitStatus::Success, |finding| finding.status))
}
