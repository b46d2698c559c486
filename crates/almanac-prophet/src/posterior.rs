//! The posterior density: data in the scale of the model, its value at a point, and its least-squares form around one.
//!
//! Parameters lie in one vector: `m`, `k`, the coefficients `beta`, the bends `delta`. The line of the trend is continuous,
//! `m + k t + sum_j delta_j max(0, t - s_j)`, and logistic growth is the logistic function of `k (t - m) + sum_j …`: the offsets
//! `gamma` of the original's formula cancel, so that no rate is divided by.
//!
//! Given `sigma`, all but the bends' prior is a sum of squares. `sigma` itself is at its best in closed form, so that the
//! density is a function of the other parameters alone.
//!
//! Source: Taylor & Letham (2018), section 3.1, and the priors of Prophet's documentation.
//!
//! Not here: how the maximum is found (`map`), where the regressors come from (`terms`).

use crate::lasso::System;

/// Prior standard deviation of `m` and `k`.
const TREND_SCALE: f64 = 5.0;
/// Prior scale of `sigma`.
const NOISE_SCALE: f64 = 0.5;
/// Least variance of the noise, in units of the largest magnitude of `y` squared: where rows are explained exactly, the density
/// has no maximum.
const LEAST_VARIANCE: f64 = 1e-14;

/// Shape of the trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trend {
    Linear,
    Flat,
    Logistic { cap: f64 },
}

/// Data and priors of one series, `y` divided by its scale and time running from 0 to 1.
#[derive(Debug)]
pub(crate) struct Posterior {
    pub(crate) trend: Trend,
    pub(crate) is_multiplicative: bool,
    /// Ascending.
    pub(crate) t: Vec<f64>,
    pub(crate) y: Vec<f64>,
    /// `n × width` regressors.
    pub(crate) x: Vec<f64>,
    pub(crate) width: usize,
    /// Times at which the trend may bend, ascending.
    pub(crate) knots: Vec<f64>,
    /// Prior precision of each coefficient.
    pub(crate) precisions: Vec<f64>,
    /// Scale of the Laplace prior of the bends.
    pub(crate) bend_scale: f64,
}

/// A point of the density, with what was computed there.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) parameters: Vec<f64>,
    /// Trend of each row.
    trend: Vec<f64>,
    /// Sum of the regressors' effects of each row.
    effect: Vec<f64>,
    /// Best variance of the noise.
    pub(crate) variance: f64,
    /// Minus the log density, without its constants.
    pub(crate) loss: f64,
}

impl Posterior {
    /// Parameters without an absolute value in their prior, which come first.
    pub(crate) fn n_free(&self) -> usize {
        2 + self.width
    }

    pub(crate) fn n_parameters(&self) -> usize {
        self.n_free() + self.knots.len()
    }

    /// Tells whether the forecast is linear in the parameters.
    pub(crate) fn is_linear(&self) -> bool {
        !self.is_multiplicative && !matches!(self.trend, Trend::Logistic { .. })
    }

    /// Prior precision of a free parameter.
    pub(crate) fn precision(&self, index: usize) -> f64 {
        if index < 2 { TREND_SCALE.powi(-2) } else { self.precisions[index - 2] }
    }

    /// Where the original starts: a trend through the first and the last row, and no other effect.
    pub(crate) fn start(&self) -> Vec<f64> {
        let mut start = vec![0.0; self.n_parameters()];
        let (first, last) = (self.y[0], self.y[self.y.len() - 1]);
        (start[0], start[1]) = match self.trend {
            Trend::Linear => (first, last - first),
            Trend::Flat => (self.y.iter().sum::<f64>() / self.y.len() as f64, 0.0),
            Trend::Logistic { cap } => {
                let odds = |y: f64| cap / y.clamp(0.01 * cap, 0.99 * cap);
                let (mut from, to) = (odds(first), odds(last));
                if (from - to).abs() <= 0.01 {
                    from *= 1.05;
                }
                let (from, to) = ((from - 1.0).ln(), (to - 1.0).ln());
                (from / (from - to), from - to)
            }
        };
        start
    }

