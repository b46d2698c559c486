//! Polynomials in the lag operator: from free numbers to stationary coefficients, products with a seasonal polynomial,
//! and the autocovariances of the process they make.
//!
//! Coefficients are written in the autoregressive sense, `1 - a₁B - a₂B² - …`; a moving average `1 + θ₁B + …` is the same
//! with the signs turned.
//!
//! Source: Barndorff-Nielsen & Schou (1973) for partial autocorrelations as parameters; Brockwell & Davis (1991), sections
//! 3.3 and 5.2, for the autocovariances.

/// Partial autocorrelations nearer to 1 than this are a unit root.
const NEAREST_UNIT: f64 = 1e-11;

/// Writes the coefficients of a stationary polynomial whose partial autocorrelations are `tanh` of the free numbers.
pub(crate) fn from_free(free: &[f64], coefficients: &mut [f64]) {
    for (k, x) in free.iter().enumerate() {
        let partial = x.tanh();
        for j in 0..k.div_ceil(2) {
            let (low, high) = (coefficients[j], coefficients[k - 1 - j]);
            coefficients[j] = low - partial * high;
            coefficients[k - 1 - j] = high - partial * low;
        }
        coefficients[k] = partial;
    }
}

/// Takes the last lag off a polynomial of which `coefficients` are left; returns its partial autocorrelation, or `None` at
/// or beyond a unit root.
fn step_down(coefficients: &mut [f64]) -> Option<f64> {
    let (partial, rest) = coefficients.split_last_mut()?;
    let left = 1.0 - *partial * *partial;
    if left.is_nan() || left < NEAREST_UNIT {
        return None;
    }
    let k = rest.len();
    for j in 0..k.div_ceil(2) {
        let (low, high) = (rest[j], rest[k - 1 - j]);
        rest[j] = (low + *partial * high) / left;
        rest[k - 1 - j] = (high + *partial * low) / left;
    }
    Some(*partial)
}

/// Returns whether all roots of `1 - a₁B - …` are farther than `radius` from 0.
pub(crate) fn roots_are_beyond(coefficients: &[f64], radius: f64) -> bool {
    let mut power = 1.0;
    let mut scaled: Vec<f64> = coefficients
        .iter()
        .map(|coefficient| {
            power *= radius;
            coefficient * power
        })
        .collect();
    (0..scaled.len()).rev().all(|k| step_down(&mut scaled[..=k]).is_some())
}

/// One polynomial, multiplied out: all coefficients, and those that are not 0 with their lags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Product {
    /// Coefficient of lag `j + 1` at `j`.
    pub(crate) dense: Vec<f64>,
    /// (lag, coefficient).
    pub(crate) terms: Vec<(usize, f64)>,
}

impl Product {
    /// Multiplies `1 - a₁B - …` by `1 - A₁Bᵐ - …`, both times `sign`.
    pub(crate) fn set(&mut self, short: &[f64], seasonal: &[f64], season_length: usize, sign: f64) {
        self.dense.clear();
        self.dense.resize(short.len() + season_length * seasonal.len(), 0.0);
        for (j, a) in short.iter().enumerate() {
            self.dense[j] += sign * a;
        }
        for (k, b) in seasonal.iter().enumerate() {
            let lag = (k + 1) * season_length;
            self.dense[lag - 1] += sign * b;
            for (j, a) in short.iter().enumerate() {
                self.dense[lag + j] -= sign * a * b;
            }
        }
        self.terms.clear();
        self.terms.extend(self.dense.iter().enumerate().filter(|(_, value)| **value != 0.0).map(|(j, value)| (j + 1, *value)));
    }

    /// Multiplies the polynomial by `1 - Bˡᵃᵍ`.
    pub(crate) fn difference(&mut self, lag: usize) {
        let before = self.dense.len();
        self.dense.resize(before + lag, 0.0);
        for j in (0..before).rev() {
            self.dense[j + lag] -= self.dense[j];
        }
        self.dense[lag - 1] += 1.0;
        self.terms.clear();
        self.terms.extend(self.dense.iter().enumerate().filter(|(_, value)| **value != 0.0).map(|(j, value)| (j + 1, *value)));
    }
}

/// Autocovariances of an ARMA process with errors of variance 1, and its first weights on past errors. Keeps its room.
#[derive(Debug, Default)]
pub(crate) struct Covariances {
    /// Of lags 0 and up.
    pub(crate) gamma: Vec<f64>,
    /// Weights on the errors of lags 0 and up.
    pub(crate) psi: Vec<f64>,
    triangle: Vec<f64>,
    autoregressive: Vec<f64>,
    halfway: Vec<f64>,
}

