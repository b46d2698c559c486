//! What runs log: params, metrics, tags; and the history of metrics.
//!
//! Not here: which keys are allowed (`names`), metrics of logged models (`logged_models`).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::page::{offset, page};
use super::runs::{active, find, write_tag};
use super::{TrackingStore, logged_models};
use crate::db::{Dialect, Insert, Row, Session, Value, args};
use crate::names::{check_metric_key, check_param, check_tag, invalid_value};
use crate::{Batch, ErrorCode, ExperimentId, Metric, Millis, Page, Param, RunId, StoreError, Tag};

/// Metrics that may wait to be moved to their place: the more of a run wait, the fewer pages it takes to move each.
const MOST_NEW_METRICS: usize = 200_000;
/// Metrics that are moved at once: a few milliseconds, which one writer waits for.
const FOLD_AT_LEAST: usize = 2_000;
/// Most metrics, and most entities in all, of one batch.
const MOST_METRICS: usize = 1_000;
/// Most params, and most tags, of one batch.
const MOST_PARAMS: usize = 100;

impl TrackingStore {
    /// Logs params, metrics and tags in one transaction: all of it, or nothing. The same again changes nothing.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for keys, sizes and deleted runs, and for a param that has another value already.
    pub fn log_batch(&self, id: &RunId, batch: &Batch) -> Result<(), StoreError> {
        check_limits(batch)?;
        self.log_any_batch(id, batch)
    }

