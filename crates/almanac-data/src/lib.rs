//! Tables of Almanac: sources into bronze, bronze into silver, the checks between them, the forecast table.
//!
//! Not here: models, features, the order in which things run (`almanac-pipeline`).

mod atomic;
mod fold_file;
mod forecasts;
mod infer;
mod ingest;
mod issued;
mod lake;
mod quarantine;
mod query;
mod sheet;
mod silver;
mod sketch;
mod whole;

pub use atomic::{StagedDir, sync_dir, write_atomically, write_bytes};
pub use fold_file::{read_forecast, write_forecast};
pub use forecasts::{
    CutoffFilter, ExportFormat, ForecastFilter, ForecastIssue, ForecastTableError, IssueInfo, append_forecast, export_forecasts,
    forecast_batch, list_issues, read_forecasts, write_csv, write_json, write_parquet,
};
pub use infer::{Answers, GapAnswer, InferProjectError, Inference, InferredTable, Personal, Question, Reason, infer_gaps, infer_project};
pub use ingest::{
    ColumnKind, ColumnReport, CsvOptions, DayOrder, FILE_COLUMN, FileReport, IngestError, IngestReport, MAX_COLUMNS, Quarantined,
    ROW_COLUMN, SourceFormat, TableSpec, expand_source, hide_file, ingest_table, nearest, on_disk, scan_table,
};
pub use issued::{ForecastTable, issue_of, read_issued};
pub use lake::{
    GoldInfo, LakeError, PartitionInfo, gold_path, list_partitions, read_exog_columns, read_gold, read_gold_info, read_panel,
    read_partition, read_silver_report, write_gold,
};
pub use quarantine::{QuarantineEntry, QuarantineWriter, QuarantinedRow, read_quarantine};
pub use query::{Bronze, QueryError, QueryLimits, open_bronze, open_files};
pub use sheet::{Cell, Sheet};
pub use silver::{
    DuplicatePolicy, ExogColumn, ExogKind, ExogRole, FutureFill, GapPolicy, NegativePolicy, QUARANTINE_FILE, SPILL_ROWS, SilverError,
    SilverReport, SilverSpec, StaticConflict, StaticKind, StaticMeta, build_silver, partition_of, static_field,
};
pub use sketch::{ColumnSketch, SKETCH_ROWS, TableSketch, sketch_table};
pub use whole::{WholeTable, read_table};
