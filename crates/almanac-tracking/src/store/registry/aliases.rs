//! Aliases: names that point at a version. Every move is recorded in the transaction that makes it.

use super::evidence::{check_gate, check_return};
use super::versions::{by_number, exists, latest};
use super::{lock, no_model, no_version, touch};
use crate::db::{Row, Session, args};
use crate::names::{check_alias, check_alias_form, check_model};
use crate::store::TrackingStore;
use crate::{AliasMove, Change, ErrorCode, Millis, ModelVersion, MoveKind, RunId, StoreError};

/// Most moves of one answer.
const MOST_MOVES: i64 = 1_000;

impl TrackingStore {
    /// Points an alias such as `champion` at a version, taking it from the one that had it.
    ///
    /// # Errors
    /// `RESOURCE_CONFLICT` if the alias is gated and the evidence of the version is missing something or did not pass; see
    /// [`crate::VersionEvidence`]. A model whose versions have no evidence at all has no gates.
    pub fn set_alias(&self, model: &str, alias: &str, number: u32, change: &Change, now: Millis) -> Result<(), StoreError> {
        check_model(model)?;
        check_alias(alias)?;
        self.db.write(|session| {
            if !lock(session, model)? || !exists(session, model, number)? {
                return Err(no_version(model, number));
            }
            let from = target(session, model, alias)?;
            if from == Some(number) {
                return Ok(());
            }
            check_gate(session, model, alias, number)?;
            point(session, model, alias, number)?;
            record(session, model, alias, MoveKind::Set, (from, Some(number)), change, now)?;
            touch(session, model, now)
        })
    }

    /// Takes an alias away; nothing happens if it is not there.
    pub fn delete_alias(&self, model: &str, alias: &str, change: &Change, now: Millis) -> Result<(), StoreError> {
        check_model(model)?;
        check_alias_form(alias)?;
        self.db.write(|session| {
            if !lock(session, model)? {
                return Err(no_model(model));
            }
            let Some(from) = target(session, model, alias)? else { return Ok(()) };
            session.execute("DELETE FROM model_aliases WHERE name = ?1 AND alias = ?2", args![model, alias])?;
            record(session, model, alias, MoveKind::Delete, (Some(from), None), change, now)?;
            touch(session, model, now)
        })
    }

    /// Puts an alias back to where it pointed before, and returns that version. Twice in a row goes two steps back.
    ///
    /// Versions that have been deleted since are passed over. The gate lets a version return that never had evidence, since
    /// it has had the alias before.
    ///
    /// # Errors
    /// `RESOURCE_CONFLICT` if it has not pointed elsewhere, or if the evidence there has been found not to pass.
    pub fn rollback_alias(&self, model: &str, alias: &str, change: &Change, now: Millis) -> Result<ModelVersion, StoreError> {
        check_model(model)?;
        check_alias_form(alias)?;
        self.db.write(|session| {
            if !lock(session, model)? {
                return Err(no_model(model));
            }
            let from = target(session, model, alias)?;
            let mut earlier = earlier_targets(session, model, alias)?;
            let to = loop {
                match earlier.pop() {
                    Some(number) if from != Some(number) && exists(session, model, number)? => break number,
                    Some(_) => {}
                    None => {
                        return Err(StoreError::refused(
                            ErrorCode::ResourceConflict,
                            format!(
                                "Alias '{alias}' of model '{model}' cannot be rolled back: it has not pointed at another version before."
                            ),
                        ));
                    }
                }
            };
            check_return(session, model, alias, to)?;
            point(session, model, alias, to)?;
            record(session, model, alias, MoveKind::Rollback, (from, Some(to)), change, now)?;
            touch(session, model, now)?;
            by_number(session, model, to)
        })
    }

    /// Returns the last moves of a model's aliases, or of one of them, newest first, at most 1000; also of deleted models.
    pub fn alias_moves(&self, model: &str, alias: Option<&str>) -> Result<Vec<AliasMove>, StoreError> {
        check_model(model)?;
        let one = if alias.is_some() { "AND alias IN (?2, '')" } else { "" };
        let sql = format!(
            "SELECT move_no, name, alias, kind, from_version, to_version, actor, reason, moved_at FROM alias_moves
             WHERE name = ?1 {one} ORDER BY move_no DESC LIMIT {MOST_MOVES}"
        );
        self.db.read(|session| match alias {
            Some(alias) => session.all(&sql, args![model, alias], alias_move),
            None => session.all(&sql, args![model], alias_move),
        })
    }