    /// Logs like [`TrackingStore::log_batch`], with as many entities as there are: for callers in this process.
    pub fn log_any_batch(&self, id: &RunId, batch: &Batch) -> Result<(), StoreError> {
        let batch = checked(batch)?;
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            write_params(session, id, run_no, run.experiment, &batch.params)?;
            write_metrics(session, run_no, run.experiment, &batch.metrics)?;
            batch.tags.iter().try_for_each(|tag| write_tag(session, run_no, run.experiment, tag))
        })?;
        self.count_new_metrics(batch.metrics.len());
        Ok(())
    }

    /// Logs one metric.
    pub fn log_metric(&self, id: &RunId, metric: &Metric) -> Result<(), StoreError> {
        check_metric(metric, "")?;
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            write_metrics(session, run_no, run.experiment, std::slice::from_ref(metric))
        })?;
        self.count_new_metrics(1);
        Ok(())
    }

    /// Counts metrics that came in, and moves some to their place when they are many.
    fn count_new_metrics(&self, count: usize) {
        if self.new_metrics.fetch_add(count, Ordering::Relaxed) + count < MOST_NEW_METRICS {
            return;
        }
        let moved = match self.fold_metrics(FOLD_AT_LEAST) {
            Ok(moved) => moved,
            // What was logged is on disk and can be read where it is; the next writer tries again.
            Err(error) => return tracing::warn!(%error, "metrics that came in could not be sorted"),
        };
        // Other writers count at the same time; a count that is off by theirs is right again when the store is opened.
        let less = |count: usize| Some(count.saturating_sub(moved.max(1)));
        let _ = self.new_metrics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Moves metrics that came in to their place in the history, those of the longest waiting run first, until at least so many are
    /// moved or none is left. Nothing that can be read changes.
    pub(crate) fn fold_metrics(&self, at_least: usize) -> Result<usize, StoreError> {
        const OLDEST: &str = "SELECT run_no FROM new_metrics ORDER BY rowid LIMIT 1";
        const MOVE: &str = "INSERT INTO metrics (run_no, key, step, timestamp, is_nan, value)
                            SELECT run_no, key, step, timestamp, is_nan, value FROM new_metrics WHERE run_no = ?1
                            ORDER BY key, step, timestamp, is_nan, value ON CONFLICT DO NOTHING";
        self.db.write(|session| {
            let mut moved = 0;
            if session.dialect() == Dialect::Postgres {
                return Ok(moved);
            }
            while moved < at_least {
                let Some(run_no) = session.first(OLDEST, args![], |row| row.int(0))? else { break };
                session.execute(MOVE, args![run_no])?;
                moved += session.execute("DELETE FROM new_metrics WHERE run_no = ?1", args![run_no])? as usize;
            }
            Ok(moved)
        })
    }

    /// Logs one param.
    pub fn log_param(&self, id: &RunId, param: &Param) -> Result<(), StoreError> {
        let value = check_param(&param.key, param.value.clone(), "key")?;
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            let stored = write_param(session, run_no, run.experiment, &param.key, &value)?;
            if stored == value {
                return Ok(());
            }
            Err(StoreError::invalid(format!(
                "Changing param values is not allowed. Param with key='{}' was already logged with value='{stored}' for run ID='{id}'. \
                 Attempted logging new value '{value}'.",
                param.key
            )))
        })
    }

    /// Sets one tag.
    pub fn set_tag(&self, id: &RunId, tag: &Tag) -> Result<(), StoreError> {
        let tag = Tag { key: tag.key.clone(), value: check_tag(&tag.key, tag.value.clone(), "key")? };
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            write_tag(session, run_no, run.experiment, &tag)
        })
    }

    /// Takes one tag away.
    pub fn delete_tag(&self, id: &RunId, key: &str) -> Result<(), StoreError> {
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            let sql = "DELETE FROM tags WHERE experiment_id = ?1 AND key = ?2 AND run_no = ?3";
            match session.execute(sql, args![run.experiment.0, key, run_no])? {
                0 => Err(StoreError::missing(format!("No tag with name: {key} in run with id {id}"))),
                _ => Ok(()),
            }
        })
    }

    /// Returns the values of one metric by (timestamp, step, value), `max_results` of them (`None`: all) from a page on. An unknown
    /// run has none.
    pub fn metric_history(
        &self,
        id: &RunId,
        key: &str,
        max_results: Option<i64>,
        page_token: Option<&str>,
    ) -> Result<Page<Metric>, StoreError> {
        let from = offset(page_token)?;
        let limit = max_results.unwrap_or(i64::MAX - 1);
        self.db.read(|session| {
            let Some((run_no, _)) = find(session, id)? else { return Ok(Page { items: Vec::new(), next: None }) };
            let sql = "SELECT step, timestamp, is_nan, value FROM metric_values WHERE run_no = ?1 AND key = ?2
                       ORDER BY timestamp, step, value LIMIT ?3 OFFSET ?4";
            let found = session.all(sql, args![run_no, key, limit + 1, from], |row| metric(row, key.to_owned(), 0))?;
            Ok(page(found, from, limit))
        })
    }

    /// Returns up to `limit` values of one metric of several runs, by (run id, timestamp, step, value). Unknown runs have none.
    pub fn metric_history_of_runs(&self, ids: &[RunId], key: &str, limit: i64) -> Result<Vec<(RunId, Metric)>, StoreError> {
        let mut sorted = ids.to_vec();
        sorted.sort();
        self.db.read(|session| {
            let mut all = Vec::new();
            for id in &sorted {
                let Some((run_no, _)) = find(session, id)? else { continue };
                let sql = "SELECT step, timestamp, is_nan, value FROM metric_values WHERE run_no = ?1 AND key = ?2
                           ORDER BY timestamp, step, value LIMIT ?3";
                let rest = limit - all.len() as i64;
                session.query(sql, args![run_no, key, rest], &mut |row| {
                    all.push((id.clone(), metric(row, key.to_owned(), 0)?));
                    Ok(())
                })?;
            }
            Ok(all)
        })
    }

    /// Returns up to `max_results` values of one metric of each run, spread evenly over its history by (step, timestamp, value)
    /// or over the steps from `steps.0` to `steps.1`; the last value is always among them.
    pub fn metric_sample(
        &self,
        ids: &[RunId],
        key: &str,
        max_results: i64,
        steps: Option<(i64, i64)>,
    ) -> Result<Vec<(RunId, Metric)>, StoreError> {
        let (first, last) = steps.unwrap_or((i64::MIN, i64::MAX));
        let most = max_results.max(1) as usize;
        self.db.read(|session| {
            let mut all = Vec::new();
            for id in ids {
                let Some((run_no, _)) = find(session, id)? else { continue };
                let sql = "SELECT count(*) FROM metric_values WHERE run_no = ?1 AND key = ?2 AND step >= ?3 AND step <= ?4";
                let count = session.first(sql, args![run_no, key, first, last], |row| row.int(0))?.unwrap_or_default() as usize;
                let mut place = 0;
                let mut taken = 0;
                let sql = "SELECT step, timestamp, is_nan, value FROM metric_values
                           WHERE run_no = ?1 AND key = ?2 AND step >= ?3 AND step <= ?4 ORDER BY step, timestamp, value, is_nan";
                session.query(sql, args![run_no, key, first, last], &mut |row| {
                    let is_last = place + 1 == count;
                    // The next place of an even spread: `taken` of `most` parts of the way.
                    let is_due = place * most >= taken * count && (taken + 1 < most || count <= most);
                    if is_last || is_due {
                        all.push((id.clone(), metric(row, key.to_owned(), 0)?));
                        taken += 1;
                    }
                    place += 1;
                    Ok(())
                })?;
            }
            Ok(all)
        })
    }
}

