//! What the server asks of the project: one trait, and its questions as types that are already checked.
//!
//! ```text
//! almanac (binary) ── implements ──► ForecastService ◄── calls ── almanac-server
//! ```

use crate::{DataReport, ServiceError};
use almanac_api::{ExogValue, ForecastRow, History, Leaderboard, PredictResponse, ProjectInfo, Readiness, SeriesPage};
use almanac_series::{Horizon, Quantile, SeriesId};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;

/// The project, as the server sees it.
///
/// - Methods are plain blocking functions; the server runs each on a thread where blocking is allowed, and bounds how
///   many run at a time. A panic becomes a 500 and does not end the server.
/// - Shared by all requests: implementors keep what they need in memory or read immutable files.
/// - [`project`](Self::project) and [`readiness`](Self::readiness) are called on most requests and must be cheap.
/// - A level or series that does not exist is [`ServiceError::NotFound`]; nothing to serve yet is [`ServiceError::NotReady`].
pub trait ForecastService: Send + Sync + 'static {
    /// Returns the project, its levels (top to leaves) and models (champion first). Answers also before the first run.
    fn project(&self) -> Result<ProjectInfo, ServiceError>;

    /// Returns whether forecasts can be served, and if not why.
    fn readiness(&self) -> Readiness;

    /// Returns one page of the series of a level. `query.search` matches anywhere in `unique_id`, ignoring case. Ties are
    /// ordered by `unique_id`, and series without the sorted score come last, so that pages neither overlap nor miss any.
    fn series(&self, query: &SeriesQuery) -> Result<SeriesPage, ServiceError>;

    /// Returns the last rows of one series, oldest first, without rows after the end of its history.
    fn history(&self, query: &HistoryQuery) -> Result<History, ServiceError>;

    /// Hands the matching rows of one issue of the forecast table to `emit`, sorted by (`unique_id`, `ds`), and stops early when it
    /// breaks. Called from one thread; a level's 30,000 series need not be in memory at once. An unknown level, series,
    /// model or cutoff is found before the first row.
    fn forecasts(&self, query: &ForecastQuery, emit: &mut dyn FnMut(ForecastRow) -> ControlFlow<()>) -> Result<(), ServiceError>;

    /// Writes the rows that [`forecasts`](Self::forecasts) would give as one Parquet file.
    ///
    /// The default refuses, for implementors that know no Parquet.
    fn write_parquet(&self, query: &ForecastQuery, out: &mut (dyn Write + Send)) -> Result<(), ServiceError> {
        let _ = (query, out);
        Err(ServiceError::Invalid {
            detail: "`format=parquet` is not available here".to_owned(),
            hint: Some("ask for `format=csv` or `format=json`".to_owned()),
        })
    }

    /// Answers a predict request with the champion. The same history as in the lake gives the same numbers as the batch.
    ///
    /// The server has checked all that needs no model: keys once, histories not empty, sorted, finite, columns known,
    /// timestamps read. What is left to the implementor: alignment to the frequency and the greatest horizon.
    fn predict(&self, query: &PredictQuery) -> Result<PredictResponse, ServiceError>;

    /// Returns the scores of the backtest that chose the champion.
    fn leaderboard(&self) -> Result<Leaderboard, ServiceError>;

    /// Returns what is in a table, the first by default, and what changed since its version before.
    ///
    /// The default has no tables.
    fn data(&self, table: Option<&str>) -> Result<DataReport, ServiceError> {
        let _ = table;
        Err(ServiceError::NotReady { reason: "no table has been profiled yet".to_owned() })
    }
}

/// Which series to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Hierarchy level, one of the project's.
    pub level: String,
    /// Part of `unique_id` to look for, ignoring case; `None` lists all.
    pub search: Option<String>,
    /// What to sort by.
    pub sort: SeriesSort,
    /// In which direction.
    pub order: Order,
    /// How many of the sorted series to leave out.
    pub offset: u64,
    /// Most series to return, at least 1.
    pub limit: u64,
}

/// What a list of series is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesSort {
    /// `SeriesItem::value`.
    Value,
    /// `SeriesMetrics::wape`.
    Error,
    /// `unique_id`, byte by byte.
    Name,
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Greatest first.
    Desc,
}

/// Which history to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Hierarchy level, one of the project's.
    pub level: String,
    /// Key of the series.
    pub unique_id: SeriesId,
    /// Number of rows from the end; `None` gives all.
    pub last: Option<u64>,
}

/// Which forecasts to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastQuery {
    /// Hierarchy level, one of the project's.
    pub level: String,
    /// One series; `None` gives all of the level.
    pub unique_id: Option<SeriesId>,
    /// Model; `None` gives the champion.
    pub model: Option<String>,
    /// Which issue of the forecast.
    pub cutoff: Cutoff,
    /// First steps only; `None` gives all.
    pub horizon: Option<Horizon>,
}

/// Which issue of a forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cutoff {
    /// The served one.
    Latest,
    /// The one with this label, written as in `ProjectInfo::cutoffs`.
    At(String),
}

/// A predict request whose form has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictQuery {
    /// The series, in the order of the request; keys are unique.
    pub series: Vec<PredictSeriesQuery>,
    /// Steps ahead.
    pub horizon: Horizon,
    /// Quantiles asked for, rising, without duplicates.
    pub quantiles: Vec<Quantile>,
}

/// One series of a predict request.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictSeriesQuery {
    /// Key of the series, known or new.
    pub unique_id: SeriesId,
    /// The past: at least one row, `ds` strictly rising. Columns are historic or future ones of the project.
    pub history: Vec<PredictRow>,
    /// What is known ahead: `ds` strictly rising and after the history; `y` is `None`. Columns are future ones.
    pub future: Vec<PredictRow>,
    /// Static columns of the project.
    pub statics: BTreeMap<String, ExogValue>,
}

/// One row of a predict request.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictRow {
    /// Microseconds since 1970-01-01 (civil time; UTC where the project has a time zone), or the integer step.
    pub ds: i64,
    /// Target: finite, at most 1e30 in size; `None` is missing.
    pub y: Option<f64>,
    /// Exogenous columns by name; numbers are finite.
    pub exog: BTreeMap<String, ExogValue>,
}
