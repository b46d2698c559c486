//! `almanac data diff --tables`: how the content of tables differs between two versions.

mod text;
mod versions;

use std::path::PathBuf;

use almanac_data::expand_source;
use almanac_pipeline::Project;
use almanac_profile::{Drift, DriftOptions, Method, ProfileOptions, ProfileStore, TableProfile, compare};
use almanac_series::Hint;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::DiffArgs;
use crate::commands::profile::{LookArgs, profile_files, start_threads};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};

/// Shown under the help.
pub(super) const EXAMPLE: &str = "\
Examples:
  almanac data diff v1 v2 --show-hash                    # tracked files between two revisions
  almanac data diff --tables                             # each table against its version before
  almanac data diff --tables silver@3f2a91 silver        # a kept version against the newest
  almanac data diff --tables old.csv new.csv --key store,item
  almanac data diff --tables HEAD~1:sales.csv sales.csv  # as committed, or as its .dvc file says

Tests and limits are Evidently's. Up to 1,000 rows: Kolmogorov-Smirnov, chi-square or z-test, p of
5 %. Beyond: Wasserstein distance over the standard deviation, or Jensen-Shannon distance, from 0.1,
or from what chance alone gives where that is more. Columns that name rows have no test.
Exit code 5 if a table drifted and --fail-on-drift is given.";

/// Bytes of both tables up to which every value is counted.
const AT_HAND: u64 = 256 << 20;

/// How to compare the content of tables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "With --tables")]
pub(super) struct ContentArgs {
    /// Only this table of the project
    #[arg(long, value_name = "NAME", conflicts_with = "old", requires = "tables")]
    table: Option<String>,
    #[command(flatten)]
    look: LookArgs,
    /// The test of every column, instead of the one that suits it
    #[arg(long, value_name = "TEST")]
    method: Option<MethodArg>,
    /// From where a test counts as drift, instead of its own limit
    #[arg(long, value_name = "NUMBER")]
    threshold: Option<f64>,
    /// Share of the columns that must drift for the table to have drifted
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    share: f64,
    /// Exit code 5 if a table drifted
    #[arg(long)]
    fail_on_drift: bool,
}

/// Tests by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodArg {
    Psi,
    Ks,
    ChiSquare,
    Wasserstein,
    JensenShannon,
}

/// Two versions of a table and how they differ.
#[derive(Debug, Serialize)]
struct Diff {
    table: String,
    before: String,
    after: String,
    #[serde(flatten)]
    drift: Drift,
}

#[derive(Debug, thiserror::Error)]
enum DiffError {
    #[error("one table alone cannot be compared")]
    OneSide,
    #[error("there are no two versions of a table to compare")]
    NoVersions,
    #[error("there is no version `{version}` of table `{table}`")]
    NoVersion { table: String, version: String, versions: Vec<String> },
    #[error("there is no table `{table}` with profiles in this project")]
    NoTable { table: String, tables: Vec<String> },
    #[error("a share is between 0 and 1, not {share}")]
    Share { share: f64 },
}

impl Hint for DiffError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::OneSide => "name two, or none for the last two versions of each table of the project".to_owned(),
            Self::NoVersions => "every `almanac run` on changed data keeps one; two files can be compared by naming them".to_owned(),
            Self::NoVersion { versions, .. } => format!("there are {}", versions.join(", ")),
            Self::NoTable { tables, .. } if tables.is_empty() => "`almanac run` makes them".to_owned(),
            Self::NoTable { tables, .. } => format!("there are {}", tables.join(", ")),
            Self::Share { .. } => "leave it out for 0.5, as Evidently".to_owned(),
        })
    }
}

/// Carries out `almanac data diff --tables`.
pub(super) fn diff(ctx: &Context, args: &DiffArgs) -> Result<ExitStatus, Failure> {
    let content = &args.content;
    if !(0.0..=1.0).contains(&content.share) {
        return Err(Failure::new(ExitStatus::Usage, DiffError::Share { share: content.share }));
    }
    start_threads(ctx);
    let options = drift_options(content);
    let diffs = match (&args.old, &args.new) {
        (Some(before), Some(after)) => vec![of_two(ctx, before, after, content, &options)?],
        (None, None) => of_project(ctx, content.table.as_deref(), &options)?,
        _ => return Err(Failure::new(ExitStatus::Usage, DiffError::OneSide)),
    };
    if args.format.is_json() {
        ctx.printer.json(&diffs)?;
    } else {
        let texts: Vec<String> = diffs.iter().map(|diff| text::text(&diff.table, &diff.before, &diff.after, &diff.drift)).collect();
        ctx.printer.data(&texts.join("\n"))?;
    }
    let is_drift = diffs.iter().any(|diff| diff.drift.verdict.is_drift);
    Ok(if is_drift && content.fail_on_drift { ExitStatus::DataCheck } else { ExitStatus::Success })
}

