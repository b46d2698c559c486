//! One series: from its rows to the posterior, and from the parameters to its forecast.
//!
//! Source: Taylor & Letham (2018); scaling, changepoints and what is switched on are as in Prophet 1.5.

use almanac_features::Country;
use almanac_model::{FitError, LocalForecast};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::clock::Clock;
use crate::map;
use crate::posterior::{Posterior, Trend, dot, write_trend};
use crate::spread::{Doubt, Spread};
use crate::terms::{KnownColumn, Terms};
use crate::{Growth, Prophet, SeasonalityMode};

pub(crate) const NAME: &str = "prophet";
/// Through fewer scored rows a bending line goes exactly, and no noise is left to be seen.
const MIN_ROWS: usize = 5;
/// Rows that are learnt from, the newest ones.
const MAX_ROWS: usize = 100_000;
/// Keeps the scale of future bends above 0, as in the original.
const LEAST_BEND: f64 = 1e-8;

/// What is the same for all series of a panel.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) model: &'a Prophet,
    pub(crate) country: Option<&'a Country>,
    pub(crate) clock: Clock,
    /// Known-ahead columns that may be regressors.
    pub(crate) columns: Vec<KnownColumn>,
}

/// What was estimated on one series. Time runs from 0 at the first scored row to 1 at the last; effects and `sigma` are in
/// units of `y_scale`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProphetFit {
    /// Level that `y` is counted from.
    pub floor: f64,
    /// Largest magnitude of `y - floor` over the scored rows.
    pub y_scale: f64,
    /// Growth per unit of time before the first changepoint.
    pub k: f64,
    /// Level of the line at time 0 (logistic growth: the time of its midpoint).
    pub m: f64,
    /// Times at which the trend may bend.
    pub changepoints: Vec<f64>,
    /// Change of the growth at each of them.
    pub delta: Vec<f64>,
    /// Coefficients: yearly, weekly and daily sines and cosines, holidays by name and day, known-ahead columns.
    pub beta: Vec<f64>,
    /// Standard deviation of the noise.
    pub sigma: f64,
    /// Log density of the posterior without its constants, as Stan's `~` statements sum it.
    pub log_posterior: f64,
}

/// A series whose parameters are known.
#[derive(Debug)]
struct Fitted<'a> {
    terms: Terms<'a>,
    trend: Trend,
    is_multiplicative: bool,
    start: i64,
    span: f64,
    fit: ProphetFit,
}

/// Estimates the parameters of a series.
pub(crate) fn fit(setting: &Setting<'_>, series: &SeriesView<'_>) -> Result<ProphetFit, FitError> {
    let rows = scored(series)?;
    Ok(estimate(setting, series, &rows)?.fit)
}

/// Forecasts a series from the end of its history.
pub(crate) fn forecast(
    setting: &Setting<'_>,
    series: &SeriesView<'_>,
    horizon: Horizon,
    quantiles: &[Quantile],
) -> Result<LocalForecast, FitError> {
    let rows = scored(series)?;
    let constant = series.y()[rows[0]];
    let steps = horizon.steps();
    if rows.iter().all(|row| series.y()[*row] == constant) {
        return Ok(LocalForecast { mean: vec![constant; steps], quantile_values: vec![constant; steps * quantiles.len()] });
    }
    let forecast = estimate(setting, series, &rows)?.forecast(setting, series, steps, quantiles);
    let is_finite = forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite());
    if is_finite { Ok(forecast) } else { Err(not_finite(series)) }
}

fn not_finite(series: &SeriesView<'_>) -> FitError {
    FitError::NotFinite { series: series.id().clone(), model: NAME.to_owned() }
}

/// Returns the scored rows that are learnt from.
fn scored(series: &SeriesView<'_>) -> Result<Vec<usize>, FitError> {
    let rows: Vec<usize> = series.scored().map(|(row, _)| row).collect();
    if rows.iter().any(|row| series.y()[*row].is_infinite()) {
        return Err(not_finite(series));
    }
    if rows.len() < MIN_ROWS {
        return Err(FitError::TooShort { series: series.id().clone(), model: NAME.to_owned(), got: rows.len(), needed: MIN_ROWS });
    }
    Ok(rows[rows.len().saturating_sub(MAX_ROWS)..].to_vec())
}

