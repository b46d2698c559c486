//! The user's SQL over bronze.
//!
//! Every table of bronze is there under its name; identifiers keep their case, so that `Store` needs no quotes, and a column is also
//! found where only the case differs (in hints). Types are the few that bronze knows: `BIGINT`, `DOUBLE`, `VARCHAR`, `BOOLEAN` and
//! `TIMESTAMP` in microseconds. Only `SELECT` runs: no statement can write a file or change a table.
//!
//! Not here: which tables there are (`ingest`), what the result means (`silver`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_series::Hint;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{Expr, LogicalPlan, cast, ident};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;

use crate::ingest::{FILE_COLUMN, ROW_COLUMN, is_canonical, kind_of, nearest};

/// How much of the machine queries may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Memory of sorts, joins and aggregations in bytes; what needs more goes to disk.
    pub memory: usize,
    /// Partitions worked on at a time.
    pub threads: usize,
}

impl Default for QueryLimits {
    /// 2 GiB and 2 threads.
    fn default() -> Self {
        Self { memory: 2 << 30, threads: 2 }
    }
}

/// Why SQL over bronze did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A table that was never brought in.
    #[error("table `{table}` is not in `{}`", bronze.display())]
    NoTable {
        /// The table.
        table: String,
        /// The folder of bronze.
        bronze: PathBuf,
    },
    /// SQL that does not parse, or names what is not there.
    #[error("the SQL is not valid: {message}")]
    Invalid {
        /// What is wrong, and where.
        message: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// A statement other than `SELECT`.
    #[error("only SELECT is allowed in `sql`: {message}")]
    NotSelect {
        /// What was refused.
        message: String,
    },
    /// The query failed while running.
    #[error("the SQL failed: {message}")]
    Failed {
        /// What the engine says.
        message: String,
    },
}

impl Hint for QueryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoTable { .. } => Some("tables are those of `[data.tables]`; `almanac run` brings them in".into()),
            Self::Invalid { near, .. } => near
                .as_ref()
                .map(|near| format!("did you mean {near}?"))
                .or_else(|| Some("identifiers keep their case; put those with blanks in double quotes".into())),
            Self::NotSelect { .. } => Some("write one SELECT that yields the table; the results are stored for you".into()),
            Self::Failed { message } if message.contains("Resources exhausted") => {
                Some("raise `[run] memory` or lower the number of threads".into())
            }
            Self::Failed { .. } => None,
        }
    }
}

/// The tables of bronze, ready for SQL.
#[derive(Clone)]
pub struct Bronze {
    context: SessionContext,
    tables: Vec<(String, Vec<String>)>,
    folder: PathBuf,
}

impl std::fmt::Debug for Bronze {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bronze").field("folder", &self.folder).field("tables", &self.tables).finish_non_exhaustive()
    }
}

/// Opens the named tables of `bronze_dir` for SQL.
///
/// # Errors
/// [`QueryError::NoTable`] if one is missing.
pub async fn open_bronze(bronze_dir: &Path, tables: &[String], limits: &QueryLimits) -> Result<Bronze, QueryError> {
    let mut bronze = Bronze { context: session(limits)?, tables: Vec::new(), folder: bronze_dir.to_owned() };
    for table in tables {
        let frame = bronze.frame(table, false).await?;
        bronze.register(table, frame)?;
    }
    Ok(bronze)
}

/// Opens tables for SQL, each by its name and its Parquet files in order.
///
/// # Errors
/// [`QueryError::Failed`] if a file cannot be read.
pub async fn open_files(tables: &[(String, Vec<PathBuf>)], limits: &QueryLimits) -> Result<Bronze, QueryError> {
    let mut bronze = Bronze { context: session(limits)?, tables: Vec::new(), folder: PathBuf::new() };
    for (table, files) in tables {
        let files: Vec<String> = files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let frame = bronze.context.read_parquet(files, ParquetReadOptions::default()).await.map_err(failed)?;
        bronze.register(table, frame)?;
    }
    Ok(bronze)
}

fn session(limits: &QueryLimits) -> Result<SessionContext, QueryError> {
    let mut config = SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.pushdown_filters = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(limits.memory.max(64 << 20)))).build_arc().map_err(failed)?;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

impl Bronze {
    fn register(&mut self, table: &str, frame: DataFrame) -> Result<(), QueryError> {
        let columns = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
        let name = datafusion::common::TableReference::bare(table);
        self.context.register_table(name, frame.into_view()).map_err(failed)?;
        self.tables.push((table.to_owned(), columns));
        Ok(())
    }