    /// Computes the density at a point.
    pub(crate) fn evaluate(&self, parameters: Vec<f64>) -> Point {
        let n = self.y.len();
        let mut point = Point { parameters, trend: vec![0.0; n], effect: vec![0.0; n], variance: 0.0, loss: 0.0 };
        self.renew(&mut point);
        point
    }

    /// Computes the density at a point whose parameters have changed.
    pub(crate) fn renew(&self, point: &mut Point) {
        let (free, bends) = point.parameters.split_at(self.n_free());
        write_trend(self.trend, free, &self.knots, bends, &self.t, &mut point.trend);
        if self.width > 0 {
            for (effect, x) in point.effect.iter_mut().zip(self.x.chunks_exact(self.width)) {
                *effect = dot(x, &free[2..]);
            }
        }
        let said = point.trend.iter().zip(&point.effect).map(|(trend, effect)| self.join(*trend, *effect));
        let squares: f64 = self.y.iter().zip(said).map(|(y, said)| (y - said) * (y - said)).sum();
        let n = self.y.len() as f64;
        let prior_precision = NOISE_SCALE.powi(-2);
        // Where the derivative by sigma of `n ln sigma + squares / (2 sigma²) + prior_precision sigma² / 2` is 0.
        let variance = 2.0 * squares / (n + (n * n + 4.0 * prior_precision * squares).sqrt());
        point.variance = variance.max(LEAST_VARIANCE);
        let ridge: f64 = free.iter().enumerate().map(|(index, value)| self.precision(index) * value * value).sum();
        let absolute: f64 = bends.iter().map(|bend| bend.abs()).sum();
        point.loss = 0.5 * (n * point.variance.ln() + squares / point.variance + prior_precision * point.variance + ridge)
            + absolute / self.bend_scale;
    }

    fn join(&self, trend: f64, effect: f64) -> f64 {
        if self.is_multiplicative { trend * (1.0 + effect) } else { trend + effect }
    }

    /// Sums the normal equations of the forecast linearised around `point`.
    pub(crate) fn linearise(&self, point: &Point, system: &mut System) {
        let (free, bends) = point.parameters.split_at(self.n_free());
        system.clear();
        let (mut slope, mut constant, mut bent) = (free[1], 0.0, 0);
        for (row, t) in self.t.iter().copied().enumerate() {
            while bent < self.knots.len() && t >= self.knots[bent] {
                slope += bends[bent];
                constant -= bends[bent] * self.knots[bent];
                bent += 1;
            }
            let (trend, effect) = (point.trend[row], point.effect[row]);
            let said = self.join(trend, effect);
            let outer = if self.is_multiplicative { 1.0 + effect } else { 1.0 };
            // Derivatives of the trend by its line, and of the line by `m` and `k`.
            let (inner, by_m, by_k) = match self.trend {
                Trend::Linear => (1.0, 1.0, t),
                Trend::Flat => (1.0, 1.0, 0.0),
                Trend::Logistic { cap } => (trend * (1.0 - trend / cap), -free[1], t - free[0]),
            };
            let by_line = outer * inner;
            let by_effect = if self.is_multiplicative { trend } else { 1.0 };
            let x = &self.x[row * self.width..(row + 1) * self.width];
            let line = match self.trend {
                Trend::Linear => free[0] + slope * t + constant,
                Trend::Flat => free[0],
                // Linear in all but `k m`.
                Trend::Logistic { .. } => by_m * free[0] + by_k * free[1] + (slope - free[1]) * t + constant,
            };
            let target = self.y[row] - said + by_line * line + by_effect * effect;
            system.push(self.n_free() + bent, |out| {
                out[0] = target;
                out[1] = by_line * by_m;
                out[2] = by_line * by_k;
                for (out, x) in out[3..].iter_mut().zip(x) {
                    *out = by_effect * x;
                }
                for (out, knot) in out[3 + self.width..].iter_mut().zip(&self.knots[..bent]) {
                    *out = by_line * (t - knot);
                }
            });
        }
        system.flush();
    }
}

