//! Assessments of traces.

use serde_json::{Value, json};

use super::traces::{code, experiment, info, message, tag};
use crate::{Assessment, AssessmentUpdate, AssessmentValue, ErrorCode, Millis, TraceInfo, TrackingStore};

/// Checks everything about assessments.
pub(super) fn assessments(store: &TrackingStore) {
    assessments_come_back_as_they_were_made(store);
    an_override_takes_the_place_of_another(store);
    updates_change_what_is_given(store);
    what_is_not_there_is_missing(store);
    what_makes_no_sense_is_refused(store);
    a_trace_may_come_with_assessments(store);
}

fn trace(store: &TrackingStore) -> String {
    store.start_trace(&info(experiment(store), 1)).expect("a new trace").id
}

fn feedback(trace: &str, value: Value) -> Assessment {
    Assessment {
        id: String::new(),
        trace: trace.to_owned(),
        name: "good".into(),
        value: AssessmentValue::Feedback { value, error: None },
        source_type: "HUMAN".into(),
        source_id: Some("me".into()),
        span: None,
        rationale: Some("because".into()),
        metadata: vec![tag("a", "1")],
        overrides: None,
        is_valid: true,
        created: Millis(10),
        updated: Millis(10),
    }
}

fn assessments_come_back_as_they_were_made(store: &TrackingStore) {
    let trace = trace(store);
    let values = [
        AssessmentValue::Feedback { value: json!({"a": [1.0, null, "x"]}), error: Some(json!({"error_code": "E"})) },
        AssessmentValue::Feedback { value: Value::Null, error: None },
        AssessmentValue::Expectation { value: json!([1, 2.5]) },
        AssessmentValue::Issue { name: "broken".into() },
    ];
    for value in values {
        let new = Assessment { value, ..feedback(&trace, Value::Null) };
        let made = store.create_assessment(&new).expect("the trace is there");
        assert!(made.id.starts_with("a-") && made.id.len() == 34, "{}", made.id);
        assert_eq!(store.get_assessment(&trace, &made.id).expect("stored"), made);
        assert_eq!(made, Assessment { id: made.id.clone(), ..new });
    }
    assert_eq!(store.get_trace_info(&trace).expect("stored").assessments.len(), 4);
}

fn an_override_takes_the_place_of_another(store: &TrackingStore) {
    let trace = trace(store);
    let first = store.create_assessment(&feedback(&trace, json!(1.0))).expect("made").id;
    let second = Assessment { overrides: Some(first.clone()), ..feedback(&trace, json!(2.0)) };
    let second = store.create_assessment(&second).expect("made");
    let is_valid = |id: &str| store.get_assessment(&trace, id).expect("stored").is_valid;
    assert_eq!((is_valid(&first), is_valid(&second.id)), (false, true));
    store.delete_assessment(&trace, &second.id).expect("is there");
    assert!(is_valid(&first));
    store.delete_assessment(&trace, &second.id).expect("again changes nothing");
    let none = Assessment { overrides: Some("a-none".into()), ..feedback(&trace, json!(2.0)) };
    assert_eq!(message(store.create_assessment(&none)), format!("Assessment with ID 'a-none' not found for trace '{trace}'"));
    assert_eq!(store.get_trace_info(&trace).expect("stored").assessments.len(), 1, "the refused one is not there");
}

fn updates_change_what_is_given(store: &TrackingStore) {
    let trace = trace(store);
    let made = store.create_assessment(&feedback(&trace, json!(1.0))).expect("made");
    let update =
        AssessmentUpdate { name: Some("better".into()), metadata: vec![tag("a", "2"), tag("b", "3")], ..AssessmentUpdate::default() };
    let updated = store.update_assessment(&trace, &made.id, &update, Millis(20)).expect("is there");
    assert_eq!(store.get_assessment(&trace, &made.id).expect("stored"), updated);
    let expected = Assessment { name: "better".into(), metadata: vec![tag("a", "2"), tag("b", "3")], updated: Millis(20), ..made.clone() };
    assert_eq!(updated, expected);
    let other = AssessmentUpdate { value: Some(AssessmentValue::Expectation { value: json!(1) }), ..AssessmentUpdate::default() };
    let refused = store.update_assessment(&trace, &made.id, &other, Millis(30));
    assert_eq!(message(refused), "Cannot update expectation value on a Feedback assessment.");
}

fn what_is_not_there_is_missing(store: &TrackingStore) {
    let trace = trace(store);
    let none = AssessmentUpdate::default();
    assert_eq!(message(store.get_assessment("tr-none", "a")), "Trace with request_id 'tr-none' not found");
    assert_eq!(message(store.get_assessment(&trace, "a")), format!("Assessment with ID 'a' not found for trace '{trace}'"));
    assert_eq!(code(store.update_assessment(&trace, "a", &none, Millis(1))), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(message(store.create_assessment(&feedback("tr-none", json!(1)))), "Trace with ID 'tr-none' not found.");
    assert_eq!(code(store.delete_assessment("tr-none", "a")), Some(ErrorCode::ResourceDoesNotExist));
}

fn what_makes_no_sense_is_refused(store: &TrackingStore) {
    let trace = trace(store);
    let robot = Assessment { source_type: "ROBOT".into(), ..feedback(&trace, json!(1)) };
    assert!(message(store.create_assessment(&robot)).starts_with("Invalid assessment source type: ROBOT."));
    let nothing = Assessment { value: AssessmentValue::Expectation { value: Value::Null }, ..feedback(&trace, json!(1)) };
    assert_eq!(message(store.create_assessment(&nothing)), "The `value` field must be specified.");
    let long = Assessment { name: "x".repeat(251), ..feedback(&trace, json!(1)) };
    assert_eq!(code(store.create_assessment(&long)), Some(ErrorCode::InvalidParameterValue));
    let named = Assessment { id: "a-mine".into(), ..feedback(&trace, json!(1)) };
    store.create_assessment(&named).expect("made");
    assert_eq!(code(store.create_assessment(&named)), Some(ErrorCode::ResourceAlreadyExists));
}

fn a_trace_may_come_with_assessments(store: &TrackingStore) {
    let mut new: TraceInfo = info(experiment(store), 1);
    new.assessments = vec![feedback(&new.id, json!(1.0))];
    let stored = store.start_trace(&new).expect("a new trace");
    assert_eq!(stored.assessments.len(), 1);
    store.create_assessment(&feedback(&new.id, json!(2.0))).expect("made");
    new.assessments = stored.assessments;
    assert_eq!(store.start_trace(&new).expect("again").assessments.len(), 2, "the same once, the other stays");
}
