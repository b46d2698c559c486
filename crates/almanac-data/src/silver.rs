//! Silver: any long table made into a regular panel, with a reason kept for every row that is not in it.
//!
//! ```text
//! batches ──collect──► rows by series ──grid──► regular rows ──write──► part-00000.parquet …  series.parquet
//!            │   (spilled by hash when many)  │                         quarantine.parquet  panel.json  columns.json
//!            └─ quarantine                    └─ gaps, duplicates, known-ahead rows, by policy
//! ```
//!
//! The output depends on the rows and their order only: not on batch sizes, threads, or whether rows were spilled.
//! Memory: the kept columns of up to [`SPILL_ROWS`] rows, afterwards those of the partitions in flight.
//!
//! Not here: reading a lake ([`crate::read_panel`]), judging it (`checks`), the user's SQL (`query`).

mod collect;
mod columns;
mod error;
mod frequency;
mod grid;
mod local_time;
mod plan;
mod rows;
mod schema;
mod source;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use almanac_series::Freq;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::atomic::StagedDir;

pub(crate) use columns::dated;
pub use error::SilverError;
pub(crate) use local_time::{Utc, Zone};
pub use schema::{ExogColumn, ExogKind, ExogRole, StaticKind, StaticMeta};
pub(crate) use schema::{FORMAT_VERSION, PANEL_FILE, PanelFile, PartitionMeta, SERIES_FILE};
pub(crate) use write::{ds_array, ds_type};
pub use write::{partition_of, static_field};

/// Rows held in memory before they are spilled to disk by partition.
pub const SPILL_ROWS: usize = 8_000_000;

/// Rejected rows of a silver folder, see [`crate::read_quarantine`].
pub const QUARANTINE_FILE: &str = "quarantine.parquet";

/// What a gap in a series means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapPolicy {
    /// No row, no sale: 0, and it counts ([`almanac_series::RowStatus::Filled`]).
    #[default]
    Zero,
    /// The value is unknown.
    Missing,
    /// Not open for trade: 0, and it does not count.
    Closed,
    /// The last value goes on ([`almanac_series::RowStatus::Filled`]).
    Forward,
    /// There must be none.
    Error,
}

/// What two different rows for the same series and period mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicatePolicy {
    /// There must be none.
    #[default]
    Error,
    /// Targets add up; numbers beside them are averaged, flags set if any is, texts taken from the first row.
    Sum,
    /// Like `Sum`, but targets are averaged.
    Mean,
    /// The first row in the order of the input holds.
    First,
    /// The last row in the order of the input holds.
    Last,
}

/// What a negative target means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NegativePolicy {
    /// A value like any other (returns exceeded sales).
    #[default]
    Keep,
    /// An error of the source: the row goes to quarantine and leaves a gap.
    Quarantine,
    /// Read as 0.
    Clip,
}

/// Which columns of the input mean what, and the policies of its flaws.
#[derive(Debug, Clone, PartialEq)]
pub struct SilverSpec {
    /// Columns whose texts, joined by `/`, are the `unique_id`. None: a single series named after the target.
    pub id: Vec<String>,
    /// Timestamp, date, ISO text or integer step.
    pub time: String,
    /// What is forecast.
    pub target: String,
    /// Spacing of the rows; `None` infers it.
    pub freq: Option<Freq>,
    /// IANA zone of naive local times, which are then turned into UTC. Only for frequencies below a day.
    pub timezone: Option<String>,
    /// What a gap means.
    pub gaps: GapPolicy,
    /// What a repeated key means. Rows that are the same in every column named here always collapse into one.
    pub duplicates: DuplicatePolicy,
    /// What a negative target means.
    pub negatives: NegativePolicy,
    /// Column that is false or 0 where a stock-out cut demand.
    pub in_stock: Option<String>,
    /// Columns known up to the cutoff only.
    pub historic: Vec<String>,
    /// Columns known ahead.
    pub future: Vec<String>,
    /// Attributes of a series beside its id columns.
    pub statics: Vec<String>,
    /// Known-ahead rows after the end of each series.
    pub horizon: usize,
    /// Input rows per output partition, about.
    pub target_rows_per_partition: usize,
    /// Rows held in memory before spilling.
    pub spill_rows: usize,
}

impl Default for SilverSpec {
    fn default() -> Self {
        Self {
            id: Vec::new(),
            time: "ds".into(),
            target: "y".into(),
            freq: None,
            timezone: None,
            gaps: GapPolicy::default(),
            duplicates: DuplicatePolicy::default(),
            negatives: NegativePolicy::default(),
            in_stock: None,
            historic: Vec::new(),
            future: Vec::new(),
            statics: Vec::new(),
            horizon: 1,
            target_rows_per_partition: 1_000_000,
            spill_rows: SPILL_ROWS,
        }
    }
}