fn estimate<'a>(setting: &Setting<'a>, series: &SeriesView<'_>, rows: &[usize]) -> Result<Fitted<'a>, FitError> {
    let (model, clock) = (setting.model, &setting.clock);
    let floor = if let Growth::Logistic { floor, .. } = model.growth { floor } else { 0.0 };
    let largest = rows.iter().fold(0.0_f64, |largest, row| largest.max((series.y()[*row] - floor).abs()));
    let y_scale = if largest == 0.0 { 1.0 } else { largest };
    let time = |row: usize| clock.time(series.start().plus(row as i64));
    let start = time(rows[0]);
    let span = (time(rows[rows.len() - 1]) - start) as f64;
    let t: Vec<f64> = rows.iter().map(|row| (time(*row) - start) as f64 / span).collect();

    let terms = Terms::decide(model, setting.country, &setting.columns, clock, series, rows);
    let width = terms.width();
    let mut x = vec![0.0; rows.len() * width];
    if width > 0 {
        for (row, out) in rows.iter().zip(x.chunks_exact_mut(width)) {
            terms.write(clock, series, *row, out);
        }
    }
    let trend = match model.growth {
        Growth::Linear => Trend::Linear,
        Growth::Flat => Trend::Flat,
        Growth::Logistic { cap, floor } => Trend::Logistic { cap: (cap - floor) / y_scale },
    };
    let posterior = Posterior {
        trend,
        is_multiplicative: model.seasonality_mode == SeasonalityMode::Multiplicative,
        y: rows.iter().map(|row| (series.y()[*row] - floor) / y_scale).collect(),
        x,
        width,
        knots: if trend == Trend::Flat { Vec::new() } else { changepoints(model, &t) },
        precisions: terms.precisions(model),
        bend_scale: model.changepoint_prior_scale,
        t,
    };
    let point = map::maximise(&posterior);
    if !point.loss.is_finite() {
        return Err(not_finite(series));
    }
    let (free, delta) = point.parameters.split_at(posterior.n_free());
    let fit = ProphetFit {
        floor,
        y_scale,
        k: free[1],
        m: free[0],
        delta: delta.to_vec(),
        beta: free[2..].to_vec(),
        sigma: point.variance.sqrt(),
        log_posterior: -point.loss,
        changepoints: posterior.knots,
    };
    Ok(Fitted { terms, trend, is_multiplicative: posterior.is_multiplicative, start, span, fit })
}

/// Times at which the trend may bend: rows spread evenly over the first part of the history, without its first.
fn changepoints(model: &Prophet, t: &[f64]) -> Vec<f64> {
    let rows = (t.len() as f64 * model.changepoint_range.clamp(0.0, 1.0)).floor() as usize;
    let count = model.n_changepoints.min(rows.saturating_sub(1));
    let place = |index: usize| (index as f64 * ((rows - 1) as f64 / count as f64)).round_ties_even() as usize;
    (1..=count).map(|index| t[place(index)]).collect()
}

impl Fitted<'_> {
    fn forecast(&self, setting: &Setting<'_>, series: &SeriesView<'_>, steps: usize, quantiles: &[Quantile]) -> LocalForecast {
        let fit = &self.fit;
        let rows = series.len()..series.len() + steps;
        let time = |row: usize| setting.clock.time(series.start().plus(row as i64));
        let t: Vec<f64> = rows.clone().map(|row| (time(row) - self.start) as f64 / self.span).collect();
        let mut trend = vec![0.0; steps];
        write_trend(self.trend, &[fit.m, fit.k], &fit.changepoints, &fit.delta, &t, &mut trend);

        let size = fit.delta.iter().map(|bend| bend.abs()).sum::<f64>() / fit.delta.len().max(1) as f64 + LEAST_BEND;
        let probabilities: Vec<f64> = quantiles.iter().map(|quantile| quantile.probability()).collect();
        let mut x = vec![0.0; self.terms.width()];
        let mut spread = Spread::default();
        let mut forecast = LocalForecast { mean: Vec::with_capacity(steps), quantile_values: Vec::with_capacity(steps * quantiles.len()) };
        for ((row, t), trend) in rows.zip(&t).zip(&trend) {
            x.fill(0.0);
            self.terms.write(&setting.clock, series, row, &mut x);
            let effect = dot(&x, &fit.beta);
            let (said, outer) = if self.is_multiplicative { (trend * (1.0 + effect), (1.0 + effect).abs()) } else { (trend + effect, 1.0) };
            let inner = match self.trend {
                Trend::Linear => 1.0,
                Trend::Flat => 0.0,
                Trend::Logistic { cap } => trend * (1.0 - trend / cap),
            };
            let mean = said * fit.y_scale + fit.floor;
            forecast.mean.push(mean);
            let doubt = Doubt { noise: fit.sigma, bend: size * outer * inner, rate: fit.delta.len() as f64, ahead: t - 1.0 };
            let from = forecast.quantile_values.len();
            spread.append(doubt, &probabilities, &mut forecast.quantile_values);
            for value in &mut forecast.quantile_values[from..] {
                *value = mean + *value * fit.y_scale;
            }
        }
        forecast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changepoints_are_spread_over_the_first_part() {
        let t: Vec<f64> = (0..11).map(|row| f64::from(row) / 10.0).collect();
        let at = |n_changepoints| changepoints(&Prophet { n_changepoints, ..Prophet::default() }, &t);
        assert_eq!(at(0), [0.0; 0]);
        assert_eq!(at(2), [0.4, 0.7], "3.5 rounds to even, as in NumPy");
        assert_eq!(at(25).len(), 7, "no more than rows there are");
    }
}
