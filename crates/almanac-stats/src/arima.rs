//! Seasonal ARIMA(p,d,q)(P,D,Q)[m], with a mean or a drift and with regressors known ahead.
//!
//! ```text
//!   History ──sample──► differenced columns ──fit (filter, polynomial)──► Fitted ──spread──► forecast
//! ```
//!
//! The likelihood is exact and is maximised by a quasi-Newton method over partial autocorrelations, from several places; R
//! starts from conditional sums of squares instead, which here would cost as much as the likelihood itself. Linear unknowns
//! are solved for, not searched for. A row that is not scored is such an unknown: it teaches nothing and does not interrupt
//! the differences. Only the newest 1,500 rows are looked at, fewer where many of them are not scored (460 if every seventh is
//! not).
//!
//! A constant is a mean without differences, a drift per row with one, and nothing with more.
//!
//! Source: Box, Jenkins, Reinsel & Ljung (2015), "Time series analysis"; Durbin & Koopman (2012), chapters 2 to 7.
//!
//! Not here: the choice of the order (`auto_arima`).

pub(crate) mod filter;
pub(crate) mod fit;
pub(crate) mod polynomial;
pub(crate) mod regressors;
pub(crate) mod sample;
mod season_strength;
mod spread;
pub(crate) mod unit_root;

use std::fmt;

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::history::History;
use fit::{Fitted, Fitter, Lengths};
use sample::{Differences, Sample};

pub(crate) use spread::predict;

/// Rows of the history that are learnt from, the newest ones: four years of days.
pub(crate) const MAX_ROWS: usize = 1_500;

/// How many lags and differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArimaOrder {
    /// Autoregressive lags.
    pub p: usize,
    /// Differences.
    pub d: usize,
    /// Moving-average lags.
    pub q: usize,
    /// Seasonal autoregressive lags.
    pub seasonal_p: usize,
    /// Seasonal differences.
    pub seasonal_d: usize,
    /// Seasonal moving-average lags.
    pub seasonal_q: usize,
}

impl ArimaOrder {
    /// Returns an order without season.
    pub fn new(p: usize, d: usize, q: usize) -> Self {
        Self { p, d, q, ..Self::default() }
    }

    /// Returns the order with a season.
    pub fn seasonal(self, p: usize, d: usize, q: usize) -> Self {
        Self { seasonal_p: p, seasonal_d: d, seasonal_q: q, ..self }
    }

    fn lengths(self) -> Lengths {
        Lengths { ar: self.p, ma: self.q, seasonal_ar: self.seasonal_p, seasonal_ma: self.seasonal_q }
    }
}

impl fmt::Display for ArimaOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p, d, q, seasonal_p, seasonal_d, seasonal_q } = self;
        write!(f, "ARIMA({p},{d},{q})({seasonal_p},{seasonal_d},{seasonal_q})")
    }
}

/// ARIMA of one given order. The seasonal part of the order is ignored where the season has one step.
///
/// # Errors
/// Its forecasts fail with [`FitError::TooShort`] for fewer scored rows than differencing takes, parameters and 2 more, and
/// with [`FitError::NotFinite`] where the likelihood cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arima {
    /// Lags and differences.
    pub order: ArimaOrder,
    /// Whether there is a mean, or a drift with one difference; ignored with more.
    pub constant: bool,
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
    /// Whether numeric columns that are known ahead are regressors. Those that are constant, say what others say, have gaps,
    /// or end before the last step to forecast are left out.
    pub exog: bool,
}

/// What was estimated on one series, in the units of `y`.
#[derive(Debug, Clone, PartialEq)]
pub struct ArimaFit {
    /// Lags and differences.
    pub order: ArimaOrder,
    /// Steps per season that the order's seasonal part refers to; 1 without season.
    pub season_length: usize,
    /// Mean, or drift per row; `None` where the form has none.
    pub constant: Option<f64>,
    /// Autoregressive coefficients: `p`, then the seasonal ones.
    pub ar: Vec<f64>,
    /// Moving-average coefficients, `1 + θ₁B + …`: `q`, then the seasonal ones.
    pub ma: Vec<f64>,
    /// Regressors in use: columns known ahead, and waves of a season too long for seasonal lags.
    pub n_regressors: usize,
    /// Log likelihood of the scored rows given the first ones that differencing takes, as in R and statsforecast.
    pub log_likelihood: f64,
    /// Corrected Akaike criterion: smaller is better, comparable between forms with the same differences.
    pub aicc: f64,
    /// Variance of the errors, with the degrees of freedom of the estimated parameters taken off.
    pub variance: f64,
}

