//! Metrics of logged models: each is measured in a run, maybe on a dataset.

use std::collections::HashMap;

use crate::db::{Insert, Session, Value, args};
use crate::store::logging::stored_value;
use crate::{ErrorCode, ExperimentId, LoggedModelMetric, Metric, Millis, RunId, StoreError};

/// Logs those of a run's metrics that belong to a logged model. The same again changes nothing.
///
/// # Errors
/// `BAD_REQUEST` for a model that is not known, as MLflow has it; one that was deleted still takes metrics.
pub(in crate::store) fn log_model_metrics(
    session: &mut dyn Session,
    run_no: i64,
    _experiment: ExperimentId,
    metrics: &[Metric],
) -> Result<(), StoreError> {
    const METRICS: Insert = Insert {
        head: "INSERT INTO logged_model_metrics
                   (model_no, key, run_no, step, timestamp, dataset_name, dataset_digest, is_nan, value)",
        columns: 9,
        tail: "ON CONFLICT DO NOTHING",
    };
    let mut numbers: HashMap<&str, i64> = HashMap::new();
    let mut values: Vec<Value<'_>> = Vec::new();
    for metric in metrics {
        let Some(model) = metric.model_id.as_deref() else { continue };
        let model_no = if let Some(known) = numbers.get(model) {
            *known
        } else {
            let sql = "SELECT model_no FROM logged_models WHERE model_id = ?1";
            let missing = || StoreError::refused(ErrorCode::BadRequest, format!("Logged model with ID '{model}' not found."));
            let found = session.first(sql, args![model], |row| row.int(0))?.ok_or_else(missing)?;
            *numbers.entry(model).or_insert(found)
        };
        let (dataset, digest) = metric.dataset.as_ref().map_or(("", ""), |(name, digest)| (name.as_str(), digest.as_str()));
        let (is_nan, value) = stored_value(metric.value);
        values.extend_from_slice(args![model_no, &metric.key, run_no, metric.step, metric.timestamp.0, dataset, digest, is_nan, value]);
    }
    session.insert(METRICS, &values)
}

/// Hands the metrics of some models to `each`, with the model's number. `list`: numbers for an `IN (…)`.
pub(super) fn read_metrics(session: &mut dyn Session, list: &str, each: &mut dyn FnMut(i64, LoggedModelMetric)) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT x.model_no, x.key, x.step, x.timestamp, x.is_nan, x.value, x.dataset_name, x.dataset_digest, m.model_id, runs.run_id
         FROM logged_model_metrics AS x
         JOIN logged_models AS m ON m.model_no = x.model_no
         JOIN runs ON runs.run_no = x.run_no
         WHERE x.model_no IN ({list})
         ORDER BY x.model_no, x.timestamp, x.step, x.key, x.run_no, x.dataset_name, x.dataset_digest, x.value"
    );
    session.query(&sql, args![], &mut |row| {
        let value = if row.int(4)? == 0 { row.real(5)? } else { f64::NAN };
        let (name, digest) = (row.text(6)?, row.text(7)?);
        let metric = Metric {
            model_id: Some(row.text(8)?),
            dataset: if name.is_empty() && digest.is_empty() { None } else { Some((name, digest)) },
            ..Metric::new(row.text(1)?, value, Millis(row.int(3)?), row.int(2)?)
        };
        each(row.int(0)?, LoggedModelMetric { run: RunId::unchecked(row.text(9)?), metric });
        Ok(())
    })
}
