//! Running one model on one fold.
//!
//! The model sees `panel.until(cutoff)` and nothing else. Pure and deterministic, so that a fold is an asset that can be made again.
//!
//! Not here: which cutoffs (`cutoffs`), scores (`score`).

use almanac_model::{FitError, Forecast, Forecaster, PredictError};
use almanac_series::{Hint, Horizon, Panel, Period, Quantile, Seed};

use crate::Fold;

/// Why a model could not be run on a fold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// The model could not learn.
    #[error("fold {fold} (cutoff {cutoff}), model `{model}`")]
    Fit {
        /// Index of the fold.
        fold: usize,
        /// Label of the cutoff.
        cutoff: String,
        /// The model's name.
        model: String,
        /// What went wrong.
        #[source]
        source: FitError,
    },
    /// The model could not forecast.
    #[error("fold {fold} (cutoff {cutoff}), model `{model}`")]
    Predict {
        /// Index of the fold.
        fold: usize,
        /// Label of the cutoff.
        cutoff: String,
        /// The model's name.
        model: String,
        /// What went wrong.
        #[source]
        source: PredictError,
    },
}

impl Hint for BacktestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fit { source, .. } => source.hint(),
            Self::Predict { source, .. } => source.hint(),
        }
    }
}

/// Fits `model` on what was known at the fold's cutoff and forecasts the active series ([`active_series`]).
///
/// Negative means and quantiles of series that were never negative are raised to 0 ([`clip_negative`]).
///
/// # Errors
/// [`BacktestError`] if the model fails as a whole.
pub fn run_fold(
    panel: &Panel,
    fold: &Fold,
    model: &dyn Forecaster,
    horizon: Horizon,
    quantiles: &[Quantile],
    seed: Seed,
) -> Result<Forecast, BacktestError> {
    let (index, cutoff, name) = (fold.index, || panel.freq().label(fold.cutoff), || model.name().to_owned());
    let train = panel.until(fold.cutoff);
    let context = train.select(&active_series(&train, fold.cutoff, horizon));
    let fitted =
        model.fit(&train, horizon, seed).map_err(|source| BacktestError::Fit { fold: index, cutoff: cutoff(), model: name(), source })?;
    let mut forecast = fitted.predict(&context, horizon, quantiles).map_err(|source| BacktestError::Predict {
        fold: index,
        cutoff: cutoff(),
        model: name(),
        source,
    })?;
    clip_negative(&context, &mut forecast);
    Ok(forecast)
}

/// Returns the series that are sold at `cutoff`, ascending: those whose last scored row is at most
/// `max(horizon, 2 × season_length)` periods old, and those that have none yet. Others are discontinued: there is nothing to forecast.
pub fn active_series(panel: &Panel, cutoff: Period, horizon: Horizon) -> Vec<usize> {
    let patience = horizon.steps().max(2 * panel.freq().season_length().steps()) as i64;
    let is_active = |index: &usize| {
        let view = panel.view(*index);
        view.scored().next_back().is_none_or(|(row, _)| cutoff.since(view.start().plus(row as i64)) <= patience)
    };
    (0..panel.n_series()).filter(is_active).collect()
}

/// Raises negative means and quantiles to 0 for every series of `forecast` whose whole history in `train` is not negative.
/// Backtests and the final forecast use this same rule.
pub fn clip_negative(train: &Panel, forecast: &mut Forecast) {
    let (h, width) = (forecast.horizon.steps(), forecast.horizon.steps() * forecast.quantiles.len());
    for position in 0..forecast.n_series() {
        let is_non_negative = train
            .position(forecast.series[position].id.as_str())
            .is_some_and(|index| train.view(index).y().iter().all(|y| y.is_nan() || *y >= 0.0));
        if is_non_negative {
            raise(&mut forecast.mean[position * h..(position + 1) * h]);
            raise(&mut forecast.quantile_values[position * width..(position + 1) * width]);
        }
    }
}

fn raise(values: &mut [f64]) {
    for value in values {
        *value = value.max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use almanac_model::{Local, LocalForecast, LocalForecaster};
    use almanac_series::SeriesView;

    use super::*;
    use crate::simulate::{horizon, panel_of};

    /// Goes on falling by the last difference.
    #[derive(Debug)]
    struct Drift;

    impl LocalForecaster for Drift {
        fn name(&self) -> &'static str {
            "drift"
        }

        fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
            let y = series.y();
            let slope = y[y.len() - 1] - y[y.len() - 2];
            let mean: Vec<f64> = (1..=horizon.steps()).map(|step| y[y.len() - 1] + slope * step as f64).collect();
            let quantile_values = mean.iter().flat_map(|mean| quantiles.iter().map(move |_| *mean)).collect();
            Ok(LocalForecast { mean, quantile_values })
        }
    }

    #[test]
    fn a_fold_sees_nothing_after_its_cutoff_and_sales_do_not_turn_negative() {
        let mut down: Vec<f64> = (0..40).map(|t| 21.0 - f64::from(t)).collect();
        down[20..].fill(500.0);
        let negative: Vec<f64> = (0..40).map(|t| 5.0 - f64::from(t)).collect();
        let panel = panel_of(&[("balance", negative), ("sales", down)]);
        let fold = Fold { index: 0, cutoff: Period(19) };
        let median = Quantile::new(0.5).expect("in range");
        let forecast = run_fold(&panel, &fold, &Local::new(Drift), horizon(4), &[median], Seed(1)).expect("runs");
        assert_eq!(forecast.mean_of(0), [-15.0, -16.0, -17.0, -18.0]);
        assert_eq!(forecast.mean_of(1), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(forecast.quantiles_of(1), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn series_discontinued_long_before_the_cutoff_are_not_forecast() {
        let panel = panel_of(&[("alive", vec![1.0; 60]), ("dead", vec![1.0; 20]), ("paused", vec![1.0; 50])]);
        assert_eq!(active_series(&panel, Period(59), horizon(4)), [0, 2], "two weeks of patience");
    }
}
