//! A profile as people and programs read it: means, quantiles, histograms, most frequent values.

use serde::Serialize;

use crate::column::{ColumnProfile, NumberProfile, TextProfile, TimeProfile, Values};
use crate::distribution::{Distribution, even_edges};
use crate::sketch::periods::{Unit, civil};
use crate::table::TableProfile;

/// Most frequent values that are listed.
const TOP: usize = 10;
/// Bins of a histogram.
const BINS: usize = 20;
/// Shapes that are listed.
const SHAPES: usize = 5;

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableSummary {
    /// Rows.
    pub rows: u64,
    /// Columns in the order of the schema.
    pub columns: Vec<ColumnSummary>,
    /// The series, if a key was named.
    pub key: Option<KeySummary>,
}

/// The series of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeySummary {
    /// Columns that together name a series.
    pub columns: Vec<String>,
    /// Number of series.
    pub series: u64,
    /// Whether the number is exact.
    pub is_exact: bool,
    /// Rows of the shortest, the middle and the longest series, where they are known.
    pub rows_per_series: Option<[u64; 3]>,
    /// Rows without a value in one of the columns.
    pub null_rows: u64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: String,
    /// `number`, `text`, `time`, `bool`, `personal` or `other`.
    pub kind: &'static str,
    /// Whether the schema allows nulls.
    pub is_nullable: bool,
    /// Rows.
    pub rows: u64,
    /// Rows without a value; NaN counts as missing.
    pub missing: u64,
    /// Missing over rows.
    pub missing_share: f64,
    /// Number of different values.
    pub distinct: Option<u64>,
    /// Whether that number is exact; otherwise it has a standard error of 1.2 %.
    pub distinct_is_exact: bool,
    /// Most frequent values, most frequent first.
    pub top: Vec<ValueCount>,
    /// By how many rows the counts in `top` may be too low; 0 if they are exact.
    pub top_error: u64,
    /// Of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberSummary>,
    /// Of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextSummary>,
    /// Of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeSummary>,
}

/// A value and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueCount {
    /// The value as text.
    pub value: String,
    /// Its rows.
    pub count: u64,
}

/// Numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumberSummary {
    /// Mean of the finite values.
    pub mean: Option<f64>,
    /// Standard deviation (n - 1).
    pub stdev: Option<f64>,
    /// Sum.
    pub sum: f64,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Quantiles by their level in percent.
    pub quantiles: Vec<(u8, f64)>,
    /// Whether quantiles and histogram are exact; otherwise ranks are within 1 %.
    pub is_exact: bool,
    /// Share of values that are 0.
    pub zero_share: f64,
    /// Share of values below 0.
    pub negative_share: f64,
    /// Values that are not a number.
    pub nan: u64,
    /// Values that are infinite.
    pub infinite: u64,
    /// Whether all finite values are whole.
    pub is_whole: bool,
    /// Twenty even bins from the smallest to the largest value.
    pub histogram: Option<Histogram>,
    /// At most twenty even bins between the 1 % and 99 % quantiles, with what lies outside in the first and last: for drawing.
    pub bars: Vec<u64>,
}

/// Rows in bins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Edges, one more than bins.
    pub edges: Vec<f64>,
    /// Rows of each bin.
    pub counts: Vec<u64>,
}

/// Text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextSummary {
    /// Characters of the shortest value.
    pub min_length: u64,
    /// Mean number of characters.
    pub mean_length: f64,
    /// Characters of the longest value.
    pub max_length: u64,
    /// Values that are empty or white space.
    pub blank: u64,
    /// Values with white space before or after.
    pub padded: u64,
    /// The most frequent shapes: `A` for capitals, `a` for other letters, `9` for digits, each for a run of them.
    pub shapes: Vec<ValueCount>,
}

/// Times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeSummary {
    /// The first.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// The length of the periods below.
    pub unit: Unit,
    /// Periods with rows.
    pub periods: u64,
    /// Periods without rows between the first and the last.
    pub empty_periods: u64,
    /// Rows of the period with the fewest, the middle and the most.
    pub rows_per_period: Option<[u64; 3]>,
    /// Rows on Monday to Sunday.
    pub weekdays: [u64; 7],
    /// Rows whose time of day is not midnight.
    pub with_time: u64,
    /// Rows of each period, in order.
    pub rows: Vec<PeriodRows>,
}

/// A period and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodRows {
    /// The period as text.
    pub period: String,
    /// Its rows.
    pub rows: u64,
}

impl TableProfile {
    /// Returns what people read of it.
    pub fn summary(&self) -> TableSummary {
        let key = self.key.as_ref().map(|key| KeySummary {
            columns: key.columns.clone(),
            series: key.keys.len(),
            is_exact: key.keys.is_exact(),
            rows_per_series: key.keys.rows_per_key(),
            null_rows: key.null_rows,
        });
        TableSummary { rows: self.rows, columns: self.columns.iter().map(summary).collect(), key }
    }
}

fn summary(column: &ColumnProfile) -> ColumnSummary {
    let distinct = column.distinct();
    let (top, top_error) = top(column);
    let (mut number, mut text, mut time) = (None, None, None);
    match &column.values {
        Values::Number(own) => number = Some(of_numbers(own)),
        Values::Text(own) => text = Some(of_text(own)),
        Values::Time(own) => time = Some(of_times(own)),
        Values::Bool { .. } | Values::Hidden | Values::Other => {}
    }
    ColumnSummary {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        kind: column.values.kind(),
        is_nullable: column.is_nullable,
        rows: column.rows,
        missing: column.missing(),
        missing_share: column.missing_share(),
        distinct: distinct.map(|(count, _)| count),
        distinct_is_exact: distinct.is_some_and(|(_, exact)| exact),
        top,
        top_error,
        number,
        text,
        time,
    }
}

