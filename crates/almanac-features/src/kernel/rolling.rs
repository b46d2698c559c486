//! Rolling statistics in blocks of one window.

use super::narrow;

/// Columns that [`rolling`] writes; `None` where a statistic is not wanted.
#[derive(Debug, Default)]
pub struct RollingOut<'a> {
    /// Mean.
    pub mean: Option<&'a mut [f32]>,
    /// Sample standard deviation; needs two values.
    pub std: Option<&'a mut [f32]>,
    /// Smallest value.
    pub min: Option<&'a mut [f32]>,
    /// Largest value.
    pub max: Option<&'a mut [f32]>,
    /// Share of zeros among the values.
    pub zero_share: Option<&'a mut [f32]>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    count: u32,
    zeros: u32,
    sum: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Part {
    const EMPTY: Self = Self { count: 0, zeros: 0, sum: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    #[inline(always)]
    fn add(&mut self, value: f64, centre: f64) {
        if !value.is_nan() {
            let off = value - centre;
            self.count += 1;
            self.zeros += u32::from(value == 0.0);
            self.sum += off;
            self.squares += off * off;
            if value < self.min {
                self.min = value;
            }
            if value > self.max {
                self.max = value;
            }
        }
    }

    #[inline(always)]
    fn join(&self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            zeros: self.zeros + other.zeros,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            min: if other.min < self.min { other.min } else { self.min },
            max: if other.max > self.max { other.max } else { self.max },
        }
    }
}

/// Statistics of the values in a window. All are NaN where fewer values are known than needed.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    part: Part,
    centre: f64,
    known: bool,
}

impl Summary {
    // Equal values have exactly their mean and no deviation.
    #[inline(always)]
    fn is_flat(&self) -> bool {
        self.part.min == self.part.max
    }

    /// Mean.
    #[inline(always)]
    pub fn mean(&self) -> f32 {
        if !self.known {
            f32::NAN
        } else if self.is_flat() {
            narrow(self.part.min)
        } else {
            narrow(self.centre + self.part.sum / f64::from(self.part.count))
        }
    }

    /// Sample standard deviation; needs two values.
    #[inline(always)]
    pub fn std(&self) -> f32 {
        let (part, n) = (&self.part, f64::from(self.part.count));
        if !self.known || part.count < 2 {
            f32::NAN
        } else if self.is_flat() {
            0.0
        } else {
            narrow(((part.squares - part.sum * part.sum / n) / (n - 1.0)).max(0.0).sqrt())
        }
    }

    /// Smallest value.
    #[inline(always)]
    pub fn min(&self) -> f32 {
        if self.known { narrow(self.part.min) } else { f32::NAN }
    }

    /// Largest value.
    #[inline(always)]
    pub fn max(&self) -> f32 {
        if self.known { narrow(self.part.max) } else { f32::NAN }
    }

    /// Share of zeros among the values.
    #[inline(always)]
    pub fn zero_share(&self) -> f32 {
        if self.known { (f64::from(self.part.zeros) / f64::from(self.part.count)) as f32 } else { f32::NAN }
    }
}

/// A rolling window that takes one value at a time, in O(1) on average; [`rolling`] is the fold of it.
#[derive(Debug, Clone)]
pub struct Rolling {
    window: usize,
    needed: u32,
    /// Rows taken, and rows of the current block among them.
    rows: usize,
    at: usize,
    /// What sums are taken about: the mean of the previous block.
    centre: f64,
    /// The current block so far.
    prefix: Part,
    /// The previous block from each of its rows on; empty in the first block.
    suffix: Vec<Part>,
}

impl Rolling {
    /// Starts with no row. `min_count`: values that a statistic needs.
    pub fn new(window: usize, min_count: usize) -> Self {
        Self {
            window: window.max(1),
            needed: min_count.max(1) as u32,
            rows: 0,
            at: 0,
            centre: f64::NAN,
            prefix: Part::EMPTY,
            suffix: Vec::new(),
        }
    }

