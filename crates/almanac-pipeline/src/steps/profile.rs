//! Profiles: what is in each version of a bronze table and of the panel, kept so that versions can be compared later.

use std::fs;
use std::path::PathBuf;

use almanac_data::{FILE_COLUMN, ROW_COLUMN, list_partitions};
use almanac_profile::{ProfileOptions, ProfileStore, VersionLine, profile_parquet};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;

/// Profiles a bronze table. Its key is the columns of the series, if the table has them all.
pub(crate) fn bronze(ctx: Context<'_>, table: &str, version: &Fingerprint, now: i64) -> Result<Made<VersionLine>, RunError> {
    let folder = ctx.project.bronze().join(table);
    let files = || {
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|error| PipelineError::state(&folder, error))? {
            let path = entry.map_err(|error| PipelineError::state(&folder, error))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("part-") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    };
    make(ctx, &format!("bronze.{table}"), version, &ctx.settings.silver.id, now, files)
}

/// Profiles the panel.
pub(crate) fn silver(ctx: Context<'_>, version: &Fingerprint, now: i64) -> Result<Made<VersionLine>, RunError> {
    let key = ["unique_id".to_owned()];
    make(ctx, "silver", version, &key, now, || {
        Ok(list_partitions(&ctx.project.silver())?.into_iter().map(|partition| partition.path).collect())
    })
}

fn make(
    ctx: Context<'_>,
    table: &str,
    version: &Fingerprint,
    key: &[String],
    now: i64,
    files: impl FnOnce() -> Result<Vec<PathBuf>, PipelineError>,
) -> Result<Made<VersionLine>, RunError> {
    let asset = format!("profile/{table}");
    let store = ProfileStore::new(ctx.project.profiles());
    let settings = ctx.settings;
    let mut personal = settings.hidden.clone();
    if settings.silver.id.iter().any(|column| personal.iter().any(|name| name.eq_ignore_ascii_case(column))) {
        personal.push("unique_id".to_owned());
    }
    let fingerprint = Fingerprint::of(&asset, REVISION)
        .input(version)
        .config("key", &format!("{key:?}"))
        .config("personal", &format!("{personal:?}"))
        .finish();
    let out = ctx.project.profiles().join(table).join(format!("{}.json", version.short()));
    ctx.assets.get_or_make(&asset, fingerprint, &[out], || {
        let files = files()?;
        let options =
            ProfileOptions { personal, leave_out: vec![FILE_COLUMN.to_owned(), ROW_COLUMN.to_owned()], ..ProfileOptions::default() };
        let with_key = ProfileOptions { key: key.to_vec(), ..options.clone() };
        let profile = match profile_parquet(&files, &with_key) {
            // A table of prices or of calendar days names no series.
            Err(almanac_profile::ProfileError::NoColumn { .. }) => profile_parquet(&files, &options)?,
            other => other?,
        };
        // What earlier versions show was not personal then.
        let forgotten = store.forget(table, &|column| with_key.is_personal(column))?;
        if forgotten > 0 {
            tracing::info!(table, forgotten, "profiles of earlier versions show what is personal now and are removed");
        }
        let line = VersionLine { version: version.short().to_owned(), kept_at: now, rows: profile.rows };
        store.keep(table, &line.version, now, &profile)?;
        Ok(line)
    })
}
