//! What sales tables must hold beside what any table must: no gaps, nothing from the future, fresh, seasonal as before, joined, adding up.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use almanac_series::Freq;
use arrow::buffer::BooleanBuffer;
use serde_json::{Value as Json, json};

use crate::args::Args;
use crate::column::{Column, View};
use crate::error::CheckError;
use crate::rule::{Range, range};
use crate::value::Value;
use crate::work::counts::FoldMap;
use crate::work::keys::Hasher;
use crate::work::present;

/// An expectation of the field.
#[derive(Debug, Clone)]
pub(crate) enum FieldRule {
    NoGaps { id: Vec<String>, time: String, freq: Freq },
    NotFuture { column: String },
    Fresh { column: String, days: f64 },
    Seasonal { time: String, value: String, season: usize, strength: f64 },
    LevelShift { time: String, value: String, window: usize, deviations: f64 },
    ZeroShare { column: String, range: Range },
    StockoutShare { column: String, in_stock: bool, range: Range },
    Joined { columns: Vec<String>, table: String, others: Vec<String> },
    AddsUp { keys: Vec<String>, value: String, table: String, other_keys: Vec<String>, other_value: String, tolerance: f64 },
}

impl FieldRule {
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Self::NoGaps { id, time, .. } => id.iter().chain([time]).cloned().collect(),
            Self::NotFuture { column }
            | Self::Fresh { column, .. }
            | Self::ZeroShare { column, .. }
            | Self::StockoutShare { column, .. } => {
                vec![column.clone()]
            }
            Self::Seasonal { time, value, .. } | Self::LevelShift { time, value, .. } => vec![time.clone(), value.clone()],
            Self::Joined { columns, .. } => columns.clone(),
            Self::AddsUp { keys, value, .. } => keys.iter().chain([value]).cloned().collect(),
        }
    }

    pub(crate) fn has_rows(&self) -> bool {
        matches!(self, Self::NotFuture { .. } | Self::Joined { .. })
    }

    /// Reads an expectation of the field, or `None` if the name is not one.
    pub(crate) fn take(name: &str, args: &mut Args) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "series_to_have_no_gaps" => {
                let freq = args.text("freq")?;
                Self::NoGaps {
                    id: args.maybe_texts("id_columns")?.unwrap_or_default(),
                    time: args.text("time_column")?,
                    freq: freq.parse().map_err(|error| format!("`freq`: {error}"))?,
                }
            }
            "column_values_to_not_be_in_the_future" => Self::NotFuture { column: args.text("column")? },
            "column_max_to_be_recent" => Self::Fresh { column: args.text("column")?, days: args.number("max_age_days")? },
            "series_to_keep_seasonality" => Self::Seasonal {
                time: args.text("time_column")?,
                value: args.text("value_column")?,
                season: usize::try_from(args.count("season_length")?)
                    .ok()
                    .filter(|season| *season > 1)
                    .ok_or("`season_length` is 2 or more")?,
                strength: args.maybe_number("min_strength")?.unwrap_or(0.3),
            },
            "series_to_have_no_level_shift" => Self::LevelShift {
                time: args.text("time_column")?,
                value: args.text("value_column")?,
                window: usize::try_from(args.maybe_count("window")?.unwrap_or(28))
                    .ok()
                    .filter(|window| *window > 1)
                    .ok_or("`window` is 2 or more")?,
                deviations: args.maybe_number("max_deviations")?.unwrap_or(4.0),
            },
            "column_share_of_zeros_to_be_between" => Self::ZeroShare { column: args.text("column")?, range: range(args)? },
            "column_share_of_stockouts_to_be_between" => {
                Self::StockoutShare { column: args.text("column")?, in_stock: args.flag("in_stock", true)?, range: range(args)? }
            }
            "column_values_to_be_in_other_table" => {
                let columns = match args.maybe_text("column")? {
                    Some(column) => vec![column],
                    None => args.texts("column_list")?,
                };
                let others = args.maybe_texts("other_columns")?.unwrap_or_else(|| columns.clone());
                if others.len() != columns.len() {
                    return Err("`other_columns` names as many columns as are joined".into());
                }
                Self::Joined { columns, table: args.text("other_table_name")?, others }
            }
            "column_sum_to_equal_other_table" => {
                let keys = args.maybe_texts("key_columns")?.unwrap_or_default();
                let value = args.text("column")?;
                Self::AddsUp {
                    other_keys: args.maybe_texts("other_key_columns")?.unwrap_or_else(|| keys.clone()),
                    keys,
                    other_value: args.maybe_text("other_column")?.unwrap_or_else(|| value.clone()),
                    value,
                    table: args.text("other_table_name")?,
                    tolerance: args.maybe_number("tolerance")?.unwrap_or(1e-9),
                }
            }
            _ => return Ok(None),
        }))
    }
}

