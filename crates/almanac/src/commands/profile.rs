//! `almanac profile`: what is in a table.

pub(crate) mod words;

use std::path::PathBuf;
use std::time::Instant;

use almanac_data::{TableSpec, expand_source};
use almanac_pipeline::profile_source;
use almanac_profile::{ColumnSummary, ProfileOptions, TableProfile, TableSummary};
use clap::Args;
use serde::Serialize;

use self::words::{bars, clip, count, counted, missing, number};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::{OutputFormat, table};
use crate::privacy;
use crate::session::OrFailPipeline;

const EXAMPLE: &str = "\
Examples:
  almanac profile sales.csv
  almanac profile 'sales/*.parquet' --key store,item
  almanac profile sales.csv --personal email --format json

Bars: numbers from the 1 % to the 99 % quantile, times by period, texts by frequent values.
`≈` is an estimate: distinct values within 3 %, ranks within 1 %. Memory does not grow with rows.";

/// Show what is in a table: types, missing values, distributions, series
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ProfileArgs {
    /// Files, folders or globs that together are one table: CSV, JSON lines, Parquet
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
    /// Form of the profile
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// How to look at tables.
#[derive(Debug, Clone, Args)]
pub(crate) struct LookArgs {
    /// Columns that together name a series
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// Columns of which no value may be shown
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) personal: Vec<String>,
}

impl LookArgs {
    /// Returns what the arguments mean.
    pub(crate) fn options(&self) -> ProfileOptions {
        ProfileOptions { key: self.key.clone(), personal: self.personal.clone(), ..ProfileOptions::default() }
    }
}

#[derive(Debug, Serialize)]
struct Profiled {
    name: String,
    seconds: f64,
    misfits: u64,
    #[serde(flatten)]
    summary: TableSummary,
}

/// Carries out `almanac profile`.
pub(crate) fn profile(ctx: &Context, args: ProfileArgs) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    start_threads(ctx);
    let name = args.paths.join(" ");
    let mut files = Vec::new();
    for pattern in &args.paths {
        files.extend(expand_source(ctx.folder(), pattern).or_fail(ExitStatus::DataInput)?);
    }
    let (profile, misfits) = profile_files(ctx, files, &args.look.options())?;
    let profiled = Profiled { name, seconds: started.elapsed().as_secs_f64(), misfits, summary: profile.summary() };
    if args.format == OutputFormat::Json {
        ctx.printer.json(&profiled)?;
    } else {
        ctx.printer.data(&text(&profiled))?;
    }
    if profiled.misfits > 0 {
        ctx.printer.warning(&format!("{} cells or rows do not fit their column and are not in the profile", profiled.misfits));
    }
    Ok(ExitStatus::Success)
}

/// Starts the threads that `--threads` asks for.
pub(crate) fn start_threads(ctx: &Context) {
    // A second pool in one process is a bug of ours; the first one stays.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(ctx.threads().get()).build_global();
}

/// Profiles files as one table. What is personal in the project is not shown.
pub(crate) fn profile_files(ctx: &Context, paths: Vec<PathBuf>, options: &ProfileOptions) -> Result<(TableProfile, u64), Failure> {
    let redaction = privacy::of_files_looked_at(ctx)?;
    let personal = options.personal.iter().cloned().chain(redaction.names().map(str::to_owned)).collect();
    let spec = TableSpec { name: "table".to_owned(), paths, redaction, ..TableSpec::default() };
    profile_source(&spec, &ProfileOptions { personal, ..options.clone() }).or_fail_pipeline()
}

