//! The project as the server sees it: the newest champion, its panel and its forecasts, behind [`ForecastService`].
//!
//! What is served is immutable and replaced as a whole when `almanac run` promotes a new champion; requests in flight keep what they
//! started with.

mod data;
mod loaded;
mod predict;

use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use almanac_api::{
    CoverageScore, ExogColumns, ForecastRow, History, HistoryPoint, HistoryStatus, IssueInfo, Leaderboard, LeaderboardRow, LevelInfo,
    ModelInfo, PredictResponse, ProjectInfo, Readiness, Scores, SeriesItem, SeriesMetrics, SeriesPage, SeriesState, StepBucket,
};
use almanac_data::ForecastTable;
use almanac_model::Forecast;
use almanac_pipeline::{ModelFactory, PipelineError, Project, read_latest_selection};
use almanac_series::{Horizon, RowStatus};
use almanac_server::{
    DataReport, ForecastQuery, ForecastService, HistoryQuery, Order, PredictQuery, SeriesQuery, SeriesSort, ServiceError,
};

use self::loaded::Loaded;
use crate::coverage;

/// How often the project is looked at for a new champion.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A project that is served.
#[derive(Debug)]
pub(crate) struct Serving {
    project: Project,
    models: Box<dyn ModelFactory>,
    loaded: RwLock<Option<(Seen, Arc<Loaded>)>>,
    looked: Mutex<Option<Instant>>,
}

/// When the files changed that say what is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    champion: SystemTime,
    /// The newest backtest's, whether its model was promoted or not.
    selection: Option<SystemTime>,
}

impl Seen {
    /// Returns `None` where there is no champion.
    fn now(project: &Project) -> Option<Self> {
        let changed = |path: PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        Some(Self { champion: changed(project.champion())?, selection: changed(project.model().join("selection.json")) })
    }
}

impl Serving {
    /// Serves `project`; nothing is read before the first request.
    pub(crate) fn new(project: Project, models: Box<dyn ModelFactory>) -> Self {
        Self { project, models, loaded: RwLock::new(None), looked: Mutex::new(None) }
    }

    /// Returns what is served now, after looking for a new champion if the last look is a while ago.
    fn current(&self) -> Result<Arc<Loaded>, ServiceError> {
        let held = || self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone();
        // While one request reads the new champion, the others go on with the old one.
        let mut looked = match (self.looked.try_lock(), held()) {
            (Ok(looked), _) => looked,
            (Err(TryLockError::Poisoned(poisoned)), _) => poisoned.into_inner(),
            (Err(TryLockError::WouldBlock), Some((_, loaded))) => return Ok(loaded),
            (Err(TryLockError::WouldBlock), None) => self.looked.lock().unwrap_or_else(PoisonError::into_inner),
        };
        if let (Some((_, loaded)), Some(at)) = (held(), *looked)
            && at.elapsed() < LOOK_EVERY
        {
            return Ok(loaded);
        }
        *looked = Some(Instant::now());
        let Some(seen) = Seen::now(&self.project) else {
            return held().map(|(_, loaded)| loaded).ok_or_else(|| not_ready(&PipelineError::NoChampion));
        };
        if let Some((before, loaded)) = held() {
            if seen == before {
                return Ok(loaded);
            }
            if seen.champion == before.champion && !self.verdict_changed(&loaded) {
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some((seen, Arc::clone(&loaded)));
                return Ok(loaded);
            }
        }
        match Loaded::read(&self.project, self.models.as_ref()) {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some((seen, Arc::clone(&fresh)));
                Ok(fresh)
            }
            // A run may be replacing the lake right now: what was loaded stays true.
            Err(error) => match held() {
                Some((_, loaded)) => {
                    tracing::warn!(%error, "the new champion could not be read; the old one goes on");
                    Ok(loaded)
                }
                None => Err(not_ready(&error)),
            },
        }
    }

    /// Returns whether a newer backtest changes what is to be said of the champion. One that passed is followed by a promotion.
    fn verdict_changed(&self, loaded: &Loaded) -> bool {
        let is_refused = read_latest_selection(&self.project).is_ok_and(|latest| !latest.gate.passed);
        is_refused || loaded.is_refused()
    }

    /// Returns the forecast that a query is about, and the place of its series in it; `None` where the series is known, but not forecast.
    fn find(&self, loaded: &Loaded, query: &ForecastQuery) -> Result<(Arc<Forecast>, Option<Range<usize>>), ServiceError> {
        let level = loaded.level(&query.level)?;
        let issue = loaded.issue(&query.cutoff)?;
        let model = query.model.as_deref().unwrap_or(&loaded.champion.model);
        let forecast = loaded.forecast(&self.project, issue, level, model)?;
        let all = 0..forecast.n_series();
        let Some(id) = &query.unique_id else { return Ok((forecast, Some(all))) };
        loaded.node(level, id)?;
        let place = forecast.position(id).map(|position| position..position + 1);
        Ok((forecast, place))
    }
}