fn top(column: &ColumnProfile) -> (Vec<ValueCount>, u64) {
    let of = |value: String, count| ValueCount { value, count };
    match &column.values {
        Values::Number(own) => {
            // Of numbers that are nearly all different, the frequent ones are chance.
            let is_told = |(_, count): &(_, u64)| own.counts.is_exact() || *count > own.counts.error();
            let top = own.counts.top(TOP).into_iter().filter(is_told).map(|(value, count)| of(value.get().to_string(), count));
            (top.collect(), own.counts.error())
        }
        Values::Text(own) => {
            let is_told = |(_, count): &(_, u64)| own.counts.is_exact() || *count > own.counts.error();
            (own.counts.top(TOP).into_iter().filter(is_told).map(|(value, count)| of(value, count)).collect(), own.counts.error())
        }
        Values::Bool { yes, no } => {
            let mut both = vec![of("true".to_owned(), *yes), of("false".to_owned(), *no)];
            both.retain(|value| value.count > 0);
            both.sort_by_key(|value| std::cmp::Reverse(value.count));
            (both, 0)
        }
        Values::Time(_) | Values::Hidden | Values::Other => (Vec::new(), 0),
    }
}

fn of_numbers(own: &NumberProfile) -> NumberSummary {
    const LEVELS: [u8; 9] = [1, 5, 10, 25, 50, 75, 90, 95, 99];
    let distribution = Distribution::of(own);
    let quantiles = distribution.quantiles(&LEVELS.map(|level| f64::from(level) / 100.0)).unwrap_or_default();
    let count = own.moments.count;
    let share = |rows: u64| if count == 0 { 0.0 } else { rows as f64 / count as f64 };
    let some = |value: f64| (count > 0).then_some(value);
    let histogram = (count > 0).then(|| {
        let edges = even_edges(own.moments.min, own.moments.max, if own.moments.min == own.moments.max { 1 } else { BINS });
        Histogram { counts: distribution.histogram(&edges), edges }
    });
    NumberSummary {
        mean: some(own.moments.mean),
        stdev: own.moments.stdev(),
        sum: own.moments.sum(),
        min: some(own.moments.min),
        max: some(own.moments.max),
        bars: bars(&distribution, BINS, None, own.is_whole),
        quantiles: LEVELS.into_iter().zip(quantiles).collect(),
        is_exact: distribution.is_exact(),
        zero_share: share(own.zeros),
        negative_share: share(own.negatives),
        nan: own.nan,
        infinite: own.infinite[0] + own.infinite[1],
        is_whole: own.is_whole,
        histogram,
    }
}

/// Rows in even bins over the middle 98 % of the values, or over `range`; what lies outside is in the first and last bin. Bins of whole
/// numbers all hold as many of them: otherwise some would be empty for no other reason than their edges.
pub(crate) fn bars(distribution: &Distribution, bins: usize, range: Option<(f64, f64)>, is_whole: bool) -> Vec<u64> {
    let Some((low, high)) = range.or_else(|| middle(distribution)) else { return Vec::new() };
    if low == high {
        return vec![distribution.total()];
    }
    let (low, high) = if is_whole { (low.floor(), high.ceil()) } else { (low, high) };
    let (bins, edges) = if is_whole && high - low < 1e15 {
        let each = ((high - low + 1.0) / bins as f64).ceil().max(1.0);
        let bins = ((high - low + 1.0) / each).ceil() as usize;
        (bins, (0..=bins).map(|edge| low + each * edge as f64).collect())
    } else {
        (bins, even_edges(low, high, bins))
    };
    let mut counts = vec![0; bins];
    for &(value, rows) in distribution.points() {
        counts[edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(bins - 1)] += rows;
    }
    counts
}

/// The range that pictures show: from the 1 % to the 99 % quantile, or all where these are one.
pub(crate) fn middle(distribution: &Distribution) -> Option<(f64, f64)> {
    let quantiles = distribution.quantiles(&[0.01, 0.99])?;
    if quantiles[0] < quantiles[1] { Some((quantiles[0], quantiles[1])) } else { distribution.range() }
}

fn of_text(own: &TextProfile) -> TextSummary {
    let shapes = own.shapes.top(SHAPES).into_iter().map(|(value, count)| ValueCount { value, count });
    TextSummary {
        min_length: own.lengths.min as u64,
        mean_length: own.lengths.mean,
        max_length: own.lengths.max as u64,
        blank: own.blank,
        padded: own.padded,
        shapes: shapes.collect(),
    }
}

fn of_times(own: &TimeProfile) -> TimeSummary {
    let periods = own.periods.natural();
    let mut counts: Vec<u64> = periods.rows().values().copied().collect();
    counts.sort_unstable();
    let rows_per_period = (!counts.is_empty()).then(|| [counts[0], counts[counts.len() / 2], counts[counts.len() - 1]]);
    TimeSummary {
        first: own.range.map(|(first, _)| time_text(first, own.with_time == 0)),
        last: own.range.map(|(_, last)| time_text(last, own.with_time == 0)),
        unit: periods.unit(),
        periods: periods.rows().len() as u64,
        empty_periods: periods.empty(),
        rows_per_period,
        weekdays: own.weekdays,
        with_time: own.with_time,
        rows: periods.rows().iter().map(|(index, rows)| PeriodRows { period: periods.unit().label(*index), rows: *rows }).collect(),
    }
}

/// A time as `2024-03-01T13:00:00`, without the time of day where there is none.
fn time_text(micros: i64, is_date: bool) -> String {
    match civil(micros) {
        Some(time) if is_date => time.date().to_string(),
        Some(time) => time.to_string(),
        None => format!("{micros} µs since 1970"),
    }
}
