//! Numbers: moments, shares, the exact counts of few values, the quantile sketch of many.
//!
//! A batch is sorted once; everything else is then done once for each different value of the batch.

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::decoded;
use crate::sketch::counts::{Counts, Num};
use crate::sketch::moments::Moments;
use crate::sketch::quantiles::Quantiles;

const SIGN: u64 = 1 << 63;
/// Integers up to here are exact as floats.
const EXACT: u64 = 1 << 53;

/// Different values of a batch in rising order.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Values as floats (or times as they are, in `whole`) with their rows.
    pub(crate) values: Vec<(f64, u64)>,
    /// Integers and times with their rows; empty for floats.
    pub(crate) whole: Vec<(i64, u64)>,
    /// What is hashed of each value.
    pub(crate) distinct: Vec<u64>,
    pub(crate) nan: u64,
    pub(crate) infinite: [u64; 2],
    pub(crate) rows: usize,
    /// Whether every value is exact as a float.
    pub(crate) fits_float: bool,
}

/// What is known of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// Of the finite values.
    pub moments: Moments,
    /// Values that are 0.
    pub zeros: u64,
    /// Finite values below 0.
    pub negatives: u64,
    /// Values that are not a number.
    pub nan: u64,
    /// Values that are -∞ and +∞.
    pub infinite: [u64; 2],
    /// Whether all finite values are whole.
    pub is_whole: bool,
    /// Whether every value is exact as a float.
    pub fits_float: bool,
    /// How often each value occurs.
    pub counts: Counts<Num>,
    /// The distribution, once there are too many values to count each.
    pub(crate) quantiles: Option<Quantiles>,
}

impl NumberProfile {
    pub(crate) fn new(exact_values: usize) -> Self {
        Self {
            moments: Moments::default(),
            zeros: 0,
            negatives: 0,
            nan: 0,
            infinite: [0, 0],
            is_whole: true,
            fits_float: true,
            counts: Counts::new(exact_values),
            quantiles: None,
        }
    }

    pub(crate) fn update(&mut self, runs: &Runs) {
        self.nan += runs.nan;
        self.infinite[0] += runs.infinite[0];
        self.infinite[1] += runs.infinite[1];
        self.fits_float &= runs.fits_float;
        self.moments.merge(&Moments::of(&runs.values));
        for &(value, rows) in &runs.values {
            if value <= 0.0 {
                *(if value == 0.0 { &mut self.zeros } else { &mut self.negatives }) += rows;
            }
            self.is_whole &= value.fract() == 0.0;
        }
        if self.quantiles.is_none() && self.counts.has_room(runs.values.len()) {
            self.count(runs);
        } else if self.quantiles.is_none() {
            // What was exact until now becomes the beginning of the sketch, if this batch is one too many.
            let before = self.counts.clone();
            self.count(runs);
            if !self.counts.is_exact() {
                let mut quantiles = Quantiles::new();
                before.sorted().iter().for_each(|(value, rows)| quantiles.add(value.get(), *rows));
                runs.values.iter().for_each(|(value, rows)| quantiles.add(*value, *rows));
                self.quantiles = Some(quantiles);
            }
        } else {
            self.count(runs);
            if let Some(quantiles) = &mut self.quantiles {
                runs.values.iter().for_each(|(value, rows)| quantiles.add(*value, *rows));
            }
        }
    }

    fn count(&mut self, runs: &Runs) {
        let rare = self.counts.rare(runs.rows);
        for &(value, rows) in &runs.values {
            if rows > rare {
                self.counts.add(&Num::new(value), rows);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        self.zeros += other.zeros;
        self.negatives += other.negatives;
        self.nan += other.nan;
        self.infinite[0] += other.infinite[0];
        self.infinite[1] += other.infinite[1];
        self.is_whole &= other.is_whole;
        self.fits_float &= other.fits_float;
        let before = self.quantiles.take().unwrap_or_else(|| self.exact_as_sketch());
        self.counts.merge(&other.counts);
        if !self.counts.is_exact() {
            let mut all = before;
            match &other.quantiles {
                Some(theirs) => all.merge(theirs),
                None => other.counts.sorted().iter().for_each(|(value, rows)| all.add(value.get(), *rows)),
            }
            self.quantiles = Some(all);
        }
    }

    fn exact_as_sketch(&self) -> Quantiles {
        let mut quantiles = Quantiles::new();
        self.counts.sorted().iter().for_each(|(value, rows)| quantiles.add(value.get(), *rows));
        quantiles
    }

    /// Returns finite values in rising order with the rows each stands for, and whether these are all values.
    pub(crate) fn points(&self) -> (Vec<(f64, u64)>, bool) {
        match &self.quantiles {
            Some(quantiles) => (quantiles.points(), false),
            None => (self.counts.sorted().into_iter().map(|(value, rows)| (value.get(), rows)).collect(), true),
        }
    }
}

/// Integers of at most 64 bits.
pub(crate) fn int_runs(array: &dyn Array) -> Result<Runs, ArrowError> {
    let plain = decoded(array)?;
    let array = plain.as_deref().unwrap_or(array);
    let keys = match array.data_type() {
        DataType::Int8 => int_keys(array.as_primitive::<Int8Type>()),
        DataType::Int16 => int_keys(array.as_primitive::<Int16Type>()),
        DataType::Int32 => int_keys(array.as_primitive::<Int32Type>()),
        DataType::UInt8 => int_keys(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => int_keys(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => int_keys(array.as_primitive::<UInt32Type>()),
        _ => int_keys(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>()),
    };
    Ok(whole_runs(keys, array.len()))
}

fn int_keys<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Vec<u64>
where
    i64: From<T::Native>,
{
    array.iter().flatten().map(|value| i64::from(value) as u64 ^ SIGN).collect()
}

/// Runs of integers given as keys that sort as they do.
pub(crate) fn whole_runs(keys: Vec<u64>, rows: usize) -> Runs {
    let mut runs = Runs { rows, fits_float: true, ..Runs::default() };
    for_each_run(keys, |key, count| {
        let value = (key ^ SIGN) as i64;
        let fits = value.unsigned_abs() <= EXACT;
        runs.fits_float &= fits;
        runs.values.push((value as f64, count));
        runs.whole.push((value, count));
        // An integer and the float that equals it are one value, so that a column may change its type between versions.
        runs.distinct.push(if fits { (value as f64 + 0.0).to_bits() } else { key });
    });
    runs
}

/// Floats, decimals, and integers beyond 64 bits with sign.
pub(crate) fn float_runs(array: &dyn Array) -> Result<Runs, ArrowError> {
    let plain = decoded(array)?;
    let array = plain.as_deref().unwrap_or(array);
    let floats = cast(array, &DataType::Float64)?;
    let mut runs = Runs { rows: array.len(), fits_float: true, ..Runs::default() };
    let mut keys = Vec::with_capacity(array.len());
    for value in floats.as_primitive::<Float64Type>().iter().flatten() {
        if value.is_finite() {
            let bits = (value + 0.0).to_bits();
            keys.push(if bits & SIGN == 0 { bits | SIGN } else { !bits });
        } else if value.is_nan() {
            runs.nan += 1;
        } else {
            runs.infinite[usize::from(value > 0.0)] += 1;
        }
    }
    for_each_run(keys, |key, count| {
        let value = f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN });
        runs.values.push((value, count));
        runs.distinct.push(value.to_bits());
    });
    Ok(runs)
}

fn for_each_run(mut keys: Vec<u64>, mut take: impl FnMut(u64, u64)) {
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).for_each(|run| take(run[0], run.len() as u64));
}
