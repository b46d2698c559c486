//! Local regression over equally spaced rows: at each row a constant or a line fitted to the `window` rows nearest to it, which
//! weigh `(1 - (d / h)³)³` at a distance `d`.
//!
//! Away from the ends the weights are the same for every row, so that without weights of the rows themselves the fit is one
//! dot product. It is made at every `jump`-th row, and the rows between lie on straight lines.
//!
//! Source: Cleveland, Cleveland, McRae & Terpenning (1990), "STL: a seasonal-trend decomposition procedure based on loess",
//! section 3.2.

/// What is fitted around a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Degree {
    Constant,
    Line,
}

/// A smoother of a given window.
#[derive(Debug, Clone)]
pub(crate) struct Loess {
    window: usize,
    degree: Degree,
    jump: usize,
    /// Weights of the rows around a row far from the ends.
    kernel: Vec<f64>,
    kernel_sum: f64,
}

impl Loess {
    /// `window` is odd.
    pub(crate) fn new(window: usize, degree: Degree, jump: usize) -> Self {
        let half = window / 2;
        let kernel: Vec<f64> = (0..window).map(|row| tricube(row.abs_diff(half) as f64 / half.max(1) as f64)).collect();
        let kernel_sum = kernel.iter().sum();
        Self { window, degree, jump, kernel, kernel_sum }
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// Smooths the rows `y` into `smooth`, as long. `weights` are those of the rows. A row without any weight near it is kept.
    pub(crate) fn smooth(&self, y: &[f64], weights: Option<&[f64]>, smooth: &mut [f64]) {
        let n = y.len();
        if n < 2 {
            smooth.copy_from_slice(y);
            return;
        }
        let jump = self.jump.clamp(1, n - 1);
        smooth[0] = self.at_row(y, weights, 0);
        let mut from = 0;
        while from + 1 < n {
            let to = (from + jump).min(n - 1);
            smooth[to] = self.at_row(y, weights, to);
            let slope = (smooth[to] - smooth[from]) / (to - from) as f64;
            for row in from + 1..to {
                smooth[row] = smooth[from] + slope * (row - from) as f64;
            }
            from = to;
        }
    }

    fn at_row(&self, y: &[f64], weights: Option<&[f64]>, row: usize) -> f64 {
        let (n, half) = (y.len(), self.window / 2);
        if row < half || row + half >= n {
            let left = row.saturating_sub(half).min(n.saturating_sub(self.window));
            return self.at(y, weights, row as f64, left).unwrap_or(y[row]);
        }
        let near = &y[row - half..=row + half];
        let Some(weights) = weights else {
            return dot(&self.kernel, near) / self.kernel_sum;
        };
        let weights = &weights[row - half..=row + half];
        let mut moments = Moments::default();
        for (place, ((kernel, weight), y)) in self.kernel.iter().zip(weights).zip(near).enumerate() {
            moments.add(kernel * weight, place as f64 - half as f64, *y);
        }
        moments.fit(self.degree, n).unwrap_or(y[row])
    }

    /// Fits at any place, inside or beyond the ends, by the rows from `left` on. `None` where no row has weight.
    pub(crate) fn at(&self, y: &[f64], weights: Option<&[f64]>, place: f64, left: usize) -> Option<f64> {
        let n = y.len();
        let right = (left + self.window).min(n) - 1;
        let mut reach = (place - left as f64).max(right as f64 - place);
        if self.window > n {
            reach += ((self.window - n) / 2) as f64;
        }
        let (mut moments, share) = (Moments::default(), 1.0 / reach.max(1e-9));
        for row in left..=right {
            let distance = row as f64 - place;
            let weight = tricube(distance.abs() * share);
            moments.add(weights.map_or(weight, |weights| weight * weights[row]), distance, y[row]);
        }
        moments.fit(self.degree, n)
    }
}

/// Weighted sums of the rows around a place, distances counted from it.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    weight: f64,
    distance: f64,
    square: f64,
    y: f64,
    product: f64,
}

impl Moments {
    #[inline(always)]
    fn add(&mut self, weight: f64, distance: f64, y: f64) {
        let lever = weight * distance;
        self.weight += weight;
        self.distance += lever;
        self.square += lever * distance;
        self.y += weight * y;
        self.product += lever * y;
    }

    /// The fit at the place itself. Rows that are nearly in one place, against the `n` there are, make no line.
    fn fit(&self, degree: Degree, n: usize) -> Option<f64> {
        if self.weight <= 0.0 {
            return None;
        }
        let (centre, mean) = (self.distance / self.weight, self.y / self.weight);
        let variance = self.square / self.weight - centre * centre;
        let least = 1e-3 * (n as f64 - 1.0);
        if degree == Degree::Constant || variance <= least * least {
            return Some(mean);
        }
        let slope = (self.product / self.weight - centre * mean) / variance;
        Some(mean - slope * centre)
    }
}

/// Weight at a distance, as a share of the reach.
fn tricube(share: f64) -> f64 {
    let rest = (1.0 - share * share * share).max(0.0);
    rest * rest * rest
}

/// Four sums side by side, which the compiler turns into vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<4>();
    let (b, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_own_smooth_at_every_row_and_beyond() {
        let y: Vec<f64> = (0..50).map(|row| 3.0 + 0.25 * f64::from(row)).collect();
        let weights: Vec<f64> = (0..50).map(|row| f64::from(u8::from(row % 7 != 3))).collect();
        for (window, jump) in [(7, 1), (7, 3), (21, 4), (91, 5)] {
            let loess = Loess::new(window, Degree::Line, jump);
            for weights in [None, Some(&weights[..])] {
                let mut smooth = vec![0.0; 50];
                loess.smooth(&y, weights, &mut smooth);
                // Sums of 91 numbers of the size of 15.
                assert!(y.iter().zip(&smooth).all(|(y, smooth)| (y - smooth).abs() < 1e-11), "{window} {jump}: {smooth:?}");
                let beyond = loess.at(&y, weights, 50.0, 50_usize.saturating_sub(window)).expect("rows with weight");
                assert!((beyond - 15.5).abs() < 1e-11, "{beyond}");
            }
        }
    }

    #[test]
    fn rows_of_weight_one_are_rows_without_weight() {
        let y: Vec<f64> = (0..60).map(|row| f64::from(row * 37 % 17)).collect();
        for degree in [Degree::Constant, Degree::Line] {
            let loess = Loess::new(13, degree, 2);
            let (mut plain, mut weighted) = (vec![0.0; 60], vec![0.0; 60]);
            loess.smooth(&y, None, &mut plain);
            loess.smooth(&y, Some(&[1.0; 60]), &mut weighted);
            assert!(plain.iter().zip(&weighted).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}
