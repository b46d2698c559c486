//! SQL of experiments, runs and what they log.
//!
//! Not here: the registry (`registry`), opening the file (`sqlite`).

use sqlx::{Sqlite, Transaction};

use super::SqliteStore;
use crate::names::{check_experiment, check_key};
use crate::{Batch, Experiment, ExperimentId, Metric, Millis, NewRun, Param, Run, RunData, RunId, RunStatus, StoreError, Tag};

type RunRow = (String, i64, String, String, i64, Option<i64>);
type MetricRow = (String, i64, i64, bool, f64);

impl SqliteStore {
    pub(super) async fn get_or_create_experiment(&self, name: &str, now: Millis) -> Result<Experiment, StoreError> {
        check_experiment(name)?;
        let mut transaction = self.write().await?;
        sqlx::query("INSERT INTO experiments (name, creation_time) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        let row = sqlx::query_as("SELECT experiment_id, name, creation_time FROM experiments WHERE name = ?")
            .bind(name)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        transaction.commit().await.map_err(|error| self.fail(error))?;
        Ok(experiment(row))
    }

    pub(super) async fn list_experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        let sql = "SELECT experiment_id, name, creation_time FROM experiments ORDER BY creation_time DESC, experiment_id DESC";
        let rows = sqlx::query_as(sql).fetch_all(&self.pool).await.map_err(|error| self.fail(error))?;
        Ok(rows.into_iter().map(experiment).collect())
    }