impl Covariances {
    /// Computes lags up to `order`. `None` where the process is not stationary.
    pub(crate) fn compute(&mut self, ar: &Product, ma: &Product, order: usize) -> Option<()> {
        let q = ma.dense.len();
        self.psi.clear();
        self.psi.push(1.0);
        for k in 1..=q {
            let past: f64 = ar.terms.iter().take_while(|(lag, _)| *lag <= k).map(|(lag, a)| a * self.psi[k - lag]).sum();
            self.psi.push(ma.dense[k - 1] + past);
        }
        self.of_autoregression(ar, order + q)?;
        // Σᵢ Σⱼ θᵢ θⱼ γ(h + i - j), one sum after the other.
        self.halfway.clear();
        for h in 0..=order + q {
            let lag = h as isize - q as isize;
            let ahead: f64 = ma.terms.iter().map(|(i, theta)| theta * self.at(lag + *i as isize)).sum();
            self.halfway.push(self.at(lag) + ahead);
        }
        self.gamma.clear();
        for h in 0..=order {
            let behind: f64 = ma.terms.iter().map(|(j, theta)| theta * self.halfway[h + q - j]).sum();
            self.gamma.push(self.halfway[h + q] + behind);
        }
        Some(())
    }

    /// Autocovariance of the autoregressive part; 0 beyond what was computed, which only lags without weight ask for.
    fn at(&self, lag: isize) -> f64 {
        self.autoregressive.get(lag.unsigned_abs()).copied().unwrap_or(0.0)
    }

    fn of_autoregression(&mut self, ar: &Product, order: usize) -> Option<()> {
        let p = ar.dense.len();
        // Row k of the triangle holds the polynomial of k + 1 lags.
        self.triangle.resize(p * p, 0.0);
        if p > 0 {
            self.triangle[(p - 1) * p..].copy_from_slice(&ar.dense);
        }
        for k in (0..p).rev() {
            let (above, row) = self.triangle.split_at_mut(k * p);
            let row = &mut row[..=k];
            if k > 0 {
                let above = &mut above[(k - 1) * p..];
                above[..=k].copy_from_slice(row);
                step_down(&mut above[..=k])?;
            } else {
                step_down(row)?;
            }
        }
        self.autoregressive.clear();
        self.autoregressive.push(1.0);
        let mut left = 1.0;
        for k in 0..p {
            let partial = self.triangle[k * p + k];
            let past: f64 = if k == 0 {
                0.0
            } else {
                self.triangle[(k - 1) * p..][..k].iter().zip(self.autoregressive.iter().rev()).map(|(a, rho)| a * rho).sum()
            };
            self.autoregressive.push(past + partial * left);
            left *= 1.0 - partial * partial;
        }
        for k in p + 1..=order {
            let past: f64 = ar.terms.iter().map(|(lag, a)| a * self.autoregressive[k - lag]).sum();
            self.autoregressive.push(past);
        }
        for value in &mut self.autoregressive {
            *value /= left;
        }
        left.is_normal().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(short: &[f64], seasonal: &[f64], season_length: usize) -> Product {
        let mut product = Product::default();
        product.set(short, seasonal, season_length, 1.0);
        product
    }

    #[test]
    fn free_numbers_give_stationary_polynomials() {
        let mut coefficients = [0.0; 4];
        from_free(&[2.0, -1.5, 3.0, -0.7], &mut coefficients);
        assert!(roots_are_beyond(&coefficients, 1.0));
        assert!(!roots_are_beyond(&[1.0001], 1.0) && !roots_are_beyond(&[0.995], 1.01) && roots_are_beyond(&[0.98], 1.01));
    }

    #[test]
    fn a_product_of_lags_has_the_cross_terms() {
        let product = product(&[0.5], &[0.4], 4);
        assert_eq!(product.terms, [(1, 0.5), (4, 0.4), (5, -0.2)]);
    }

    #[test]
    fn a_difference_of_nothing_is_a_random_walk() {
        let mut walk = Product::default();
        walk.difference(1);
        assert_eq!(walk.terms, [(1, 1.0)]);
        walk.difference(4);
        assert_eq!(walk.terms, [(1, 1.0), (4, 1.0), (5, -1.0)]);
    }

    /// Against the sum of squared weights on past errors, cut off where they are below rounding.
    #[test]
    fn covariances_are_sums_over_past_errors() {
        let (ar, ma) = (product(&[0.5, -0.3], &[0.6], 4), product(&[-0.4], &[0.7, 0.1], 4));
        let mut covariances = Covariances::default();
        covariances.compute(&ar, &ma, 12).expect("stationary");
        let mut psi = vec![1.0];
        for k in 1..400_usize {
            let past: f64 = ar.terms.iter().filter(|(lag, _)| *lag <= k).map(|(lag, a)| a * psi[k - lag]).sum();
            psi.push(past + ma.dense.get(k - 1).copied().unwrap_or(0.0));
        }
        for (lag, got) in covariances.gamma.iter().enumerate() {
            let expected: f64 = psi.iter().zip(&psi[lag..]).map(|(a, b)| a * b).sum();
            assert!((got - expected).abs() < 1e-10, "lag {lag}: {got}, expected {expected}");
        }
        assert_eq!(covariances.psi[..], psi[..covariances.psi.len()]);
    }
}
