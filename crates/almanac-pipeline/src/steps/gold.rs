//! Gold: what is known at the close of each row, partition by partition, so that memory holds only the partitions in flight.
//!
//! Models compute these same features from the panel by the same kernels; reading them back would take longer than
//! computing them. The table is for people and programs outside.

use std::fs;

use almanac_data::{gold_path, list_partitions, read_partition, write_gold};
use almanac_features::{Columns, FeaturePlan, FeatureSpec, asof};
use almanac_series::{Panel, SeriesId};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;

/// What the feature table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldSummary {
    /// Rows.
    pub rows: u64,
    /// Partitions.
    pub partitions: usize,
    /// Names of the features.
    pub features: Vec<String>,
    /// Values that are infinite: there should be none.
    pub infinite: u64,
}

/// Builds the feature table from the panel of the given fingerprint.
pub(crate) fn make(ctx: Context<'_>, silver: &Fingerprint) -> Result<Made<GoldSummary>, RunError> {
    let settings = ctx.settings;
    let fingerprint =
        Fingerprint::of("gold", REVISION).input(silver).config("features", &(&settings.features, settings.horizon.steps())).finish();
    let out = ctx.project.gold();
    ctx.assets.get_or_make("gold", fingerprint, std::slice::from_ref(&out), || {
        let partitions = list_partitions(&ctx.project.silver())?;
        let parts = (0..partitions.len())
            .into_par_iter()
            .map(|index| write_partition(ctx, index))
            .collect::<Result<Vec<GoldSummary>, PipelineError>>()?;
        // An earlier panel may have had more partitions.
        let mut stale = parts.len();
        while gold_path(&out, stale).exists() {
            fs::remove_file(gold_path(&out, stale)).map_err(|error| PipelineError::state(&gold_path(&out, stale), error))?;
            stale += 1;
        }
        Ok(GoldSummary {
            rows: parts.iter().map(|part| part.rows).sum(),
            partitions: parts.len(),
            infinite: parts.iter().map(|part| part.infinite).sum(),
            features: parts.into_iter().next().map(|part| part.features).unwrap_or_default(),
        })
    })
}

fn write_partition(ctx: Context<'_>, index: usize) -> Result<GoldSummary, PipelineError> {
    let panel = read_partition(&ctx.project.silver(), index)?;
    let spec = ctx.settings.features.clone().unwrap_or_else(|| FeatureSpec::for_freq(panel.freq(), ctx.settings.horizon));
    let plan = FeaturePlan::new(&panel, spec)?;
    let binding = plan.bind(&panel);
    let names: Vec<String> = plan.asof().iter().map(|feature| feature.name.clone()).collect();
    let computed: Vec<Columns> = (0..panel.n_series()).into_par_iter().map(|series| asof(&panel.view(series), &plan, &binding)).collect();
    let columns: Vec<Vec<f32>> = (0..names.len())
        .into_par_iter()
        .map(|column| {
            let mut stacked = Vec::with_capacity(panel.n_rows());
            computed.iter().for_each(|columns| stacked.extend_from_slice(columns.column(column)));
            stacked
        })
        .collect();
    drop(computed);
    let series: Vec<(SeriesId, usize)> = panel.series().iter().map(|span| (span.id.clone(), span.history)).collect();
    write_gold(&ctx.project.gold(), index, panel.freq(), &series, timestamps(&panel), &names, &columns)?;
    let infinite = columns.par_iter().map(|column| column.iter().filter(|value| value.is_infinite()).count() as u64).sum();
    Ok(GoldSummary { rows: panel.n_rows() as u64, partitions: 1, features: names, infinite })
}

fn timestamps(panel: &Panel) -> Vec<i64> {
    let freq = panel.freq();
    panel.series().iter().flat_map(|span| (0..span.history as i64).map(move |row| freq.ds(span.start.plus(row)))).collect()
}
