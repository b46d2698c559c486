//! Scores of point forecasts, quantiles and intervals.
//!
//! All functions take rows of `actual` and `forecast` in the units of `y`; a row whose actual is NaN was not scored (missing, stock-out, closed) and is
//! left out. `None` means that there is nothing to divide by: no rows, or a scale of zero, so that a constant series cannot win a leaderboard.
//!
//! Not here: pooling over series, folds and levels (`score`, `leaderboard`).

use almanac_series::Quantile;

fn pairs<'a>(actual: &'a [f64], forecast: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    debug_assert_eq!(actual.len(), forecast.len(), "one forecast per actual");
    actual.iter().copied().zip(forecast.iter().copied()).filter(|(y, _)| !y.is_nan())
}

/// Mean of an iterator, or `None` if it is empty.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator != 0.0 && numerator.is_finite()).then(|| numerator / denominator).filter(|ratio| ratio.is_finite())
}

/// Returns the mean absolute error. `actual`, `forecast`: rows. In the units of `y`.
pub fn mae(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    mean(pairs(actual, forecast).map(|(y, f)| (f - y).abs()))
}

/// Returns the root mean squared error. `actual`, `forecast`: rows. In the units of `y`.
pub fn rmse(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    mean(pairs(actual, forecast).map(|(y, f)| (f - y).powi(2))).map(f64::sqrt)
}

/// Returns the scale of [`mase`]: the in-sample mean absolute error of the seasonal naive forecast. `history`: one value per training row, NaN
/// where not scored; pairs `season_length` rows apart count if both are scored.
///
/// Source: Hyndman & Koehler (2006), "Another look at measures of forecast accuracy"; seasonal form as in FPP3, section 5.8.
pub fn mase_scale(history: &[f64], season_length: usize) -> Option<f64> {
    let differences = history.iter().zip(history.iter().skip(season_length)).map(|(before, y)| (y - before).abs());
    mean(differences.filter(|difference| !difference.is_nan())).filter(|scale| *scale > 0.0)
}

/// Returns the mean absolute scaled error of one series; below 1 beats the in-sample seasonal naive forecast. `scale`: [`mase_scale`].
///
/// Source: as [`mase_scale`].
pub fn mase(actual: &[f64], forecast: &[f64], scale: Option<f64>) -> Option<f64> {
    ratio(mae(actual, forecast)?, scale?)
}

/// Returns the scale of [`rmsse`]: the mean squared difference of successive scored values, from the first that is not zero. `history`: one
/// value per training row, NaN where not scored.
///
/// Source: M5 Competitors' Guide (2020), "Evaluation".
pub fn rmsse_scale(history: &[f64]) -> Option<f64> {
    let mut values = history.iter().copied().filter(|y| !y.is_nan()).skip_while(|y| *y == 0.0);
    let mut before = values.next()?;
    let squares = values.map(|y| {
        let square = (y - before).powi(2);
        before = y;
        square
    });
    mean(squares).filter(|scale| *scale > 0.0)
}

/// Returns the root mean squared scaled error of one series. `scale`: [`rmsse_scale`].
///
/// Source: M5 Competitors' Guide (2020), "Evaluation".
pub fn rmsse(actual: &[f64], forecast: &[f64], scale: Option<f64>) -> Option<f64> {
    ratio(rmse(actual, forecast)?, scale?.sqrt())
}

/// Returns the weighted mean of scores, such as [`rmsse`] of the nodes of one level by their value. `scores` and `weights`: one per node.
///
/// Nodes without a score are left out and the weights of the others scaled up; where no weight is positive all nodes weigh the same.
/// WRMSSE of M5 is the plain mean of this over the levels.
///
/// Source: M5 Competitors' Guide (2020), "Evaluation".
pub fn weighted_mean(scores: &[Option<f64>], weights: &[f64]) -> Option<f64> {
    let scored = || scores.iter().zip(weights).filter_map(|(score, weight)| Some(((*score)?, weight.max(0.0))));
    let total: f64 = scored().map(|(_, weight)| weight).sum();
    if total > 0.0 { ratio(scored().map(|(score, weight)| score * weight).sum(), total) } else { mean(scored().map(|(score, _)| score)) }
}

