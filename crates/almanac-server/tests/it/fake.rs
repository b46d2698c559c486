//! A project that exists only here: three levels, 360 leaves, two years of days with seasons, stock-outs and closed days.
//!
//! All numbers come from a hash of (series, day), so that every run sees the same.

use almanac_api::{
    CoverageScore, ExogColumns, ForecastRow, History, HistoryPoint, HistoryStatus, IssueInfo, Leaderboard, LeaderboardRow, LevelInfo,
    ModelInfo, Outdated, OutdatedReason, PredictResponse, ProjectInfo, Readiness, Scores, SeriesItem, SeriesMetrics, SeriesPage,
    SeriesState, SkippedSeries, StepBucket,
};
use almanac_profile::{DriftOptions, TableProfile, VersionLine, compare};
use almanac_server::{
    Cutoff, DataReport, ForecastQuery, ForecastService, HistoryQuery, Order, PredictQuery, SeriesQuery, SeriesSort, ServiceError,
    ShownTable,
};
use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::ops::ControlFlow;

pub(crate) const DAYS: i64 = 820;
pub(crate) const HORIZON: u32 = 28;
pub(crate) const LEAVES: &str = "region/store/item";
const LAST_DAY: Date = date(2024, 1, 31);
const QUANTILES: [(f64, f64); 9] = [
    (0.005, -2.576),
    (0.025, -1.96),
    (0.1, -1.2816),
    (0.25, -0.6745),
    (0.5, 0.0),
    (0.75, 0.6745),
    (0.9, 1.2816),
    (0.975, 1.96),
    (0.995, 2.576),
];
const MODELS: [(&str, f64); 6] =
    [("ensemble", 0.62), ("lightgbm", 0.66), ("auto_ets", 0.78), ("seasonal_naive", 0.94), ("window_average", 1.07), ("naive", 1.31)];

/// The fake project, and how it should misbehave.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeService {
    pub(crate) is_empty: bool,
    pub(crate) panics: bool,
    pub(crate) fails: bool,
    pub(crate) breaks_off: bool,
    /// Says that the newest backtest was refused and the history goes on.
    pub(crate) is_outdated: bool,
    /// Held by a predict call until the test lets go.
    pub(crate) gate: Option<std::sync::Arc<Gate>>,
}

/// Tells a test that a call has begun, and keeps the call until the test says so.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) begun: tokio::sync::Notify,
    pub(crate) open: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

struct Leaf {
    level: &'static str,
    unique_id: String,
    base: f64,
    state: SeriesState,
}

fn hash(text: &str, number: i64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 32)
}

/// Uniform on [0, 1).
fn uniform(text: &str, number: i64) -> f64 {
    (hash(text, number) >> 11) as f64 / (1_u64 << 53) as f64
}

fn series() -> Vec<Leaf> {
    let mut all = vec![Leaf { level: "total", unique_id: "total".into(), base: 5200.0, state: SeriesState::Active }];
    for store in 0..12 {
        let region = ["north", "south", "west"][store % 3];
        let name = format!("{region}/store_{:02}", store + 1);
        all.push(Leaf { level: "region/store", base: 250.0 + 40.0 * store as f64, unique_id: name.clone(), state: SeriesState::Active });
        for item in 0..30 {
            let unique_id = format!("{name}/{}_{:02}", ["apples", "bread", "coffee", "juice", "yoghurt"][item % 5], item + 1);
            let draw = uniform(&unique_id, -1);
            let state = match (draw * 20.0) as u32 {
                0 => SeriesState::New,
                1 => SeriesState::Discontinued,
                2 | 3 => SeriesState::Intermittent,
                _ => SeriesState::Active,
            };
            let base = if state == SeriesState::Intermittent { 0.8 } else { 4.0 + 60.0 * draw * draw };
            all.push(Leaf { level: LEAVES, unique_id, base, state });
        }
    }
    all
}

fn find(level: &str, unique_id: &str) -> Result<Leaf, ServiceError> {
    let found = series().into_iter().find(|series| series.level == level && series.unique_id == unique_id);
    found.ok_or_else(|| ServiceError::NotFound { what: "series", name: unique_id.to_owned() })
}

/// What is expected on a day, counted from the last day of the history.
fn expected(series: &Leaf, day: i64) -> f64 {
    let day = day as f64;
    let phase = uniform(&series.unique_id, -2) * TAU;
    let week = 1.0 + 0.28 * (day / 7.0 * TAU + phase).sin() + 0.1 * (day / 3.5 * TAU).cos();
    let year = 1.0 + 0.3 * (day / 365.25 * TAU + phase / 3.0).sin();
    (series.base * week * year * (1.0 + day / 4000.0)).max(0.0)
}

