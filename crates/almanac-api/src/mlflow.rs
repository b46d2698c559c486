//! Answers of MLflow's REST interface, one file a family. Empty lists and absent fields are left out, as MLflow does.
//!
//! Not here: requests, which are read with MLflow's leniency by the server.

mod artifact;
mod dataset;
mod experiment;
mod logged_model;
mod registry;
mod run;
mod trace;

pub use artifact::{ArtifactsListed, FileInfo, PresignedDownload, PresignedUrl, ServerInfo, UploadCreated, UploadCredential};
pub use dataset::{Dataset, DatasetInput, DatasetSummary, DatasetsFound, ModelInput, ModelOutput, RunInputs, RunOutputs};
pub use experiment::{Experiment, ExperimentCreated, ExperimentFound, ExperimentsFound};
pub use logged_model::{LoggedModel, LoggedModelData, LoggedModelFound, LoggedModelInfo, LoggedModelMetric, LoggedModelsFound};
pub use registry::{
    AliasMove, AliasMovesFound, DownloadUri, Evidence, EvidenceFound, ModelAlias, ModelVersion, ModelVersionFound, ModelVersionsFound,
    RegisteredModel, RegisteredModelFound, RegisteredModelsFound, Webhook, WebhookEvent, WebhookFound, WebhooksFound,
};
pub use run::{Metric, MetricHistory, MetricOfRun, MetricsOfRuns, Run, RunData, RunFound, RunInfo, RunUpdated, RunsFound};
pub use trace::{
    Assessment, AssessmentFound, AssessmentSource, Expectation, Feedback, Issue, SerializedValue, Trace, TraceExperiment, TraceFound,
    TraceInfo, TraceInfoFoundV2, TraceInfoV2, TraceInfosFound, TraceLocation, TracesDeleted, TracesFound, TracesFoundV2,
};

use serde::Serialize;

/// An answer without content: `{}`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}

/// A tag or param.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct KeyValue {
    pub key: String,
    pub value: String,
}
