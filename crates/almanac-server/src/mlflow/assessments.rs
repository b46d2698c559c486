//! Assessments of traces: feedback, expectations and issues.

use std::collections::BTreeSet;

use almanac_api::mlflow as wire;
use almanac_tracking::{Assessment, AssessmentUpdate, AssessmentValue};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde_json::{Map, Number, Value};

use super::request::{Request, missing};
use super::traces::{pairs, time, wire_pairs, wire_time};
use super::{Answer, MlflowError, Tracking, now};

const JSON_FORMAT: &str = "JSON_FORMAT";
const SOURCES: [&str; 4] = ["SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE"];

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/traces/{trace_id}/assessments", post(create))
        .route("/traces/{trace_id}/assessments/{assessment_id}", get(get_one).patch(update).delete(delete))
}

/// Makes every number a double, as protobuf has no other in its values: a client that gave 5 is answered 5.0.
fn doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Value::Array(items) => Value::Array(items.iter().map(doubles).collect()),
        Value::Object(fields) => Value::Object(fields.iter().map(|(key, value)| (key.clone(), doubles(value))).collect::<Map<_, _>>()),
        other => other.clone(),
    }
}

/// Reads what an assessment says, if it says something.
fn read_value(assessment: &Request) -> Result<Option<AssessmentValue>, MlflowError> {
    if let Some(feedback) = assessment.message("feedback")? {
        let error = feedback.message("error")?;
        let error = error.map(|error| {
            let known = ["error_code", "error_message", "stack_trace"].into_iter();
            let fields = known.filter_map(|name| Some((name.to_owned(), error.get(name)?.clone())));
            Value::Object(fields.collect())
        });
        return Ok(Some(AssessmentValue::Feedback { value: feedback.get("value").map(doubles).unwrap_or_default(), error }));
    }
    if let Some(expectation) = assessment.message("expectation")? {
        let Some(serialized) = expectation.message("serialized_value")? else {
            return Ok(Some(AssessmentValue::Expectation { value: expectation.get("value").map(doubles).unwrap_or_default() }));
        };
        let format = serialized.text("serialization_format")?.unwrap_or_default();
        if format != JSON_FORMAT {
            return Err(MlflowError::invalid(format!("Unknown serialization format: {format}. Only JSON_FORMAT is supported.")));
        }
        let text = serialized.text("value")?.unwrap_or_default();
        let value = serde_json::from_str(&text).map_err(|error| MlflowError::invalid(format!("The value is not valid JSON: {error}")))?;
        return Ok(Some(AssessmentValue::Expectation { value }));
    }
    let issue = assessment.message("issue")?;
    issue.map(|issue| Ok(AssessmentValue::Issue { name: issue.text("issue_name")?.unwrap_or_default() })).transpose()
}

/// Reads an assessment of a trace.
pub(super) fn read_assessment(assessment: &Request, trace: &str) -> Result<Assessment, MlflowError> {
    let source = assessment.message("source")?.unwrap_or_default();
    let source_type = match source.get("source_type") {
        Some(Value::Number(number)) => {
            let place = number.as_u64().and_then(|number| usize::try_from(number).ok());
            place.and_then(|place| SOURCES.get(place)).map_or_else(|| number.to_string(), |word| (*word).to_owned())
        }
        _ => source.text("source_type")?.unwrap_or_else(|| SOURCES[0].to_owned()),
    };
    let text = |name: &str| Ok::<_, MlflowError>(assessment.text(name)?.filter(|text| !text.is_empty()));
    let created = time(assessment, "create_time")?.unwrap_or_else(now);
    Ok(Assessment {
        id: text("assessment_id")?.unwrap_or_default(),
        trace: trace.to_owned(),
        name: assessment.text("assessment_name")?.unwrap_or_default(),
        value: read_value(assessment)?.ok_or_else(|| MlflowError::invalid("Unknown assessment type: None"))?,
        source_type,
        source_id: source.text("source_id")?.filter(|id| !id.is_empty()),
        span: text("span_id")?,
        rationale: text("rationale")?,
        metadata: pairs(assessment, "metadata")?,
        overrides: text("overrides")?,
        is_valid: true,
        created,
        updated: time(assessment, "last_update_time")?.unwrap_or(created),
    })
}