/// Reads `step, timestamp, is_nan, value` from a column on.
pub(super) fn metric(row: &dyn Row, key: String, from: usize) -> Result<Metric, StoreError> {
    let value = if row.int(from + 2)? == 0 { row.real(from + 3)? } else { f64::NAN };
    Ok(Metric::new(key, value, Millis(row.int(from + 1)?), row.int(from)?))
}

fn check_limits(batch: &Batch) -> Result<(), StoreError> {
    let check = |what: &str, limit: usize, got: usize| {
        if got <= limit {
            return Ok(());
        }
        Err(StoreError::invalid(format!(
            "A batch logging request can contain at most {limit} {what}. Got {got} {what}. \
             Please split up {what} across multiple requests and try again."
        )))
    };
    check("metrics", MOST_METRICS, batch.metrics.len())?;
    check("params", MOST_PARAMS, batch.params.len())?;
    check("tags", MOST_PARAMS, batch.tags.len())?;
    check("metrics, params, and tags", MOST_METRICS, batch.metrics.len() + batch.params.len() + batch.tags.len())
}

/// Checks keys and cuts values.
fn checked(batch: &Batch) -> Result<Batch, StoreError> {
    for (place, metric) in batch.metrics.iter().enumerate() {
        check_metric(metric, &format!("metrics[{place}]."))?;
    }
    let mut params = Vec::with_capacity(batch.params.len());
    for (place, param) in batch.params.iter().enumerate() {
        let value = check_param(&param.key, param.value.clone(), &format!("params[{place}].key"))?;
        params.push(Param { key: param.key.clone(), value });
    }
    let mut tags = Vec::with_capacity(batch.tags.len());
    for (place, tag) in batch.tags.iter().enumerate() {
        let value = check_tag(&tag.key, tag.value.clone(), &format!("tags[{place}].key"))?;
        tags.push(Tag { key: tag.key.clone(), value });
    }
    let mut seen = std::collections::HashSet::new();
    let twice: Vec<&str> = params.iter().map(|param| param.key.as_str()).filter(|key| !seen.insert(*key)).collect();
    if !twice.is_empty() {
        return Err(StoreError::invalid(format!(
            "Duplicate parameter keys have been submitted: ['{}']. Please ensure the request contains only one param value per param key.",
            twice.join("', '")
        )));
    }
    Ok(Batch { params, metrics: batch.metrics.clone(), tags })
}

fn check_metric(metric: &Metric, path: &str) -> Result<(), StoreError> {
    check_metric_key(&metric.key, &format!("{path}name"))?;
    if metric.timestamp.0 < 0 {
        let rule = format!("metric '{}' (value={}). Timestamp must be a nonnegative long (64-bit integer) ", metric.key, metric.value);
        let shown = invalid_value(&format!("{path}timestamp"), "", Some(&rule)).replacen("\"\"", &metric.timestamp.0.to_string(), 1);
        return Err(StoreError::refused(ErrorCode::InvalidParameterValue, shown));
    }
    Ok(())
}