/// How a known-ahead column ends, and how the rows after that were filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FutureFill {
    /// The column.
    pub column: String,
    /// `last value`, `zero` or `most frequent`.
    pub rule: String,
    /// Future rows that were filled.
    pub rows: u64,
    /// Series that have such a row.
    pub series: u64,
    /// Label of the newest period for which any series has a value.
    pub known_until: Option<String>,
}

/// An attribute that changes within a series. The first value was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticConflict {
    /// The column.
    pub column: String,
    /// Rows that say otherwise than the first one of their series.
    pub rows: u64,
    /// One series concerned.
    pub example: String,
}

/// What became of the rows of the input.
///
/// Every row is in exactly one of `rows_kept`, `rows_collapsed`, `rows_merged`, `rows_outside`, `rows_quarantined`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SilverReport {
    /// Spacing, as an alias.
    pub freq: String,
    /// Whether the spacing was inferred.
    pub freq_inferred: bool,
    /// Rows of both inputs.
    pub rows_in: u64,
    /// Rows that gave a row of the panel its values.
    pub rows_kept: u64,
    /// Rows identical to another one in every column.
    pub rows_collapsed: u64,
    /// Rows merged into another one of the same key and period.
    pub rows_merged: u64,
    /// Known-ahead rows before the start of their series or after its last future row.
    pub rows_outside: u64,
    /// Rows left out, see [`QUARANTINE_FILE`].
    pub rows_quarantined: u64,
    /// `rows_quarantined` by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Rows whose timestamp was not a label of the frequency and was put into its period.
    pub rows_off_grid: u64,
    /// Negative targets read as 0.
    pub rows_clipped: u64,
    /// Infinite values in columns beside the target, read as missing.
    pub values_not_finite: u64,
    /// Rows of history written.
    pub panel_rows: u64,
    /// Known-ahead rows written.
    pub future_rows: u64,
    /// Gaps filled by policy, trailing ones included.
    pub gap_rows: u64,
    /// Rows in stock-out.
    pub censored_rows: u64,
    /// Rows of history without a target, by the source's own words.
    pub missing_rows: u64,
    /// Series written.
    pub series: u64,
    /// Series short of two seasons.
    pub series_new: u64,
    /// Series that ended before the panel.
    pub series_discontinued: u64,
    /// Label of the first period of any series.
    pub first: Option<String>,
    /// Label of the last observed period of any series.
    pub last: Option<String>,
    /// Partitions written.
    pub partitions: usize,
    /// Whether rows were spilled to disk on the way.
    pub spilled: bool,
    /// Known-ahead columns that end before the future rows do.
    pub future_fills: Vec<FutureFill>,
    /// Attributes that change within a series.
    pub static_conflicts: Vec<StaticConflict>,
}

/// Builds the silver folder `out_dir` from a table in any order and, if given, the rows known ahead without a target.
///
/// Columns named `_file` and `_row`, where the input has them, say in the quarantine where a row came from.
///
/// # Errors
/// [`SilverError`]; nothing is left at `out_dir` then but what was there before.
pub async fn build_silver(
    input: SendableRecordBatchStream,
    future_input: Option<SendableRecordBatchStream>,
    spec: SilverSpec,
    out_dir: &Path,
) -> Result<SilverReport, SilverError> {
    let building = StagedDir::new(out_dir).map_err(|source| SilverError::io(out_dir, source))?;
    let mut collector = collect::Collector::new(spec, building.path())?;

    // Decoding and collecting overlap: the stream runs here, the collector on a thread of its own.
    let inputs = [(Some(input), false), (future_input, true)];
    for (stream, ahead) in inputs {
        let Some(mut stream) = stream else { continue };
        let schema = stream.schema();
        let (send, mut receive) = tokio::sync::mpsc::channel(4);
        let worker = tokio::task::spawn_blocking(move || -> Result<_, SilverError> {
            let mut collector: collect::Collector = collector;
            let source = collector.open(&schema, ahead)?;
            while let Some(batch) = receive.blocking_recv() {
                collector.push(&source, &batch)?;
            }
            Ok(collector)
        });
        let mut failed = None;
        while let Some(batch) = stream.next().await {
            match batch {
                // A closed channel means that the collector has failed; its error is taken below.
                Ok(batch) => {
                    if send.send(batch).await.is_err() {
                        break;
                    }
                }
                Err(source) => {
                    failed = Some(SilverError::Input { source: Box::new(source) });
                    break;
                }
            }
        }
        drop(send);
        collector = worker.await.expect("the collector does not panic")?;
        if let Some(failed) = failed {
            return Err(failed);
        }
    }

    let target = out_dir.to_owned();
    tokio::task::spawn_blocking(move || {
        let report = write::write_silver(collector, building.path())?;
        building.commit().map_err(|source| SilverError::io(&target, source))?;
        Ok(report)
    })
    .await
    .expect("the writer does not panic")
}