/// Returns the weighted absolute percentage error as a fraction: sum of absolute errors over sum of absolute actuals.
///
/// Source: Kolassa & Schütz (2007), "Advantages of the MAD/mean ratio over the MAPE".
pub fn wape(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    let errors = pairs(actual, forecast).map(|(y, f)| (f - y).abs()).sum();
    ratio(errors, pairs(actual, forecast).map(|(y, _)| y.abs()).sum())
}

/// Returns the bias as a fraction: sum of `forecast - actual` over sum of actuals. Positive means forecast too high.
pub fn bias(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    let errors = pairs(actual, forecast).map(|(y, f)| f - y).sum();
    ratio(errors, pairs(actual, forecast).map(|(y, _)| y).sum())
}

/// Returns the root mean squared percentage error as a fraction, over rows whose actual is not zero.
///
/// Source: the score of the Rossmann Store Sales competition (2015).
pub fn rmspe(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    mean(pairs(actual, forecast).filter(|(y, _)| *y != 0.0).map(|(y, f)| ((f - y) / y).powi(2))).map(f64::sqrt)
}

/// Returns the symmetric mean absolute percentage error as a fraction between 0 and 2. A row where both are zero has no error.
///
/// Source: Makridakis (1993); the form of the M3 and M4 competitions, not in percent.
pub fn smape(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    mean(pairs(actual, forecast).map(|(y, f)| ratio(2.0 * (f - y).abs(), y.abs() + f.abs()).unwrap_or(0.0)))
}

/// Returns the pinball loss of one value of a quantile.
///
/// Source: Koenker & Bassett (1978), "Regression quantiles".
pub fn pinball(actual: f64, value: f64, quantile: Quantile) -> f64 {
    let p = quantile.probability();
    if actual >= value { p * (actual - value) } else { (1.0 - p) * (value - actual) }
}

/// Returns the weighted quantile loss: twice the summed pinball loss over the summed absolute actuals, averaged over the quantiles.
/// `values`: rows × quantiles.
///
/// Source: Park et al. (2022), "Learning quantile functions without quantile crossing"; mean weighted quantile loss of GluonTS.
pub fn wql(actual: &[f64], values: &[f64], quantiles: &[Quantile]) -> Option<f64> {
    let scored = || actual.iter().zip(values.chunks_exact(quantiles.len().max(1))).filter(|(y, _)| !y.is_nan());
    let loss: f64 = scored().map(|(y, row)| row.iter().zip(quantiles).map(|(value, q)| pinball(*y, *value, *q)).sum::<f64>()).sum();
    if quantiles.is_empty() {
        return None;
    }
    ratio(2.0 * loss / quantiles.len() as f64, scored().map(|(y, _)| y.abs()).sum())
}

