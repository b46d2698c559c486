//! Means and variances of the steps ahead of an estimated form, in closed form.
//!
//! With `c_j = α + β (φ + … + φ^j) + γ [j is a whole number of seasons]`, the weight of an error `j` steps later:
//! - additive error (class 1): `v_h = σ² (1 + Σ c_j²)`, exact;
//! - multiplicative error, additive season or none (class 2): `θ_h = μ_h² + σ² Σ c_j² θ_(h-j)`, `v_h = (1 + σ²) θ_h - μ_h²`, exact;
//! - multiplicative error and season (class 3): class 2 for the level and trend alone, times the season; exact within the
//!   first season, to the first order of `σ²` after it.
//!
//! Quantiles are normal in all classes, as in R.
//!
//! Source: Hyndman, Koehler, Ord, Snyder (2008), tables 6.1 and 6.2 and section 6.4.

use super::fit::Fitted;
use super::form::{EtsError, EtsSeason};
use crate::predictive::Predictive;

/// Forecasts `steps` steps after the last row.
pub(crate) fn predict(fitted: &Fitted, steps: usize) -> Predictive {
    let (form, smoothing) = (fitted.form, fitted.smoothing);
    let multiplicative_season = form.season == EtsSeason::Multiplicative;
    let mut trend = Vec::with_capacity(steps);
    let mut weights = Vec::with_capacity(steps);
    let (mut damping, mut damped_steps) = (1.0, 0.0);
    for step in 1..=steps {
        damping *= smoothing.phi;
        damped_steps += damping;
        trend.push(fitted.last.level + if form.has_trend() { damped_steps * fitted.last.slope } else { 0.0 });
        let at_season = form.is_seasonal() && step.is_multiple_of(fitted.season_length);
        weights.push(smoothing.alpha + smoothing.beta * damped_steps + if at_season { smoothing.gamma } else { 0.0 });
    }
    let season = |step: usize| fitted.last.season[(fitted.n_rows + step) % fitted.season_length];
    let mean: Vec<f64> = match form.season {
        EtsSeason::None => trend.clone(),
        EtsSeason::Additive => trend.iter().enumerate().map(|(step, trend)| trend + season(step)).collect(),
        EtsSeason::Multiplicative => trend.iter().enumerate().map(|(step, trend)| trend * season(step)).collect(),
    };
    let variance = fitted.variance;
    let sd = if form.error == EtsError::Additive {
        additive_sd(&weights, variance)
    } else {
        let base = if multiplicative_season { &trend } else { &mean };
        let second_moments = second_moments(base, &weights, variance);
        let spread = |(step, (theta, base)): (usize, (&f64, &f64))| {
            let sd = ((1.0 + variance) * theta - base * base).max(0.0).sqrt();
            if multiplicative_season { sd * season(step).abs() } else { sd }
        };
        second_moments.iter().zip(base).enumerate().map(spread).collect()
    };
    Predictive { mean, sd }
}

fn additive_sd(weights: &[f64], variance: f64) -> Vec<f64> {
    let mut sum = 1.0;
    let mut sd = Vec::with_capacity(weights.len());
    for weight in weights {
        sd.push((variance * sum).sqrt());
        sum += weight * weight;
    }
    sd
}

/// `θ_h` of class 2.
fn second_moments(base: &[f64], weights: &[f64], variance: f64) -> Vec<f64> {
    let squares: Vec<f64> = weights.iter().map(|weight| weight * weight).collect();
    let mut theta: Vec<f64> = Vec::with_capacity(base.len());
    for (step, mean) in base.iter().enumerate() {
        let carried: f64 = squares.iter().zip(theta.iter().rev()).map(|(square, theta)| square * theta).sum();
        debug_assert_eq!(theta.len(), step);
        theta.push(mean * mean + variance * carried);
    }
    theta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ets::{EtsForm, EtsTrend, Fitter};
    use crate::history::History;

    /// Standard deviations against 40,000 simulated paths: their own error is 0.35 %, four of which are allowed, and 1 % more
    /// after the first season of the third class, whose formula is close but not exact there.
    #[test]
    fn the_spread_of_every_form_is_that_of_simulated_paths() {
        let season_length = 4;
        let values: Vec<f64> =
            (0..80).map(|row| (1.0 + 0.01 * f64::from(row)) * (1.0 + 0.2 * f64::from(row % 4)) + f64::from(row * 37 % 17) / 12.0).collect();
        let history = History { values, scale: 1.0, gap: 0, n_scored: 80 };
        let steps = 10;
        for form in EtsForm::ALL {
            let mut fitted = Fitter::new(&history, season_length).fit(form, None).expect("positive");
            fitted.variance = if form.error == EtsError::Additive { 0.04 } else { 0.01 };
            fitted.smoothing.alpha = 0.4;
            fitted.smoothing.beta = if form.trend == EtsTrend::None { 0.0 } else { 0.1 };
            fitted.smoothing.gamma = if form.is_seasonal() { 0.3 } else { 0.0 };
            let predictive = predict(&fitted, steps);
            let simulated = simulated_sd(&fitted, &predictive.mean, 40_000);
            for (step, (sd, simulated)) in predictive.sd.iter().zip(simulated).enumerate() {
                let loose = form.season == EtsSeason::Multiplicative && step >= season_length;
                let tolerance = if loose { 0.024 } else { 0.014 };
                let ratio = sd / simulated;
                assert!((ratio - 1.0).abs() < tolerance, "{form} step {}: ratio {ratio}", step + 1);
            }
        }
    }

    fn simulated_sd(fitted: &Fitted, mean: &[f64], paths: usize) -> Vec<f64> {
        let mut state = 11_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let mut sums = vec![0.0; mean.len()];
        for _ in 0..paths {
            let mut states = fitted.last;
            for (step, sum) in sums.iter_mut().enumerate() {
                let error = crate::predictive::normal_quantile(uniform()) * fitted.variance.sqrt();
                let place = (fitted.n_rows + step) % fitted.season_length;
                let slope = if fitted.form.has_trend() { fitted.smoothing.phi * states.slope } else { 0.0 };
                let (ahead, season) = (states.level + slope, states.season[place]);
                let expected = match fitted.form.season {
                    EtsSeason::None => ahead,
                    EtsSeason::Additive => ahead + season,
                    EtsSeason::Multiplicative => ahead * season,
                };
                let y = if fitted.form.error == EtsError::Additive { expected + error } else { expected * (1.0 + error) };
                let surprise = if fitted.form.season == EtsSeason::Multiplicative { y / season - ahead } else { y - expected };
                states.level = ahead + fitted.smoothing.alpha * surprise;
                states.slope = slope + fitted.smoothing.beta * surprise;
                states.season[place] +=
                    fitted.smoothing.gamma * if fitted.form.season == EtsSeason::Multiplicative { y / ahead - season } else { surprise };
                *sum += (y - mean[step]) * (y - mean[step]);
            }
        }
        sums.iter().map(|sum| (sum / paths as f64).sqrt()).collect()
    }
}