fn not_ready(error: &PipelineError) -> ServiceError {
    ServiceError::NotReady { reason: error.to_string() }
}

fn not_found(what: &'static str, name: &str) -> ServiceError {
    ServiceError::NotFound { what, name: name.to_owned() }
}

/// Milliseconds since 1970 as RFC 3339.
fn timestamp(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms).ok().map(|at| at.to_string())
}

impl ForecastService for Serving {
    fn data(&self, table: Option<&str>) -> Result<DataReport, ServiceError> {
        data::report(&self.project, table)
    }

    fn project(&self) -> Result<ProjectInfo, ServiceError> {
        let loaded = match self.current() {
            Ok(loaded) => loaded,
            Err(ServiceError::NotReady { .. }) => return Ok(before_the_first_run(&self.project)),
            Err(error) => return Err(error),
        };
        let (file, champion) = (loaded.bundle.file(), &loaded.champion);
        let info = |name: &String| ModelInfo {
            name: name.clone(),
            is_champion: *name == file.champion,
            is_baseline: file.baselines.contains(name),
        };
        let mut models: Vec<ModelInfo> = file.models.iter().map(info).collect();
        models.sort_by_key(|model| !model.is_champion);
        let levels = loaded.hierarchy.levels().iter().enumerate().map(|(index, level)| LevelInfo {
            name: level.name.clone(),
            series: level.nodes.len() as u64,
            is_leaf: index == loaded.hierarchy.bottom(),
            coverage: coverage_at(&loaded, &level.name),
        });
        let issue = |issue: &loaded::Issue| IssueInfo { cutoff: issue.cutoff.clone(), models: issue.models.clone() };
        let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
        Ok(ProjectInfo {
            name: self.project.name(),
            data_version: Some(champion.data_version.chars().take(12).collect()),
            run_id: Some(champion.run_id.clone()),
            run_at: timestamp(champion.promoted_ms),
            freq: loaded.panel.freq().to_string(),
            timezone: loaded.panel.timezone().map(str::to_owned),
            horizon: file.horizon as u32,
            quantiles: file.quantiles.clone(),
            cutoffs: loaded.issues.iter().map(|issue| issue.cutoff.clone()).collect(),
            issues: loaded.issues.iter().map(issue).collect(),
            outdated: loaded.outdated.clone(),
            levels: levels.collect(),
            models,
            exog: ExogColumns {
                historic: names(&mut loaded.panel.historic_names()),
                future: names(&mut loaded.panel.future_names()),
                statics: names(&mut loaded.panel.statics().iter().map(|column| &*column.name)),
            },
        })
    }

    fn readiness(&self) -> Readiness {
        match self.current() {
            Ok(loaded) => Readiness {
                ready: true,
                reason: None,
                champion: Some(loaded.champion.model.clone()),
                issued_at: timestamp(loaded.champion.promoted_ms),
            },
            Err(error) => Readiness { ready: false, reason: Some(error.to_string()), champion: None, issued_at: None },
        }
    }