fn drift_options(args: &ContentArgs) -> DriftOptions {
    let (number_method, category_method) = match args.method {
        None => (None, None),
        Some(MethodArg::Psi) => (Some(Method::Psi), Some(Method::Psi)),
        Some(MethodArg::JensenShannon) => (Some(Method::JensenShannon), Some(Method::JensenShannon)),
        // Categories have no order: the tests that need one leave them to their own.
        Some(MethodArg::Ks) => (Some(Method::Ks), None),
        Some(MethodArg::Wasserstein) => (Some(Method::Wasserstein), None),
        Some(MethodArg::ChiSquare) => (None, Some(Method::ChiSquare)),
    };
    DriftOptions { number_method, category_method, threshold: args.threshold, share: args.share, ..DriftOptions::default() }
}

fn of_project(ctx: &Context, only: Option<&str>, options: &DriftOptions) -> Result<Vec<Diff>, Failure> {
    let store = ProfileStore::new(Project::new(ctx.folder()).profiles());
    let tables = store.tables().or_fail(ExitStatus::Io)?;
    if let Some(table) = only.filter(|only| !tables.iter().any(|table| table == only)) {
        return Err(Failure::new(ExitStatus::Usage, DiffError::NoTable { table: table.to_owned(), tables }));
    }
    let mut diffs = Vec::new();
    for table in tables.into_iter().filter(|table| only.is_none_or(|only| only == table)) {
        let mut newest = store.newest(&table, 2).or_fail(ExitStatus::Io)?;
        if let (Some(after), Some(before)) = (newest.pop(), newest.pop()) {
            let drift = compare(&before.profile, &after.profile, options);
            let name = |version: &str| format!("{table}@{version}");
            diffs.push(Diff { before: name(&before.line.version), after: name(&after.line.version), table, drift });
        }
    }
    if diffs.is_empty() { Err(Failure::new(ExitStatus::Usage, DiffError::NoVersions)) } else { Ok(diffs) }
}

fn of_two(ctx: &Context, before: &str, after: &str, args: &ContentArgs, options: &DriftOptions) -> Result<Diff, Failure> {
    let sides = [side(ctx, before)?, side(ctx, after)?];
    let bytes: u64 = sides.iter().flat_map(Side::files).map(|path| path.metadata().map_or(0, |meta| meta.len())).sum();
    let mut look = args.look.options();
    if bytes <= AT_HAND {
        look = ProfileOptions { exact_values: ProfileOptions::at_hand().exact_values, ..look };
    }
    let [old, new] = sides;
    let (old, new) = (old.profile(ctx, before, &look)?, new.profile(ctx, after, &look)?);
    Ok(Diff { table: after.to_owned(), before: before.to_owned(), after: after.to_owned(), drift: compare(&old, &new, options) })
}

/// One side of a comparison.
enum Side {
    /// A kept profile.
    Kept(Box<TableProfile>),
    /// Files, and the folder that holds copies of them as long as they are needed.
    Files(Vec<PathBuf>, Option<tempfile::TempDir>),
}

impl Side {
    fn files(&self) -> &[PathBuf] {
        match self {
            Self::Kept(_) => &[],
            Self::Files(files, _) => files,
        }
    }

    fn profile(self, ctx: &Context, name: &str, look: &ProfileOptions) -> Result<TableProfile, Failure> {
        match self {
            Self::Kept(profile) => Ok(*profile),
            Self::Files(files, _copies) => {
                let (profile, misfits) = profile_files(ctx, files, look)?;
                if misfits > 0 {
                    ctx.printer.warning(&format!("{misfits} cells or rows of `{name}` do not fit their column and are not compared"));
                }
                Ok(profile)
            }
        }
    }
}

fn side(ctx: &Context, given: &str) -> Result<Side, Failure> {
    if let Some(kept) = kept(ctx, given)? {
        return Ok(Side::Kept(Box::new(kept)));
    }
    if !ctx.path(given.as_ref()).exists()
        && let Some((revision, path)) = given.split_once(':').filter(|(revision, _)| revision.len() > 1 && !given.contains("://"))
    {
        let (files, copies) = versions::checkout(ctx.folder(), revision, path).or_fail(ExitStatus::DataInput)?;
        return Ok(Side::Files(files, Some(copies)));
    }
    Ok(Side::Files(expand_source(ctx.folder(), given).or_fail(ExitStatus::DataInput)?, None))
}

/// A kept profile named `TABLE@VERSION`, or `TABLE` for its newest; files go before.
fn kept(ctx: &Context, given: &str) -> Result<Option<TableProfile>, Failure> {
    if ctx.path(given.as_ref()).exists() {
        return Ok(None);
    }
    let store = ProfileStore::new(Project::new(ctx.folder()).profiles());
    let tables = store.tables().or_fail(ExitStatus::Io)?;
    let (table, version) = given.split_once('@').map_or((given, None), |(table, version)| (table, Some(version)));
    if !tables.iter().any(|known| known == table) {
        return Ok(None);
    }
    let lines = store.versions(table).or_fail(ExitStatus::Io)?;
    let line = match version {
        None => lines.last(),
        Some(version) => lines.iter().rev().find(|line| !version.is_empty() && line.version.starts_with(version)),
    };
    let Some(line) = line else {
        let versions = lines.iter().map(|line| line.version.clone()).collect();
        let (table, version) = (table.to_owned(), version.unwrap_or_default().to_owned());
        return Err(Failure::new(ExitStatus::Usage, DiffError::NoVersion { table, version, versions }));
    };
    store.read(table, &line.version).or_fail(ExitStatus::Io).map(Some)
}