    /// Returns the state after `rows` rows whose values `at` gives, in O(`window`).
    pub fn resume(window: usize, min_count: usize, rows: usize, at: impl Fn(usize) -> f64) -> Self {
        let mut state = Self::new(window, min_count);
        let first = rows.saturating_sub(1) / state.window * state.window;
        state.rows = first;
        state.at = if first > 0 { state.window } else { 0 };
        for row in first..rows {
            state.push(at(row), &at);
        }
        state
    }

    /// Takes the value of the next row, NaN where it has none. `before` gives the values of at least the last `window` rows.
    #[inline(always)]
    pub fn push(&mut self, value: f64, before: impl Fn(usize) -> f64) -> Summary {
        if self.at == self.window {
            self.open(before);
        }
        if self.centre.is_nan() && !value.is_nan() {
            self.centre = value;
        }
        self.prefix.add(value, self.centre);
        self.rows += 1;
        self.at += 1;
        let part = match self.suffix.get(self.at) {
            Some(suffix) => suffix.join(&self.prefix),
            None => self.prefix,
        };
        Summary { part, centre: self.centre, known: part.count >= self.needed }
    }

    /// Starts the next block.
    fn open(&mut self, before: impl Fn(usize) -> f64) {
        let previous = self.rows - self.window..self.rows;
        self.centre = mean_of(previous.clone().map(&before));
        let centre = if self.centre.is_nan() { 0.0 } else { self.centre };
        self.suffix.resize(self.window, Part::EMPTY);
        let mut part = Part::EMPTY;
        for (to, row) in self.suffix.iter_mut().zip(previous).rev() {
            part.add(before(row), centre);
            *to = part;
        }
        self.prefix = Part::EMPTY;
        self.at = 0;
    }
}

/// Returns the statistics of the last of `rows` rows, at least one, as [`rolling`] has them, in O(`window`) and without a state.
pub(crate) fn last(rows: usize, window: usize, min_count: usize, at: impl Fn(usize) -> f64) -> Summary {
    let window = window.max(1);
    let first = (rows - 1) / window * window;
    let mut centre = mean_of((first.saturating_sub(window)..first).map(&at));
    let mut suffix = Part::EMPTY;
    if first > 0 {
        let about = if centre.is_nan() { 0.0 } else { centre };
        (rows - window..first).rev().for_each(|row| suffix.add(at(row), about));
    }
    let mut prefix = Part::EMPTY;
    for row in first..rows {
        let value = at(row);
        if centre.is_nan() && !value.is_nan() {
            centre = value;
        }
        prefix.add(value, centre);
    }
    let part = if rows - first < window { suffix.join(&prefix) } else { prefix };
    Summary { part, centre, known: part.count >= min_count.max(1) as u32 }
}

/// Writes statistics over the last `window` rows, NaN where fewer than `min_count` of them have a value.
pub fn rolling(values: &[f64], window: usize, min_count: usize, mut out: RollingOut<'_>) {
    let mut state = Rolling::new(window, min_count);
    let needed = state.needed;
    for (block, own) in values.chunks(state.window).enumerate() {
        if block > 0 {
            state.open(|row| values[row]);
        }
        // As `Rolling::push`, but with what changes from row to row in registers.
        let (mut prefix, mut centre) = (state.prefix, state.centre);
        let first = block * state.window;
        for (at, value) in own.iter().enumerate() {
            if centre.is_nan() && !value.is_nan() {
                centre = *value;
            }
            prefix.add(*value, centre);
            let part = match state.suffix.get(at + 1) {
                Some(suffix) => suffix.join(&prefix),
                None => prefix,
            };
            let summary = Summary { part, centre, known: part.count >= needed };
            let row = first + at;
            if let Some(mean) = out.mean.as_deref_mut() {
                mean[row] = summary.mean();
            }
            if let Some(std) = out.std.as_deref_mut() {
                std[row] = summary.std();
            }
            if let Some(min) = out.min.as_deref_mut() {
                min[row] = summary.min();
            }
            if let Some(max) = out.max.as_deref_mut() {
                max[row] = summary.max();
            }
            if let Some(share) = out.zero_share.as_deref_mut() {
                share[row] = summary.zero_share();
            }
        }
        state.rows += own.len();
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values.filter(|value| !value.is_nan()) {
        sum += value;
        count += 1;
    }
    sum / f64::from(count)
}
