//! Assessments of traces.
//!
//! Not here: reading those of many traces (`traces`).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::TrackingStore;
use super::traces::trace_no;
use crate::db::{Row, Session, args};
use crate::{Assessment, AssessmentUpdate, AssessmentValue, Millis, RunId, StoreError, Tag};

/// What [`read`] reads, after the number of the trace.
pub(super) const COLUMNS: &str = "assessment_id, name, kind, value, error, source_type, source_id, span_id, rationale, metadata,
    overrides, is_valid, creation_time, last_updated_time";

/// Longest id, name or source, in characters.
const NAME: usize = 250;
const SOURCES: [&str; 4] = ["SOURCE_TYPE_UNSPECIFIED", "LLM_JUDGE", "HUMAN", "CODE"];

impl TrackingStore {
    /// Adds an assessment to its trace. The one that it overrides is no longer valid.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if the trace or what it overrides is not there, `RESOURCE_ALREADY_EXISTS` if its id is taken.
    pub fn create_assessment(&self, new: &Assessment) -> Result<Assessment, StoreError> {
        check(new)?;
        self.db.write(|session| {
            let no = trace_no(session, &new.trace)?;
            if let Some(overridden) = &new.overrides {
                let sql = "UPDATE assessments SET is_valid = 0 WHERE trace_no = ?1 AND assessment_id = ?2";
                if session.execute(sql, args![no, overridden])? == 0 {
                    return Err(no_assessment(overridden, &new.trace));
                }
            }
            let sql = "SELECT 1 FROM assessments WHERE trace_no = ?1 AND assessment_id = ?2";
            if session.first(sql, args![no, &new.id], |_| Ok(()))?.is_some() {
                return Err(StoreError::exists(format!("Assessment with ID '{}' already exists for trace '{}'", new.id, new.trace)));
            }
            let id = write(session, no, new)?;
            one(session, no, &new.trace, &id)
        })
    }

    /// Returns one assessment.
    pub fn get_assessment(&self, trace: &str, id: &str) -> Result<Assessment, StoreError> {
        self.db.read(|session| {
            let no = trace_of(session, trace)?;
            one(session, no, trace, id)
        })
    }

    /// Changes an assessment.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` if the new value is of another kind.
    pub fn update_assessment(&self, trace: &str, id: &str, update: &AssessmentUpdate, now: Millis) -> Result<Assessment, StoreError> {
        self.db.write(|session| {
            let no = trace_of(session, trace)?;
            let mut assessment = one(session, no, trace, id)?;
            if let Some(value) = &update.value {
                match (value, &assessment.value) {
                    (AssessmentValue::Expectation { .. }, AssessmentValue::Feedback { .. }) => {
                        return Err(StoreError::invalid("Cannot update expectation value on a Feedback assessment."));
                    }
                    (AssessmentValue::Feedback { .. }, AssessmentValue::Expectation { .. }) => {
                        return Err(StoreError::invalid("Cannot update feedback value on an Expectation assessment."));
                    }
                    (given, known) if given.kind() != known.kind() => {
                        return Err(StoreError::invalid(format!("Cannot change an assessment of kind '{}'.", known.kind())));
                    }
                    _ => assessment.value = value.clone(),
                }
            }
            if let Some(name) = &update.name {
                assessment.name.clone_from(name);
            }
            if update.rationale.is_some() {
                assessment.rationale.clone_from(&update.rationale);
            }
            let known = assessment.metadata.iter().chain(&update.metadata).map(|tag| (tag.key.clone(), tag.value.clone()));
            let metadata: BTreeMap<String, String> = known.collect();
            assessment.metadata = metadata.into_iter().map(|(key, value)| Tag { key, value }).collect();
            assessment.updated = now;
            check(&assessment)?;
            write(session, no, &assessment)?;
            Ok(assessment)
        })
    }

    /// Deletes an assessment, if it is there; the one that it overrode is valid again.
    pub fn delete_assessment(&self, trace: &str, id: &str) -> Result<(), StoreError> {
        self.db.write(|session| {
            let no = trace_no(session, trace)?;
            let sql = "DELETE FROM assessments WHERE trace_no = ?1 AND assessment_id = ?2 RETURNING overrides";
            let overridden = session.first(sql, args![no, id], |row| row.opt_text(0))?.flatten();
            if let Some(overridden) = overridden {
                let sql = "UPDATE assessments SET is_valid = 1 WHERE trace_no = ?1 AND assessment_id = ?2";
                session.execute(sql, args![no, &overridden])?;
            }
            Ok(())
        })
    }
}

fn trace_of(session: &mut dyn Session, id: &str) -> Result<i64, StoreError> {
    let found = session.first("SELECT trace_no FROM traces WHERE trace_id = ?1", args![id], |row| row.int(0))?;
    found.ok_or_else(|| StoreError::missing(format!("Trace with request_id '{id}' not found")))
}