fn spread(series: &Leaf) -> f64 {
    if series.level == LEAVES { (series.base + 1.0).sqrt() * 1.1 } else { series.base * 0.07 }
}

fn ds(day: i64) -> String {
    LAST_DAY.checked_add(Span::new().days(day)).expect("days are near").to_string()
}

fn point(series: &Leaf, day: i64) -> HistoryPoint {
    let noise = (0..4).map(|draw| uniform(&series.unique_id, day * 4 + draw)).sum::<f64>() - 2.0;
    let mut y = (expected(series, day) + noise * 1.7 * spread(series)).max(0.0).round();
    let mut status = HistoryStatus::Observed;
    let is_sunday = LAST_DAY.checked_add(day.days()).expect("days are near").weekday() == jiff::civil::Weekday::Sunday;
    if series.level == LEAVES {
        let week = hash(&series.unique_id, day.div_euclid(5)) % 31;
        if series.unique_id.starts_with("south") && is_sunday {
            (y, status) = (0.0, HistoryStatus::Closed);
        } else if week == 0 {
            (y, status) = ((y * 0.15).floor(), HistoryStatus::Censored);
        } else if hash(&series.unique_id, day).is_multiple_of(211) {
            return HistoryPoint { ds: ds(day), y: None, status: HistoryStatus::Missing };
        }
        if series.state == SeriesState::Discontinued && day > -60 {
            y = 0.0;
        }
    }
    HistoryPoint { ds: ds(day), y: Some(y), status }
}

fn days(series: &Leaf) -> i64 {
    if series.state == SeriesState::New { 120 } else { DAYS }
}

fn metrics(series: &Leaf) -> SeriesMetrics {
    if series.state == SeriesState::New {
        return SeriesMetrics::default();
    }
    let draw = |salt| uniform(&series.unique_id, salt);
    let scale = if series.level == LEAVES { 1.0 } else { 0.25 };
    SeriesMetrics {
        wape: Some(scale * (0.12 + 0.4 * draw(-3) + 1.0 / (series.base + 2.0))),
        bias: Some(scale * (draw(-4) - 0.5) * 0.2),
        rmsse: Some(0.55 + 0.5 * draw(-5)),
    }
}

fn forecast_rows(series: &Leaf, model: &str, factor: f64, cutoff: i64, steps: i64) -> Vec<ForecastRow> {
    let rows = (1..=steps).map(|step| {
        let mean = match model {
            "naive" => expected(series, cutoff),
            "window_average" => series.base,
            _ => expected(series, cutoff + step),
        };
        let width = spread(series) * (0.75 + factor * 0.4) * (1.0 + step as f64 / 60.0);
        let quantiles = QUANTILES.iter().map(|(p, z)| (format!("q{p}"), (mean + z * width).max(0.0)));
        ForecastRow {
            unique_id: series.unique_id.clone(),
            ds: ds(cutoff + step),
            cutoff: ds(cutoff),
            model: model.to_owned(),
            mean,
            quantiles: quantiles.collect(),
        }
    });
    rows.collect()
}

impl FakeService {
    /// Day of the newest issue.
    fn newest(&self) -> i64 {
        if self.is_outdated { -10 } else { 0 }
    }
}

impl ForecastService for FakeService {
    fn data(&self, table: Option<&str>) -> Result<DataReport, ServiceError> {
        if self.is_empty {
            return Err(ServiceError::NotReady { reason: "no table has been profiled yet".to_owned() });
        }
        let tables = vec!["bronze.sales & more".to_owned(), "silver".to_owned()];
        let name = table.unwrap_or(&tables[0]).to_owned();
        if !tables.contains(&name) {
            return Err(ServiceError::NotFound { what: "table", name });
        }
        let text = include_str!("../../../almanac-profile/tests/fixtures/profile-v1.json");
        let before: TableProfile = serde_json::from_str(text).expect("the fixture is a profile");
        let mut after = before.clone();
        after.merge(&before, "itself").expect("the columns are the same");
        let line = |version: &str, rows| VersionLine { version: version.to_owned(), kept_at: 1_706_700_000_000, rows };
        let versions = vec![line("aaaa00000000", before.rows), line("bbbb00000000", after.rows)];
        let drift = Some(compare(&before, &after, &DriftOptions::default()));
        Ok(DataReport { tables, shown: ShownTable { name, versions, summary: after.summary(), drift } })
    }