    /// Runs one `SELECT`, and returns how many rows there are with the first of them.
    ///
    /// # Errors
    /// As [`Bronze::sql`].
    pub async fn count(&self, sql: &str, shown: usize) -> Result<(u64, Vec<RecordBatch>), QueryError> {
        let mut stream = self.sql(sql).await?;
        let (mut rows, mut first, mut room) = (0, Vec::new(), shown);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            rows += batch.num_rows() as u64;
            let taken = room.min(batch.num_rows());
            if taken > 0 {
                first.push(batch.slice(0, taken));
                room -= taken;
            }
        }
        Ok((rows, first))
    }

    /// Runs one `SELECT`; nothing is read before the stream is polled.
    ///
    /// # Errors
    /// [`QueryError`] if it is no `SELECT`, does not parse or names what is not there.
    pub async fn sql(&self, sql: &str) -> Result<SendableRecordBatchStream, QueryError> {
        self.plan(sql).await?.execute_stream().await.map_err(failed)
    }

    /// Runs one `SELECT` and returns its whole answer, which may take so many bytes.
    ///
    /// # Errors
    /// As [`Bronze::sql`], and [`QueryError::Failed`] for a greater answer.
    pub async fn answer(&self, sql: &str, most_bytes: usize) -> Result<(SchemaRef, Vec<RecordBatch>), QueryError> {
        let mut stream = self.sql(sql).await?;
        let (mut batches, mut bytes) = (Vec::new(), 0_usize);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            bytes += batch.get_array_memory_size();
            if bytes > most_bytes {
                return Err(QueryError::Failed {
                    message: format!("Resources exhausted: the answer takes more than {} MiB", most_bytes >> 20),
                });
            }
            batches.push(batch);
        }
        Ok((stream.schema(), batches))
    }

    /// Returns the columns that a `SELECT` would yield, without running it.
    ///
    /// # Errors
    /// As [`Bronze::sql`].
    pub async fn schema(&self, sql: &str) -> Result<SchemaRef, QueryError> {
        Ok(self.plan(sql).await?.schema().inner().clone())
    }

    /// Streams a whole table, with the columns `_file` and `_row` where its source was text.
    ///
    /// # Errors
    /// [`QueryError::NoTable`] if it is not there.
    pub async fn scan(&self, table: &str) -> Result<SendableRecordBatchStream, QueryError> {
        self.frame(table, true).await?.execute_stream().await.map_err(failed)
    }

    /// Returns the names of the tables and of their columns.
    pub fn tables(&self) -> &[(String, Vec<String>)] {
        &self.tables
    }

    async fn plan(&self, sql: &str) -> Result<DataFrame, QueryError> {
        let allowed = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql.trim().trim_end_matches(';'), allowed).await.map_err(|error| self.explain(&error))?;
        match frame.logical_plan() {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => {
                Err(QueryError::NotSelect { message: "it tells of a query instead of being one".into() })
            }
            _ => Ok(frame),
        }
    }

    async fn frame(&self, table: &str, with_origin: bool) -> Result<DataFrame, QueryError> {
        let missing = || QueryError::NoTable { table: table.to_owned(), bronze: self.folder.clone() };
        let mut parts: Vec<String> = std::fs::read_dir(self.folder.join(table))
            .map_err(|_| missing())?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-")))
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        parts.sort();
        if parts.is_empty() {
            return Err(missing());
        }
        let frame = self.context.read_parquet(parts, ParquetReadOptions::default()).await.map_err(failed)?;
        let columns: Vec<Expr> =
            frame.schema().fields().iter().filter_map(|field| column(field.name(), field.data_type(), with_origin)).collect();
        frame.select(columns).map_err(failed)
    }

    /// Turns an error of the planner into what the user can act on.
    fn explain(&self, error: &DataFusionError) -> QueryError {
        let message = short(error);
        if message.contains("not supported: ") || message.contains("not allowed") || message.contains("only supports a single") {
            return QueryError::NotSelect { message };
        }
        let near = missing_name(&message).and_then(|(name, is_table)| {
            if is_table {
                nearest(&name, self.tables.iter().map(|(table, _)| table.as_str())).map(|near| format!("`{near}`"))
            } else {
                let all = self.tables.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
                let found = nearest(&name, all.clone().map(|(_, column)| column.as_str()))?;
                let (table, _) = all.clone().find(|(_, column)| **column == found)?;
                Some(format!("`{found}` of `{table}`"))
            }
        });
        QueryError::Invalid { message, near }
    }
}

/// Brings a column to a type of bronze; `None` leaves it out.
fn column(name: &str, data_type: &DataType, with_origin: bool) -> Option<Expr> {
    if name == FILE_COLUMN || name == ROW_COLUMN {
        return with_origin.then(|| ident(name));
    }
    let kind = kind_of(data_type)?;
    if is_canonical(data_type) {
        return Some(ident(name));
    }
    Some(cast(ident(name), crate::ingest::arrow_type(kind)).alias(name))
}

fn failed(error: DataFusionError) -> QueryError {
    QueryError::Failed { message: short(&error) }
}

/// The innermost message on one line, without the engine's prefixes.
fn short(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let prefixes = [
        "SQL error: ",
        "Error during planning: ",
        "Schema error: ",
        "Diagnostic error: ",
        "Arrow error: ",
        "External error: ",
        "Execution error: ",
        "This feature is not implemented: ",
    ];
    let mut rest = line.as_str();
    while let Some(cut) = prefixes.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = cut;
    }
    let rest = rest.strip_prefix("ParserError(\"").and_then(|rest| rest.strip_suffix("\")")).unwrap_or(rest);
    // The engine's own advice speaks of settings that a user cannot reach.
    let end = [" Valid fields are", ". Did you mean"].iter().filter_map(|mark| rest.find(mark)).min().unwrap_or(rest.len());
    rest[..end].replace("datafusion.public.", "").trim_end_matches(['.', ' ']).to_owned()
}

/// Finds the name that the planner did not know in its message, and whether it is a table's.
fn missing_name(message: &str) -> Option<(String, bool)> {
    if let Some(rest) = message.strip_prefix("table '") {
        let path = rest.split('\'').next()?;
        return Some((path.rsplit('.').next()?.to_owned(), true));
    }
    let rest = message.strip_prefix("No field named ")?;
    let name = rest.split(". ").next()?.trim_end_matches('.');
    Some((name.rsplit('.').next()?.trim_matches('"').to_owned(), false))
}
