//! Evidence: what was proven of a version, and the gate that asks for it before a promotion.
//!
//! Not here: what evidence means and whether it is enough, which who records it decides.

use serde_json::{Map, Value as Json};

use super::versions::exists;
use super::{lock, no_version};
use crate::db::{Session, args};
use crate::names::{check_model, too_long};
use crate::store::TrackingStore;
use crate::{ErrorCode, Millis, StoreError, VersionEvidence};

/// Aliases that ask for evidence.
const GATED: [&str; 1] = ["champion"];
/// Longest evidence, in bytes.
const EVIDENCE: usize = 1 << 20;

impl TrackingStore {
    /// Records what proves that a version may be promoted, in place of what was recorded before.
    ///
    /// `evidence`: a JSON object, with [`VersionEvidence::PARTS`] as far as they are known. A part that is an object with
    /// `"passed": false` keeps the gate shut, as `passed` does for all of it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` unless it is a JSON object of up to 1 MiB.
    pub fn put_evidence(&self, model: &str, number: u32, evidence: &str, passed: bool, now: Millis) -> Result<(), StoreError> {
        check_model(model)?;
        if evidence.len() > EVIDENCE {
            return Err(too_long("evidence", EVIDENCE));
        }
        if parse(evidence).is_none() {
            return Err(StoreError::invalid("Invalid value for parameter 'evidence': a JSON object is expected."));
        }
        self.db.write(|session| {
            if !lock(session, model)? || !exists(session, model, number)? {
                return Err(no_version(model, number));
            }
            let sql = "INSERT INTO version_evidence (name, version, evidence, passed, since) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (name, version) DO UPDATE
                       SET evidence = excluded.evidence, passed = excluded.passed, since = excluded.since";
            session.execute(sql, args![model, i64::from(number), evidence, passed, now.0]).map(|_| ())
        })
    }

    /// Returns what was recorded of a version, if anything was.
    pub fn get_evidence(&self, model: &str, number: u32) -> Result<Option<VersionEvidence>, StoreError> {
        check_model(model)?;
        self.db.read(
            |session| if exists(session, model, number)? { of_version(session, model, number) } else { Err(no_version(model, number)) },
        )
    }
}

fn parse(evidence: &str) -> Option<Map<String, Json>> {
    serde_json::from_str(evidence).ok()
}

fn of_version(session: &mut dyn Session, model: &str, number: u32) -> Result<Option<VersionEvidence>, StoreError> {
    let sql = "SELECT evidence, passed, since FROM version_evidence WHERE name = ?1 AND version = ?2";
    session.first(sql, args![model, i64::from(number)], |row| {
        Ok(VersionEvidence { evidence: row.text(0)?, passed: row.int(1)? == 1, since: Millis(row.int(2)?) })
    })
}

/// Refuses to point a gated alias at a version that is not proven, if any version of the model is.
pub(super) fn check_gate(session: &mut dyn Session, model: &str, alias: &str, number: u32) -> Result<(), StoreError> {
    if !GATED.contains(&alias) {
        return Ok(());
    }
    let sql = "SELECT version FROM version_evidence WHERE name = ?1 LIMIT 1";
    if session.first(sql, args![model], |row| row.int(0))?.is_none() {
        return Ok(());
    }
    match of_version(session, model, number)?.map_or_else(|| Some(nothing()), |evidence| fault(&evidence)) {
        None => Ok(()),
        Some(fault) => Err(shut(model, alias, number, &fault)),
    }
}

/// Refuses to put a gated alias back to a version that was found not to pass.
pub(super) fn check_return(session: &mut dyn Session, model: &str, alias: &str, number: u32) -> Result<(), StoreError> {
    if !GATED.contains(&alias) {
        return Ok(());
    }
    match of_version(session, model, number)? {
        Some(evidence) if !evidence.passed => Err(shut(model, alias, number, "its evidence did not pass")),
        _ => Ok(()),
    }
}

fn shut(model: &str, alias: &str, number: u32, fault: &str) -> StoreError {
    let message = format!("Alias '{alias}' of model '{model}' cannot point at version {number}: {fault}.");
    StoreError::refused(ErrorCode::ResourceConflict, message)
}

fn nothing() -> String {
    format!("no evidence is recorded ({} are needed)", VersionEvidence::PARTS.join(", "))
}

/// Returns what evidence lacks.
fn fault(evidence: &VersionEvidence) -> Option<String> {
    let parts = parse(&evidence.evidence).unwrap_or_default();
    let is_there = |part: &str| parts.get(part).is_some_and(|value| !value.is_null());
    let missing: Vec<&str> = VersionEvidence::PARTS.into_iter().filter(|part| !is_there(part)).collect();
    if !missing.is_empty() {
        return Some(format!("its evidence lacks {}", missing.join(", ")));
    }
    let has_failed = |value: &Json| value.get("passed") == Some(&Json::Bool(false));
    let failed: Vec<&str> = parts.iter().filter(|(_, value)| has_failed(value)).map(|(part, _)| part.as_str()).collect();
    if !failed.is_empty() {
        return Some(format!("its evidence did not pass: {}", failed.join(", ")));
    }
    if evidence.passed { None } else { Some("its evidence did not pass".to_owned()) }
}
