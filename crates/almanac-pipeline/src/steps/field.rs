//! The field: which models take part, where the configuration leaves that to the panel.

use almanac_evaluate::PanelProfile;
use almanac_series::{Panel, SeasonLength};
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::models::{Field, ModelFactory};
use crate::panel::LazyPanel;
use crate::settings::PipelineSettings;
use crate::steps::Context;
use crate::{ENSEMBLE, RunError};

const REVISION: u32 = 3;

/// The models that take part, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSummary {
    /// What the choice went by.
    pub profile: PanelProfile,
    /// What was chosen and what was not.
    pub field: Field,
}

/// Returns the settings with the models that suit the panel among theirs, and how those were chosen; as they are without `auto`.
pub(crate) fn widen(
    ctx: Context<'_>,
    silver: &Fingerprint,
    panel: &LazyPanel,
    folds: usize,
) -> Result<(PipelineSettings, Option<Made<FieldSummary>>), RunError> {
    let mut wider = ctx.settings.clone();
    if !wider.auto {
        return Ok((wider, None));
    }
    let made = make(ctx, silver, panel, folds + 1)?;
    wider.add_models(&made.summary.field);
    Ok((wider, Some(made)))
}

/// Returns the names of all models of a project on a panel: the named ones, and those that `auto` stands for there.
pub fn models_of(panel: &Panel, settings: &PipelineSettings, models: &dyn ModelFactory) -> Vec<String> {
    let mut wider = settings.clone();
    if settings.auto {
        wider.add_models(&choose(panel, settings, models, settings.folds + 1).field);
    }
    wider.models
}

fn choose(panel: &Panel, settings: &PipelineSettings, models: &dyn ModelFactory, fits: usize) -> FieldSummary {
    let season_length = settings.season_length.unwrap_or_else(|| panel.freq().season_length());
    let profile = PanelProfile::new(panel, season_length);
    let field = models.field(&profile, fits, settings.budget);
    FieldSummary { profile, field }
}

/// Chooses the models that suit the panel. `fits`: cutoffs and the final fit.
fn make(ctx: Context<'_>, silver: &Fingerprint, panel: &LazyPanel, fits: usize) -> Result<Made<FieldSummary>, RunError> {
    let settings = ctx.settings;
    let fingerprint = Fingerprint::of("field", REVISION)
        .input(silver)
        .config("field", &(fits, settings.budget.as_secs_f64(), settings.season_length.map(SeasonLength::steps)))
        .config("models", &ctx.models.describe(ENSEMBLE))
        .finish();
    ctx.assets.get_or_make("field", fingerprint, &[], || Ok(choose(panel.get()?, settings, ctx.models, fits)))
}