    /// Returns the version that the alias points at, if there is such an alias.
    pub fn version_by_alias(&self, model: &str, alias: &str) -> Result<Option<ModelVersion>, StoreError> {
        self.db.read(|session| match target(session, model, alias)? {
            Some(number) => by_number(session, model, number).map(Some),
            None => Ok(None),
        })
    }

    /// Returns the version that the alias points at; `latest` is the newest one.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE`, as in MLflow, if there is no such alias.
    pub fn get_model_version_by_alias(&self, model: &str, alias: &str) -> Result<ModelVersion, StoreError> {
        check_model(model)?;
        check_alias_form(alias)?;
        self.db.read(|session| {
            if !super::models::exists(session, model)? {
                return Err(no_model(model));
            }
            if alias.eq_ignore_ascii_case("latest") {
                let newest = latest(session, model)?.pop();
                return newest.ok_or_else(|| StoreError::missing(format!("Latest version not found for model {model}.")));
            }
            let number =
                target(session, model, alias)?.ok_or_else(|| StoreError::invalid(format!("Registered model alias {alias} not found.")))?;
            by_number(session, model, number)
        })
    }
}

/// Returns the number of the version that an alias points at.
pub(super) fn target(session: &mut dyn Session, model: &str, alias: &str) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT version FROM model_aliases WHERE name = ?1 AND alias = ?2";
    session.first(sql, args![model, alias], |row| Ok(row.int(0)? as u32))
}

fn point(session: &mut dyn Session, model: &str, alias: &str, number: u32) -> Result<(), StoreError> {
    let sql = "INSERT INTO model_aliases (name, alias, version) VALUES (?1, ?2, ?3)
               ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version";
    session.execute(sql, args![model, alias, i64::from(number)]).map(|_| ())
}

/// Takes away the aliases of a version that is deleted.
pub(super) fn remove_aliases_of(
    session: &mut dyn Session,
    model: &str,
    number: u32,
    change: &Change,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "SELECT alias FROM model_aliases WHERE name = ?1 AND version = ?2 ORDER BY alias";
    for alias in session.all(sql, args![model, i64::from(number)], |row| row.text(0))? {
        session.execute("DELETE FROM model_aliases WHERE name = ?1 AND alias = ?2", args![model, &alias])?;
        record(session, model, &alias, MoveKind::Delete, (Some(number), None), change, now)?;
    }
    Ok(())
}

pub(super) fn record(
    session: &mut dyn Session,
    model: &str,
    alias: &str,
    kind: MoveKind,
    (from, to): (Option<u32>, Option<u32>),
    change: &Change,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO alias_moves (move_id, name, alias, kind, from_version, to_version, actor, reason, moved_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (from, to) = (from.map(i64::from), to.map(i64::from));
    let id = RunId::random();
    session.execute(sql, args![id.as_str(), model, alias, kind.as_str(), from, to, &change.actor, &change.reason, now.0]).map(|_| ())
}

/// Returns the versions that an alias has pointed at before, the last one at the end; what was rolled back is left out.
fn earlier_targets(session: &mut dyn Session, model: &str, alias: &str) -> Result<Vec<u32>, StoreError> {
    let sql = "SELECT kind, from_version, to_version FROM alias_moves WHERE name = ?1 AND alias = ?2 AND move_no >
               (SELECT coalesce(max(move_no), 0) FROM alias_moves WHERE name = ?1 AND alias = '' AND kind = 'model_delete')
               ORDER BY move_no";
    let mut earlier: Vec<u32> = Vec::new();
    session.query(sql, args![model, alias], &mut |row| {
        if row.text(0)? == MoveKind::Rollback.as_str() {
            let to = row.opt_int(2)?.map(|number| number as u32);
            while earlier.pop().is_some_and(|number| Some(number) != to) {}
        } else if let Some(from) = row.opt_int(1)? {
            earlier.push(from as u32);
        }
        Ok(())
    })?;
    Ok(earlier)
}

fn alias_move(row: &dyn Row) -> Result<AliasMove, StoreError> {
    let number = |column| row.opt_int(column).map(|number| number.map(|number| number as u32));
    Ok(AliasMove {
        number: row.int(0)?,
        model: row.text(1)?,
        alias: row.text(2)?,
        kind: MoveKind::parse(&row.text(3)?).unwrap_or(MoveKind::Set),
        from: number(4)?,
        to: number(5)?,
        change: Change { actor: row.text(6)?, reason: row.text(7)? },
        moved: Millis(row.int(8)?),
    })
}
