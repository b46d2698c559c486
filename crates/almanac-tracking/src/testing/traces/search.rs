//! Searching traces.

use super::{code, experiment, info, message, span, spans, tag};
use crate::{
    Assessment, AssessmentValue, ErrorCode, ExperimentId, Millis, NewRun, RunId, Span, SpanStatus, Tag, TraceInfo, TraceSearch, TraceState,
    TrackingStore,
};

/// Four traces, of which the first is the oldest.
struct Made {
    experiment: ExperimentId,
    ids: Vec<String>,
    run: RunId,
}

/// Checks filters, orders and pages.
pub(super) fn search(store: &TrackingStore) {
    let made = make(store);
    filters_of_attributes(store, &made);
    filters_of_pairs(store, &made);
    filters_of_spans(store, &made);
    filters_of_assessments(store, &made);
    orders(store, &made);
    pages(store, &made);
    refusals(store, &made);
}

fn make(store: &TrackingStore) -> Made {
    let experiment = experiment(store);
    let run = RunId::random();
    let new_run = NewRun { id: run.clone(), experiment, name: "r".into(), user: String::new(), started: Millis(1), tags: Vec::new() };
    store.create_run(&new_run).expect("a new id");
    let mut ids = Vec::new();
    for place in 0..4_i64 {
        let state = if place == 3 { TraceState::Error } else { TraceState::Ok };
        let mut metadata = vec![tag("kind", if place < 2 { "early" } else { "late" })];
        if place == 1 {
            metadata.push(tag("mlflow.sourceRun", run.as_str()));
        }
        let mut tags = vec![tag("mlflow.traceName", &format!("Name {place}"))];
        if place != 0 {
            tags.push(tag("color", ["", "red", "Red", "blue"][place as usize]));
        }
        let new = TraceInfo {
            execution_duration: (place != 2).then_some(100 * (4 - place)),
            state,
            metadata,
            tags,
            client_request_id: Some(format!("c{place}")),
            ..info(experiment, 1_000 + place)
        };
        store.start_trace(&new).expect("a new trace");
        ids.push(new.id);
    }
    store.link_traces_to_run(&[ids[2].clone()], &run).expect("both are there");
    store.link_prompts_to_trace(&ids[0], &[("greeting".into(), "3".into())]).expect("is there");
    let failed = Span {
        status: SpanStatus::Error,
        kind: Some("TOOL".into()),
        content: r#"{"key":"model","value":{"string_value":"gpt-4"}}"#.into(),
        ..span("a", None, 1)
    };
    store.log_spans(experiment, &[spans(&ids[0], vec![failed, span("b", Some("a"), 1)])]).expect("stores");
    store.log_spans(experiment, &[spans(&ids[1], vec![span("c", None, 1)])]).expect("stores");
    for (place, value) in [(0, serde_json::json!(0.5)), (1, serde_json::json!("good")), (2, serde_json::json!(true))] {
        store.create_assessment(&assessment(&ids[place], value)).expect("the trace is there");
    }
    Made { experiment, ids, run }
}

fn assessment(trace: &str, value: serde_json::Value) -> Assessment {
    Assessment {
        id: String::new(),
        trace: trace.to_owned(),
        name: "score".into(),
        value: AssessmentValue::Feedback { value, error: None },
        source_type: "CODE".into(),
        source_id: None,
        span: None,
        rationale: None,
        metadata: Vec::<Tag>::new(),
        overrides: None,
        is_valid: true,
        created: Millis(1),
        updated: Millis(1),
    }
}

fn query(made: &Made, filter: &str) -> TraceSearch {
    TraceSearch { experiments: vec![made.experiment], filter: filter.to_owned(), max_results: 100, ..TraceSearch::default() }
}

/// Places of what is found, the newest first unless there is another order.
fn found(store: &TrackingStore, made: &Made, search: &TraceSearch) -> Vec<usize> {
    let found = store.search_traces(search).unwrap_or_else(|error| panic!("{}: {error}", search.filter)).items;
    found.iter().map(|info| made.ids.iter().position(|id| *id == info.id).expect("one of ours")).collect()
}

#[track_caller]
fn check(store: &TrackingStore, made: &Made, filter: &str, expected: &[usize]) {
    assert_eq!(found(store, made, &query(made, filter)), expected, "{filter}");
}

fn filters_of_attributes(store: &TrackingStore, made: &Made) {
    check(store, made, "", &[3, 2, 1, 0]);
    check(store, made, "status = 'OK'", &[2, 1, 0]);
    check(store, made, "trace.status != 'OK'", &[3]);
    check(store, made, "attributes.timestamp >= 1001 AND timestamp_ms < 1003", &[2, 1]);
    check(store, made, "execution_time > 150", &[1, 0]);
    check(store, made, "end_time_ms <= 1301 and execution_time_ms > 0.5", &[3, 1]);
    check(store, made, "name = 'Name 2'", &[2]);
    check(store, made, "name ILIKE 'name %'", &[3, 2, 1, 0]);
    check(store, made, "name LIKE 'name %'", &[]);
    check(store, made, "client_request_id IN ('c0', 'c3')", &[3, 0]);
    check(store, made, &format!("request_id NOT IN ('{}')", made.ids[0]), &[3, 2, 1]);
    check(store, made, &format!("run_id = '{}'", made.run), &[2, 1]);
    check(store, made, "prompt = 'greeting/3'", &[0]);
}

