//! Seasonal ARIMA with the order chosen as R's `forecast::auto.arima` does.
//!
//! A seasonal difference is taken if the season is strong (above 0.64 by STL), ordinary ones until the KPSS test is content.
//! From four starting orders the search then moves by one lag, or by one of each kind, or in and out of the constant, as long
//! as AICc falls: at most 5 lags and 2 seasonal lags of each kind, and 94 forms. Forms with a root within 1 % of the unit
//! circle are refused. The likelihood is exact throughout, where R ranks long series by conditional sums of squares, so that
//! the order found may differ from R's and then has the lower AICc as a rule.
//!
//! Seasons of 2 to 24 steps have seasonal lags. A longer one (52 weeks) of which two are scored is described by up to six waves,
//! as many as AICc asks for, with ARIMA errors without season; weekdays and the like of so long a season are lost.
//!
//! Rows that are not scored stay out of the likelihood. Where they are more than four, the search runs on a history in which they
//! are estimated, and the order it prefers is estimated again without them. A history of fewer than 5 scored rows, or of one
//! value throughout, falls back to [`Naive`](crate::Naive); fewer rows than a form needs rule the form out.
//!
//! Source: Hyndman & Khandakar (2008), "Automatic time series forecasting: the forecast package for R".
//!
//! Not here: estimation and forecasts of a given order (`arima`).

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::arima::fit::{Fitted, Fitter, Lengths, carry_over, usual_starts};
use crate::arima::sample::{Differences, Sample, difference};
use crate::arima::{self, ArimaFit, MAX_ROWS, regressors, unit_root};
use crate::ets;
use crate::history::History;

/// Longest season that gets lags of its own.
const MAX_SEASON_LENGTH: usize = 24;
/// Pairs of sine and cosine that describe a longer one at most.
const MAX_WAVES: usize = 6;
const MAX_LAGS: usize = 5;
const MAX_SEASONAL_LAGS: usize = 2;
const MAX_FORMS: usize = 94;
/// Scored rows below which nothing is estimated.
const FEWEST_ROWS: usize = 5;
/// Rows without score above which the search runs on estimates of them.
const MAX_SEARCHED_MISSING: usize = 4;
/// Moves of the search: autoregressive, moving average, the same of the season; in R's order.
const MOVES: [[isize; 4]; 16] = [
    [0, 0, -1, 0],
    [0, 0, 0, -1],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [0, 0, -1, -1],
    [0, 0, -1, 1],
    [0, 0, 1, -1],
    [0, 0, 1, 1],
    [-1, 0, 0, 0],
    [0, -1, 0, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [-1, -1, 0, 0],
    [-1, 1, 0, 0],
    [1, -1, 0, 0],
    [1, 1, 0, 0],
];

/// Seasonal ARIMA, differences by tests and lags by AICc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoArima {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
    /// Whether numeric columns that are known ahead are regressors, as in [`Arima`](crate::Arima).
    pub exog: bool,
}

impl AutoArima {
    /// Chooses and estimates the order for a series, without forecasting. `None`: the series falls back to naive.
    ///
    /// # Errors
    /// [`FitError`] for a series without any finite scored row.
    pub fn select(&self, series: &SeriesView<'_>) -> Result<Option<ArimaFit>, FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let prepared = self.prepare(series, &history, 0);
        Ok(prepared.select(&history).map(|(mut fitter, fitted)| arima::describe(&history, &mut fitter, &fitted)))
    }

    fn prepare(&self, series: &SeriesView<'_>, history: &History, steps: usize) -> Prepared {
        let season_length = ets::season_length(self.season_length, series);
        let exog = if self.exog { regressors::known_ahead(series, history, steps) } else { Vec::new() };
        if season_length <= MAX_SEASON_LENGTH {
            return Prepared::new(history, season_length, exog, None);
        }
        let rows = history.values.len() + steps;
        let most = if history.n_scored < 2 * season_length { 0 } else { MAX_WAVES };
        let with_waves = |n_waves: usize| [regressors::waves(season_length, n_waves, rows), exog.clone()].concat();
        let widest = Prepared::new(history, 1, with_waves(most), None);
        let differences = widest.sample.differences.first;
        let lengths = Lengths { ar: 1, ma: 1, ..Lengths::default() };
        let aicc = |prepared: &Prepared| {
            let fitted = Fitter::new(&prepared.sample).fit(lengths, true, &[vec![0.0; 2]]);
            fitted.map_or(f64::INFINITY, |fitted| fitted.aicc)
        };
        let mut best = (aicc(&widest), widest);
        for n_waves in 0..most {
            let prepared = Prepared::new(history, 1, with_waves(n_waves), Some(differences));
            let aicc = aicc(&prepared);
            if aicc < best.0 {
                best = (aicc, prepared);
            }
        }
        best.1
    }
}

