//! What runs log, and the history of metrics.

use almanac_api::mlflow as wire;
use almanac_tracking::{Batch, Metric, Millis, Param, RunId, Tag};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use super::request::{Request, missing};
use super::runs::wire_metric;
use super::{Answer, MlflowError, Tracking};

/// Most values of a metric in one answer.
const MOST_HISTORY: i64 = 25_000;
/// Most runs whose history one request may ask for.
const MOST_RUNS: usize = 100;
/// Most values a run of a sample.
const MOST_SAMPLE: i64 = 2_500;

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/runs/log-batch", post(log_batch))
        .route("/runs/log-metric", post(log_metric))
        .route("/runs/log-parameter", post(log_param))
        .route("/runs/set-tag", post(set_tag))
        .route("/runs/delete-tag", post(delete_tag))
        .route("/metrics/get-history", get(history))
        .route("/metrics/get-history-bulk", get(history_bulk))
        .route("/metrics/get-history-bulk-interval", get(history_interval))
}

fn metric(request: &Request, path: &str) -> Result<Metric, MlflowError> {
    let named = |name: &str| format!("{path}{name}");
    let key = request.text("key")?.filter(|key| !key.is_empty() || !path.is_empty());
    let dataset = match (request.text("dataset_name")?, request.text("dataset_digest")?) {
        (None, None) => None,
        (name, digest) => Some((name.unwrap_or_default(), digest.unwrap_or_default())),
    };
    Ok(Metric {
        key: key.ok_or_else(|| missing(&named("key")))?,
        value: request.float("value")?.ok_or_else(|| missing(&named("value")))?,
        timestamp: Millis(request.int("timestamp")?.ok_or_else(|| missing(&named("timestamp")))?),
        step: request.int("step")?.unwrap_or_default(),
        model_id: request.text("model_id")?.filter(|id| !id.is_empty()),
        dataset,
    })
}

async fn log_batch(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    id.check()?;
    let mut batch = Batch::default();
    for (place, entry) in request.messages("metrics")?.iter().enumerate() {
        batch.metrics.push(metric(entry, &format!("metrics[{place}]."))?);
    }
    for entry in request.messages("params")? {
        batch.params.push(Param { key: required_key(&entry)?, value: entry.text("value")?.unwrap_or_default() });
    }
    for entry in request.messages("tags")? {
        batch.tags.push(Tag { key: required_key(&entry)?, value: entry.text("value")?.unwrap_or_default() });
    }
    tracking.call(move |store| store.log_batch(&id, &batch)).await?;
    Ok(Json(wire::Empty {}))
}

fn required_key(entry: &Request) -> Result<String, MlflowError> {
    entry.text("key")?.ok_or_else(|| missing("key"))
}

async fn log_metric(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    let metric = metric(&request, "")?;
    tracking.call(move |store| store.log_metric(&id, &metric)).await?;
    Ok(Json(wire::Empty {}))
}

async fn log_param(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    let param = Param { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.log_param(&id, &param)).await?;
    Ok(Json(wire::Empty {}))
}

async fn set_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    let tag = Tag { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.set_tag(&id, &tag)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    let key = request.required("key")?;
    tracking.call(move |store| store.delete_tag(&id, &key)).await?;
    Ok(Json(wire::Empty {}))
}

async fn history(State(tracking): State<Tracking>, request: Request) -> Answer<wire::MetricHistory> {
    let id = request.run_id()?;
    let key = request.required("metric_key")?;
    let token = request.text("page_token")?;
    let max_results = request.int("max_results")?;
    if let Some(given) = max_results.filter(|given| *given <= 0) {
        return Err(MlflowError::invalid(format!(
            "Invalid value {given} for parameter 'max_results' supplied. It must be a positive integer."
        )));
    }
    let answer = tracking
        .call(move |store| {
            let found = store.metric_history(&id, &key, max_results.map(|most| most.min(MOST_HISTORY)), token.as_deref())?;
            let metrics = found.items.into_iter().map(wire_metric).collect();
            Ok(wire::MetricHistory { metrics, next_page_token: found.next })
        })
        .await?;
    Ok(Json(answer))
}

fn of_runs(found: Vec<(RunId, Metric)>) -> wire::MetricsOfRuns {
    let one = |(id, metric): (RunId, Metric)| wire::MetricOfRun {
        key: metric.key,
        value: metric.value,
        timestamp: metric.timestamp.0,
        step: metric.step,
        run_id: id.to_string(),
    };
    wire::MetricsOfRuns { metrics: found.into_iter().map(one).collect() }
}

async fn history_bulk(State(tracking): State<Tracking>, request: Request) -> Answer<wire::MetricsOfRuns> {
    let ids = request.texts("run_id")?;
    if ids.is_empty() {
        return Err(MlflowError::invalid("GetMetricHistoryBulk request must specify at least one run_id."));
    }
    check_runs("GetMetricHistoryBulk", " cannot specify more than", &ids)?;
    let key = request.text("metric_key")?.ok_or_else(|| MlflowError::invalid("GetMetricHistoryBulk request must specify a metric_key."))?;
    let most = request.int("max_results")?.unwrap_or(MOST_HISTORY).clamp(0, MOST_HISTORY);
    let ids: Vec<RunId> = ids.into_iter().map(RunId::unchecked).collect();
    let found = tracking.call(move |store| store.metric_history_of_runs(&ids, &key, most)).await?;
    Ok(Json(of_runs(found)))
}

fn check_runs(request: &str, words: &str, ids: &[String]) -> Result<(), MlflowError> {
    if ids.len() <= MOST_RUNS {
        return Ok(());
    }
    Err(MlflowError::invalid(format!("{request} request{words} {MOST_RUNS} run_ids. Received {} run_ids.", ids.len())))
}

async fn history_interval(State(tracking): State<Tracking>, request: Request) -> Answer<wire::MetricsOfRuns> {
    let ids = request.texts("run_ids")?;
    if ids.is_empty() {
        return Err(missing("run_ids"));
    }
    check_runs("GetMetricHistoryBulkInterval", " must specify at most", &ids)?;
    let key = request.required("metric_key")?;
    let most = request.int("max_results")?.unwrap_or(MOST_SAMPLE);
    if !(1..=MOST_SAMPLE).contains(&most) {
        return Err(MlflowError::invalid(format!("max_results must be between 1 and {MOST_SAMPLE}.")));
    }
    let steps = match (request.int("start_step")?, request.int("end_step")?) {
        (None, None) => None,
        (Some(first), Some(last)) if first <= last => Some((first, last)),
        (Some(first), Some(last)) => {
            return Err(MlflowError::invalid(format!(
                "end_step must be greater than start_step. Found start_step={first} and end_step={last}."
            )));
        }
        _ => return Err(MlflowError::invalid("If either start step or end step are specified, both must be specified.")),
    };
    let ids: Vec<RunId> = ids.into_iter().map(RunId::unchecked).collect();
    let found = tracking.call(move |store| store.metric_sample(&ids, &key, most, steps)).await?;
    Ok(Json(of_runs(found)))
}
