//! The profile of source files of any format that can be read.
//!
//! Parquet is read column by column in parallel; text formats are typed as they would be in bronze, and streamed.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use almanac_data::{TableSpec, scan_table};
use almanac_profile::{ProfileError, ProfileOptions, Profiler, TableProfile, profile_parquet};

use crate::PipelineError;

/// Profiles files as one table; also returns how many cells or rows did not fit and are not in it.
///
/// # Errors
/// [`PipelineError::Ingest`] for files that cannot be read, [`PipelineError::Profile`] for a key that is not there.
pub fn profile_source(spec: &TableSpec, options: &ProfileOptions) -> Result<(TableProfile, u64), PipelineError> {
    if !spec.paths.is_empty() && spec.paths.iter().all(|path| begins_as_parquet(path)) {
        return Ok((profile_parquet(&spec.paths, options)?, 0));
    }
    let mut profiler: Option<Profiler> = None;
    let mut failed: Option<ProfileError> = None;
    let misfits = scan_table(spec, |batch| {
        let done = match &mut profiler {
            Some(profiler) => profiler.update(&batch),
            None => Profiler::new(batch.schema(), options).and_then(|mut new| {
                new.update(&batch)?;
                profiler = Some(new);
                Ok(())
            }),
        };
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match (failed, profiler) {
        (Some(error), _) => Err(error.into()),
        (None, Some(profiler)) => Ok((profiler.finish(), misfits)),
        (None, None) => Err(ProfileError::Nothing.into()),
    }
}

pub(crate) fn begins_as_parquet(path: &Path) -> bool {
    let mut head = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"PAR1"
}
