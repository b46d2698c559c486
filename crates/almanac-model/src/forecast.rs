//! The forecast: what every model gives and everything above works on.

use almanac_series::{Freq, Horizon, Period, Quantile, SeriesId};

use crate::Skipped;

/// Which series a block of rows belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastSpan {
    /// Key.
    pub id: SeriesId,
    /// Last period the model could see; step 1 is the period after it.
    pub cutoff: Period,
}

/// Forecasts of one model for many series, `horizon` steps each.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Name of the model, as in configuration and leaderboards.
    pub model: String,
    /// Spacing of the steps.
    pub freq: Freq,
    /// Steps per series.
    pub horizon: Horizon,
    /// Probabilities of the quantile columns, ascending; empty where the model gives none.
    pub quantiles: Vec<Quantile>,
    /// Series in the order of the panel they were forecast from.
    pub series: Vec<ForecastSpan>,
    /// Means, `n_series × horizon`, series by series, in the units of `y`. Always finite.
    pub mean: Vec<f64>,
    /// Quantile values, `n_series × horizon × n_quantiles`, ascending within a step.
    pub quantile_values: Vec<f64>,
    /// Series that could not be forecast.
    pub skipped: Vec<Skipped>,
    /// Series without a history to go by, forecast from their attributes and from series like them. In the order of [`Self::series`];
    /// what they will be worth is far less certain than for the others.
    pub cold: Vec<SeriesId>,
}

impl Forecast {
    /// Starts an empty forecast.
    pub fn empty(model: &str, freq: Freq, horizon: Horizon, quantiles: &[Quantile]) -> Self {
        Self {
            model: model.to_owned(),
            freq,
            horizon,
            quantiles: quantiles.to_vec(),
            series: Vec::new(),
            mean: Vec::new(),
            quantile_values: Vec::new(),
            skipped: Vec::new(),
            cold: Vec::new(),
        }
    }

    /// Returns the number of series.
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// Returns the means of the `index`-th series, step by step.
    pub fn mean_of(&self, index: usize) -> &[f64] {
        let h = self.horizon.steps();
        &self.mean[index * h..(index + 1) * h]
    }

    /// Returns the quantile values of the `index`-th series, `horizon × n_quantiles`.
    pub fn quantiles_of(&self, index: usize) -> &[f64] {
        let width = self.horizon.steps() * self.quantiles.len();
        &self.quantile_values[index * width..(index + 1) * width]
    }

    /// Returns the position of a series. Linear only if the series are not sorted by key.
    pub fn position(&self, id: &SeriesId) -> Option<usize> {
        match self.series.binary_search_by(|span| span.id.cmp(id)) {
            Ok(index) => Some(index),
            Err(_) => self.series.iter().position(|span| span.id == *id),
        }
    }

    /// Returns the first steps of the series at the positions that `keep` accepts. What was skipped is not told again.
    #[must_use]
    pub fn part(&self, horizon: Horizon, mut keep: impl FnMut(usize) -> bool) -> Self {
        let horizon = horizon.min(self.horizon);
        let mut part = Self::empty(&self.model, self.freq, horizon, &self.quantiles);
        for position in (0..self.n_series()).filter(|position| keep(*position)) {
            let values = &self.quantiles_of(position)[..horizon.steps() * self.quantiles.len()];
            part.push(self.series[position].clone(), &self.mean_of(position)[..horizon.steps()], values);
        }
        part.cold = self.cold.iter().filter(|id| part.position(id).is_some()).cloned().collect();
        part
    }

    /// Adds one series. `mean`: `horizon`; `quantile_values`: `horizon × n_quantiles`.
    ///
    /// # Panics
    /// If the lengths do not fit: a model that gives another number of steps is a bug.
    pub fn push(&mut self, span: ForecastSpan, mean: &[f64], quantile_values: &[f64]) {
        assert_eq!(mean.len(), self.horizon.steps(), "one mean per step");
        assert_eq!(quantile_values.len(), self.horizon.steps() * self.quantiles.len(), "one value per step and quantile");
        self.series.push(span);
        self.mean.extend_from_slice(mean);
        self.quantile_values.extend_from_slice(quantile_values);
    }
}