fn text(profiled: &Profiled) -> String {
    let summary = &profiled.summary;
    let mut text = format!("{}: {}, {}", profiled.name, counted(summary.rows, "row"), counted(summary.columns.len() as u64, "column"));
    if let Some(key) = &summary.key {
        let about = if key.is_exact { "" } else { "≈ " };
        text.push_str(&format!(", {about}{} series by {}", count(key.series), key.columns.join(" and ")));
        if let Some([least, middle, most]) = key.rows_per_series {
            text.push_str(&if least == most {
                format!(" of {} each", counted(least, "row"))
            } else {
                format!(" of {} to {} rows, half of them at least {}", count(least), count(most), count(middle))
            });
        }
        if key.null_rows > 0 {
            text.push_str(&format!("; {} without a key", counted(key.null_rows, "row")));
        }
    }
    text.push_str("\n\n");
    let lines = summary.columns.iter().map(|column| {
        let distinct = column
            .distinct
            .map_or_else(String::new, |distinct| format!("{}{}", if column.distinct_is_exact { "" } else { "≈ " }, count(distinct)));
        [clip(&column.name, 28), clip(&column.data_type, 16), missing(column.missing, column.rows), distinct, picture(column), what(column)]
    });
    text.push_str(&table(["column", "type", "missing", "distinct", "distribution", "what is in it"], &[2, 3], lines));
    text
}

fn picture(column: &ColumnSummary) -> String {
    if let Some(number) = &column.number {
        return bars(&number.bars);
    }
    if let Some(time) = &column.time {
        let rows: Vec<u64> = time.rows.iter().map(|period| period.rows).collect();
        return bars(&words::squeezed(&rows, 20));
    }
    bars(&column.top.iter().map(|value| value.count).collect::<Vec<_>>())
}

fn what(column: &ColumnSummary) -> String {
    let present = column.rows - column.missing;
    if column.kind == "personal" {
        return "personal: not shown".to_owned();
    }
    if present == 0 {
        return if column.rows == 0 { String::new() } else { "nothing".to_owned() };
    }
    if let Some(own) = &column.number {
        let at = |level: u8| own.quantiles.iter().find(|(known, _)| *known == level).map_or(f64::NAN, |(_, value)| *value);
        let mut text = format!(
            "{} to {}, median {}{}, mean {}",
            number(own.min.unwrap_or(f64::NAN)),
            number(own.max.unwrap_or(f64::NAN)),
            if own.is_exact { "" } else { "≈ " },
            number(at(50)),
            number(own.mean.unwrap_or(f64::NAN))
        );
        if let Some(stdev) = own.stdev {
            text.push_str(&format!(" ± {}", number(stdev)));
        }
        for (share, word) in [(own.zero_share, "zero"), (own.negative_share, "negative")] {
            if share > 0.0 {
                text.push_str(&format!(", {} {word}", words::share(share)));
            }
        }
        if own.infinite > 0 {
            text.push_str(&format!(", {} infinite", count(own.infinite)));
        }
        if column.top_error > 0
            && let Some(top) = column.top.first()
        {
            text.push_str(&format!(", often {}", top.value));
        }
        return text;
    }
    if let Some(own) = &column.time {
        let known = |time: &Option<String>| time.clone().unwrap_or_default();
        let unit = own.unit.name();
        let mut text = format!("{} to {}, {}", known(&own.first), known(&own.last), counted(own.periods, unit));
        text.push_str(&match own.empty_periods {
            0 => ", none missing".to_owned(),
            empty => format!(", {} missing", count(empty)),
        });
        let weekdays: Vec<&str> =
            words::WEEKDAYS.into_iter().zip(own.weekdays).filter(|(_, rows)| *rows == 0).map(|(name, _)| name).collect();
        if !weekdays.is_empty() && weekdays.len() <= 3 && own.periods > 14 {
            text.push_str(&format!(", never on {}", weekdays.join(", ")));
        }
        return text;
    }
    let mut parts: Vec<String> = Vec::new();
    let is_telling = column.top.first().is_some_and(|top| top.count * 200 >= present || column.top_error == 0 && present <= 20);
    if is_telling {
        parts.extend(
            column.top.iter().take(3).map(|top| format!("{} {}", clip(&top.value, 24), words::share(top.count as f64 / present as f64))),
        );
    }
    if let Some(own) = &column.text {
        if !is_telling && let Some(shape) = own.shapes.first() {
            parts.push(format!("like {}", clip(&shape.value, 30)));
        }
        let (least, most) = (own.min_length, own.max_length);
        parts.push(if least == most { format!("{least} characters") } else { format!("{least} to {most} characters") });
        for (rows, word) in [(own.blank, "blank"), (own.padded, "with blanks around")] {
            if rows > 0 {
                parts.push(format!("{} {word}", count(rows)));
            }
        }
    }
    parts.join(", ")
}
