//! How often to difference: the KPSS test for ordinary differences, the strength of the season for a seasonal one.
//!
//! Source: Kwiatkowski, Phillips, Schmidt & Shin (1992); Wang, Smith & Hyndman (2006) for the strength; thresholds and the
//! number of lags as R's `forecast::ndiffs` and `nsdiffs`.

use super::sample::{difference, fill};
use super::season_strength::season_strength;

/// 5 % point of the KPSS statistic of a level.
const KPSS_CRITICAL: f64 = 0.463;
/// Strength above which a season is differenced.
const STRONG_SEASON: f64 = 0.64;
const MAX_DIFFERENCES: usize = 2;
/// Values below which the test says nothing.
const FEWEST: usize = 4;

/// Returns how many seasonal differences to take, 0 or 1. NaN marks rows without score.
pub(crate) fn n_seasonal_differences(values: &[f64], season_length: usize) -> usize {
    let n_scored = values.iter().filter(|value| !value.is_nan()).count();
    if season_length < 2 || n_scored <= 2 * season_length || values.len() <= 2 * season_length {
        return 0;
    }
    usize::from(season_strength(values, season_length) > STRONG_SEASON)
}

/// Returns how many ordinary differences make the level stationary, 0 to 2. NaN marks rows without score.
pub(crate) fn n_differences(values: &[f64]) -> usize {
    let first = values.iter().position(|value| !value.is_nan()).unwrap_or(values.len());
    let last = values.iter().rposition(|value| !value.is_nan()).map_or(first, |row| row + 1);
    let mut values = fill(&values[first..last]);
    let mut times = 0;
    while times < MAX_DIFFERENCES && values.len() >= FEWEST && kpss(&values) > KPSS_CRITICAL {
        values = difference(&values, 1);
        times += 1;
    }
    times
}

/// KPSS statistic of a level; 0 for a constant.
fn kpss(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let lags = (3.0 * n.sqrt() / 13.0) as usize;
    let mean = values.iter().sum::<f64>() / n;
    let errors: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let (mut sum, mut squares) = (0.0, 0.0);
    for error in &errors {
        sum += error;
        squares += sum * sum;
    }
    let product = |lag: usize| -> f64 { errors.iter().zip(&errors[lag..]).map(|(a, b)| a * b).sum() };
    let weighted = |lag: usize| 2.0 * (1.0 - lag as f64 / (lags + 1) as f64) * product(lag);
    let long_run = product(0) + (1..=lags).map(weighted).sum::<f64>();
    if long_run > 0.0 { squares / (n * long_run) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_differenced_once_and_noise_never() {
        let noise: Vec<f64> = (0..100).map(|row| f64::from(row * 7919 % 101) / 101.0).collect();
        let line: Vec<f64> = noise.iter().enumerate().map(|(row, noise)| noise + 0.2 * row as f64).collect();
        assert_eq!((n_differences(&noise), n_differences(&line)), (0, 1));
    }

    /// `statsmodels.tsa.stattools.kpss(x, "c", nlags=2)[0]` on the same numbers, statsmodels 0.15.
    #[test]
    fn the_statistic_matches_the_reference() {
        let values: Vec<f64> = (0..100).map(|row| f64::from(row * 37 % 23) + 0.1 * f64::from(row)).collect();
        let got = kpss(&values);
        assert!((got - KPSS_OF_REFERENCE).abs() < 1e-9, "{got}");
    }

    const KPSS_OF_REFERENCE: f64 = 1.984_847_223_428_737_3;
}