impl LocalForecaster for AutoArima {
    fn name(&self) -> &'static str {
        "auto_arima"
    }

    fn exog(&self) -> bool {
        self.exog
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let steps = history.gap + horizon.steps();
        let prepared = self.prepare(series, &history, steps);
        let Some((mut fitter, fitted)) = prepared.select(&history) else {
            return ets::predict_naively(&history, horizon, quantiles, series, self.name());
        };
        let predictive = arima::predict(&history, &mut fitter, &fitted, &prepared.regressors, steps);
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// A history with its differences and regressors settled.
#[derive(Debug)]
struct Prepared {
    sample: Sample,
    regressors: Vec<Vec<f64>>,
}

impl Prepared {
    /// Settles the differences by tests on what the regressors leave, but for the ordinary ones where given.
    fn new(history: &History, season_length: usize, regressors: Vec<Vec<f64>>, first: Option<usize>) -> Self {
        let mut differences = Differences { first: 0, seasonal: 0, season_length };
        let left = if regressors.is_empty() || first.is_some() { None } else { Some(residuals(history, differences, &regressors)) };
        let values = left.as_ref().unwrap_or(&history.values);
        differences.seasonal = unit_root::n_seasonal_differences(values, season_length);
        differences.first = first.unwrap_or_else(|| {
            if differences.seasonal == 0 {
                unit_root::n_differences(values)
            } else {
                unit_root::n_differences(&difference(values, season_length))
            }
        });
        Self { sample: Sample::new(history, differences, &regressors), regressors }
    }

    /// Chooses the order. `None` where nothing can be estimated.
    fn select(&self, history: &History) -> Option<(Fitter<'_>, Fitted)> {
        let sample = &self.sample;
        if sample.n_scored < FEWEST_ROWS || history.is_constant() {
            return None;
        }
        let mut fitter = Fitter::new(sample);
        if sample.is_constant() {
            let fitted = fitter.fit(Lengths::default(), true, &[Vec::new()])?;
            return Some((fitter, fitted));
        }
        if sample.n_missing > MAX_SEARCHED_MISSING {
            let estimated = with_estimates(&mut fitter, history);
            let easy = Sample::new(&estimated, sample.differences, &self.regressors);
            let found = Search::new(Fitter::new(&easy)).run()?;
            let refined = fitter.fit(found.lengths, found.constant, std::slice::from_ref(&found.free));
            let fitted = refined.filter(|fitted| fitter.has_safe_roots(fitted)).or_else(|| fitter.take_over(found));
            return fitted.map(|fitted| (fitter, fitted));
        }
        let mut search = Search::new(fitter);
        let found = search.run()?;
        let mut fitter = search.fitter;
        // The best of the search may have a better maximum elsewhere; it counts if its roots are safe there too.
        let refined = fitter.fit_well(found.lengths, found.constant, Some(&found)).filter(|fitted| fitter.has_safe_roots(fitted));
        Some((fitter, refined.unwrap_or(found)))
    }
}

/// Returns what regressors and a mean leave of a history.
fn residuals(history: &History, differences: Differences, regressors: &[Vec<f64>]) -> Vec<f64> {
    let sample = Sample::new(history, differences, regressors);
    let mut fitter = Fitter::new(&sample);
    fitter.evaluate(Lengths::default(), true, &[]);
    let skipped = history.values.len() - sample.levels.n_rows;
    let left = history.values[skipped..].iter().zip(&fitter.filter.innovations);
    left.map(|(value, residual)| if value.is_nan() { f64::NAN } else { *residual }).collect()
}

/// Returns the rows of the sample with estimates, by a middling form, in the place of those without score.
fn with_estimates(fitter: &mut Fitter<'_>, history: &History) -> History {
    let sample = fitter.sample;
    let seasonal = usize::from(sample.differences.season_length > 1 && sample.n_scored > 3 * sample.differences.season_length);
    let with_difference = seasonal * sample.differences.seasonal;
    let lengths = Lengths { ar: 1, ma: 1, seasonal_ar: seasonal - with_difference, seasonal_ma: with_difference };
    let mut values = sample.levels.column(0).to_vec();
    if let Some(fitted) = fitter.fit_roughly(lengths, true, &[vec![0.0; lengths.total()]]) {
        fitter.evaluate(lengths, true, &fitted.free);
        let missing = fitter.regression.coefficients.iter().take(sample.n_missing);
        for (coefficient, row) in missing.zip(sample.levels.first[1..].iter()) {
            values[*row] -= coefficient;
        }
    }
    // In front of the sample nothing is scored, so that regressors keep their rows.
    let mut rows = vec![f64::NAN; history.values.len() - values.len()];
    rows.extend(values);
    History { n_scored: sample.levels.n_rows, values: rows, ..history.clone() }
}

/// A search over forms on one sample.
struct Search<'a> {
    fitter: Fitter<'a>,
    tried: Vec<(Lengths, bool)>,
    best: Option<Fitted>,
    most: [usize; 4],
}

