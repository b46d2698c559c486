//! Deleting for good what was deleted: rows first, a few in each transaction, then files.
//!
//! The artifact URIs of rows that go are written down in the same transaction, so that a collection that is killed at any
//! point is taken up by the next one. Whether something is still deleted, and for long enough, is asked again when it goes.
//!
//! Not here: deleting files (`collect`).

use super::TrackingStore;
use crate::db::{Row, Session, args};
use crate::{CollectPlan, CollectProgress, CollectWanted, Doomed, ErrorCode, ExperimentId, Millis, RunId, StoreError};

/// Most runs or models of a transaction.
const AT_A_TIME: usize = 100;
/// Most traces of a transaction, each with its spans.
const TRACES_AT_A_TIME: i64 = 500;
/// A transaction takes no further run once it has deleted so many metrics.
const METRICS_AT_A_TIME: i64 = 50_000;

impl TrackingStore {
    /// Says what a collection would delete. Nothing is changed.
    ///
    /// # Errors
    /// In MLflow's words if a thing that was asked for by its id does not exist, is not deleted, or was deleted too recently.
    pub fn collect_plan(&self, wanted: &CollectWanted) -> Result<CollectPlan, StoreError> {
        self.db.read(|session| {
            let mut plan = CollectPlan { before: wanted.before, ..CollectPlan::default() };
            let takes_all = wanted.experiments.is_empty() && wanted.runs.is_empty() && wanted.models.is_empty();
            if takes_all {
                plan_all(session, &mut plan)?;
            } else {
                plan_named(session, wanted, &mut plan)?;
            }
            plan.versions = versions(session, &plan.runs)?;
            plan.waiting = session.first("SELECT count(*) FROM garbage", args![], |row| row.int(0))?.unwrap_or_default() as u64;
            Ok(plan)
        })
    }

    /// Deletes the next few rows of the plan for good, in one transaction. Returns `None` when the plan is done.
    pub fn collect_step(&self, plan: &CollectPlan, at: CollectProgress, now: Millis) -> Result<Option<CollectProgress>, StoreError> {
        self.db.write(|session| {
            let mut next = at;
            if at.runs < plan.runs.len() {
                let mut metrics = 0;
                for run in plan.runs[at.runs..].iter().take(AT_A_TIME) {
                    next.runs += 1;
                    if let Some(of_run) = delete_run(session, run, plan.before, now)? {
                        next.deleted_runs += 1;
                        metrics += of_run;
                    }
                    if metrics >= METRICS_AT_A_TIME {
                        break;
                    }
                }
            } else if at.models < plan.models.len() {
                for model in plan.models[at.models..].iter().take(AT_A_TIME) {
                    next.models += 1;
                    next.deleted_models += usize::from(delete_model(session, model, plan.before, now)?);
                }
            } else if let Some(experiment) = plan.experiments.get(at.experiments) {
                match delete_experiment(session, experiment, plan.before, now)? {
                    OfExperiment::Traces(count) => next.deleted_traces += count,
                    OfExperiment::All => {
                        next.experiments += 1;
                        next.deleted_experiments += 1;
                    }
                    OfExperiment::Nothing => next.experiments += 1,
                }
            } else {
                return Ok(None);
            }
            Ok(Some(next))
        })
    }

    /// Returns artifact URIs of what was deleted for good, in their order, those after `after`.
    pub fn garbage(&self, after: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT artifact_uri FROM garbage WHERE artifact_uri > ?1 ORDER BY artifact_uri LIMIT ?2";
        self.db.read(|session| session.all(sql, args![after, most as i64], |row| row.text(0)))
    }

    /// Forgets artifact URIs whose files are gone.
    pub fn forget_garbage(&self, uris: &[String]) -> Result<(), StoreError> {
        self.db.write(|session| {
            uris.iter().try_for_each(|uri| session.execute("DELETE FROM garbage WHERE artifact_uri = ?1", args![uri]).map(|_| ()))
        })
    }
}

const OLD_RUNS: &str = "runs.lifecycle_stage = 'deleted' AND coalesce(runs.deleted_time, 0) <= ?1";
const OLD_EXPERIMENTS: &str = "experiments.lifecycle_stage = 'deleted' AND experiments.last_update_time <= ?1";
const OLD_MODELS: &str = "logged_models.lifecycle_stage = 'deleted' AND logged_models.last_updated_time <= ?1";

fn run(row: &dyn Row) -> Result<Doomed<RunId>, StoreError> {
    Ok(Doomed { id: RunId::new(row.text(0)?)?, artifact_uri: row.text(1)? })
}

fn model(row: &dyn Row) -> Result<Doomed<String>, StoreError> {
    Ok(Doomed { id: row.text(0)?, artifact_uri: row.text(1)? })
}

