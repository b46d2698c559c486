//! Datasets and logged models that runs used, logged models that they made, and the datasets of experiments.

use almanac_api::mlflow as wire;
use almanac_tracking::{Dataset, DatasetInput, DatasetSummary, ExperimentId, LoggedModelId, ModelOutput};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Map, Value};

use super::experiments::{experiment_id, tags};
use super::request::{Request, missing};
use super::{Answer, MlflowError, Tracking};

/// What a description of a model must hold.
const MODEL_FIELDS: [&str; 4] = ["artifact_path", "flavors", "run_id", "utc_time_created"];

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/runs/log-inputs", post(log_inputs))
        .route("/runs/outputs", post(log_outputs))
        .route("/runs/log-model", post(log_model))
        .route("/experiments/search-datasets", post(search_datasets))
}

/// Where MLflow's definitions put the search of datasets besides, without a slash.
pub(super) fn odd_routes() -> Router<Tracking> {
    Router::new()
        .route("/api/2.0mlflow/experiments/search-datasets", post(search_datasets))
        .route("/ajax-api/2.0mlflow/experiments/search-datasets", post(search_datasets))
}

async fn log_inputs(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    id.check()?;
    let datasets: Vec<DatasetInput> = request.messages("datasets")?.iter().map(dataset_input).collect::<Result<_, _>>()?;
    let mut models = Vec::new();
    for model in request.messages("models")? {
        models.push(LoggedModelId(model.required("model_id")?));
    }
    tracking.call(move |store| store.log_inputs(&id, &datasets, &models)).await?;
    Ok(Json(wire::Empty {}))
}

fn dataset_input(input: &Request) -> Result<DatasetInput, MlflowError> {
    let dataset = input.message("dataset")?.ok_or_else(|| MlflowError::invalid("Dataset cannot be None"))?;
    let needed = |name: &str| dataset.text(name)?.ok_or_else(|| MlflowError::invalid(format!("Dataset {name} cannot be None")));
    Ok(DatasetInput {
        tags: tags(input)?,
        dataset: Dataset {
            name: needed("name")?,
            digest: needed("digest")?,
            source_type: dataset.text("source_type")?.unwrap_or_default(),
            source: dataset.text("source")?.unwrap_or_default(),
            schema: dataset.text("schema")?,
            profile: dataset.text("profile")?,
        },
    })
}

async fn log_outputs(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    if !request.has("models") {
        return Err(missing("models"));
    }
    let mut models = Vec::new();
    for model in request.messages("models")? {
        models.push(ModelOutput { model: LoggedModelId(model.required("model_id")?), step: model.int("step")?.unwrap_or_default() });
    }
    tracking.call(move |store| store.log_outputs(&id, &models)).await?;
    Ok(Json(wire::Empty {}))
}

/// Keeps what clients of MLflow 2 say of a model in a tag of its run.
async fn log_model(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    let text = request.required("model_json")?;
    let malformed = || MlflowError::invalid(format!("Malformed model info. \n {text} \n is not a valid JSON."));
    let model: Value = serde_json::from_str(&text).map_err(|_| malformed())?;
    let Value::Object(model) = model else { return Err(malformed()) };
    let lacking: Vec<String> =
        MODEL_FIELDS.into_iter().filter(|field| !model.contains_key(*field)).map(|field| format!("'{field}'")).collect();
    if !lacking.is_empty() {
        return Err(MlflowError::invalid(format!("Model json is missing mandatory fields: {{{}}}", lacking.join(", "))));
    }
    let entry = model_entry(&model)?;
    tracking.call(move |store| store.log_model(&id, &entry)).await?;
    Ok(Json(wire::Empty {}))
}

/// What of a model's description goes into the tag: no signature, and flavors without their configuration.
fn model_entry(model: &Map<String, Value>) -> Result<Value, MlflowError> {
    let Some(Value::Object(flavors)) = model.get("flavors") else {
        return Err(MlflowError::invalid("Model json must have an object as 'flavors'."));
    };
    let mut shown = flavors.clone();
    for flavor in shown.values_mut() {
        if let Value::Object(fields) = flavor {
            fields.remove("config");
        }
    }
    let mut entry = Map::new();
    for field in ["run_id", "artifact_path", "utc_time_created", "model_uuid"] {
        entry.insert(field.to_owned(), model.get(field).cloned().unwrap_or_default());
    }
    entry.insert("flavors".to_owned(), Value::Object(shown));
    Ok(Value::Object(entry))
}

async fn search_datasets(State(tracking): State<Tracking>, request: Request) -> Answer<wire::DatasetsFound> {
    let ids: Vec<ExperimentId> = request.texts("experiment_ids")?.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
    let found = tracking.call(move |store| store.search_datasets(&ids)).await?;
    Ok(Json(wire::DatasetsFound { dataset_summaries: found.into_iter().map(wire_summary).collect() }))
}

fn wire_summary(summary: DatasetSummary) -> wire::DatasetSummary {
    wire::DatasetSummary {
        experiment_id: summary.experiment.to_string(),
        name: summary.name,
        digest: summary.digest,
        context: summary.context,
    }
}
