//! The design: how the features of a row become the columns of a linear model. Chosen from a sample of the training rows, then
//! applied to any row.
//!
//! Trees split a feature wherever it helps; a line needs it spelled out. Numbers are drawn into the range seen in training, put on a
//! common scale and, where missing, set to their mean, with a column that says so. Codes and small whole numbers get a column per
//! value, and the day of the year becomes waves.

use serde::{Deserialize, Serialize};

use almanac_features::Feature;

/// Values of a category that get a column of their own; the rest share one.
const MOST_CATEGORIES: usize = 50;
/// Numbers with no more distinct values than this, all whole, get a column per value.
const FEW_VALUES: usize = 12;
/// The same where the calendar says that neighbours need not be alike.
const CALENDAR: [&str; 3] = ["hour", "day_of_month", "day_of_week"];
/// Distinct values of the calendar's own columns.
const CALENDAR_VALUES: usize = 31;
/// Up to so many distinct values their extremes are no outliers.
const MANY_VALUES: usize = 32;
/// Share of the sample beyond which values are outliers, at each end.
const TAIL: f64 = 0.001;
/// A number missing in more rows than this share gets a column that says so.
const MANY_MISSING: f64 = 0.01;
/// Places in the year: name, mean length of the year, distinct values without which the year has not been seen round, waves.
const YEAR: [(&str, f64, usize, usize); 2] = [("day_of_year", 365.2425, 330, 6), ("week_of_year", 52.1775, 48, 6)];
/// A logarithm is not taken below this; features in units of `y` are ratios to its local level.
const LEAST: f64 = 0.01;
/// Where more values than this share are smaller, zeros are ordinary, and this is added to all before the logarithm is taken.
const FEW_ZEROS: f64 = 0.01;
const SHIFT: f64 = 0.25;
/// A number that reaches as far as this, and as many times its mean, is mostly small.
const SKEWED: f64 = 10.0;
/// Half of a column of zeros and ones is about the standard deviation of one that is as often on as off. Not the column's own:
/// so the effect of a rare value is shrunk more than that of a frequent one.
const DUMMY: f64 = 2.0;

/// How rows of features become rows of columns, all of them of about mean 0 and variance 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Design {
    encodings: Vec<Encoding>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    /// The same in all rows, so that it tells nothing.
    Nothing,
    Number(Number),
    /// A number that is mostly small: it and its logarithm.
    Skewed(Number, Number),
    /// A column per value, which are sorted; then one for all others, if there were any.
    Values {
        values: Vec<f32>,
        others: bool,
    },
    /// Sine and cosine of one to so many turns a period.
    Waves {
        period: f64,
        orders: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Number {
    /// What is added before the logarithm is taken, if it is.
    log: Option<f64>,
    /// Values beyond are drawn in to these; before the logarithm.
    low: f64,
    high: f64,
    mean: f64,
    deviation: f64,
    /// Whether a column says that the value is missing.
    missing: bool,
}

impl Design {
    /// Chooses the columns. `sample`: rows of `features`, row-major; `log`: whether the label is a logarithm, which makes amounts and
    /// ratios enter as logarithms too.
    pub(crate) fn new<'a>(features: impl Iterator<Item = &'a Feature>, sample: &[f32], log: bool) -> Self {
        let features: Vec<&Feature> = features.collect();
        let mut values = Vec::with_capacity(sample.len() / features.len().max(1));
        let has_days = features.iter().any(|feature| feature.name == YEAR[0].0);
        let encode = |(index, feature): (usize, &&Feature)| {
            values.clear();
            values.extend(sample.iter().skip(index).step_by(features.len()).copied().filter(|value| value.is_finite()).map(unsigned_zero));
            values.sort_unstable_by(f32::total_cmp);
            let rows = sample.len() / features.len();
            encoding(feature, &values, rows, log, has_days)
        };
        Self { encodings: features.iter().enumerate().map(encode).collect() }
    }

    /// Returns the number of features of a row.
    pub(crate) fn n_features(&self) -> usize {
        self.encodings.len()
    }

    /// Returns the number of columns.
    pub(crate) fn n_columns(&self) -> usize {
        self.encodings.iter().map(Encoding::width).sum()
    }

    /// Writes the columns of one row of features. `out`: as long as there are columns.
    pub(crate) fn write(&self, row: &[f32], out: &mut [f64]) {
        let mut rest = out;
        for (encoding, value) in self.encodings.iter().zip(row) {
            let (own, after) = rest.split_at_mut(encoding.width());
            encoding.write(*value, own);
            rest = after;
        }
    }
}

impl Encoding {
    fn width(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Number(number) => 1 + usize::from(number.missing),
            Self::Skewed(number, _) => 2 + usize::from(number.missing),
            Self::Values { values, others } => values.len() + usize::from(*others),
            Self::Waves { orders, .. } => 2 * orders,
        }
    }

    fn write(&self, value: f32, out: &mut [f64]) {
        match self {
            Self::Nothing => {}
            Self::Number(number) => number.write(value, out),
            Self::Skewed(number, logarithm) => {
                let (log, own) = out.split_at_mut(1);
                logarithm.write(value, log);
                number.write(value, own);
            }
            Self::Values { values, others } => {
                out.fill(0.0);
                match values.binary_search_by(|known| known.total_cmp(&unsigned_zero(value))) {
                    Ok(place) => out[place] = DUMMY,
                    Err(_) if *others => out[values.len()] = DUMMY,
                    Err(_) => {}
                }
            }
            Self::Waves { period, orders } => {
                for order in 0..*orders {
                    let angle = std::f64::consts::TAU * (order + 1) as f64 * f64::from(value) / period;
                    let (sine, cosine) = if value.is_finite() { angle.sin_cos() } else { (0.0, 0.0) };
                    // A higher tone costs more, so that what is learnt is smooth.
                    let shrink = 1.0 / (order + 1) as f64;
                    out[2 * order] = sine * shrink;
                    out[2 * order + 1] = cosine * shrink;
                }
            }
        }
    }
}

