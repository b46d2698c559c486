//! The model bundle: everything needed to forecast again, in batch or online, to the same numbers.
//!
//! ```text
//!   context panel ──each model──► means ──clip, close──► (ensemble: mix) ──calibrate──► quantiles
//!                                                               └─sum over levels──► calibrate each level
//! ```
//!
//! A bundle is a folder: `model.json`, `calibrators.json`, `state/MODEL.txt` for models that learn across series.
//! The final step of a run, the server and scenarios all forecast through [`Bundle`], so that they cannot differ.

mod fallback;
mod refit;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use almanac_evaluate::{Calibrator, Mix, NodeScale, active_series, clip_negative, node_scales};
use almanac_hierarchy::{BOTTOM, Hierarchy};
use almanac_model::{FittedForecaster, Forecast};
use almanac_series::{Horizon, Panel, Quantile, SeasonLength, Seed, SeriesView};
use serde::{Deserialize, Serialize};

use crate::asset::write_atomically;
use crate::closures::close;
use crate::models::ModelFactory;
use crate::{ENSEMBLE, PipelineError};

pub use fallback::{BundleForecast, Fallback};

/// What `model.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleFile {
    /// Version of this form.
    pub version: u32,
    /// Name of the champion: one of `models`, or `ensemble`.
    pub champion: String,
    /// What the ensemble is made of, where there is one.
    pub mix: Option<Mix>,
    /// Every model of the bundle, `ensemble` last where there is one.
    pub models: Vec<String>,
    /// Models named as baselines.
    pub baselines: Vec<String>,
    /// Steps ahead.
    pub horizon: usize,
    /// Probabilities of the quantiles, ascending.
    pub quantiles: Vec<f64>,
    /// Steps of a season.
    pub season_length: usize,
    /// Paths of static columns.
    pub hierarchy: Vec<String>,
    /// Column that gives rows their value.
    pub price: Option<String>,
    /// Seed of the fits.
    pub seed: u64,
}

const VERSION: u32 = 2;

/// Fitted models, their weights and calibrators. Shared by all requests of a server.
#[derive(Debug)]
pub struct Bundle {
    file: BundleFile,
    fitted: BTreeMap<String, Box<dyn FittedForecaster>>,
    calibrators: BTreeMap<String, Calibrator>,
}

/// Forecasts of one level of the hierarchy.
#[derive(Debug, Clone)]
pub struct LevelForecast {
    /// Name of the level.
    pub level: String,
    /// One forecast a model, with quantiles.
    pub forecasts: Vec<Forecast>,
}

impl BundleFile {
    /// Returns the file as the current program writes it.
    pub(crate) fn current(self) -> Self {
        Self { version: VERSION, ..self }
    }

    /// Returns the quantiles of the forecast table.
    pub fn quantiles(&self) -> Vec<Quantile> {
        self.quantiles.iter().filter_map(|p| Quantile::new(*p).ok()).collect()
    }
}

impl Bundle {
    /// Reads a bundle from its folder.
    ///
    /// # Errors
    /// [`PipelineError::Damaged`] or [`PipelineError::State`] if a file is missing or does not hold what it should.
    pub fn load(dir: &Path, models: &dyn ModelFactory) -> Result<Self, PipelineError> {
        let file: BundleFile = read_json(&dir.join("model.json"))?;
        if file.version != VERSION {
            let reason = format!("it has version {}, this program reads version {VERSION}", file.version);
            return Err(PipelineError::damaged(&dir.join("model.json"), reason));
        }
        let calibrators = read_json(&dir.join("calibrators.json"))?;
        let mut fitted = BTreeMap::new();
        for name in file.models.iter().filter(|name| *name != ENSEMBLE) {
            let path = dir.join("state").join(format!("{name}.txt"));
            let state = match fs::read_to_string(&path) {
                Ok(state) => state,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(PipelineError::state(&path, error)),
            };
            let loaded = models.load(name, &state).map_err(|error| PipelineError::damaged(&path, error))?;
            fitted.insert(name.clone(), loaded);
        }
        Ok(Self { file, fitted, calibrators })
    }

    /// Returns what the bundle was made with.
    pub fn file(&self) -> &BundleFile {
        &self.file
    }

    /// Returns the part of a panel that is forecast: series no longer sold are not.
    ///
    /// # Errors
    /// [`PipelineError::Unit`] if the bundle's horizon is out of range.
    pub fn context(&self, panel: &Panel) -> Result<Panel, PipelineError> {
        let horizon = self.horizon()?;
        Ok(panel.last_period().map_or_else(|| panel.clone(), |last| panel.select(&active_series(panel, last, horizon))))
    }

    /// Returns the steps ahead that the models were fitted for.
    ///
    /// # Errors
    /// [`PipelineError::Unit`] if the stored number is out of range.
    pub fn horizon(&self) -> Result<Horizon, PipelineError> {
        Ok(Horizon::new(self.file.horizon)?)
    }

    /// Forecasts the bottom level with one model, from the end of each history in `context`, with calibrated quantiles.
    /// A series that the model cannot forecast is forecast by a baseline of the bundle, if one can.
    ///
    /// # Errors
    /// [`PipelineError`] if the model cannot use the context, or gives no intervals.
    pub fn forecast(
        &self,
        context: &Panel,
        model: &str,
        horizon: Horizon,
        quantiles: &[Quantile],
    ) -> Result<BundleForecast, PipelineError> {
        let forecast = self.one_model(context, model, horizon, quantiles)?;
        self.stand_in(context, forecast, horizon, quantiles)
    }

