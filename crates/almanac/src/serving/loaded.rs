//! What is in memory while a champion is served: its bundle, the panel, the hierarchy, and the forecasts asked for so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use almanac_api::SeriesState;
use almanac_data::{ExogColumn, read_exog_columns, read_issued, read_panel};
use almanac_evaluate::{NodeError, active_series};
use almanac_hierarchy::{Hierarchy, PanelIndex};
use almanac_model::Forecast;
use almanac_pipeline::{Bundle, Champion, ModelFactory, PipelineError, Project, Selection, read_champion, read_selection};
use almanac_series::{Horizon, Panel, Period, RowStatus, SeriesId};
use almanac_server::ServiceError;

use super::{Life, not_found};

/// A champion and all that belongs to it. Immutable but for the forecasts kept after they were first read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) champion: Champion,
    pub(crate) bundle: Bundle,
    pub(crate) selection: Selection,
    pub(crate) panel: Panel,
    pub(crate) exog: Vec<ExogColumn>,
    pub(crate) hierarchy: Hierarchy,
    index: PanelIndex,
    /// By series of the panel, whether it is still sold.
    is_active: Vec<bool>,
    forecasts: Mutex<HashMap<(usize, String), Arc<Forecast>>>,
}

impl Loaded {
    /// Reads everything but the forecasts.
    pub(crate) fn read(project: &Project, models: &dyn ModelFactory) -> Result<Self, PipelineError> {
        let champion = read_champion(project)?;
        let bundle = Bundle::load(&project.state().join(&champion.bundle), models)?;
        let selection = read_selection(project, &champion)?;
        let panel = read_panel(&project.silver())?;
        let exog = read_exog_columns(&project.silver())?;
        let hierarchy = Hierarchy::new(&panel, &bundle.file().hierarchy)?;
        let index = PanelIndex::new(&hierarchy, &panel);
        let mut is_active = vec![false; panel.n_series()];
        if let Some(last) = panel.last_period() {
            active_series(&panel, last, Horizon::new(bundle.file().horizon)?).into_iter().for_each(|series| is_active[series] = true);
        }
        Ok(Self { champion, bundle, selection, panel, exog, hierarchy, index, is_active, forecasts: Mutex::default() })
    }

    pub(crate) fn level(&self, name: &str) -> Result<usize, ServiceError> {
        self.hierarchy.level(name).ok_or_else(|| not_found("level", name))
    }

    pub(crate) fn node(&self, level: usize, id: &SeriesId) -> Result<usize, ServiceError> {
        self.hierarchy.node(level, id).ok_or_else(|| not_found("series", id.as_str()))
    }

    /// Returns how wrong the champion was for a node.
    pub(crate) fn errors(&self, level: usize, node: usize) -> Option<&NodeError> {
        let spec = &self.hierarchy.levels()[level];
        let errors = self.selection.errors.get(&spec.name)?;
        // Both are in the order of the hierarchy, unless the panel has grown since.
        errors.get(node).filter(|error| error.unique_id == spec.nodes[node].as_str())
    }

    /// Returns the start and the rows of a node's history.
    pub(crate) fn history(&self, level: usize, node: usize) -> (Period, Vec<(f64, RowStatus)>) {
        if level == self.hierarchy.bottom()
            && let Some(position) = self.index.get(node)
        {
            let view = self.panel.view(position);
            return (view.start(), view.y().iter().copied().zip(view.status().iter().copied()).collect());
        }
        let history = self.hierarchy.node_history(level, node, &self.panel, &self.index);
        let status = |y: &f64| if y.is_nan() { RowStatus::Missing } else { RowStatus::Observed };
        (history.start, history.values.iter().map(|y| (*y, status(y))).collect())
    }

    pub(crate) fn life(&self, level: usize, node: usize) -> Life {
        let members = || self.hierarchy.members(level, node).filter_map(|series| self.index.get(series));
        let spans = || members().map(|position| &self.panel.series()[position]);
        let last = spans().map(almanac_series::SeriesSpan::cutoff).max().unwrap_or(Period(0));
        let first = spans().map(|span| span.start).min().unwrap_or(Period(0));
        let rows = (last.since(first) + 1).max(0) as usize;
        let is_sold = members().any(|position| self.is_active[position]);
        let state = if !is_sold {
            SeriesState::Discontinued
        } else if rows < 2 * self.panel.freq().season_length().steps() {
            SeriesState::New
        } else if level == self.hierarchy.bottom() && members().all(|position| is_mostly_zero(&self.panel, position)) {
            SeriesState::Intermittent
        } else {
            SeriesState::Active
        };
        Life { state, last, rows }
    }

    /// Returns the issued forecast of a level and model, read when first asked for.
    pub(crate) fn forecast(&self, project: &Project, level: usize, model: &str) -> Result<Arc<Forecast>, ServiceError> {
        if !self.bundle.file().models.iter().any(|known| known == model) {
            return Err(not_found("model", model));
        }
        let key = (level, model.to_owned());
        if let Some(forecast) = self.forecasts.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(forecast));
        }
        let name = &self.hierarchy.levels()[level].name;
        let horizon = Horizon::new(self.bundle.file().horizon).map_err(ServiceError::internal)?;
        let forecast = read_issued(&project.forecasts(), &self.champion.issue, name, model, self.panel.freq(), horizon)
            .map_err(ServiceError::internal)?;
        let forecast = Arc::new(forecast);
        self.forecasts.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&forecast));
        Ok(forecast)
    }
}

fn is_mostly_zero(panel: &Panel, position: usize) -> bool {
    let (mut zeros, mut rows) = (0, 0);
    for (_, y) in panel.view(position).scored().rev().take(365) {
        zeros += usize::from(y == 0.0);
        rows += 1;
    }
    2 * zeros > rows
}