fn write_params(session: &mut dyn Session, id: &RunId, run_no: i64, experiment: ExperimentId, params: &[Param]) -> Result<(), StoreError> {
    let mut conflicts = Vec::new();
    for param in params {
        let stored = write_param(session, run_no, experiment, &param.key, &param.value)?;
        if stored != param.value {
            conflicts.push(format!("{{'key': '{}', 'old_value': '{stored}', 'new_value': '{}'}}", param.key, param.value));
        }
    }
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(StoreError::invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{id}'.",
        conflicts.join(", ")
    )))
}

/// Writes a param unless it has a value, and returns the value that it has then.
fn write_param(session: &mut dyn Session, run_no: i64, experiment: ExperimentId, key: &str, value: &str) -> Result<String, StoreError> {
    let sql = "INSERT INTO params (experiment_id, key, run_no, value) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (experiment_id, key, run_no) DO UPDATE SET value = params.value RETURNING value";
    let stored = session.first(sql, args![experiment.0, key, run_no, value], |row| row.text(0))?;
    Ok(stored.expect("RETURNING gives the row"))
}

/// What the tables hold of a value: whether it is NaN, and the number. Infinities become the largest numbers, as with MLflow.
pub(super) fn stored_value(value: f64) -> (bool, f64) {
    if value.is_nan() { (true, 0.0) } else { (false, value.clamp(f64::MIN, f64::MAX)) }
}

fn write_metrics(session: &mut dyn Session, run_no: i64, experiment: ExperimentId, metrics: &[Metric]) -> Result<(), StoreError> {
    const TO_NEW: Insert = Insert { head: "INSERT INTO new_metrics (run_no, key, step, timestamp, is_nan, value)", columns: 6, tail: "" };
    const TO_HISTORY: Insert =
        Insert { head: "INSERT INTO metrics (run_no, key, step, timestamp, is_nan, value)", columns: 6, tail: "ON CONFLICT DO NOTHING" };
    // A newer one takes the place of the latest.
    const LATEST: Insert = Insert {
        head: "INSERT INTO latest_metrics (experiment_id, key, run_no, step, timestamp, is_nan, value)",
        columns: 7,
        tail: "ON CONFLICT (experiment_id, key, run_no) DO UPDATE
               SET step = excluded.step, timestamp = excluded.timestamp, is_nan = excluded.is_nan, value = excluded.value
               WHERE (excluded.step, excluded.timestamp, excluded.value)
                   > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
    };
    if metrics.is_empty() {
        return Ok(());
    }
    let mut history: Vec<Value<'_>> = Vec::with_capacity(metrics.len() * TO_HISTORY.columns);
    // Sorted by key: two batches that meet in PostgreSQL lock their rows in the same order.
    let mut latest: BTreeMap<&str, (i64, i64, f64, bool)> = BTreeMap::new();
    for metric in metrics {
        let (is_nan, value) = stored_value(metric.value);
        history.extend_from_slice(args![run_no, &metric.key, metric.step, metric.timestamp.0, is_nan, value]);
        let new = (metric.step, metric.timestamp.0, value, is_nan);
        let known = latest.entry(&metric.key).or_insert(new);
        if (new.0, new.1, new.2) > (known.0, known.1, known.2) {
            *known = new;
        }
    }
    session.insert(if session.dialect() == Dialect::Sqlite { TO_NEW } else { TO_HISTORY }, &history)?;
    let mut rows: Vec<Value<'_>> = Vec::with_capacity(latest.len() * LATEST.columns);
    for (key, (step, timestamp, value, is_nan)) in latest {
        rows.extend_from_slice(args![experiment.0, key, run_no, step, timestamp, is_nan, value]);
    }
    session.insert(LATEST, &rows)?;
    if metrics.iter().any(|metric| metric.model_id.is_some()) {
        logged_models::log_model_metrics(session, run_no, experiment, metrics)?;
    }
    Ok(())
}