    /// Forecasts every level of the hierarchy with every model: the bottom from the models, upper levels as sums.
    /// Only series still sold are forecast. Returns the stand-ins of each model's series too, in the order of the models.
    ///
    /// # Errors
    /// [`PipelineError`] as for [`Self::forecast`].
    pub fn forecast_levels(&self, panel: &Panel, hierarchy: &Hierarchy) -> Result<(Vec<LevelForecast>, Vec<Vec<Fallback>>), PipelineError> {
        let (horizon, quantiles) = (self.horizon()?, self.file.quantiles());
        let context = self.context(panel)?;
        let mut levels: Vec<LevelForecast> =
            hierarchy.levels().iter().map(|level| LevelForecast { level: level.name.clone(), forecasts: Vec::new() }).collect();
        let mut fallbacks = Vec::new();
        for model in &self.file.models {
            let bottom = self.forecast(&context, model, horizon, &quantiles)?;
            for (level, into) in levels.iter_mut().enumerate() {
                into.forecasts.push(self.forecast_level(panel, hierarchy, level, &bottom.forecast, &quantiles)?);
            }
            fallbacks.push(bottom.fallbacks);
        }
        Ok((levels, fallbacks))
    }

    /// Sums a forecast of the bottom to a level and gives the sums their intervals. The bottom itself stays as it is.
    ///
    /// # Errors
    /// [`PipelineError::NoIntervals`] if no intervals of the model were calibrated there.
    pub fn forecast_level(
        &self,
        panel: &Panel,
        hierarchy: &Hierarchy,
        level: usize,
        bottom: &Forecast,
        quantiles: &[Quantile],
    ) -> Result<Forecast, PipelineError> {
        if level == hierarchy.bottom() {
            return Ok(bottom.clone());
        }
        let name = &hierarchy.levels()[level].name;
        let calibrator = self
            .calibrators
            .get(&bottom.model)
            .ok_or_else(|| PipelineError::NoIntervals { model: bottom.model.clone(), level: name.clone() })?;
        let mut sums = hierarchy.aggregate(level, bottom);
        let scales = node_scales(panel, hierarchy, level, self.season(), &sums);
        calibrator.apply(name, &mut sums, &scales, quantiles)?;
        empty_where_nothing_sells(&mut sums);
        Ok(sums)
    }

    /// The bottom level by this model and no other.
    fn one_model(&self, context: &Panel, model: &str, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PipelineError> {
        let calibrator = self.calibrators.get(model).filter(|calibrator| calibrator.residuals(BOTTOM) > 0);
        let Some(calibrator) = calibrator else { return self.own_quantiles(context, model, horizon, quantiles) };
        let mut forecast = self.means(context, model, horizon)?;
        let scales: Vec<NodeScale> = forecast
            .series
            .iter()
            .map(|span| {
                let index = context.position(span.id.as_str()).expect("forecast from this context");
                scale(&context.view(index), self.season())
            })
            .collect();
        calibrator.apply(BOTTOM, &mut forecast, &scales, quantiles)?;
        close(context, &mut forecast);
        Ok(forecast)
    }

    fn season(&self) -> SeasonLength {
        SeasonLength::new(self.file.season_length.max(1)).expect("at least 1")
    }

    fn means(&self, context: &Panel, model: &str, horizon: Horizon) -> Result<Forecast, PipelineError> {
        let single = |name: &str| -> Result<Forecast, PipelineError> {
            let fitted = self.fitted.get(name).ok_or_else(|| PipelineError::UnknownModel { model: name.to_owned() })?;
            let mut forecast = fitted.predict(context, horizon, &[])?;
            clip_negative(context, &mut forecast);
            forecast.quantiles.clear();
            forecast.quantile_values.clear();
            Ok(forecast)
        };
        let mut forecast = match &self.file.mix {
            Some(mix) if model == ENSEMBLE => {
                let members = mix.names().map(single).collect::<Result<Vec<_>, _>>()?;
                mix.combine(context, &members.iter().collect::<Vec<_>>())
            }
            _ => single(model)?,
        };
        close(context, &mut forecast);
        Ok(forecast)
    }
}

/// Fits a model on the whole panel and keeps what it learnt in the bundle's folder.
pub(crate) fn fit(
    dir: &Path,
    panel: &Panel,
    models: &dyn ModelFactory,
    name: &str,
    horizon: Horizon,
    seed: Seed,
) -> Result<(), PipelineError> {
    let forecaster = models.forecaster(name).ok_or_else(|| PipelineError::UnknownModel { model: name.to_owned() })?;
    let fitted = forecaster.fit(panel, horizon, seed)?;
    write_atomically(&dir.join("state").join(format!("{name}.txt")), fitted.state().as_bytes())
}

/// Size of a series' errors, from its scored rows alone.
fn scale(view: &SeriesView<'_>, season: SeasonLength) -> NodeScale {
    let history: Vec<f64> = view.y().iter().zip(view.status()).map(|(y, status)| if status.is_scored() { *y } else { f64::NAN }).collect();
    NodeScale::new(&history, season)
}

/// A node that will be closed altogether sells nothing, for certain.
fn empty_where_nothing_sells(forecast: &mut Forecast) {
    let width = forecast.quantiles.len();
    for (row, mean) in forecast.mean.iter().enumerate() {
        if *mean == 0.0 {
            forecast.quantile_values[row * width..(row + 1) * width].fill(0.0);
        }
    }
}

/// Reads a JSON file that Almanac wrote.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, PipelineError> {
    let text = fs::read(path).map_err(|error| PipelineError::state(path, error))?;
    serde_json::from_slice(&text).map_err(|error| PipelineError::damaged(path, error))
}

#[cfg(test)]
mod tests;
