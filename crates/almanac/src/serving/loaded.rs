//! What is in memory while a champion is served: its bundle, the panel, the hierarchy, and the forecasts asked for so far.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use almanac_api::{Outdated, OutdatedReason, SeriesState};
use almanac_data::{ExogColumn, list_issues, read_exog_columns, read_issued, read_panel};
use almanac_evaluate::{NodeError, active_series};
use almanac_hierarchy::{Hierarchy, PanelIndex};
use almanac_model::Forecast;
use almanac_pipeline::{
    Bundle, Champion, ModelFactory, PipelineError, Project, Selection, read_champion, read_latest_selection, read_selection,
};
use almanac_series::{Freq, Horizon, Panel, Period, RowStatus, SeriesId};
use almanac_server::{Cutoff, ServiceError};

use super::{Life, not_found};

/// Forecasts of earlier issues kept in memory: a reader looks at a few cutoffs of one level.
const MOST_EARLIER: usize = 8;

/// An issue of the forecast table that can be asked for.
#[derive(Debug)]
pub(crate) struct Issue {
    run: String,
    horizon: Horizon,
    pub(crate) cutoff: String,
    pub(crate) models: Vec<String>,
}

/// What an issued forecast is found by: run, level, model.
type ForecastKey = (String, usize, String);

/// Forecasts read so far.
#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<ForecastKey, Arc<Forecast>>,
    /// Keys of earlier issues, the one read longest ago first.
    earlier: VecDeque<ForecastKey>,
}

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
    /// The served issue, then those before it, newest first.
    pub(crate) issues: Vec<Issue>,
    pub(crate) outdated: Option<Outdated>,
    forecasts: Mutex<Kept>,
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
        let horizon = Horizon::new(bundle.file().horizon)?;
        let served = Issue { run: champion.issue.clone(), horizon, cutoff: champion.cutoff.clone(), models: bundle.file().models.clone() };
        let issues = with_earlier(served, project, panel.freq());
        let outdated = outdated(project, &champion, &panel);
        let forecasts = Mutex::default();
        Ok(Self { champion, bundle, selection, panel, exog, hierarchy, index, is_active, issues, outdated, forecasts })
    }

    /// Returns whether the newest backtest was refused when this was read.
    pub(crate) fn is_refused(&self) -> bool {
        self.outdated.as_ref().is_some_and(|outdated| outdated.reason == OutdatedReason::GateFailed)
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

    /// Returns an issue by its cutoff.
    pub(crate) fn issue(&self, cutoff: &Cutoff) -> Result<&Issue, ServiceError> {
        match cutoff {
            Cutoff::Latest => Ok(&self.issues[0]),
            Cutoff::At(label) => self.issues.iter().find(|issue| issue.cutoff == *label).ok_or_else(|| not_found("cutoff", label)),
        }
    }

    /// Returns the forecast of a level and model in an issue, read when first asked for.
    pub(crate) fn forecast(&self, project: &Project, issue: &Issue, level: usize, model: &str) -> Result<Arc<Forecast>, ServiceError> {
        let has = |issue: &Issue| issue.models.iter().any(|known| known == model);
        if !has(issue) {
            if !self.issues.iter().any(has) {
                return Err(not_found("model", model));
            }
            let detail = format!("model `{model}` has no forecasts from {}", issue.cutoff);
            return Err(ServiceError::Invalid { detail, hint: Some(format!("`model=` may be one of {}", issue.models.join(", "))) });
        }
        let key = (issue.run.clone(), level, model.to_owned());
        if let Some(forecast) = self.forecasts.lock().unwrap_or_else(PoisonError::into_inner).by_key.get(&key) {
            return Ok(Arc::clone(forecast));
        }
        let is_served = issue.run == self.champion.issue;
        let name = &self.hierarchy.levels()[level].name;
        let forecast = read_issued(&project.forecasts(), &issue.run, name, model, self.panel.freq(), issue.horizon);
        let forecast = Arc::new(match forecast {
            // The hierarchy of that day had no such level.
            Err(almanac_data::ForecastTableError::Empty { .. }) if !is_served => return Err(not_found("cutoff", &issue.cutoff)),
            other => other.map_err(ServiceError::internal)?,
        });
        let mut kept = self.forecasts.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_key.insert(key.clone(), Arc::clone(&forecast)).is_none() && !is_served {
            kept.earlier.push_back(key);
            if kept.earlier.len() > MOST_EARLIER
                && let Some(oldest) = kept.earlier.pop_front()
            {
                kept.by_key.remove(&oldest);
            }
        }
        Ok(forecast)
    }
}

/// Puts behind the served issue what the forecast table holds from before it, newest first: for each cutoff the last word.
fn with_earlier(served: Issue, project: &Project, freq: Freq) -> Vec<Issue> {
    let mut issues = list_issues(&project.forecasts()).unwrap_or_else(|error| {
        tracing::warn!(%error, "earlier forecasts cannot be read; only the newest are served");
        Vec::new()
    });
    let Some(newest) = issues.iter().find(|issue| issue.issue.run == served.run).map(|issue| issue.cutoff) else { return vec![served] };
    issues.retain(|issue| issue.freq == freq && issue.cutoff < newest);
    issues.sort_by_key(|issue| std::cmp::Reverse((issue.cutoff, issue.issue.sequence)));
    issues.dedup_by_key(|issue| issue.cutoff);
    let earlier = issues.into_iter().map(|issue| Issue {
        run: issue.issue.run,
        horizon: issue.horizon,
        cutoff: freq.label(issue.cutoff),
        models: issue.models,
    });
    std::iter::once(served).chain(earlier).collect()
}

/// Says why the served forecasts are not those of the newest data, if they are not.
fn outdated(project: &Project, champion: &Champion, panel: &Panel) -> Option<Outdated> {
    let history_until = panel.freq().label(panel.last_period()?);
    let said = |reason, detail| Some(Outdated { reason, detail, cutoff: champion.cutoff.clone(), history_until: history_until.clone() });
    match read_latest_selection(project) {
        Ok(latest) if !latest.gate.passed => return said(OutdatedReason::GateFailed, latest.gate.reason),
        _ => {}
    }
    if history_until == champion.cutoff {
        return None;
    }
    said(OutdatedReason::NewerHistory, format!("the history goes to {history_until}, the forecasts start after {}", champion.cutoff))
}

fn is_mostly_zero(panel: &Panel, position: usize) -> bool {
    let (mut zeros, mut rows) = (0, 0);
    for (_, y) in panel.view(position).scored().rev().take(365) {
        zeros += usize::from(y == 0.0);
        rows += 1;
    }
    2 * zeros > rows
}