fn one(session: &mut dyn Session, no: i64, trace: &str, id: &str) -> Result<Assessment, StoreError> {
    let sql = format!("SELECT trace_no, {COLUMNS} FROM assessments WHERE trace_no = ?1 AND assessment_id = ?2");
    session.first(&sql, args![no, id], |row| read(row, trace))?.ok_or_else(|| no_assessment(id, trace))
}

fn no_assessment(id: &str, trace: &str) -> StoreError {
    StoreError::missing(format!("Assessment with ID '{id}' not found for trace '{trace}'"))
}

/// Checks an assessment before it is written.
pub(super) fn check(assessment: &Assessment) -> Result<(), StoreError> {
    if !SOURCES.contains(&assessment.source_type.as_str()) {
        return Err(StoreError::invalid(format!(
            "Invalid assessment source type: {}. Valid source types: ['{}']",
            assessment.source_type,
            SOURCES.join("', '")
        )));
    }
    let texts = [("assessment_name", Some(&assessment.name)), ("assessment_id", Some(&assessment.id))];
    let others = [("source_id", assessment.source_id.as_ref()), ("span_id", assessment.span.as_ref())];
    for (field, text) in texts.into_iter().chain(others) {
        if text.is_some_and(|text| text.chars().nth(NAME).is_some()) {
            return Err(StoreError::invalid(format!("'{field}' exceeds the maximum length of {NAME} characters")));
        }
    }
    match &assessment.value {
        AssessmentValue::Expectation { value: Json::Null } => Err(StoreError::invalid("The `value` field must be specified.")),
        _ => Ok(()),
    }
}

/// Writes an assessment, over the one with its id if there is one, and returns the id.
pub(super) fn write(session: &mut dyn Session, no: i64, assessment: &Assessment) -> Result<String, StoreError> {
    let id = if assessment.id.is_empty() { format!("a-{}", RunId::random()) } else { assessment.id.clone() };
    let (value, error) = match &assessment.value {
        AssessmentValue::Feedback { value, error } => (value.to_string(), error.as_ref().map(Json::to_string)),
        AssessmentValue::Expectation { value } => (value.to_string(), None),
        AssessmentValue::Issue { name } => (Json::from(name.as_str()).to_string(), None),
    };
    let number = match &assessment.value {
        AssessmentValue::Feedback { value, .. } | AssessmentValue::Expectation { value } => value.as_f64(),
        AssessmentValue::Issue { .. } => None,
    };
    let pairs = assessment.metadata.iter().map(|tag| (tag.key.clone(), Json::from(tag.value.as_str())));
    let metadata = (!assessment.metadata.is_empty()).then(|| Json::Object(pairs.collect()).to_string());
    let sql = "INSERT INTO assessments (trace_no, assessment_id, name, kind, value, number, error, source_type, source_id, span_id,
                   rationale, metadata, overrides, is_valid, creation_time, last_updated_time)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
               ON CONFLICT (trace_no, assessment_id) DO UPDATE SET
                   name = excluded.name, kind = excluded.kind, value = excluded.value, number = excluded.number,
                   error = excluded.error, source_type = excluded.source_type, source_id = excluded.source_id,
                   span_id = excluded.span_id, rationale = excluded.rationale, metadata = excluded.metadata,
                   overrides = excluded.overrides, is_valid = excluded.is_valid, creation_time = excluded.creation_time,
                   last_updated_time = excluded.last_updated_time";
    let row = args![
        no,
        &id,
        &assessment.name,
        assessment.value.kind(),
        &value,
        number,
        &error,
        &assessment.source_type,
        &assessment.source_id,
        &assessment.span,
        &assessment.rationale,
        &metadata,
        &assessment.overrides,
        assessment.is_valid,
        assessment.created.0,
        assessment.updated.0,
    ];
    session.execute(sql, row)?;
    Ok(id)
}

/// Reads a row with the number of the trace and then [`COLUMNS`].
pub(super) fn read(row: &dyn Row, trace: &str) -> Result<Assessment, StoreError> {
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let value = json(&row.text(4)?);
    let error = row.opt_text(5)?.map(|text| json(&text));
    let value = match row.text(3)?.as_str() {
        "expectation" => AssessmentValue::Expectation { value },
        "issue" => AssessmentValue::Issue { name: value.as_str().unwrap_or_default().to_owned() },
        _ => AssessmentValue::Feedback { value, error },
    };
    let metadata: BTreeMap<String, String> = row.opt_text(10)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(Assessment {
        id: row.text(1)?,
        trace: trace.to_owned(),
        name: row.text(2)?,
        value,
        source_type: row.text(6)?,
        source_id: row.opt_text(7)?,
        span: row.opt_text(8)?,
        rationale: row.opt_text(9)?,
        metadata: metadata.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        overrides: row.opt_text(11)?,
        is_valid: row.int(12)? != 0,
        created: Millis(row.int(13)?),
        updated: Millis(row.int(14)?),
    })
}