    fn series(&self, query: &SeriesQuery) -> Result<SeriesPage, ServiceError> {
        let loaded = self.current()?;
        let level = loaded.level(&query.level)?;
        let wanted = query.search.as_ref().map(|text| text.to_lowercase());
        let nodes = &loaded.hierarchy.levels()[level].nodes;
        let mut matching: Vec<usize> = (0..nodes.len())
            .filter(|node| wanted.as_ref().is_none_or(|text| nodes[*node].as_str().to_lowercase().contains(text)))
            .collect();
        let score = |node: &usize| match query.sort {
            SeriesSort::Value => loaded.errors(level, *node).map(|error| error.value),
            SeriesSort::Error => loaded.errors(level, *node).and_then(|error| error.wape),
            SeriesSort::Name => None,
        };
        // Nodes are sorted by key, so that a stable sort leaves ties in the order of keys.
        matching.sort_by(|a, b| match (score(a), score(b)) {
            (Some(a), Some(b)) if query.order == Order::Asc => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) if query.sort == SeriesSort::Name && query.order == Order::Desc => b.cmp(a),
            (None, None) => a.cmp(b),
        });
        let (offset, total) = (query.offset as usize, matching.len());
        let page = matching.into_iter().skip(offset).take(query.limit as usize);
        let items: Vec<SeriesItem> = page.map(|node| series_item(&loaded, level, node)).collect();
        let next = offset + items.len();
        Ok(SeriesPage { total: total as u64, offset: query.offset, items, next_offset: (next < total).then_some(next as u64) })
    }

    fn history(&self, query: &HistoryQuery) -> Result<History, ServiceError> {
        let loaded = self.current()?;
        let level = loaded.level(&query.level)?;
        let node = loaded.node(level, &query.unique_id)?;
        let (start, rows) = loaded.history(level, node);
        let skip = query.last.map_or(0, |last| rows.len().saturating_sub(last as usize));
        let freq = loaded.panel.freq();
        let points = rows.iter().enumerate().skip(skip).map(|(row, (y, status))| HistoryPoint {
            ds: freq.label(start.plus(row as i64)),
            y: (!y.is_nan()).then_some(*y),
            status: match status {
                RowStatus::Observed | RowStatus::Future => HistoryStatus::Observed,
                RowStatus::Filled => HistoryStatus::Filled,
                RowStatus::Missing => HistoryStatus::Missing,
                RowStatus::Censored => HistoryStatus::Censored,
                RowStatus::Closed => HistoryStatus::Closed,
            },
        });
        Ok(History { unique_id: query.unique_id.to_string(), level: query.level.clone(), points: points.collect() })
    }

    fn forecasts(&self, query: &ForecastQuery, emit: &mut dyn FnMut(ForecastRow) -> ControlFlow<()>) -> Result<(), ServiceError> {
        let (forecast, place) = self.find(&*self.current()?, query)?;
        let steps = query.horizon.map_or(usize::MAX, Horizon::steps);
        for position in place.into_iter().flatten() {
            for row in rows_of(&forecast, position, steps) {
                if emit(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn write_parquet(&self, query: &ForecastQuery, out: &mut (dyn Write + Send)) -> Result<(), ServiceError> {
        let (forecast, place) = self.find(&*self.current()?, query)?;
        let asked = query.horizon.unwrap_or(forecast.horizon).min(forecast.horizon);
        let is_whole = place == Some(0..forecast.n_series()) && asked == forecast.horizon;
        let cut = (!is_whole).then(|| forecast.part(asked, |position| place.as_ref().is_some_and(|place| place.contains(&position))));
        let table = ForecastTable::of(cut.as_ref().unwrap_or(&*forecast)).map_err(ServiceError::internal)?;
        almanac_data::write_parquet(out, table.batches()).map_err(ServiceError::internal)
    }

    fn predict(&self, query: &PredictQuery) -> Result<PredictResponse, ServiceError> {
        predict::predict(&*self.current()?, query)
    }

    fn leaderboard(&self) -> Result<Leaderboard, ServiceError> {
        let loaded = self.current()?;
        let (selection, file) = (&loaded.selection, loaded.bundle.file());
        let mut rows: Vec<LeaderboardRow> = selection
            .leaderboard
            .rows
            .iter()
            .map(|row| LeaderboardRow {
                level: row.level.clone(),
                steps: StepBucket { first: row.horizon_from as u32, last: row.horizon_to as u32 },
                model: row.model.clone(),
                rank: 0,
                is_champion: row.model == file.champion,
                is_baseline: file.baselines.contains(&row.model),
                scores: Scores { mase: row.mase, rmsse: row.rmsse, wrmsse: row.wrmsse, wape: row.wape, bias: row.bias, wql: row.wql },
                coverage: coverage_of(&loaded, row),
            })
            .collect();
        rank(&mut rows);
        Ok(Leaderboard { ranked_by: "wrmsse".to_owned(), cutoffs: selection.cutoffs.clone(), rows })
    }
}

/// Coverage of a model's intervals as it goes to clients.
fn coverage_of(loaded: &Loaded, row: &almanac_evaluate::LeaderboardRow) -> Vec<CoverageScore> {
    let known = coverage::of_row(&loaded.selection, row).into_iter();
    known.map(|(nominal, empirical)| CoverageScore { nominal, empirical }).collect()
}

/// Coverage of the champion's intervals at a level, each cutoff measured after calibrating on the others.
fn coverage_at(loaded: &Loaded, level: &str) -> Vec<CoverageScore> {
    let of_level = loaded.selection.cross_coverage.iter().filter(|measured| measured.level == level);
    of_level.map(|measured| CoverageScore { nominal: measured.nominal, empirical: measured.empirical }).collect()
}

/// Ranks the models within each level and part of the horizon.
fn rank(rows: &mut [LeaderboardRow]) {
    let score = |row: &LeaderboardRow| row.scores.wrmsse.unwrap_or(f64::INFINITY);
    for index in 0..rows.len() {
        let own = &rows[index];
        let rivals = rows.iter().filter(|other| other.level == own.level && other.steps == own.steps);
        rows[index].rank = 1 + rivals.filter(|other| score(other) < score(own)).count() as u32;
    }
}

fn series_item(loaded: &Loaded, level: usize, node: usize) -> SeriesItem {
    let spec = &loaded.hierarchy.levels()[level];
    let error = loaded.errors(level, node);
    let life = loaded.life(level, node);
    SeriesItem {
        unique_id: spec.nodes[node].to_string(),
        level: spec.name.clone(),
        // Adding 0 turns a negative zero, the sum of nothing, into a plain one.
        value: error.map_or(0.0, |error| error.value) + 0.0,
        metrics: SeriesMetrics {
            wape: error.and_then(|error| error.wape),
            bias: error.and_then(|error| error.bias),
            rmsse: error.and_then(|error| error.rmsse),
        },
        state: life.state,
        last_ds: loaded.panel.freq().label(life.last),
        rows: life.rows as u64,
    }
}

/// Rows of one series, as they go to clients.
fn rows_of(forecast: &Forecast, position: usize, steps: usize) -> impl Iterator<Item = ForecastRow> + '_ {
    let span = &forecast.series[position];
    let width = forecast.quantiles.len();
    let columns: Vec<String> = forecast.quantiles.iter().map(|quantile| quantile.column()).collect();
    forecast.mean_of(position).iter().take(steps).enumerate().map(move |(step, mean)| ForecastRow {
        unique_id: span.id.to_string(),
        ds: forecast.freq.label(span.cutoff.plus(step as i64 + 1)),
        cutoff: forecast.freq.label(span.cutoff),
        model: forecast.model.clone(),
        mean: *mean,
        quantiles: columns.iter().cloned().zip(forecast.quantiles_of(position)[step * width..(step + 1) * width].iter().copied()).collect(),
    })
}

fn before_the_first_run(project: &Project) -> ProjectInfo {
    ProjectInfo {
        name: project.name(),
        data_version: None,
        run_id: None,
        run_at: None,
        freq: String::new(),
        timezone: None,
        horizon: 0,
        quantiles: Vec::new(),
        cutoffs: Vec::new(),
        issues: Vec::new(),
        outdated: None,
        levels: Vec::new(),
        models: Vec::new(),
        exog: ExogColumns::default(),
    }
}

/// What kind of life a node leads, for the list of series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) state: SeriesState,
    pub(crate) last: almanac_series::Period,
    pub(crate) rows: usize,
}