pub(super) fn wire_assessment(assessment: Assessment) -> wire::Assessment {
    let (mut feedback, mut expectation, mut issue) = (None, None, None);
    match assessment.value {
        AssessmentValue::Feedback { value, error } => feedback = Some(wire::Feedback { value, error }),
        AssessmentValue::Expectation { value } if value.is_array() || value.is_object() => {
            let serialized = wire::SerializedValue { serialization_format: JSON_FORMAT, value: value.to_string() };
            expectation = Some(wire::Expectation { value: None, serialized_value: Some(serialized) });
        }
        AssessmentValue::Expectation { value } => expectation = Some(wire::Expectation { value: Some(value), serialized_value: None }),
        AssessmentValue::Issue { name } => issue = Some(wire::Issue { issue_name: name }),
    }
    wire::Assessment {
        assessment_id: assessment.id,
        assessment_name: assessment.name,
        trace_id: assessment.trace,
        span_id: assessment.span,
        source: wire::AssessmentSource { source_type: assessment.source_type, source_id: assessment.source_id },
        create_time: wire_time(assessment.created),
        last_update_time: wire_time(assessment.updated),
        feedback,
        expectation,
        issue,
        rationale: assessment.rationale,
        metadata: wire_pairs(assessment.metadata),
        overrides: assessment.overrides,
        valid: assessment.is_valid,
    }
}

fn found(assessment: Assessment) -> Json<wire::AssessmentFound> {
    Json(wire::AssessmentFound { assessment: wire_assessment(assessment) })
}

async fn create(State(tracking): State<Tracking>, Path(trace): Path<String>, request: Request) -> Answer<wire::AssessmentFound> {
    let assessment = request.message("assessment")?.ok_or_else(|| missing("assessment"))?;
    let new = read_assessment(&assessment, &trace)?;
    Ok(found(tracking.call(move |store| store.create_assessment(&new)).await?))
}

async fn get_one(State(tracking): State<Tracking>, Path((trace, id)): Path<(String, String)>) -> Answer<wire::AssessmentFound> {
    Ok(found(tracking.call(move |store| store.get_assessment(&trace, &id)).await?))
}

async fn update(
    State(tracking): State<Tracking>,
    Path((trace, id)): Path<(String, String)>,
    request: Request,
) -> Answer<wire::AssessmentFound> {
    let assessment = request.message("assessment")?.ok_or_else(|| missing("assessment"))?;
    // A mask is one text with commas, and its names are in camel case.
    let mask = request.text("update_mask")?.ok_or_else(|| missing("update_mask"))?;
    let masked: BTreeSet<&str> = mask.split(',').map(str::trim).collect();
    let has = |names: &[&str]| names.iter().any(|name| masked.contains(name));
    let mut change = AssessmentUpdate::default();
    if has(&["assessmentName", "assessment_name"]) {
        change.name = assessment.text("assessment_name")?;
    }
    if has(&["feedback"]) && has(&["expectation"]) {
        return Err(MlflowError::invalid("Cannot specify both `expectation` and `feedback` parameters."));
    }
    if has(&["feedback", "expectation"]) {
        change.value = read_value(&assessment)?;
    }
    if has(&["rationale"]) {
        change.rationale = assessment.text("rationale")?;
    }
    if has(&["metadata"]) {
        change.metadata = pairs(&assessment, "metadata")?;
    }
    Ok(found(tracking.call(move |store| store.update_assessment(&trace, &id, &change, now())).await?))
}

async fn delete(State(tracking): State<Tracking>, Path((trace, id)): Path<(String, String)>) -> Answer<wire::Empty> {
    tracking.call(move |store| store.delete_assessment(&trace, &id)).await?;
    Ok(Json(wire::Empty {}))
}