fn filters_of_pairs(store: &TrackingStore, made: &Made) {
    check(store, made, "tags.color = 'red'", &[1]);
    check(store, made, "tag.color ILIKE 'RED'", &[2, 1]);
    check(store, made, "tags.color != 'red'", &[3, 2]);
    check(store, made, "tags.color IS NULL", &[0]);
    check(store, made, "tags.`color` IS NOT NULL AND metadata.kind = 'late'", &[3, 2]);
    check(store, made, "request_metadata.kind LIKE 'ear%'", &[1, 0]);
    check(store, made, "tags.`mlflow.traceName` = 'Name 1'", &[1]);
}

fn filters_of_spans(store: &TrackingStore, made: &Made) {
    check(store, made, "span.name = 'span b'", &[0]);
    check(store, made, "span.type IN ('LLM', 'TOOL')", &[1, 0]);
    check(store, made, "span.status = 'ERROR' AND span.type = 'TOOL'", &[0]);
    check(store, made, "span.status = 'ERROR' AND span.type = 'LLM'", &[]);
    check(store, made, "span.attributes.model LIKE '%gpt%'", &[0]);
    check(store, made, "span.attributes.`model` ILIKE '%GPT%'", &[0]);
    check(store, made, "trace.text LIKE '%\"name\":\"c\"%'", &[1]);
}

fn filters_of_assessments(store: &TrackingStore, made: &Made) {
    check(store, made, "feedback.score > 0.4", &[0]);
    check(store, made, "feedback.score <= 0.4", &[]);
    check(store, made, "feedback.score = 'good'", &[1]);
    check(store, made, "feedback.score = 'true'", &[2]);
    check(store, made, "feedback.score != 'good'", &[2, 0]);
    check(store, made, "feedback.score IS NULL", &[3]);
    check(store, made, "feedback.score LIKE '%oo%'", &[1]);
    check(store, made, "expectation.score IS NOT NULL", &[]);
    check(store, made, "issue.id = 'x'", &[]);
}

fn orders(store: &TrackingStore, made: &Made) {
    let ordered = |terms: &[&str]| {
        let order_by = terms.iter().map(|term| (*term).to_owned()).collect();
        found(store, made, &TraceSearch { order_by, ..query(made, "") })
    };
    assert_eq!(ordered(&["timestamp_ms ASC"]), [0, 1, 2, 3]);
    assert_eq!(ordered(&["execution_time DESC"]), [0, 1, 3, 2], "what runs comes last");
    assert_eq!(ordered(&["execution_time"]), [3, 1, 0, 2]);
    assert_eq!(ordered(&["metadata.kind", "name DESC"]), [1, 0, 3, 2]);
    assert_eq!(ordered(&["status", "request_id"]).len(), 4);
    assert_eq!(ordered(&["tags.none"]), [3, 2, 1, 0]);
    let twice = TraceSearch { order_by: vec!["name".into(), "name DESC".into()], ..query(made, "") };
    assert!(message(store.search_traces(&twice)).starts_with("`order_by` contains duplicate fields"));
}

fn pages(store: &TrackingStore, made: &Made) {
    let mut search = TraceSearch { max_results: 3, ..query(made, "") };
    let first = store.search_traces(&search).expect("reads");
    assert_eq!(first.items.len(), 3);
    search.page_token = first.next;
    let last = store.search_traces(&search).expect("reads");
    assert_eq!((last.items.len(), last.next), (1, None));
    assert_eq!(last.items[0].id, made.ids[0]);
    assert_eq!(last.items[0].assessments.len(), 1);
    search.page_token = Some("!".into());
    assert_eq!(code(store.search_traces(&search)), Some(ErrorCode::InvalidParameterValue));
    for max_results in [0, -1, 501] {
        let search = TraceSearch { max_results, ..query(made, "") };
        assert_eq!(code(store.search_traces(&search)), Some(ErrorCode::InvalidParameterValue));
    }
    assert_eq!(store.search_traces(&TraceSearch { experiments: Vec::new(), ..query(made, "") }).expect("reads").items, []);
}

fn refusals(store: &TrackingStore, made: &Made) {
    let said = |filter: &str| message(store.search_traces(&query(made, filter)));
    assert_eq!(said("status RLIKE 'O.'"), "RLIKE operator is not supported. Consider using LIKE or ILIKE operators instead.");
    assert_eq!(said("a.b = 'c'").split('.').next(), Some("Invalid entity type 'a'"));
    assert_eq!(said("prompt = 'x'"), "Invalid prompts filter value 'x'. Expected format: prompt = \"name/version\"");
    assert_eq!(said("issue.name = 'x'"), "Invalid issue attribute 'name'. Supported attributes: id");
    for filter in [
        "lower = 'x'",
        "timestamp > 'x'",
        "status = 5",
        "tags.a > 'x'",
        "name = 'x' OR name = 'y'",
        "status IN ()",
        "feedback.x > 'a'",
        "span.content = 'x'",
        "span.attributes. = 'x'",
        "tags.color IN 'x'",
        "timestamp = 99999999999999999999999999 AND name",
        "';--",
    ] {
        assert_eq!(code(store.search_traces(&query(made, filter))), Some(ErrorCode::InvalidParameterValue), "{filter}");
    }
}