/// Writes the trend at ascending times.
pub(crate) fn write_trend(trend: Trend, free: &[f64], knots: &[f64], bends: &[f64], t: &[f64], out: &mut [f64]) {
    let (m, k) = (free[0], free[1]);
    let (mut slope, mut constant) = match trend {
        Trend::Linear => (k, m),
        Trend::Flat => (0.0, m),
        Trend::Logistic { .. } => (k, -k * m),
    };
    let mut coming = knots.iter().zip(bends).peekable();
    for (t, out) in t.iter().zip(out) {
        while let Some((knot, bend)) = coming.next_if(|(knot, _)| t >= *knot) {
            slope += bend;
            constant -= bend * knot;
        }
        let line = slope * t + constant;
        *out = match trend {
            Trend::Linear | Trend::Flat => line,
            Trend::Logistic { cap } => cap / (1.0 + (-line).exp()),
        };
    }
}

/// Sum of products, in four fixed strands.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (quads, rest) = (a.chunks_exact(4).zip(b.chunks_exact(4)), a.len() / 4 * 4);
    for (a, b) in quads {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let tail: f64 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posterior(trend: Trend, is_multiplicative: bool) -> Posterior {
        let t: Vec<f64> = (0..50).map(|row| f64::from(row) / 49.0).collect();
        Posterior {
            trend,
            is_multiplicative,
            y: t.iter().map(|t| 0.3 + 0.4 * t + 0.1 * (9.0 * t).sin()).collect(),
            x: t.iter().flat_map(|t| [(7.0 * t).sin(), (7.0 * t).cos()]).collect(),
            width: 2,
            knots: vec![t[10], t[30]],
            precisions: vec![0.01; 2],
            bend_scale: 0.05,
            t,
        }
    }

    /// Central differences with a step of 1e-6 are right to about 1e-6 of gradients that reach thousands.
    #[test]
    fn linear_equations_have_the_gradient_of_the_density() {
        for (trend, is_multiplicative) in
            [(Trend::Linear, false), (Trend::Linear, true), (Trend::Logistic { cap: 1.2 }, false), (Trend::Logistic { cap: 1.2 }, true)]
        {
            let posterior = posterior(trend, is_multiplicative);
            let at = vec![0.2, 0.7, 0.05, -0.1, 0.3, -0.4];
            let point = posterior.evaluate(at.clone());
            let mut system = System::new(at.len());
            posterior.linearise(&point, &mut system);
            let mut pull = vec![0.0; at.len()];
            system.write_pull(&at, &mut pull);
            for index in 0..at.len() {
                let loss = |by: f64| {
                    let mut moved = at.clone();
                    moved[index] += by;
                    posterior.evaluate(moved).loss
                };
                let numeric = (loss(1e-6) - loss(-1e-6)) / 2e-6;
                let prior = if index < 4 { posterior.precision(index) * at[index] } else { at[index].signum() / posterior.bend_scale };
                let exact = prior - pull[index] / point.variance;
                assert!((numeric - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{trend:?} {index}: {exact} {numeric}");
            }
        }
    }

    #[test]
    fn the_variance_is_the_best_one() {
        let posterior = posterior(Trend::Flat, false);
        let point = posterior.evaluate(posterior.start());
        let squares: f64 = posterior.y.iter().zip(&point.trend).map(|(y, trend)| (y - trend).powi(2)).sum();
        let loss = |sigma: f64| 50.0 * sigma.ln() + squares / (2.0 * sigma * sigma) + 2.0 * sigma * sigma;
        let sigma = point.variance.sqrt();
        assert!(loss(sigma) < loss(0.999 * sigma) && loss(sigma) < loss(1.001 * sigma));
    }
}