impl Arima {
    /// Estimates the order on a series, without forecasting.
    ///
    /// # Errors
    /// As the forecasts of [`Arima`].
    pub fn fit(&self, series: &SeriesView<'_>) -> Result<ArimaFit, FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let sample = self.sample(series, &history, &self.regressors(series, &history, 0));
        let (mut fitter, fitted) = self.estimate(series, &history, &sample)?;
        Ok(describe(&history, &mut fitter, &fitted))
    }

    fn differences(&self, series: &SeriesView<'_>) -> Differences {
        let season_length = self.season_length.unwrap_or_else(|| series.freq().season_length()).steps();
        let seasonal = if season_length < 2 { 0 } else { self.order.seasonal_d };
        Differences { first: self.order.d, seasonal, season_length }
    }

    fn regressors(&self, series: &SeriesView<'_>, history: &History, steps: usize) -> Vec<Vec<f64>> {
        if self.exog { regressors::known_ahead(series, history, steps) } else { Vec::new() }
    }

    fn sample(&self, series: &SeriesView<'_>, history: &History, regressors: &[Vec<f64>]) -> Sample {
        Sample::new(history, self.differences(series), regressors)
    }

    fn estimate<'a>(&self, series: &SeriesView<'_>, history: &History, sample: &'a Sample) -> Result<(Fitter<'a>, Fitted), FitError> {
        let mut lengths = self.order.lengths();
        if sample.differences.season_length < 2 {
            lengths = Lengths { seasonal_ar: 0, seasonal_ma: 0, ..lengths };
        }
        let mut fitter = Fitter::new(sample);
        let needed = sample.differences.n_rows() + fitter.n_parameters(lengths, self.constant) + 2;
        let (id, model) = (series.id().clone(), self.name().to_owned());
        if sample.n_scored < needed {
            return Err(FitError::TooShort { series: id, model, got: history.n_scored.min(needed - 1), needed });
        }
        let fitted = fitter.fit_well(lengths, self.constant, None).ok_or(FitError::NotFinite { series: id, model })?;
        Ok((fitter, fitted))
    }
}

impl LocalForecaster for Arima {
    fn name(&self) -> &'static str {
        "arima"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let steps = history.gap + horizon.steps();
        let regressors = self.regressors(series, &history, steps);
        let sample = self.sample(series, &history, &regressors);
        let (mut fitter, fitted) = self.estimate(series, &history, &sample)?;
        let predictive = spread::predict(&history, &mut fitter, &fitted, &regressors, steps);
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Returns what was estimated, in the units of `y`.
pub(crate) fn describe(history: &History, fitter: &mut Fitter<'_>, fitted: &Fitted) -> ArimaFit {
    fitter.evaluate(fitted.lengths, fitted.constant, &fitted.free);
    let (sample, lengths) = (fitter.sample, fitted.lengths);
    let differences = sample.differences;
    let all = Fitter::coefficients(lengths, &fitted.free);
    let (ar, rest) = all.split_at(lengths.ar);
    let (ma, rest) = rest.split_at(lengths.ma);
    let (seasonal_ar, seasonal_ma) = rest.split_at(lengths.seasonal_ar);
    let n = sample.n_effective() as f64;
    let log_scale = history.scale.ln();
    ArimaFit {
        order: ArimaOrder::new(lengths.ar, differences.first, lengths.ma).seasonal(
            lengths.seasonal_ar,
            differences.seasonal,
            lengths.seasonal_ma,
        ),
        season_length: differences.season_length,
        constant: fitter.regression.coefficients.get(sample.n_missing + sample.used.len()).map(|constant| constant * history.scale),
        ar: [ar, seasonal_ar].concat(),
        ma: ma.iter().chain(seasonal_ma).map(|coefficient| -coefficient).collect(),
        n_regressors: sample.used.len(),
        log_likelihood: -0.5 * (fitted.objective + n * (1.0 + std::f64::consts::TAU.ln())) - n * log_scale,
        aicc: fitted.aicc + 2.0 * n * log_scale,
        variance: fitter.regression.squares / (n - fitted.n_parameters as f64 + 1.0) * history.scale * history.scale,
    }
}