impl<'a> Search<'a> {
    fn new(fitter: Fitter<'a>) -> Self {
        let season_length = fitter.sample.differences.season_length;
        let third = fitter.sample.n_scored / 3;
        let lags = MAX_LAGS.min(third).min(if season_length > 1 { season_length - 1 } else { MAX_LAGS });
        let seasonal = if season_length > 1 { MAX_SEASONAL_LAGS.min(third / season_length) } else { 0 };
        Self { fitter, tried: Vec::new(), best: None, most: [lags, lags, seasonal, seasonal] }
    }

    /// Returns the best form with safe roots.
    fn run(&mut self) -> Option<Fitted> {
        let has_constant = self.fitter.sample.has_constant;
        let start = if self.fitter.sample.n_scored < 10 { [1, 1, 0, 0] } else { [2, 2, 1, 1] };
        for (lags, constant) in
            [(start, has_constant), ([0; 4], has_constant), ([1, 0, 1, 0], has_constant), ([0, 1, 0, 1], has_constant), ([0; 4], false)]
        {
            let within: Vec<usize> = lags.iter().zip(self.most).map(|(lags, most)| most.min(*lags)).collect();
            self.attempt(lengths(&within), constant);
        }
        'improved: while let Some((lengths_now, constant)) = self.best.as_ref().map(|best| (best.lengths, best.constant)) {
            let now = [lengths_now.ar, lengths_now.ma, lengths_now.seasonal_ar, lengths_now.seasonal_ma];
            for by in MOVES {
                let moved: Vec<usize> = now.iter().zip(by).filter_map(|(now, by)| now.checked_add_signed(by)).collect();
                let is_within = moved.len() == 4 && moved.iter().zip(self.most).all(|(moved, most)| *moved <= most);
                if is_within && self.attempt(lengths(&moved), constant) {
                    continue 'improved;
                }
            }
            if !(has_constant && self.attempt(lengths_now, !constant)) {
                break;
            }
        }
        self.best.take()
    }

    /// Fits a form unless it was tried before; returns whether it is the best so far.
    fn attempt(&mut self, lengths: Lengths, constant: bool) -> bool {
        if self.tried.len() == MAX_FORMS || self.tried.contains(&(lengths, constant)) {
            return false;
        }
        self.tried.push((lengths, constant));
        let mut starts: Vec<Vec<f64>> = usual_starts(lengths).collect();
        starts.extend(self.best.as_ref().map(|best| carry_over(best.lengths, &best.free, lengths)));
        let Some(fitted) = self.fitter.fit_roughly(lengths, constant, &starts) else { return false };
        if !self.fitter.has_safe_roots(&fitted) {
            return false;
        }
        let is_best = self.best.as_ref().is_none_or(|best| fitted.aicc < best.aicc);
        if is_best {
            self.best = Some(fitted);
        }
        is_best
    }
}

fn lengths(lags: &[usize]) -> Lengths {
    Lengths { ar: lags[0], ma: lags[1], seasonal_ar: lags[2], seasonal_ma: lags[3] }
}