/// Returns the share of actuals within closed intervals. `lower` and `upper`: one per row.
pub fn coverage(actual: &[f64], lower: &[f64], upper: &[f64]) -> Option<f64> {
    let rows = actual.iter().zip(lower.iter().zip(upper)).filter(|(y, _)| !y.is_nan());
    mean(rows.map(|(y, (low, high))| f64::from(u8::from(low <= y && y <= high))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::NAN;

    #[track_caller]
    fn near(got: Option<f64>, expected: f64) {
        let got = got.expect("there is a score");
        assert!((got - expected).abs() < 1e-12, "got {got}, expected {expected}");
    }

    fn q(p: f64) -> Quantile {
        Quantile::new(p).expect("in range")
    }

    #[test]
    fn errors_are_those_worked_out_by_hand() {
        let (y, f) = ([10.0, NONE, 20.0, 0.0], [12.0, 99.0, 16.0, 1.0]);
        near(mae(&y, &f), 7.0 / 3.0);
        near(rmse(&y, &f), (21.0_f64 / 3.0).sqrt());
        near(wape(&y, &f), 7.0 / 30.0);
        near(bias(&y, &f), -1.0 / 30.0);
        near(rmspe(&y, &f), 0.2);
        near(smape(&y, &f), (4.0 / 22.0 + 8.0 / 36.0 + 2.0) / 3.0);
    }

    #[test]
    fn scales_are_those_worked_out_by_hand() {
        let history = [0.0, 0.0, 4.0, 1.0, NONE, 3.0, 3.0];
        // From the first sale: 4, 1, 3, 3 differ by 3, 2, 0.
        near(rmsse_scale(&history), 13.0 / 3.0);
        // Two rows apart and both scored: 0-4, 0-1, 1-3; with the missing row 4-?, ?-3 left out.
        near(mase_scale(&history, 2), (4.0 + 1.0 + 2.0) / 3.0);
        near(rmsse(&[1.0, 5.0], &[3.0, 3.0], Some(4.0)), 1.0);
        near(mase(&[1.0, 5.0], &[3.0, 3.0], Some(4.0)), 0.5);
    }

    #[test]
    fn an_example_of_forecasting_principles_is_met() {
        // MASE of a forecast that errs as the in-sample naive forecast does is 1, whatever the unit.
        let history: Vec<f64> = (0..20).map(|t| f64::from(t) * 3.0).collect();
        near(mase(&[60.0, 63.0], &[57.0, 66.0], mase_scale(&history, 1)), 1.0);
        near(rmsse(&[60.0, 63.0], &[57.0, 66.0], rmsse_scale(&history)), 1.0);
    }

    #[test]
    fn a_constant_history_has_no_scale_and_no_score() {
        assert_eq!(mase_scale(&[3.0; 20], 7), None);
        assert_eq!(rmsse_scale(&[0.0; 20]), None);
        assert_eq!(rmsse(&[1.0], &[1.0], None), None);
        assert_eq!(wape(&[0.0], &[1.0]), None);
        assert_eq!(mae(&[NONE], &[1.0]), None);
        assert_eq!(wql(&[1.0], &[], &[]), None);
    }

    #[test]
    fn weights_of_nodes_without_a_score_go_to_the_others() {
        near(weighted_mean(&[Some(1.0), None, Some(2.0)], &[1.0, 5.0, 3.0]), 1.75);
        near(weighted_mean(&[Some(1.0), Some(2.0)], &[0.0, 0.0]), 1.5);
        assert_eq!(weighted_mean(&[None], &[1.0]), None);
    }

    #[test]
    fn quantile_losses_are_those_worked_out_by_hand() {
        assert_eq!(pinball(10.0, 8.0, q(0.9)), 1.8);
        assert!((pinball(8.0, 10.0, q(0.9)) - 0.2).abs() < 1e-12);
        // Rows 10 and 20; quantiles 0.5 and 0.9: losses 1, 0.2 and 2, 1.8.
        near(wql(&[10.0, NONE, 20.0], &[8.0, 12.0, 0.0, 0.0, 24.0, 18.0], &[q(0.5), q(0.9)]), (1.0 + 0.2 + 2.0 + 1.8) / 30.0);
        near(coverage(&[1.0, 2.0, NONE, 9.0], &[1.0, 0.0, 0.0, 0.0], &[2.0, 1.0, 9.0, 9.0]), 2.0 / 3.0);
    }

    #[test]
    fn the_median_pinball_loss_is_half_the_absolute_error() {
        let (y, f) = ([3.0, 8.0, 1.0], [4.0, 4.0, 4.0]);
        near(wql(&y, &f, &[q(0.5)]), wape(&y, &f).expect("positive"));
    }
}
