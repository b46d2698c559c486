//! What sales tables must hold beside what any table must: no gaps, nothing from the future, fresh, seasonal as before, joined, adding up.

mod verdict;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use almanac_series::Freq;
use arrow::buffer::BooleanBuffer;

use crate::args::Args;
use crate::column::{Column, View};
use crate::error::CheckError;
use crate::rule::{Range, range};
use crate::value::Value;
use crate::work::counts::FoldMap;
use crate::work::keys::Hasher;
use crate::work::present;

pub(crate) use verdict::{Verdict, gaps, level_shift, seasonality, sums};

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
        /// Bytes that names and spans may take.
        budget: u64,
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
    /// Keys of one share of the hashes.
    Set {
        columns: Vec<String>,
        share: KeyShare,
        keys: HashSet<u128>,
    },
    Sums {
        keys: Vec<String>,
        value: String,
        sums: SumsByKey,
        /// Bytes that names and sums may take.
        budget: u64,
    },
    /// Rows whose key is of a share of the hashes and not in its set.
    Missing {
        columns: Vec<String>,
        share: KeyShare,
        set: Arc<HashSet<u128>>,
        places: Vec<u64>,
    },
    /// Names or sums by key took more than their budget of bytes.
    Crowded {
        columns: Vec<String>,
        budget: u64,
    },
}

/// Every so-manieth key, by its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyShare {
    pub(crate) number: u64,
    pub(crate) of: u64,
}

impl KeyShare {
    pub(crate) const ALL: Self = Self { number: 0, of: 1 };

    fn has(self, hash: u128) -> bool {
        self.of == 1 || (hash >> 64) % u128::from(self.of) == u128::from(self.number)
    }
}

fn names(columns: &[&Column], row: usize) -> String {
    columns.iter().map(|column| column.value(row).text()).collect::<Vec<_>>().join("/")
}

/// Bytes that a key with its name takes, about.
const NAMED_BYTES: u64 = 200;

impl FieldWork {
    /// Returns whether it takes memory that grows with the keys of the table.
    pub(crate) fn grows(&self) -> bool {
        matches!(self, Self::Gaps { .. } | Self::Sums { .. })
    }

    /// Keeps to a budget of bytes.
    pub(crate) fn limit(&mut self, bytes: u64) {
        if let Self::Gaps { budget, .. } | Self::Sums { budget, .. } = self {
            *budget = bytes;
        }
    }

    /// Lets everything go where the budget is spent: then nothing can be said, and that is.
    fn settle(&mut self) {
        let (keys, budget) = match self {
            Self::Gaps { series, budget, .. } => (series.len(), *budget),
            Self::Sums { sums, budget, .. } => (sums.len(), *budget),
            _ => return,
        };
        if keys as u64 * NAMED_BYTES > budget {
            let mut columns = Vec::new();
            self.columns(&mut columns);
            *self = Self::Crowded { columns, budget };
        }
    }

    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        match self {
            Self::Gaps { id, time, .. } => into.extend(id.iter().chain([time]).cloned()),
            Self::Totals { time, value, .. } => into.extend([time.clone(), value.clone()]),
            Self::Share { column, .. } => into.push(column.clone()),
            Self::Set { columns, .. } | Self::Missing { columns, .. } | Self::Crowded { columns, .. } => {
                into.extend(columns.iter().cloned());
            }
            Self::Sums { keys, value, .. } => into.extend(keys.iter().chain([value]).cloned()),
        }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let named = |names: &[String]| names.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>();
        let all = || BooleanBuffer::new_set(view.rows);
        match self {
            Self::Gaps { id, time, freq, series, refused, .. } => {
                let columns = named(id)?;
                let hasher = Hasher::new(&columns);
                let times = view.column(time)?;
                let rows = present(view, times.nulls(), mask).unwrap_or_else(all);
                for row in rows.set_indices() {
                    let period = match times.value(row) {
                        // Steps without a calendar are their own periods.
                        Value::Int(step) if !freq.has_calendar() => step,
                        value => {
                            let Some(nanos) = value.nanos() else {
                                refused.get_or_insert_with(|| format!("`{}` is no time", value.text()));
                                continue;
                            };
                            freq.period((nanos / 1000) as i64).0
                        }
                    };
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
            Self::Crowded { .. } => {}
            Self::Set { columns, share, keys } => {
                let columns = named(columns)?;
                let hasher = Hasher::new(&columns);
                keys.extend((0..view.rows).map(|row| hasher.row(row)).filter(|hash| share.has(*hash)));
            }
            Self::Missing { columns, share, set, places } => {
                let columns = named(columns)?;
                let hasher = Hasher::new(&columns);
                let rows = mask.cloned().unwrap_or_else(all);
                let missing = rows.set_indices().filter(|row| {
                    let hash = hasher.row(*row);
                    share.has(hash) && !set.contains(&hash) && !columns.iter().all(|column| column.is_null(*row))
                });
                places.extend(missing.map(|row| view.offset + row as u64));
            }
            Self::Sums { keys, value, sums, .. } => {
                let columns = named(keys)?;
                let hasher = Hasher::new(&columns);
                let values = view.column(value)?;
                let rows = present(view, values.nulls(), mask).unwrap_or_else(all);
                for row in rows.set_indices() {
                    sums.entry(hasher.row(row)).or_insert_with(|| (names(&columns, row), 0.0)).1 += values.number(row);
                }
            }
        }
        self.settle();
        Ok(())
    }

    pub(crate) fn merge(&mut self, next: Self) {
        match (&mut *self, next) {
            (own, crowded @ Self::Crowded { .. }) => *own = crowded,
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
        self.settle();
    }
}