    pub(super) async fn start_run(&self, new: &NewRun) -> Result<(Run, bool), StoreError> {
        let mut transaction = self.write().await?;
        let sql = "SELECT experiment_id FROM experiments WHERE experiment_id = ?";
        let known: Option<i64> =
            sqlx::query_scalar(sql).bind(new.experiment.0).fetch_optional(&mut *transaction).await.map_err(|error| self.fail(error))?;
        if known.is_none() {
            return Err(StoreError::NotFound { what: "experiment", name: new.experiment.to_string() });
        }
        let sql = "INSERT INTO runs (run_id, experiment_id, name, status, start_time) VALUES (?, ?, ?, 'RUNNING', ?)
                   ON CONFLICT (run_id) DO NOTHING";
        let inserted = sqlx::query(sql)
            .bind(new.id.as_str())
            .bind(new.experiment.0)
            .bind(&new.name)
            .bind(new.started.0)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        let is_new = inserted.rows_affected() == 1;
        let run = self.read_run(&mut transaction, &new.id).await?;
        if run.experiment != new.experiment {
            return Err(StoreError::RunElsewhere { run: new.id.clone() });
        }
        sqlx::query("UPDATE runs SET status = 'RUNNING', end_time = NULL WHERE run_id = ?")
            .bind(new.id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        self.write_tags(&mut transaction, &new.id, &new.tags).await?;
        transaction.commit().await.map_err(|error| self.fail(error))?;
        Ok((Run { status: RunStatus::Running, ended: None, ..run }, is_new))
    }

    pub(super) async fn set_run_end(&self, run: &RunId, status: RunStatus, ended: Millis) -> Result<(), StoreError> {
        let ended = (status != RunStatus::Running).then_some(ended.0);
        let updated = sqlx::query("UPDATE runs SET status = ?, end_time = ? WHERE run_id = ?")
            .bind(status.as_str())
            .bind(ended)
            .bind(run.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.fail(error))?;
        if updated.rows_affected() == 0 { Err(no_run(run)) } else { Ok(()) }
    }

    pub(super) async fn get_run(&self, run: &RunId) -> Result<Run, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.fail(error))?;
        self.read_run(&mut transaction, run).await
    }

    pub(super) async fn list_runs(&self, experiment: ExperimentId, limit: u32) -> Result<Vec<Run>, StoreError> {
        let sql = "SELECT run_id, experiment_id, name, status, start_time, end_time FROM runs
                   WHERE experiment_id = ? ORDER BY start_time DESC, run_id LIMIT ?";
        let rows: Vec<RunRow> =
            sqlx::query_as(sql).bind(experiment.0).bind(limit).fetch_all(&self.pool).await.map_err(|error| self.fail(error))?;
        rows.into_iter().map(|row| self.run_of(row)).collect()
    }

    pub(super) async fn log_batch(&self, run: &RunId, batch: &Batch) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        self.read_run(&mut transaction, run).await?;
        for param in &batch.params {
            self.write_param(&mut transaction, run, param).await?;
        }
        let sql = "INSERT INTO metrics (run_id, key, step, timestamp, is_number, value) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        for metric in &batch.metrics {
            check_key("metric key", &metric.key)?;
            // `+ 0.0` makes the two zeros one.
            let value = if metric.value.is_nan() { 0.0 } else { metric.value.clamp(f64::MIN, f64::MAX) + 0.0 };
            sqlx::query(sql)
                .bind(run.as_str())
                .bind(&metric.key)
                .bind(metric.step)
                .bind(metric.timestamp.0)
                .bind(!metric.value.is_nan())
                .bind(value)
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.fail(error))?;
        }
        self.write_tags(&mut transaction, run, &batch.tags).await?;
        transaction.commit().await.map_err(|error| self.fail(error))
    }

    pub(super) async fn get_run_data(&self, run: &RunId) -> Result<RunData, StoreError> {
        // One transaction, so that the three lists are of one moment.
        let mut transaction = self.pool.begin().await.map_err(|error| self.fail(error))?;
        self.read_run(&mut transaction, run).await?;
        let params: Vec<(String, String)> = sqlx::query_as("SELECT key, value FROM params WHERE run_id = ? ORDER BY key")
            .bind(run.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        let tags: Vec<(String, String)> = sqlx::query_as("SELECT key, value FROM tags WHERE run_id = ? ORDER BY key")
            .bind(run.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        let sql = "SELECT key, step, timestamp, is_number, value FROM (
                       SELECT *, row_number() OVER (
                           PARTITION BY key ORDER BY step DESC, timestamp DESC, is_number DESC, value DESC) AS place
                       FROM metrics WHERE run_id = ?)
                   WHERE place = 1 ORDER BY key";
        let metrics: Vec<MetricRow> =
            sqlx::query_as(sql).bind(run.as_str()).fetch_all(&mut *transaction).await.map_err(|error| self.fail(error))?;
        Ok(RunData {
            params: params.into_iter().map(|(key, value)| Param { key, value }).collect(),
            metrics: metrics.into_iter().map(metric).collect(),
            tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        })
    }

    pub(super) async fn get_metric_history(&self, run: &RunId, key: &str) -> Result<Vec<Metric>, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.fail(error))?;
        self.read_run(&mut transaction, run).await?;
        let sql = "SELECT key, step, timestamp, is_number, value FROM metrics WHERE run_id = ? AND key = ?
                   ORDER BY step, timestamp, is_number, value";
        let rows: Vec<MetricRow> =
            sqlx::query_as(sql).bind(run.as_str()).bind(key).fetch_all(&mut *transaction).await.map_err(|error| self.fail(error))?;
        Ok(rows.into_iter().map(metric).collect())
    }

    async fn write_param(&self, transaction: &mut Transaction<'_, Sqlite>, run: &RunId, param: &Param) -> Result<(), StoreError> {
        check_key("param key", &param.key)?;
        let sql = "INSERT INTO params (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT (run_id, key) DO UPDATE SET key = key
                   RETURNING value";
        let stored: String = sqlx::query_scalar(sql)
            .bind(run.as_str())
            .bind(&param.key)
            .bind(&param.value)
            .fetch_one(&mut **transaction)
            .await
            .map_err(|error| self.fail(error))?;
        if stored == param.value {
            return Ok(());
        }
        Err(StoreError::ParamChanged { run: run.clone(), key: param.key.clone(), old: stored, new: param.value.clone() })
    }

    async fn write_tags(&self, transaction: &mut Transaction<'_, Sqlite>, run: &RunId, tags: &[Tag]) -> Result<(), StoreError> {
        let sql = "INSERT INTO tags (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value";
        for tag in tags {
            check_key("tag key", &tag.key)?;
            sqlx::query(sql)
                .bind(run.as_str())
                .bind(&tag.key)
                .bind(&tag.value)
                .execute(&mut **transaction)
                .await
                .map_err(|error| self.fail(error))?;
        }
        Ok(())
    }

    async fn read_run(&self, transaction: &mut Transaction<'_, Sqlite>, run: &RunId) -> Result<Run, StoreError> {
        let row: Option<RunRow> =
            sqlx::query_as("SELECT run_id, experiment_id, name, status, start_time, end_time FROM runs WHERE run_id = ?")
                .bind(run.as_str())
                .fetch_optional(&mut **transaction)
                .await
                .map_err(|error| self.fail(error))?;
        row.map_or_else(|| Err(no_run(run)), |row| self.run_of(row))
    }

    fn run_of(&self, (id, experiment, name, status, started, ended): RunRow) -> Result<Run, StoreError> {
        Ok(Run {
            id: RunId::new(id.clone()).map_err(|_| self.unreadable("run id", &id))?,
            experiment: ExperimentId(experiment),
            name,
            status: RunStatus::parse(&status).ok_or_else(|| self.unreadable("run status", &status))?,
            started: Millis(started),
            ended: ended.map(Millis),
        })
    }
}

fn experiment((id, name, created): (i64, String, i64)) -> Experiment {
    Experiment { id: ExperimentId(id), name, created: Millis(created) }
}

fn metric((key, step, timestamp, is_number, value): MetricRow) -> Metric {
    Metric { key, value: if is_number { value } else { f64::NAN }, timestamp: Millis(timestamp), step }
}

fn no_run(run: &RunId) -> StoreError {
    StoreError::NotFound { what: "run", name: run.to_string() }
}