impl Number {
    fn write(&self, value: f32, out: &mut [f64]) {
        let known = value.is_finite();
        out[0] = if known { (self.value(f64::from(value)) - self.mean) / self.deviation } else { 0.0 };
        if self.missing {
            out[1] = if known { 0.0 } else { DUMMY };
        }
    }

    /// Puts the values of a sample on the common scale. False if they do not vary.
    fn scale(&mut self, values: &[f32]) -> bool {
        let count = values.len() as f64;
        let scaled = |value: &f32| self.value(f64::from(*value));
        let mean = values.iter().map(scaled).sum::<f64>() / count;
        let variance = values.iter().map(|value| (scaled(value) - mean).powi(2)).sum::<f64>() / count;
        // Below this it is rounding that varies.
        let varies = variance.is_finite() && variance.sqrt() > 1e-6 * mean.abs();
        (self.mean, self.deviation) = (mean, if varies { variance.sqrt() } else { 1.0 });
        varies
    }

    fn value(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        self.log.map_or(value, |shift| (value + shift).ln())
    }
}

/// Both zeros are one value.
fn unsigned_zero(value: f32) -> f32 {
    value + 0.0
}

/// `values`: the finite ones of `rows` rows, sorted.
fn encoding(feature: &Feature, values: &[f32], rows: usize, log: bool, has_days: bool) -> Encoding {
    let mut distinct: Vec<(f32, usize)> = Vec::new();
    for value in values {
        match distinct.last_mut() {
            Some((last, count)) if last == value => *count += 1,
            _ => distinct.push((*value, 1)),
        }
    }
    if feature.categorical {
        return categories(distinct, values.len() < rows);
    }
    if let Some((_, period, round, orders)) = YEAR.iter().find(|(name, ..)| feature.name == *name) {
        // Of less than a year, waves would say anything of the days not seen.
        if distinct.len() < *round || (has_days && feature.name != YEAR[0].0) {
            return Encoding::Nothing;
        }
        return Encoding::Waves { period: *period, orders: *orders };
    }
    let few = if CALENDAR.contains(&feature.name.as_str()) { CALENDAR_VALUES } else { FEW_VALUES };
    if (3..=few).contains(&distinct.len()) && distinct.iter().all(|(value, _)| value.fract() == 0.0) {
        return Encoding::Values { values: distinct.into_iter().map(|(value, _)| value).collect(), others: false };
    }
    number(feature, values, distinct.len(), rows, log)
}

fn categories(mut distinct: Vec<(f32, usize)>, missing: bool) -> Encoding {
    let all = distinct.len();
    // The sort is stable: of values as frequent as one another the smaller codes come first.
    distinct.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    distinct.truncate(MOST_CATEGORIES);
    let mut values: Vec<f32> = distinct.into_iter().map(|(value, _)| value).collect();
    values.sort_unstable_by(f32::total_cmp);
    let others = missing || all > values.len();
    if values.len() + usize::from(others) < 2 { Encoding::Nothing } else { Encoding::Values { values, others } }
}

fn number(feature: &Feature, values: &[f32], n_distinct: usize, rows: usize, log: bool) -> Encoding {
    let missing = (rows - values.len()) as f64 > MANY_MISSING * rows as f64;
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return Encoding::Nothing };
    let tail = if n_distinct > MANY_VALUES { (TAIL * values.len() as f64) as usize } else { 0 };
    let (low, high) = (f64::from(values[tail]), f64::from(values[values.len() - 1 - tail]));
    let mut number = Number { log: None, low, high, mean: 0.0, deviation: 1.0, missing };
    let small = values.partition_point(|value| f64::from(*value) < LEAST);
    if log && feature.in_units && *last > 0.0 {
        let few = small as f64 <= FEW_ZEROS * values.len() as f64;
        number.log = Some(if few { 0.0 } else { SHIFT });
        let least = if few { LEAST } else { 0.0 };
        (number.low, number.high) = (low.max(least), high.max(least));
    } else if log && *first > 0.0 && n_distinct > MANY_VALUES {
        number.log = Some(0.0);
    }
    if !number.scale(values) {
        // Where it is known it is one number; it may tell something that it is not known.
        return if missing { Encoding::Number(number) } else { Encoding::Nothing };
    }
    if number.log.is_none() && *first >= 0.0 && high >= SKEWED && SKEWED * mean_of(values) < high {
        let mut logarithm = Number { log: Some(1.0), missing: false, ..number };
        logarithm.scale(values);
        return Encoding::Skewed(number, logarithm);
    }
    Encoding::Number(number)
}

fn mean_of(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}
