//! The field: which models take part, where the configuration leaves that to the panel.

use almanac_evaluate::PanelProfile;
use almanac_series::SeasonLength;
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::models::Field;
use crate::panel::LazyPanel;
use crate::steps::Context;
use crate::{ENSEMBLE, RunError};

const REVISION: u32 = 1;

/// The models that take part, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSummary {
    /// What the choice went by.
    pub profile: PanelProfile,
    /// What was chosen and what was not.
    pub field: Field,
}

/// Chooses the models that suit the panel. `fits`: cutoffs and the final fit.
pub(crate) fn make(ctx: Context<'_>, silver: &Fingerprint, panel: &LazyPanel, fits: usize) -> Result<Made<FieldSummary>, RunError> {
    let settings = ctx.settings;
    let fingerprint = Fingerprint::of("field", REVISION)
        .input(silver)
        .config("field", &(fits, settings.budget.as_secs_f64(), settings.season_length.map(SeasonLength::steps)))
        .config("models", &ctx.models.describe(ENSEMBLE))
        .finish();
    ctx.assets.get_or_make("field", fingerprint, &[], || {
        let panel = panel.get()?;
        let season_length = settings.season_length.unwrap_or_else(|| panel.freq().season_length());
        let profile = PanelProfile::new(panel, season_length);
        let field = ctx.models.field(&profile, fits, settings.budget);
        Ok(FieldSummary { profile, field })
    })
}
