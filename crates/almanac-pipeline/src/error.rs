//! Why a run stopped, and what the user can do about it.

use std::io;
use std::path::{Path, PathBuf};

use almanac_connect::ConnectError;
use almanac_data::{ForecastTableError, IngestError, LakeError, QueryError, SilverError};
use almanac_evaluate::{BacktestError, CalibrateError, GateReport, PlanError};
use almanac_hierarchy::HierarchyError;
use almanac_model::{FitError, PredictError};
use almanac_profile::ProfileError;
use almanac_series::{Hint, OutOfRange, PanelError};
use almanac_tracking::{ArtifactError, StoreError};

use crate::checks::CHECKS;
use crate::steps::check::{line, place};

/// A step failed. Names the asset that was being made.
#[derive(Debug, thiserror::Error)]
#[error("`{asset}` failed")]
pub struct RunError {
    /// The asset.
    pub asset: String,
    /// What went wrong.
    #[source]
    pub source: PipelineError,
}

impl Hint for RunError {
    fn hint(&self) -> Option<String> {
        self.source.hint()
    }
}

/// What can go wrong in a step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A source file cannot be read.
    #[error("failed to read source `{}`", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something below `.almanac/` cannot be read or written.
    #[error("failed to access `{}`", path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file below `.almanac/` does not hold what it should.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another run has the project.
    #[error("another `almanac` command is running in this project")]
    Busy,
    /// Nothing has been promoted yet.
    #[error("there is no champion in this project yet")]
    NoChampion,
    /// A configured name is not a model.
    #[error("there is no model `{model}`")]
    UnknownModel {
        /// The name.
        model: String,
    },
    /// There is no ensemble whose members could be fitted.
    #[error("there is no ensemble in this project yet")]
    NoEnsemble,
    /// A model has neither calibrated intervals nor quantiles of its own.
    #[error("`{model}` has no intervals at level `{level}`: none were calibrated, and it gives no quantiles of its own there")]
    NoIntervals {
        /// The model.
        model: String,
        /// The level.
        level: String,
    },
    /// A source outside could not be landed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A step of reading sources failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A table could not be profiled, or its profile not be kept.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The user's SQL failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The regular panel could not be built.
    #[error(transparent)]
    Silver(#[from] SilverError),
    /// The lake could not be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The forecast table could not be read or written.
    #[error(transparent)]
    Forecasts(#[from] ForecastTableError),
    /// Data broke an expectation of `[checks]` or of a suite: the validations that stop the run.
    #[error("{}", broken(.0))]
    Expectations(Vec<almanac_expect::Validation>),
    /// A table drifted, or lost columns, since the last version that was taken.
    #[error("{} drifted since its last version: {}", place(.0), grave(.0))]
    Drift(Box<almanac_expect::Validation>),
    /// A table could not be judged by a suite.
    #[error(transparent)]
    Expecting(#[from] almanac_expect::CheckError),
    /// No cutoffs could be laid out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The hierarchy cannot be built.
    #[error(transparent)]
    Hierarchy(#[from] HierarchyError),
    /// No model has a forecast at every cutoff.
    #[error("no model can forecast these series; `{model}`, for one: {reason}")]
    NoModel {
        /// The first model.
        model: String,
        /// What it says.
        reason: String,
    },
    /// A model that was asked for cannot be trained on this machine.
    #[error(transparent)]
    NoLibrary(BacktestError),
    /// A model failed on a fold while the features were audited.
    #[error("audit failed")]
    Audit(#[from] BacktestError),
    /// The final fit failed.
    #[error("final fit failed")]
    Fit(#[from] FitError),
    /// The final forecast failed.
    #[error("forecast failed")]
    Predict(#[from] PredictError),
    /// Intervals could not be calibrated.
    #[error("intervals could not be calibrated")]
    Calibrate(#[from] CalibrateError),
    /// Features could not be planned.
    #[error(transparent)]
    Features(#[from] almanac_features::PlanError),
    /// The champion did not beat the baselines.
    #[error("the model gate failed: {}", .0.reason)]
    Gate(Box<GateReport>),
    /// A personal column is in no table: its name is probably wrong.
    #[error("the personal column `{column}` is in no table")]
    NoPersonal {
        /// The column.
        column: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// A subject could not be erased.
    #[error(transparent)]
    Erase(#[from] almanac_privacy::EraseError),
    /// The metadata store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An artifact cannot be read or written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A panel could not be built.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A number is outside its unit.
    #[error(transparent)]
    Unit(#[from] OutOfRange),
}

/// What stopped the run, without what is only said.
fn grave(validation: &almanac_expect::Validation) -> String {
    let stops = |outcome: &&almanac_expect::Outcome| outcome.severity == almanac_expect::Severity::Fail;
    validation.failures().filter(stops).map(|outcome| outcome.observed.clone()).collect::<Vec<_>>().join("; ")
}

fn broken(validations: &[almanac_expect::Validation]) -> String {
    let said = validations.iter().map(|validation| {
        let failed: Vec<String> = validation.failures().map(line).collect();
        let of = if validation.suite == CHECKS { "checks" } else { "expectations" };
        format!("{} of {} {of} of {} failed: {}", failed.len(), validation.outcomes.len(), place(validation), failed.join("; "))
    });
    said.collect::<Vec<_>>().join("; ")
}

impl PipelineError {
    pub(crate) fn state(path: &Path, source: io::Error) -> Self {
        Self::State { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl Hint for PipelineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Source { .. } => Some("look at `[data]` in `almanac.toml`; paths start at the project's folder".into()),
            Self::State { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free disk space and run again; what is finished is kept".into())
            }
            Self::State { .. } => Some("look at the permissions of `.almanac/`".into()),
            Self::Damaged { .. } => Some("delete it and run `almanac run`; it is made again".into()),
            Self::Busy => Some("wait for it to end".into()),
            Self::NoChampion => Some("run `almanac run` first".into()),
            Self::UnknownModel { .. } => Some("see `[forecast] models` in `almanac.toml`".into()),
            Self::NoEnsemble => Some("name at least two models and `ensemble` under `[forecast] models`, and run `almanac run`".into()),
            Self::NoIntervals { model, .. } => {
                Some(format!("add `{model}` to `[forecast] models` and run `almanac run`: the backtest calibrates its intervals"))
            }
            Self::Connect(error) => error.hint(),
            Self::Ingest(error) => error.hint(),
            Self::Profile(error) => error.hint(),
            Self::Query(error) => error.hint(),
            Self::Silver(error) => error.hint(),
            Self::Lake(error) => error.hint(),
            Self::Forecasts(error) => error.hint(),
            Self::Expectations(validations) => {
                let by_key = validations.iter().all(|validation| validation.suite == CHECKS);
                let where_to = if by_key { "`[checks]`" } else { "the suite in `expectations/`" };
                Some(format!("mend the data, or loosen {where_to} if the data is right; `almanac check` judges alone"))
            }
            Self::Drift(_) => Some(
                "`almanac data diff --tables` shows both versions; if the data is right, run once with `[drift] severity = \"warn\"`: that version is then the one to compare with".into(),
            ),
            Self::Expecting(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Hierarchy(error) => error.hint(),
            Self::Audit(error) | Self::NoLibrary(error) => error.hint(),
            Self::NoModel { .. } => Some("look at the target column, and at the length of the series against `[forecast] horizon`".into()),
            Self::Fit(error) => error.hint(),
            Self::Predict(error) => error.hint(),
            Self::Calibrate(_) => Some("give a longer history or a shorter `[forecast] horizon`".into()),
            Self::Features(error) => error.hint(),
            Self::Gate(_) => Some(
                "the forecasts of the last promoted model stay in place; look at `almanac backtest`, or name other baselines under `[gates] beats`".into(),
            ),
            Self::NoPersonal { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::NoPersonal { near: None, .. } => Some("correct or remove it under `[privacy.personal]`; columns are named as the source names them".into()),
            Self::Erase(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Artifact(error) => error.hint(),
            Self::Panel(_) | Self::Unit(_) => None,
        }
    }
}
