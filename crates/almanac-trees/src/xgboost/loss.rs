//! What the trees minimise: first and second derivatives of the loss, by the formulas of the library's own objectives.
//!
//! They are given from here, rounded to a grid on which every sum of them is exact. The library adds them up in another order on
//! another number of threads; exact sums do not notice, and so neither do the trees.

use rayon::prelude::*;

/// Rows worked on at once.
const CHUNK: usize = 1 << 14;

/// A loss of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Half the squared error.
    Squared,
    /// Tweedie deviance of labels that are not negative; trees say the logarithm.
    Tweedie {
        /// Variance power, between 1 and 2.
        power: f64,
    },
    /// Poisson deviance of labels that are not negative; trees say the logarithm.
    Poisson,
    /// Absolute error. The library gives each leaf the median of what is left in it, from the labels that the data set was told.
    Absolute,
    /// Pinball loss. The library gives each leaf that quantile of what is left in it, from the labels that the data set was told.
    Quantile {
        /// Probability, strictly between 0 and 1.
        probability: f64,
    },
}

/// The library's default for counts: it keeps steps short where predictions are small.
const MAX_DELTA_STEP: f32 = 0.7; // as in XGBoost's regression_obj.cu

/// Derivatives by what the trees say, one of each per row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gradients {
    /// First derivatives.
    pub first: Vec<f32>,
    /// Second derivatives.
    pub second: Vec<f32>,
}

impl Loss {
    /// Returns the name of the library's objective with the same meaning.
    pub fn objective(self) -> &'static str {
        match self {
            Self::Squared => "reg:squarederror",
            Self::Tweedie { .. } => "reg:tweedie",
            Self::Poisson => "count:poisson",
            Self::Absolute => "reg:absoluteerror",
            Self::Quantile { .. } => "reg:quantileerror",
        }
    }

    /// Returns whether the library sets the values of leaves from the labels, which it must then be told.
    pub fn needs_labels(self) -> bool {
        matches!(self, Self::Absolute | Self::Quantile { .. })
    }

    /// Returns what the trees say on the scale of the labels.
    pub fn prediction(self, margin: f32) -> f64 {
        match self {
            Self::Squared | Self::Absolute | Self::Quantile { .. } => f64::from(margin),
            Self::Tweedie { .. } | Self::Poisson => f64::from(margin).exp(),
        }
    }

    /// Derivatives of each row times its weight, on the grid; rows that `keeps` leaves out teach nothing. All slices have one value a row.
    pub fn gradients(self, labels: &[f32], weights: &[f32], margins: &[f32], keeps: impl Fn(usize) -> bool + Sync) -> Gradients {
        let one = |(row, ((label, weight), margin)): (usize, ((&f32, &f32), &f32))| {
            if !keeps(row) {
                return (0.0, 0.0);
            }
            let (first, second) = match self {
                Self::Squared => (margin - label, 1.0),
                Self::Poisson => (margin.exp() - label, (margin + MAX_DELTA_STEP).exp()),
                // A loss of straight lines has no second derivative: rows count.
                Self::Absolute => ((margin - label).partial_cmp(&0.0).map_or(0.0, |order| f32::from(order as i8)), 1.0),
                Self::Quantile { probability } => {
                    let probability = probability as f32;
                    (if margin >= label { 1.0 - probability } else { -probability }, 1.0)
                }
                Self::Tweedie { power } => {
                    let power = power as f32;
                    let below = label * ((1.0 - power) * margin).exp();
                    let above = ((2.0 - power) * margin).exp();
                    (above - below, (2.0 - power) * above - (1.0 - power) * below)
                }
            };
            (first * weight, second * weight)
        };
        let rows = labels.par_iter().zip(weights).zip(margins).enumerate();
        let (mut first, mut second): (Vec<f32>, Vec<f32>) = rows.map(one).unzip();
        to_grid(&mut first);
        to_grid(&mut second);
        Gradients { first, second }
    }
}

/// Rounds values to multiples of the power of two at which the sum of their sizes still fits the 53 bits of a double, with one bit to
/// spare. Any sum of some of them is then exact. That loses about 2⁻⁵¹ of the whole sum, less than a float does of its own value
/// unless that is under 2⁻²⁷ of the sum.
fn to_grid(values: &mut [f32]) {
    // Summed chunk by chunk in a fixed order.
    let sums: Vec<f64> = values.par_chunks(CHUNK).map(|chunk| chunk.iter().map(|value| f64::from(value.abs())).sum()).collect();
    let sum: f64 = sums.iter().sum();
    if sum <= 0.0 || !sum.is_finite() {
        return;
    }
    let grid = 2.0_f64.powi(sum.log2().floor() as i32 - 51);
    values.par_chunks_mut(CHUNK).for_each(|chunk| {
        chunk.iter_mut().for_each(|value| *value = ((f64::from(*value) / grid).round() * grid) as f32);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_on_the_grid_do_not_depend_on_their_order() {
        let mut values: Vec<f32> =
            (0..100_000_u32).map(|k| ((f64::from(k) * 0.618).sin() * 10_f64.powi((k % 12) as i32 - 8)) as f32).collect();
        let forth = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
        let back = |values: &[f32]| values.iter().rev().map(|value| f64::from(*value)).sum::<f64>();
        assert_ne!(forth(&values), back(&values), "floats as they are do");
        to_grid(&mut values);
        assert_eq!(forth(&values), back(&values));
    }

    #[test]
    fn derivatives_of_counts_and_quantiles_are_those_of_their_losses() {
        let poisson = Loss::Poisson.gradients(&[2.0], &[3.0], &[0.5], |_| true);
        assert!((poisson.first[0] - 3.0 * (0.5_f32.exp() - 2.0)).abs() < 1e-5 && (poisson.second[0] - 3.0 * 1.2_f32.exp()).abs() < 1e-5);
        let of = |loss: Loss, label: f32| loss.gradients(&[label], &[1.0], &[1.0], |_| true).first[0];
        assert_eq!([of(Loss::Absolute, 0.5), of(Loss::Absolute, 1.0), of(Loss::Absolute, 2.0)], [1.0, 0.0, -1.0]);
        let quantile = Loss::Quantile { probability: 0.75 };
        assert_eq!([of(quantile, 0.5), of(quantile, 2.0)], [0.25, -0.75]);
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let loss = |margin: f64, y: f64, p: f64| ((2.0 - p) * margin).exp() / (2.0 - p) - y * ((1.0 - p) * margin).exp() / (1.0 - p);
        for (y, margin) in [(0.0_f32, 0.3_f32), (2.5, -0.4), (10.0, 1.1)] {
            let said = Loss::Tweedie { power: 1.3 }.gradients(&[y], &[2.0], &[margin], |_| true);
            let (y, margin, step) = (f64::from(y), f64::from(margin), 1e-4);
            let (up, here, down) = (loss(margin + step, y, 1.3), loss(margin, y, 1.3), loss(margin - step, y, 1.3));
            let (first, second) = ((up - down) / (2.0 * step), (up - 2.0 * here + down) / (step * step));
            // Floats have seven digits; the second difference has about six.
            assert!((f64::from(said.first[0]) - 2.0 * first).abs() < 1e-5 * (1.0 + first.abs()), "{said:?} {first}");
            assert!((f64::from(said.second[0]) - 2.0 * second).abs() < 1e-4 * (1.0 + second.abs()), "{said:?} {second}");
        }
    }
}