    fn project(&self) -> Result<ProjectInfo, ServiceError> {
        assert!(!self.panics, "the fake was told to panic");
        if self.fails {
            return Err(ServiceError::internal(std::io::Error::other("disk `/secret/path` is on fire")));
        }
        let coverage = vec![CoverageScore { nominal: 0.8, empirical: 0.783 }, CoverageScore { nominal: 0.95, empirical: 0.961 }];
        let level = |name: &str, series, is_leaf| LevelInfo { name: name.to_owned(), series, is_leaf, coverage: coverage.clone() };
        // The oldest issue was made before there was an ensemble.
        let issue = |day: i64, first: usize| IssueInfo {
            cutoff: ds(day),
            models: MODELS[first..].iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        let issues = if self.is_empty { vec![] } else { vec![issue(self.newest(), 0), issue(-28, 0), issue(-56, 1)] };
        let models = MODELS.iter().map(|(name, _)| ModelInfo {
            name: (*name).to_owned(),
            is_champion: *name == "ensemble",
            is_baseline: name.ends_with("naive"),
        });
        Ok(ProjectInfo {
            name: "corner-shops".into(),
            data_version: Some("b3f0c1d29a7e4455".into()),
            run_id: Some("0193".into()),
            run_at: Some("2024-02-01T05:12:00Z".into()),
            freq: "D".into(),
            timezone: None,
            horizon: HORIZON,
            quantiles: QUANTILES.iter().map(|(p, _)| *p).collect(),
            cutoffs: issues.iter().map(|issue| issue.cutoff.clone()).collect(),
            issues,
            outdated: self.is_outdated.then(|| Outdated {
                reason: OutdatedReason::GateFailed,
                detail: "`lightgbm` (0.9312) does not beat `naive` (0.9120) over 3 cutoffs".to_owned(),
                cutoff: ds(self.newest()),
                history_until: ds(0),
            }),
            levels: if self.is_empty {
                vec![]
            } else {
                vec![level("total", 1, false), level("region/store", 12, false), level(LEAVES, 360, true)]
            },
            models: if self.is_empty { vec![] } else { models.collect() },
            exog: ExogColumns {
                historic: vec!["customers".into()],
                future: vec!["price".into(), "promo".into()],
                statics: vec!["region".into()],
            },
        })
    }

    fn readiness(&self) -> Readiness {
        if self.is_empty {
            let reason = Some("no champion and no forecasts: run `almanac run` first".to_owned());
            return Readiness { ready: false, reason, champion: None, issued_at: None };
        }
        Readiness { ready: true, reason: None, champion: Some("ensemble".into()), issued_at: Some("2024-02-01T05:12:00Z".into()) }
    }

    fn series(&self, query: &SeriesQuery) -> Result<SeriesPage, ServiceError> {
        let needle = query.search.as_deref().unwrap_or("").to_lowercase();
        let mut items: Vec<SeriesItem> = series()
            .into_iter()
            .filter(|series| series.level == query.level && series.unique_id.to_lowercase().contains(&needle))
            .map(|series| SeriesItem {
                metrics: metrics(&series),
                value: series.base * 365.0 * 2.4,
                state: series.state,
                last_ds: ds(0),
                rows: days(&series) as u64,
                level: series.level.into(),
                unique_id: series.unique_id,
            })
            .collect();
        items.sort_by(|a, b| {
            let by = match query.sort {
                SeriesSort::Value => a.value.total_cmp(&b.value),
                SeriesSort::Error => a.metrics.wape.unwrap_or(-1.0).total_cmp(&b.metrics.wape.unwrap_or(-1.0)),
                SeriesSort::Name => a.unique_id.cmp(&b.unique_id),
            };
            let by = if query.order == Order::Desc { by.reverse() } else { by };
            by.then_with(|| a.unique_id.cmp(&b.unique_id))
        });
        let total = items.len() as u64;
        let page: Vec<SeriesItem> = items.into_iter().skip(query.offset as usize).take(query.limit as usize).collect();
        let next = query.offset + page.len() as u64;
        Ok(SeriesPage { total, offset: query.offset, items: page, next_offset: (next < total).then_some(next) })
    }

    fn history(&self, query: &HistoryQuery) -> Result<History, ServiceError> {
        let series = find(&query.level, query.unique_id.as_str())?;
        let rows = query.last.map_or(days(&series), |last| days(&series).min(last as i64));
        let points = ((1 - rows)..=0).map(|day| point(&series, day)).collect();
        Ok(History { unique_id: series.unique_id, level: series.level.into(), points })
    }

    fn forecasts(&self, query: &ForecastQuery, emit: &mut dyn FnMut(ForecastRow) -> ControlFlow<()>) -> Result<(), ServiceError> {
        let cutoff = match &query.cutoff {
            Cutoff::Latest => self.newest(),
            Cutoff::At(label) if *label == ds(self.newest()) => self.newest(),
            Cutoff::At(label) if *label == ds(-28) => -28,
            Cutoff::At(label) if *label == ds(-56) && query.model.as_deref().unwrap_or("ensemble") != "ensemble" => -56,
            Cutoff::At(label) => return Err(ServiceError::NotFound { what: "cutoff", name: label.clone() }),
        };
        let name = query.model.as_deref().unwrap_or("ensemble");
        let Some((model, factor)) = MODELS.iter().find(|(model, _)| *model == name) else {
            return Err(ServiceError::NotFound { what: "model", name: name.to_owned() });
        };
        let wanted: Vec<Leaf> = match &query.unique_id {
            Some(id) => vec![find(&query.level, id.as_str())?],
            None => series().into_iter().filter(|series| series.level == query.level).collect(),
        };
        let steps = query.horizon.map_or(i64::from(HORIZON), |horizon| (horizon.steps() as i64).min(i64::from(HORIZON)));
        for (index, series) in wanted.iter().enumerate() {
            if self.breaks_off && index == 300 {
                return Err(ServiceError::internal(std::io::Error::other("the file ends too soon")));
            }
            for row in forecast_rows(series, model, *factor, cutoff, steps) {
                if emit(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn write_parquet(&self, _: &ForecastQuery, out: &mut (dyn std::io::Write + Send)) -> Result<(), ServiceError> {
        out.write_all(b"PAR1 and PAR1").map_err(ServiceError::internal)
    }

    fn predict(&self, query: &PredictQuery) -> Result<PredictResponse, ServiceError> {
        if let Some(gate) = &self.gate {
            gate.begun.notify_one();
            gate.open.lock().expect("no other call panicked").recv().expect("the test opens the gate");
        }
        let mut response = PredictResponse {
            model: "ensemble".into(),
            model_version: Some("7".into()),
            forecasts: vec![],
            skipped: vec![],
            fallbacks: vec![],
        };
        for one in &query.series {
            let values: Vec<f64> = one.history.iter().filter_map(|row| row.y).collect();
            let last = one.history.last().expect("the server refuses an empty history").ds / 86_400_000_000;
            if values.is_empty() {
                let reason = "no row has a value".to_owned();
                response.skipped.push(SkippedSeries { unique_id: one.unique_id.to_string(), reason });
                continue;
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            for step in 1..=query.horizon.steps() as i64 {
                let quantiles: BTreeMap<String, f64> =
                    query.quantiles.iter().map(|q| (q.column(), mean * (0.5 + q.probability()))).collect();
                let label = |day: i64| date(1970, 1, 1).checked_add(day.days()).expect("near").to_string();
                let (unique_id, model) = (one.unique_id.to_string(), "ensemble".to_owned());
                response.forecasts.push(ForecastRow { unique_id, ds: label(last + step), cutoff: label(last), model, mean, quantiles });
            }
        }
        Ok(response)
    }

    fn leaderboard(&self) -> Result<Leaderboard, ServiceError> {
        if self.is_empty {
            return Err(ServiceError::NotReady { reason: "there is no backtest yet".into() });
        }
        let mut rows = Vec::new();
        for (level, ease) in [("total", 0.55), ("region/store", 0.7), (LEAVES, 1.0)] {
            for (first, last, growth) in [(1, 28, 1.0), (1, 7, 0.93), (8, 14, 1.0), (15, 28, 1.06)] {
                for (rank, (model, score)) in MODELS.iter().enumerate() {
                    let draw = uniform(model, i64::from(first * 100 + last)) - 0.5;
                    let score = score * ease * growth * (1.0 + 0.03 * draw);
                    rows.push(LeaderboardRow {
                        level: level.into(),
                        steps: StepBucket { first, last },
                        model: (*model).into(),
                        rank: rank as u32 + 1,
                        is_champion: *model == "ensemble",
                        is_baseline: model.ends_with("naive"),
                        scores: Scores {
                            mase: Some(score * 1.09),
                            rmsse: Some(score * 1.02),
                            wrmsse: Some(score),
                            wape: Some(score * 0.31),
                            bias: Some(draw * 0.09),
                            wql: Some(score * 0.24),
                        },
                        coverage: vec![
                            CoverageScore { nominal: 0.5, empirical: 0.5 + 0.05 * draw },
                            CoverageScore { nominal: 0.8, empirical: 0.8 + 0.09 * draw },
                            CoverageScore { nominal: 0.95, empirical: 0.95 + 0.03 * draw },
                        ],
                    });
                }
            }
        }
        Ok(Leaderboard { ranked_by: "wrmsse".into(), cutoffs: vec![ds(-84), ds(-56), ds(-28)], rows })
    }
}
