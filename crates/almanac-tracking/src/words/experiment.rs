//! Experiments.

use std::fmt;

use super::{Millis, Tag};

/// Number of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExperimentId(pub i64);

impl fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether something was deleted, which can be taken back until it is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum LifecycleStage {
    Active,
    Deleted,
}

impl LifecycleStage {
    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    /// Reads what the tables hold, which check it.
    pub(crate) fn read(word: &str) -> Self {
        if word == "deleted" { Self::Deleted } else { Self::Active }
    }
}

/// Which lifecycle stages a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum ViewType {
    #[default]
    ActiveOnly,
    DeletedOnly,
    All,
}

impl ViewType {
    /// Reads MLflow's word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ACTIVE_ONLY" => Some(Self::ActiveOnly),
            "DELETED_ONLY" => Some(Self::DeletedOnly),
            "ALL" => Some(Self::All),
            _ => None,
        }
    }

    /// Returns a condition on the column `lifecycle_stage` of a table.
    pub(crate) fn condition(self, table: &str) -> String {
        match self {
            Self::ActiveOnly => format!("{table}.lifecycle_stage = 'active'"),
            Self::DeletedOnly => format!("{table}.lifecycle_stage = 'deleted'"),
            Self::All => format!("{table}.lifecycle_stage IN ('active', 'deleted')"),
        }
    }
}

/// What is needed to make an experiment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewExperiment {
    /// Unique, also among deleted ones.
    pub name: String,
    /// Where artifacts go; with the server that is asked where it is `None`.
    pub artifact_location: Option<String>,
    /// Set at once.
    pub tags: Vec<Tag>,
}

/// A named group of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Experiment {
    pub id: ExperimentId,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle_stage: LifecycleStage,
    pub created: Millis,
    pub updated: Millis,
    /// Sorted by key.
    pub tags: Vec<Tag>,
}

/// A search for experiments.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentQuery {
    /// In MLflow's search language.
    pub filter: String,
    /// Which lifecycle stages.
    pub view: ViewType,
    /// Most experiments of a page, 1 to 50,000.
    pub max_results: i64,
    /// Such as `name ASC`; none: newest first.
    pub order_by: Vec<String>,
    /// Of the page before.
    pub page_token: Option<String>,
}

impl Default for ExperimentQuery {
    fn default() -> Self {
        Self { filter: String::new(), view: ViewType::ActiveOnly, max_results: 1_000, order_by: Vec::new(), page_token: None }
    }
}