fn experiment(row: &dyn Row) -> Result<Doomed<ExperimentId>, StoreError> {
    Ok(Doomed { id: ExperimentId(row.int(0)?), artifact_uri: row.text(1)? })
}

fn plan_all(session: &mut dyn Session, plan: &mut CollectPlan) -> Result<(), StoreError> {
    let before = plan.before.0;
    let sql = format!("SELECT experiment_id, artifact_location FROM experiments WHERE {OLD_EXPERIMENTS} ORDER BY experiment_id");
    plan.experiments = session.all(&sql, args![before], experiment)?;
    let sql = format!(
        "SELECT run_id, artifact_uri FROM runs JOIN experiments ON experiments.experiment_id = runs.experiment_id
         WHERE {OLD_RUNS} OR {OLD_EXPERIMENTS} ORDER BY run_no"
    );
    plan.runs = session.all(&sql, args![before], run)?;
    let sql = format!(
        "SELECT model_id, artifact_uri FROM logged_models JOIN experiments ON experiments.experiment_id = logged_models.experiment_id
         WHERE {OLD_MODELS} OR {OLD_EXPERIMENTS} ORDER BY model_no"
    );
    plan.models = session.all(&sql, args![before], model)?;
    Ok(())
}

fn plan_named(session: &mut dyn Session, wanted: &CollectWanted, plan: &mut CollectPlan) -> Result<(), StoreError> {
    let before = wanted.before.0;
    for id in &wanted.experiments {
        let sql = "SELECT experiment_id, artifact_location, lifecycle_stage, last_update_time FROM experiments WHERE experiment_id = ?1";
        let read = |row: &dyn Row| Ok((experiment(row)?, row.text(2)?, row.int(3)?));
        let found = session.first(sql, args![id.0], read)?;
        let (found, stage, since) = found.ok_or_else(|| StoreError::missing(format!("No Experiment with id={id} exists")))?;
        let what = format!("Experiments ['{id}'] are");
        check(&stage, since, before, &what, "experiments")?;
        plan.experiments.push(found);
        let sql = "SELECT run_id, artifact_uri FROM runs WHERE experiment_id = ?1 ORDER BY run_no";
        plan.runs.extend(session.all(sql, args![id.0], run)?);
        let sql = "SELECT model_id, artifact_uri FROM logged_models WHERE experiment_id = ?1 ORDER BY model_no";
        plan.models.extend(session.all(sql, args![id.0], model)?);
    }
    for id in &wanted.runs {
        let sql = "SELECT run_id, artifact_uri, lifecycle_stage, coalesce(deleted_time, 0) FROM runs WHERE run_id = ?1";
        let found = session.first(sql, args![id.as_str()], |row| Ok((run(row)?, row.text(2)?, row.int(3)?)))?;
        let (found, stage, since) = found.ok_or_else(|| StoreError::missing(format!("Run with id={id} not found")))?;
        check(&stage, since, before, &format!("Run {id} is"), "runs")?;
        plan.runs.push(found);
    }
    for id in &wanted.models {
        let sql = "SELECT model_id, artifact_uri, lifecycle_stage, last_updated_time FROM logged_models WHERE model_id = ?1";
        let found = session.first(sql, args![id], |row| Ok((model(row)?, row.text(2)?, row.int(3)?)))?;
        let (found, stage, since) = found.ok_or_else(|| StoreError::missing(format!("Logged model with ID '{id}' not found.")))?;
        check(&stage, since, before, &format!("Logged model {id} is"), "logged models")?;
        plan.models.push(found);
    }
    Ok(())
}

fn check(stage: &str, since: i64, before: i64, what: &str, kind: &str) -> Result<(), StoreError> {
    if stage != "deleted" {
        let message = format!("{what} not in `deleted` lifecycle stage. Only {kind} in `deleted` lifecycle stage can be deleted.");
        return Err(StoreError::refused(ErrorCode::InvalidParameterValue, message));
    }
    if since > before {
        let message = format!("{what} not older than the required age. Only {kind} that were deleted long enough ago can be deleted.");
        return Err(StoreError::refused(ErrorCode::InvalidParameterValue, message));
    }
    Ok(())
}

fn versions(session: &mut dyn Session, runs: &[Doomed<RunId>]) -> Result<Vec<(String, i64)>, StoreError> {
    let mut found = Vec::new();
    for run in runs {
        let sql = "SELECT name, version FROM model_versions WHERE run_id = ?1";
        found.extend(session.all(sql, args![run.id.as_str()], |row| Ok((row.text(0)?, row.int(1)?)))?);
    }
    found.sort();
    Ok(found)
}

