//! Models fitted now, on the panel as it stands, as a bundle in memory: what an ad-hoc forecast is made with.
//!
//! Intervals are those that the champion's bundle calibrated for a model; a model it does not hold gives its own quantiles.
//! Not here: writing anything; a bundle made here is gone with the process.

use std::collections::BTreeMap;

use almanac_evaluate::{Mix, clip_negative};
use almanac_model::Forecast;
use almanac_series::{Horizon, Panel, Quantile};

use super::fallback::BASELINES;
use super::{Bundle, BundleFile};
use crate::closures::close;
use crate::models::ModelFactory;
use crate::settings::PipelineSettings;
use crate::{ENSEMBLE, PipelineError};

impl Bundle {
    /// Fits these models on the whole panel, and the baselines that stand in for them. `kept`: the champion's bundle, if there is one.
    ///
    /// # Errors
    /// [`PipelineError::UnknownModel`], [`PipelineError::NoEnsemble`] where no bundle says what the ensemble is made of, or
    /// [`PipelineError::Fit`] if a model can learn nothing from the panel.
    pub fn refit(
        panel: &Panel,
        wanted: &[String],
        models: &dyn ModelFactory,
        settings: &PipelineSettings,
        kept: Option<Self>,
    ) -> Result<Self, PipelineError> {
        let mix = kept.as_ref().and_then(|kept| kept.file.mix.clone());
        if mix.is_none() && wanted.iter().any(|name| name == ENSEMBLE) {
            return Err(PipelineError::NoEnsemble);
        }
        let members = |mix: &Mix| mix.names().map(str::to_owned).collect::<Vec<_>>();
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            match &mix {
                Some(mix) if name == ENSEMBLE => names.extend(members(mix)),
                _ => names.push(name.clone()),
            }
        }
        names.sort_unstable();
        names.dedup();
        let mut fitted = BTreeMap::new();
        for name in &names {
            let forecaster = models.forecaster(name).ok_or_else(|| PipelineError::UnknownModel { model: name.clone() })?;
            fitted.insert(name.clone(), forecaster.fit(panel, settings.horizon, settings.seed)?);
        }
        for name in BASELINES {
            if !fitted.contains_key(name)
                && let Some(forecaster) = models.forecaster(name)
            {
                fitted.insert(name.to_owned(), forecaster.fit(panel, settings.horizon, settings.seed)?);
            }
        }
        let season_length = settings.season_length.unwrap_or_else(|| panel.freq().season_length());
        let file = BundleFile {
            version: 0,
            champion: wanted.first().cloned().unwrap_or_default(),
            mix,
            models: wanted.to_vec(),
            baselines: settings.gates.beats.clone(),
            horizon: settings.horizon.steps(),
            quantiles: settings.quantiles.iter().map(|quantile| quantile.probability()).collect(),
            season_length: season_length.steps(),
            hierarchy: settings.hierarchy.clone(),
            price: settings.price.clone(),
            seed: settings.seed.0,
        };
        let calibrators = kept.map(|kept| kept.calibrators).unwrap_or_default();
        Ok(Self { file: file.current(), fitted, calibrators })
    }

    /// Forecasts with the quantiles that the model gives by itself.
    pub(super) fn own_quantiles(
        &self,
        context: &Panel,
        model: &str,
        horizon: Horizon,
        quantiles: &[Quantile],
    ) -> Result<Forecast, PipelineError> {
        let fitted = self.fitted.get(model).ok_or_else(|| PipelineError::UnknownModel { model: model.to_owned() })?;
        let mut quantiles = quantiles.to_vec();
        quantiles.sort_by(|a, b| a.probability().total_cmp(&b.probability()));
        let mut forecast = fitted.predict(context, horizon, &quantiles)?;
        if forecast.quantiles != quantiles {
            return Err(PipelineError::NoIntervals { model: model.to_owned(), level: almanac_hierarchy::BOTTOM.to_owned() });
        }
        clip_negative(context, &mut forecast);
        close(context, &mut forecast);
        Ok(forecast)
    }
}
