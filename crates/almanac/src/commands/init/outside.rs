//! A source outside, for a project that is not there yet: what is behind a URL lands, and is looked at like files.
//!
//! Not here: what the columns mean (`inference`).

use std::path::{Path, PathBuf};

use almanac_config::InitOutside;
use almanac_connect::{Lookup, SourceKeys, SourceSpec, SpecError};
use almanac_data::CsvOptions;
use almanac_pipeline::{LandContext, OutsideTable, Project, Silent, land_tables, landed_files};
use almanac_privacy::Redaction;

use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::session::{OrFailPipeline, now_ms, run_failure};

/// Returns the source, if it is none of this machine.
pub(super) fn of(source: &Path, table: Option<&str>) -> Option<InitOutside> {
    let url = source.to_str()?;
    let is_url = url.contains("://") || ["sqlite:", "delta:"].iter().any(|scheme| url.starts_with(scheme)) || url.starts_with("${");
    is_url.then(|| InitOutside { url: url.to_owned(), table: table.map(str::to_owned) })
}

/// Lands the source as the table `data`, where the first run finds it, and returns the files.
///
/// # Errors
/// Exit code 2 for a URL that cannot be used, and those of a run.
pub(super) fn land(ctx: &Context, outside: &InitOutside) -> Result<Vec<PathBuf>, Failure> {
    let keys = SourceKeys { table: outside.table.clone(), ..SourceKeys::of_urls(vec![outside.url.clone()]) };
    let in_our_words = |error: SpecError| match error.key {
        "table" if outside.table.is_none() => SpecError {
            reason: format!("`{}` is a database, and no table of it is named", outside.url),
            hint: Some("name the one with the sales history: `--table NAME`".to_owned()),
            ..error
        },
        _ => error,
    };
    let source = SourceSpec::new(&keys).map_err(in_our_words).or_fail(ExitStatus::Usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    let project = Project::new(ctx.folder());
    let table = OutsideTable { name: "data".to_owned(), source, redaction: Redaction::default(), csv: CsvOptions::default() };
    let context = LandContext {
        lookup: Lookup { variable: &|name| std::env::var(name).ok(), root: ctx.folder() },
        observer: &Silent,
        runtime: runtime.handle(),
        clock: now_ms,
        anew: &[],
        kafka: compose::kafka(),
        keep_loads: None,
    };
    land_tables(&project, std::slice::from_ref(&table), context).map_err(run_failure)?;
    landed_files(&project, &table).map(|landed| landed.current).or_fail_pipeline()
}
