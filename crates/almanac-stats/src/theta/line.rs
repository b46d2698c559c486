//! The straight line through the rows seen so far, by least squares, one row at a time.
//!
//! Time counts from 1 at the first row of the history, as in the paper.

/// Sums of the least squares, centred.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct LineSums {
    pub(super) count: f64,
    pub(super) mean_time: f64,
    pub(super) mean: f64,
    /// Squared distances of time from its mean.
    pub(super) spread: f64,
    /// Products of the distances of time and of the value from their means.
    pub(super) product: f64,
}

/// Value at time 0 and change per row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Line {
    pub(super) intercept: f64,
    pub(super) slope: f64,
}

impl LineSums {
    pub(super) fn push(&mut self, time: f64, y: f64) {
        let (ahead, above) = (time - self.mean_time, y - self.mean);
        let weight = self.count / (self.count + 1.0);
        self.count += 1.0;
        self.mean_time += ahead / self.count;
        self.mean += above / self.count;
        self.spread += ahead * ahead * weight;
        self.product += ahead * above * weight;
    }

    pub(super) fn line(&self) -> Line {
        let slope = if self.spread > 0.0 { self.product / self.spread } else { 0.0 };
        Line { intercept: self.mean - slope * self.mean_time, slope }
    }
}

/// Returns for every row the line that its forecast uses: that of the scored rows before it, or of all of them.
pub(super) fn lines(y: &[f64], is_dynamic: bool) -> (Vec<Line>, LineSums) {
    let mut sums = LineSums::default();
    let mut lines = Vec::with_capacity(y.len());
    for (row, y) in y.iter().enumerate() {
        lines.push(if is_dynamic { sums.line() } else { Line::default() });
        if !y.is_nan() {
            sums.push((row + 1) as f64, *y);
        }
    }
    if !is_dynamic {
        lines.fill(sums.line());
    }
    (lines, sums)
}