/// Returns how many metrics went with the run; `None` if it stays.
fn delete_run(session: &mut dyn Session, run: &Doomed<RunId>, before: Millis, now: Millis) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT run_no, artifact_uri FROM runs JOIN experiments ON experiments.experiment_id = runs.experiment_id
         WHERE ({OLD_RUNS} OR {OLD_EXPERIMENTS}) AND run_id = ?2"
    );
    let found = session.first(&sql, args![before.0, run.id.as_str()], |row| Ok((row.int(0)?, row.text(1)?)))?;
    let Some((run_no, uri)) = found else { return Ok(None) };
    let metrics = session.first("SELECT count(*) FROM metrics WHERE run_no = ?1", args![run_no], |row| row.int(0))?;
    // A run can be given a place of somebody else's; its own holds its id.
    if uri.contains(run.id.as_str()) || !is_used_elsewhere(session, &uri, Some(run_no), None, None)? {
        write_down(session, &uri, now)?;
    }
    session.execute("DELETE FROM runs WHERE run_no = ?1", args![run_no])?;
    Ok(Some(metrics.unwrap_or_default()))
}

fn delete_model(session: &mut dyn Session, model: &Doomed<String>, before: Millis, now: Millis) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT model_no, artifact_uri FROM logged_models JOIN experiments ON experiments.experiment_id = logged_models.experiment_id
         WHERE ({OLD_MODELS} OR {OLD_EXPERIMENTS}) AND model_id = ?2"
    );
    let found = session.first(&sql, args![before.0, &model.id], |row| Ok((row.int(0)?, row.text(1)?)))?;
    let Some((model_no, uri)) = found else { return Ok(false) };
    if uri.contains(model.id.as_str()) || !is_used_elsewhere(session, &uri, None, Some(model_no), None)? {
        write_down(session, &uri, now)?;
    }
    session.execute("DELETE FROM logged_models WHERE model_no = ?1", args![model_no])?;
    Ok(true)
}

/// What a step deleted of an experiment.
enum OfExperiment {
    Nothing,
    Traces(usize),
    All,
}

/// Deletes traces of an experiment that has no runs and models left, or when they are gone too, it with all else that belongs to it.
fn delete_experiment(
    session: &mut dyn Session,
    experiment: &Doomed<ExperimentId>,
    before: Millis,
    now: Millis,
) -> Result<OfExperiment, StoreError> {
    let sql = format!(
        "SELECT artifact_location FROM experiments WHERE {OLD_EXPERIMENTS} AND experiment_id = ?2
         AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.experiment_id = experiments.experiment_id)
         AND NOT EXISTS (SELECT 1 FROM logged_models WHERE logged_models.experiment_id = experiments.experiment_id)"
    );
    let id = experiment.id.0;
    let Some(location) = session.first(&sql, args![before.0, id], |row| row.text(0))? else { return Ok(OfExperiment::Nothing) };
    let sql = "DELETE FROM traces WHERE trace_no IN (SELECT trace_no FROM traces WHERE experiment_id = ?1 LIMIT ?2)";
    let traces = session.execute(sql, args![id, TRACES_AT_A_TIME])?;
    if traces > 0 {
        return Ok(OfExperiment::Traces(traces as usize));
    }
    // Several experiments may share a place, or one may lie in that of another.
    if !is_used_elsewhere(session, &location, None, None, Some(id))? {
        write_down(session, &location, now)?;
    }
    session.execute("DELETE FROM experiments WHERE experiment_id = ?1", args![id])?;
    Ok(OfExperiment::All)
}

/// Whether files of anything else lie at that place or below it.
fn is_used_elsewhere(
    session: &mut dyn Session,
    uri: &str,
    run: Option<i64>,
    model: Option<i64>,
    experiment: Option<i64>,
) -> Result<bool, StoreError> {
    let uri = uri.trim_end_matches('/');
    let below = format!("{uri}/");
    for (sql, but) in [
        ("SELECT 1 FROM runs WHERE (artifact_uri = ?1 OR substr(artifact_uri, 1, CAST(?3 AS INTEGER)) = ?2) AND run_no <> ?4 LIMIT 1", run),
        (
            "SELECT 1 FROM logged_models WHERE (artifact_uri = ?1 OR substr(artifact_uri, 1, CAST(?3 AS INTEGER)) = ?2) AND model_no <> ?4 LIMIT 1",
            model,
        ),
        (
            "SELECT 1 FROM experiments WHERE (artifact_location = ?1 OR substr(artifact_location, 1, CAST(?3 AS INTEGER)) = ?2) AND experiment_id <> ?4 LIMIT 1",
            experiment,
        ),
    ] {
        let found = session.first(sql, args![uri, &below, below.chars().count() as i64, but.unwrap_or(-1)], |row| row.int(0))?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_down(session: &mut dyn Session, uri: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO garbage (artifact_uri, since) VALUES (?1, ?2) ON CONFLICT (artifact_uri) DO NOTHING";
    session.execute(sql, args![uri, now.0]).map(|_| ())
}
