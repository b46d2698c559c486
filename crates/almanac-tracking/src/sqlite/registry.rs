//! SQL of registered models, their versions and aliases.
//!
//! Not here: runs (`runs`), opening the file (`sqlite`).

use sqlx::{Sqlite, Transaction};

use super::SqliteStore;
use crate::names::{check_alias, check_model};
use crate::{Millis, ModelVersion, NewModelVersion, RegisteredModel, RunId, StoreError, VersionStatus};

type VersionRow = (String, i64, Option<String>, String, String, i64);

impl SqliteStore {
    pub(super) async fn add_version(&self, new: &NewModelVersion) -> Result<ModelVersion, StoreError> {
        check_model(&new.model)?;
        let mut transaction = self.write().await?;
        let sql = "SELECT name, version, run_id, source, status, creation_time FROM model_versions
                   WHERE name = ? AND run_id IS ? AND source = ? ORDER BY version DESC LIMIT 1";
        let known: Option<VersionRow> = sqlx::query_as(sql)
            .bind(&new.model)
            .bind(new.run.as_ref().map(RunId::as_str))
            .bind(&new.source)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        if let Some(row) = known {
            return self.version_of(row);
        }
        let sql = "INSERT INTO registered_models (name, creation_time, last_updated_time, last_version) VALUES (?1, ?2, ?2, 1)
                   ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1, last_updated_time = ?2
                   RETURNING last_version";
        let version: i64 = sqlx::query_scalar(sql)
            .bind(&new.model)
            .bind(new.created.0)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        let sql = "INSERT INTO model_versions (name, version, run_id, source, status, creation_time) VALUES (?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(&new.model)
            .bind(version)
            .bind(new.run.as_ref().map(RunId::as_str))
            .bind(&new.source)
            .bind(new.status.as_str())
            .bind(new.created.0)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        transaction.commit().await.map_err(|error| self.fail(error))?;
        Ok(ModelVersion {
            model: new.model.clone(),
            version: version as u32,
            run: new.run.clone(),
            source: new.source.clone(),
            status: new.status,
            created: new.created,
        })
    }

    pub(super) async fn update_version(&self, model: &str, version: u32, status: VersionStatus, now: Millis) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let updated = sqlx::query("UPDATE model_versions SET status = ? WHERE name = ? AND version = ?")
            .bind(status.as_str())
            .bind(model)
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        if updated.rows_affected() == 0 {
            return Err(no_version(model, version));
        }
        self.touch(&mut transaction, model, now).await?;
        transaction.commit().await.map_err(|error| self.fail(error))
    }

    pub(super) async fn list_versions(&self, model: &str) -> Result<Vec<ModelVersion>, StoreError> {
        let sql = "SELECT name, version, run_id, source, status, creation_time FROM model_versions WHERE name = ? ORDER BY version DESC";
        let rows: Vec<VersionRow> = sqlx::query_as(sql).bind(model).fetch_all(&self.pool).await.map_err(|error| self.fail(error))?;
        rows.into_iter().map(|row| self.version_of(row)).collect()
    }

    pub(super) async fn list_models(&self) -> Result<Vec<RegisteredModel>, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.fail(error))?;
        let sql = "SELECT name, creation_time, last_updated_time FROM registered_models ORDER BY name";
        let models: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(&mut *transaction).await.map_err(|error| self.fail(error))?;
        let sql = "SELECT name, alias, version FROM model_aliases ORDER BY name, alias";
        let aliases: Vec<(String, String, u32)> =
            sqlx::query_as(sql).fetch_all(&mut *transaction).await.map_err(|error| self.fail(error))?;
        let of =
            |model: &str| aliases.iter().filter(|(name, ..)| name == model).map(|(_, alias, version)| (alias.clone(), *version)).collect();
        Ok(models
            .into_iter()
            .map(|(name, created, updated)| RegisteredModel {
                aliases: of(&name),
                name,
                created: Millis(created),
                updated: Millis(updated),
            })
            .collect())
    }

    pub(super) async fn point_alias(&self, model: &str, alias: &str, version: u32, now: Millis) -> Result<(), StoreError> {
        check_alias(alias)?;
        let mut transaction = self.write().await?;
        let known: Option<i64> = sqlx::query_scalar("SELECT version FROM model_versions WHERE name = ? AND version = ?")
            .bind(model)
            .bind(version)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        if known.is_none() {
            return Err(no_version(model, version));
        }
        let sql = "INSERT INTO model_aliases (name, alias, version) VALUES (?, ?, ?)
                   ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version";
        sqlx::query(sql).bind(model).bind(alias).bind(version).execute(&mut *transaction).await.map_err(|error| self.fail(error))?;
        self.touch(&mut transaction, model, now).await?;
        transaction.commit().await.map_err(|error| self.fail(error))
    }

    pub(super) async fn remove_alias(&self, model: &str, alias: &str, now: Millis) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let removed = sqlx::query("DELETE FROM model_aliases WHERE name = ? AND alias = ?")
            .bind(model)
            .bind(alias)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fail(error))?;
        if removed.rows_affected() > 0 {
            self.touch(&mut transaction, model, now).await?;
        }
        transaction.commit().await.map_err(|error| self.fail(error))
    }

    pub(super) async fn find_alias(&self, model: &str, alias: &str) -> Result<Option<ModelVersion>, StoreError> {
        let sql = "SELECT v.name, v.version, v.run_id, v.source, v.status, v.creation_time
                   FROM model_aliases a JOIN model_versions v ON v.name = a.name AND v.version = a.version
                   WHERE a.name = ? AND a.alias = ?";
        let row: Option<VersionRow> =
            sqlx::query_as(sql).bind(model).bind(alias).fetch_optional(&self.pool).await.map_err(|error| self.fail(error))?;
        row.map(|row| self.version_of(row)).transpose()
    }

    async fn touch(&self, transaction: &mut Transaction<'_, Sqlite>, model: &str, now: Millis) -> Result<(), StoreError> {
        sqlx::query("UPDATE registered_models SET last_updated_time = ? WHERE name = ?")
            .bind(now.0)
            .bind(model)
            .execute(&mut **transaction)
            .await
            .map(|_| ())
            .map_err(|error| self.fail(error))
    }

    fn version_of(&self, (model, version, run, source, status, created): VersionRow) -> Result<ModelVersion, StoreError> {
        Ok(ModelVersion {
            model,
            version: u32::try_from(version).map_err(|_| self.unreadable("version", &version.to_string()))?,
            run: run.map(|id| RunId::new(id.clone()).map_err(|_| self.unreadable("run id", &id))).transpose()?,
            source,
            status: VersionStatus::parse(&status).ok_or_else(|| self.unreadable("version status", &status))?,
            created: Millis(created),
        })
    }
}

fn no_version(model: &str, version: u32) -> StoreError {
    StoreError::NotFound { what: "model version", name: format!("{model}/{version}") }
}