/// Name of each series, and the spans of periods it has.
pub(crate) type SpansBySeries = FoldMap<u128, (String, Vec<(i64, i64)>)>;

/// Name and sum of each key.
pub(crate) type SumsByKey = FoldMap<u128, (String, f64)>;

/// What is gathered for an expectation of the field.
#[derive(Debug, Clone)]
pub(crate) enum FieldWork {
    Gaps {
        id: Vec<String>,
        time: String,
        freq: Freq,
        series: SpansBySeries,
        refused: Option<String>,
    },
    Totals {
        time: String,
        value: String,
        totals: BTreeMap<i128, f64>,
    },
    Share {
        column: String,
        wanted: f64,
        hits: u64,
        judged: u64,
    },
    Set {
        columns: Vec<String>,
        keys: HashSet<u128>,
    },
    Sums {
        keys: Vec<String>,
        value: String,
        sums: SumsByKey,
    },
    /// Rows whose key is not in a set.
    Missing {
        columns: Vec<String>,
        set: Arc<HashSet<u128>>,
        places: Vec<u64>,
    },
}

fn names(columns: &[&Column], row: usize) -> String {
    columns.iter().map(|column| column.value(row).text()).collect::<Vec<_>>().join("/")
}

impl FieldWork {
    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        match self {
            Self::Gaps { id, time, .. } => into.extend(id.iter().chain([time]).cloned()),
            Self::Totals { time, value, .. } => into.extend([time.clone(), value.clone()]),
            Self::Share { column, .. } => into.push(column.clone()),
            Self::Set { columns, .. } | Self::Missing { columns, .. } => into.extend(columns.iter().cloned()),
            Self::Sums { keys, value, .. } => into.extend(keys.iter().chain([value]).cloned()),
        }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let named = |names: &[String]| names.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>();
        let all = || BooleanBuffer::new_set(view.rows);
        match self {
            Self::Gaps { id, time, freq, series, refused } => {
                let columns = named(id)?;
                let hasher = Hasher::new(&columns);
                let times = view.column(time)?;
                let rows = present(view, times.nulls(), mask).unwrap_or_else(all);
                for row in rows.set_indices() {
                    let Some(nanos) = times.value(row).nanos() else {
                        refused.get_or_insert_with(|| format!("`{}` is no time", times.value(row).text()));
                        continue;
                    };
                    let period = freq.period((nanos / 1000) as i64).0;
                    let (_, spans) = series.entry(hasher.row(row)).or_insert_with(|| (names(&columns, row), Vec::new()));
                    match spans.last_mut() {
                        Some((start, end)) if (*start..=*end).contains(&period) => {}
                        Some((_, end)) if *end + 1 == period => *end = period,
                        Some((start, _)) if *start == period + 1 => *start = period,
                        _ => spans.push((period, period)),
                    }
                }
            }
            Self::Totals { time, value, totals } => {
                let (times, values) = (view.column(time)?, view.column(value)?);
                let rows = present(view, times.nulls(), mask).unwrap_or_else(all);
                for row in rows.set_indices() {
                    let number = values.number(row);
                    if let Some(nanos) = times.value(row).nanos().filter(|_| !number.is_nan()) {
                        *totals.entry(nanos).or_default() += number;
                    }
                }
            }
            Self::Share { column, wanted, hits, judged } => {
                let column = view.column(column)?;
                let rows = present(view, column.nulls(), mask).unwrap_or_else(all);
                *judged += rows.count_set_bits() as u64;
                *hits += rows.set_indices().filter(|row| column.number(*row) == *wanted).count() as u64;
            }
            Self::Set { columns, keys } => {
                let columns = named(columns)?;
                let hasher = Hasher::new(&columns);
                keys.extend((0..view.rows).map(|row| hasher.row(row)));
            }
            Self::Missing { columns, set, places } => {
                let columns = named(columns)?;
                let hasher = Hasher::new(&columns);
                let rows = mask.cloned().unwrap_or_else(all);
                let missing =
                    rows.set_indices().filter(|row| !columns.iter().all(|column| column.is_null(*row)) && !set.contains(&hasher.row(*row)));
                places.extend(missing.map(|row| view.offset + row as u64));
            }
            Self::Sums { keys, value, sums } => {
                let columns = named(keys)?;
                let hasher = Hasher::new(&columns);
                let values = view.column(value)?;
                let rows = present(view, values.nulls(), mask).unwrap_or_else(all);
                for row in rows.set_indices() {
                    sums.entry(hasher.row(row)).or_insert_with(|| (names(&columns, row), 0.0)).1 += values.number(row);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, next: Self) {
        match (self, next) {
            (Self::Gaps { series, refused, .. }, Self::Gaps { series: more, refused: other, .. }) => {
                for (key, (name, spans)) in more {
                    series.entry(key).or_insert_with(|| (name, Vec::new())).1.extend(spans);
                }
                if refused.is_none() {
                    *refused = other;
                }
            }
            (Self::Totals { totals, .. }, Self::Totals { totals: more, .. }) => {
                for (time, total) in more {
                    *totals.entry(time).or_default() += total;
                }
            }
            (Self::Share { hits, judged, .. }, Self::Share { hits: more, judged: rows, .. }) => {
                *hits += more;
                *judged += rows;
            }
            (Self::Set { keys, .. }, Self::Set { keys: more, .. }) => keys.extend(more),
            (Self::Missing { places, .. }, Self::Missing { places: more, .. }) => places.extend(more),
            (Self::Sums { sums, .. }, Self::Sums { sums: more, .. }) => {
                for (key, (name, sum)) in more {
                    sums.entry(key).or_insert((name, 0.0)).1 += sum;
                }
            }
            _ => {}
        }
    }
}

/// A verdict with what was observed, as JSON and as words.
pub(crate) struct Verdict {
    pub(crate) success: bool,
    pub(crate) observed: Json,
    pub(crate) details: Json,
    pub(crate) words: String,
}

/// Returns which series have holes, and how many periods are missing.
pub(crate) fn gaps(series: &SpansBySeries, freq: Freq) -> Verdict {
    let mut missing = 0;
    let mut found: Vec<(String, i64, i64)> = Vec::new();
    for (name, spans) in series.values() {
        let mut spans = spans.clone();
        spans.sort_unstable();
        let mut end = spans.first().map_or(0, |span| span.1);
        let mut own = 0;
        let mut first = None;
        for span in spans.iter().skip(1) {
            if span.0 > end + 1 {
                own += span.0 - end - 1;
                first.get_or_insert(end + 1);
            }
            end = end.max(span.1);
        }
        if let Some(first) = first {
            missing += own;
            found.push((name.clone(), own, first));
        }
    }
    found.sort();
    let label = |period: i64| freq.label(almanac_series::Period(period));
    let sample: Vec<Json> = found
        .iter()
        .take(20)
        .map(|(name, own, first)| json!({"series": name, "missing_periods": own, "first_missing": label(*first)}))
        .collect();
    let words = match found.first() {
        None => format!("{} series without gaps", series.len()),
        Some((name, _, first)) => {
            format!("{missing} periods are missing in {} of {} series; `{name}` lacks {}", found.len(), series.len(), label(*first))
        }
    };
    Verdict {
        success: found.is_empty(),
        observed: json!(missing),
        details: json!({"series_with_gaps": found.len(), "sample": sample}),
        words,
    }
}

/// Compares the strength of the season in the newer half with that of the older half: the autocorrelation at the season's length of
/// the totals, both halves freed of their trend.
pub(crate) fn seasonality(totals: &BTreeMap<i128, f64>, season: usize, strength: f64) -> Verdict {
    let values: Vec<f64> = totals.values().copied().collect();
    if values.len() < season * 6 {
        let words = format!("{} periods, too few for seasons of {season}: at least {} are needed", values.len(), season * 6);
        return Verdict { success: false, observed: Json::Null, details: json!({"periods": values.len()}), words };
    }
    let (older, newer) = values.split_at(values.len() / 2);
    let (before, now) = (autocorrelation(older, season), autocorrelation(newer, season));
    // A season that never was cannot be lost.
    let success = before < strength || now >= strength;
    let words = format!("strength {now:.2} after {before:.2} at a season of {season}");
    Verdict { success, observed: json!(now), details: json!({"older": before, "newer": now}), words }
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let middle = (count - 1.0) / 2.0;
    let (mut up, mut down) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let at = place as f64 - middle;
        up += at * (value - mean);
        down += at * at;
    }
    let slope = if down > 0.0 { up / down } else { 0.0 };
    let flat: Vec<f64> = values.iter().enumerate().map(|(place, value)| value - mean - slope * (place as f64 - middle)).collect();
    let power: f64 = flat.iter().map(|value| value * value).sum();
    if power <= 0.0 || values.len() <= lag {
        return 0.0;
    }
    flat.iter().zip(&flat[lag..]).map(|(a, b)| a * b).sum::<f64>() / power
}

/// Compares the mean of the last window with what came before, in units of the spread of earlier windows' means.
pub(crate) fn level_shift(totals: &BTreeMap<i128, f64>, window: usize, deviations: f64) -> Verdict {
    let values: Vec<f64> = totals.values().copied().collect();
    let means: Vec<f64> = values.rchunks_exact(window).map(|part| part.iter().sum::<f64>() / window as f64).collect();
    let Some((last, earlier)) = means.split_first().filter(|(_, earlier)| earlier.len() >= 3) else {
        let words = format!("{} periods, too few for windows of {window}: at least {} are needed", values.len(), window * 4);
        return Verdict { success: false, observed: Json::Null, details: json!({"periods": values.len()}), words };
    };
    let center = earlier.iter().sum::<f64>() / earlier.len() as f64;
    let spread = (earlier.iter().map(|mean| (mean - center) * (mean - center)).sum::<f64>() / (earlier.len() - 1) as f64).sqrt();
    // Means that never moved leave a thousandth of the level as the least spread.
    let spread = spread.max(center.abs() * 1e-3).max(f64::MIN_POSITIVE);
    let shift = (last - center) / spread;
    let words = format!("the last {window} periods lie {shift:.1} deviations from the level before ({last:.3} after {center:.3})");
    Verdict { success: shift.abs() <= deviations, observed: json!(shift), details: json!({"level": last, "before": center}), words }
}

/// Compares sums by key with those of another table.
pub(crate) fn sums(own: &SumsByKey, other: &SumsByKey, tolerance: f64) -> Verdict {
    let mut wrong: Vec<(String, Option<f64>, Option<f64>)> = Vec::new();
    for (key, (name, sum)) in own {
        match other.get(key) {
            Some((_, theirs)) if (sum - theirs).abs() <= tolerance * sum.abs().max(theirs.abs()).max(1.0) => {}
            theirs => wrong.push((name.clone(), Some(*sum), theirs.map(|pair| pair.1))),
        }
    }
    wrong.extend(other.iter().filter(|(key, _)| !own.contains_key(*key)).map(|(_, (name, sum))| (name.clone(), None, Some(*sum))));
    wrong.sort_by(|a, b| a.0.cmp(&b.0));
    let sample: Vec<Json> = wrong.iter().take(20).map(|(name, own, other)| json!({"key": name, "sum": own, "other_sum": other})).collect();
    let words = match wrong.first() {
        None => format!("{} sums agree", own.len()),
        Some((name, own, other)) => {
            let show = |sum: &Option<f64>| sum.map_or("nothing".to_owned(), |sum| Value::Float(sum).text());
            format!("{} sums differ; `{name}` has {} against {}", wrong.len(), show(own), show(other))
        }
    };
    Verdict { success: wrong.is_empty(), observed: json!(wrong.len()), details: json!({"sample": sample}), words }
}
