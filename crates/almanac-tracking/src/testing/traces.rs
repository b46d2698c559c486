//! Traces and spans: in either order, searched, tagged, linked and deleted.

mod search;

use crate::{
    ErrorCode, ExperimentId, Millis, NewExperiment, NewRun, RunId, Span, SpanStatus, StoreError, Tag, TraceInfo, TraceSelection,
    TraceSpans, TraceState, TrackingStore,
};

/// Checks everything about traces but assessments.
pub(super) fn traces(store: &TrackingStore) {
    a_trace_comes_back_as_it_was_started(store);
    a_trace_of_old_is_begun_and_ended(store);
    spans_make_a_trace_and_the_trace_has_the_last_word(store);
    spans_widen_a_trace_that_still_runs(store);
    a_trace_is_whole_when_all_spans_have_come(store);
    tokens_are_summed_over_all_batches(store);
    many_traces_come_in_the_order_of_their_ids(store);
    tags_are_set_and_taken_away(store);
    long_texts_are_cut_and_odd_ones_refused(store);
    traces_are_deleted_by_id_or_time(store);
    traces_are_linked_to_runs(store);
    deleted_experiments_take_no_traces(store);
    search::search(store);
}

pub(super) fn code<T>(result: Result<T, StoreError>) -> Option<ErrorCode> {
    result.err().and_then(|error| error.code())
}

pub(super) fn message<T>(result: Result<T, StoreError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

pub(super) fn experiment(store: &TrackingStore) -> ExperimentId {
    let new = NewExperiment { name: format!("traces-{}", RunId::random()), ..NewExperiment::default() };
    store.create_experiment(&new, Millis(1)).expect("a new name")
}

/// A trace that nobody has, started at a time in milliseconds.
pub(super) fn info(experiment: ExperimentId, started: i64) -> TraceInfo {
    TraceInfo {
        id: format!("tr-{}", RunId::random()),
        experiment,
        request_time: Millis(started),
        execution_duration: Some(10),
        state: TraceState::Ok,
        client_request_id: None,
        request_preview: None,
        response_preview: None,
        metadata: Vec::new(),
        tags: Vec::new(),
        assessments: Vec::new(),
    }
}

/// A span of a second, `start` in seconds.
pub(super) fn span(id: &str, parent: Option<&str>, start: i64) -> Span {
    Span {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        name: format!("span {id}"),
        kind: Some("LLM".to_owned()),
        status: SpanStatus::Ok,
        started: start * 1_000_000_000,
        ended: Some((start + 1) * 1_000_000_000),
        usage: None,
        cost: None,
        content: format!("{{\"name\":\"{id}\"}}"),
    }
}

pub(super) fn spans(trace: &str, spans: Vec<Span>) -> TraceSpans {
    TraceSpans { trace: trace.to_owned(), spans, tags: Vec::new(), metadata: Vec::new(), request_preview: None, response_preview: None }
}

fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
}

fn a_trace_comes_back_as_it_was_started(store: &TrackingStore) {
    let experiment = experiment(store);
    let mut new = info(experiment, 1_700_000_000_000);
    new.client_request_id = Some("mine".into());
    new.request_preview = Some("question".into());
    new.metadata = vec![tag("mlflow.user", "me")];
    new.tags = vec![tag("mlflow.traceName", "f"), tag("color", "red")];
    let stored = store.start_trace(&new).expect("a new trace");
    assert_eq!(stored, store.get_trace_info(&new.id).expect("stored"));
    let location = format!("mlflow-artifacts:/{experiment}/traces/{}/artifacts", new.id);
    assert_eq!(value(&stored.tags, "mlflow.artifactLocation"), Some(location.as_str()));
    assert_eq!((value(&stored.tags, "color"), value(&stored.metadata, "mlflow.user")), (Some("red"), Some("me")));
    assert_eq!((stored.request_time, stored.execution_duration, stored.state), (Millis(1_700_000_000_000), Some(10), TraceState::Ok));
    assert_eq!(stored.request_preview.as_deref(), Some("question"));
    assert_eq!(code(store.get_trace_info("tr-none")), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(message(store.get_trace_info("tr-none")), "Trace with ID 'tr-none' not found.");
}

fn a_trace_of_old_is_begun_and_ended(store: &TrackingStore) {
    let experiment = experiment(store);
    let begun = store.begin_trace(experiment, Millis(100), &[tag("a", "1")], &[tag("t", "1")]).expect("begins");
    assert_eq!((begun.state, begun.execution_duration), (TraceState::InProgress, None));
    let ended = store.end_trace(&begun.id, Millis(350), TraceState::Error, &[tag("b", "2")], &[tag("t", "2")]).expect("ends");
    assert_eq!((ended.state, ended.execution_duration), (TraceState::Error, Some(250)));
    assert_eq!(ended.metadata, [tag("a", "1"), tag("b", "2")]);
    assert_eq!(value(&ended.tags, "t"), Some("2"));
    let unknown = store.end_trace("tr-none", Millis(1), TraceState::Ok, &[], &[]);
    assert_eq!(code(unknown), Some(ErrorCode::ResourceDoesNotExist));
}

fn spans_make_a_trace_and_the_trace_has_the_last_word(store: &TrackingStore) {
    let experiment = experiment(store);
    let new = info(experiment, 5_000);
    let mut first = spans(&new.id, vec![span("a", None, 100)]);
    first.tags = vec![tag("service.name", "svc"), tag("not$allowed", "x")];
    first.metadata = vec![tag("mlflow.trace.session", "s")];
    first.request_preview = Some("in".into());
    store.log_spans(experiment, &[first]).expect("stores");
    let made = store.get_trace_info(&new.id).expect("made by its spans");
    assert_eq!((made.request_time, made.execution_duration, made.state), (Millis(100_000), Some(1_000), TraceState::Ok));
    assert_eq!((value(&made.tags, "service.name"), value(&made.tags, "not$allowed")), (Some("svc"), None));
    assert_eq!(made.request_preview.as_deref(), Some("in"));

    store.start_trace(&new).expect("replaces");
    store.log_spans(experiment, &[spans(&new.id, vec![span("b", Some("a"), 1)])]).expect("stores");
    let known = store.get_trace_info(&new.id).expect("stored");
    assert_eq!((known.request_time, known.execution_duration), (Millis(5_000), Some(10)));
    assert_eq!(value(&known.metadata, "mlflow.trace.session"), Some("s"));
    assert_eq!(known.request_preview.as_deref(), Some("in"), "no preview does not take one away");
    let trace = store.get_trace(&new.id, false).expect("spans are here").expect("whole");
    assert_eq!(trace.spans, ["{\"name\":\"a\"}", "{\"name\":\"b\"}"], "the root comes first");
}

fn spans_widen_a_trace_that_still_runs(store: &TrackingStore) {
    let experiment = experiment(store);
    let id = format!("tr-{}", RunId::random());
    store.log_spans(experiment, &[spans(&id, vec![span("b", Some("a"), 10)])]).expect("stores");
    let running = store.get_trace_info(&id).expect("stored");
    assert_eq!((running.state, running.request_time, running.execution_duration), (TraceState::InProgress, Millis(10_000), Some(1_000)));
    let root = Span { ended: Some(14_000_000_000), status: SpanStatus::Error, ..span("a", None, 9) };
    // The same span twice in one batch: the last counts.
    store.log_spans(experiment, &[spans(&id, vec![span("a", None, 9), root])]).expect("stores");
    let ended = store.get_trace_info(&id).expect("stored");
    assert_eq!((ended.state, ended.request_time, ended.execution_duration), (TraceState::Ok, Millis(9_000), Some(5_000)));
    assert_eq!(store.get_trace(&id, false).expect("here").map(|trace| trace.spans.len()), Some(2));
}

fn a_trace_is_whole_when_all_spans_have_come(store: &TrackingStore) {
    let experiment = experiment(store);
    let mut new = info(experiment, 1);
    new.metadata = vec![tag("mlflow.trace.sizeStats", "{\"num_spans\": 2}")];
    store.start_trace(&new).expect("a new trace");
    assert_eq!(code(store.get_trace(&new.id, true)), Some(ErrorCode::BadRequest), "its spans are not in the store");
    store.log_spans(experiment, &[spans(&new.id, vec![span("a", None, 1)])]).expect("stores");
    assert_eq!(store.get_trace(&new.id, false).expect("here"), None);
    assert_eq!(store.get_traces(std::slice::from_ref(&new.id), None).expect("reads"), []);
    assert!(store.get_trace(&new.id, true).expect("here").is_some());
    store.log_spans(experiment, &[spans(&new.id, vec![span("b", Some("a"), 1)])]).expect("stores");
    assert!(store.get_trace(&new.id, false).expect("here").is_some());
    assert_eq!(code(store.get_trace("tr-none", true)), Some(ErrorCode::ResourceDoesNotExist));
}

fn tokens_are_summed_over_all_batches(store: &TrackingStore) {
    let experiment = experiment(store);
    let id = format!("tr-{}", RunId::random());
    let used = |id: &str, parent: Option<&str>| Span {
        usage: Some(r#"{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}"#.into()),
        cost: Some(r#"{"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}"#.into()),
        ..span(id, parent, 1)
    };
    store.log_spans(experiment, &[spans(&id, vec![used("a", Some("root"))])]).expect("stores");
    store.log_spans(experiment, &[spans(&id, vec![used("b", Some("root")), span("root", None, 1)])]).expect("stores");
    let known = store.get_trace_info(&id).expect("stored");
    let usage = value(&known.metadata, "mlflow.trace.tokenUsage");
    assert_eq!(usage, Some(r#"{"input_tokens":2,"output_tokens":4,"total_tokens":6}"#));
    assert_eq!(value(&known.metadata, "mlflow.trace.cost"), Some(r#"{"input_cost":0.5,"output_cost":1.0,"total_cost":1.5}"#));
}

fn many_traces_come_in_the_order_of_their_ids(store: &TrackingStore) {
    let (here, elsewhere) = (experiment(store), experiment(store));
    let made: Vec<TraceInfo> = (0..130).map(|place| info(here, place)).collect();
    for new in &made {
        store.start_trace(new).expect("a new trace");
    }
    let mut ids: Vec<String> = made.iter().rev().map(|info| info.id.clone()).collect();
    ids.insert(5, "tr-none".into());
    ids.push(ids[0].clone());
    let found = store.get_trace_infos(&ids, None).expect("reads");
    assert_eq!(found.len(), 130);
    assert!(found.iter().zip(made.iter().rev()).all(|(found, made)| found.id == made.id && found.tags.len() == 1));
    assert_eq!(store.get_trace_infos(&ids, Some(&[elsewhere])).expect("reads"), []);
    assert_eq!(store.get_trace_infos(&ids, Some(&[elsewhere, here])).expect("reads").len(), 130);
}

fn tags_are_set_and_taken_away(store: &TrackingStore) {
    let experiment = experiment(store);
    let new = info(experiment, 1);
    store.start_trace(&new).expect("a new trace");
    store.set_trace_tag(&new.id, &tag("k", "1")).expect("sets");
    store.set_trace_tag(&new.id, &tag("k", "2")).expect("sets again");
    assert_eq!(value(&store.get_trace_info(&new.id).expect("stored").tags, "k"), Some("2"));
    store.delete_trace_tag(&new.id, "k").expect("is there");
    let again = store.delete_trace_tag(&new.id, "k");
    assert_eq!(message(again), format!("No trace tag with key 'k' for trace with ID '{}'", new.id));
    assert_eq!(code(store.set_trace_tag("tr-none", &tag("k", "1"))), Some(ErrorCode::ResourceDoesNotExist));
    let reserved = store.set_trace_tag(&new.id, &tag("mlflow.trace.spansLocation", "x"));
    assert_eq!(message(reserved), "Tag 'mlflow.trace.spansLocation' is immutable and cannot be set on a trace.");
    assert_eq!(code(store.delete_trace_tag(&new.id, "mlflow.trace.spansLocation")), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(code(store.set_trace_tag(&new.id, &tag("../k", "1"))), Some(ErrorCode::InvalidParameterValue));
}

fn long_texts_are_cut_and_odd_ones_refused(store: &TrackingStore) {
    let experiment = experiment(store);
    let mut new = info(experiment, 1);
    new.metadata = vec![tag("m", &"é".repeat(1_000))];
    new.tags = vec![tag("t", &"é".repeat(10_000))];
    new.request_preview = Some("é".repeat(5_000));
    let stored = store.start_trace(&new).expect("a new trace");
    let length = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    let lengths = (length(value(&stored.metadata, "m")), length(value(&stored.tags, "t")), length(stored.request_preview.as_deref()));
    assert_eq!(lengths, (250, 4_096, 1_000));
    for id in ["", "../x", "a/b", "..", &"x".repeat(300), "a b", "a\0b"] {
        let odd = TraceInfo { id: id.to_owned(), ..info(experiment, 1) };
        assert_eq!(code(store.start_trace(&odd)), Some(ErrorCode::InvalidParameterValue), "{id}");
        assert_eq!(code(store.log_spans(experiment, &[spans(id, vec![span("a", None, 1)])])), Some(ErrorCode::InvalidParameterValue));
    }
    for odd in
        [info(experiment, i64::MAX), info(experiment, i64::MIN), TraceInfo { execution_duration: Some(i64::MAX), ..info(experiment, 1) }]
    {
        assert_eq!(code(store.start_trace(&odd)), Some(ErrorCode::InvalidParameterValue));
    }
    let wide = vec![Span { started: i64::MIN, ended: Some(i64::MAX), ..span("a", None, 1) }];
    store.log_spans(experiment, &[spans(&info(experiment, 1).id, wide)]).expect("times of spans are what they are");
}

fn traces_are_deleted_by_id_or_time(store: &TrackingStore) {
    let (here, elsewhere) = (experiment(store), experiment(store));
    let made: Vec<TraceInfo> = (1..=5).map(|place| info(here, place)).collect();
    for new in &made {
        store.start_trace(new).expect("a new trace");
        store.log_spans(here, &[spans(&new.id, vec![span("a", None, 1)])]).expect("stores");
    }
    let ids = |places: &[usize]| TraceSelection::Ids(places.iter().map(|place| made[*place].id.clone()).collect());
    let until = |until: i64, most| TraceSelection::Until { until: Millis(until), most };
    assert_eq!(store.delete_traces(elsewhere, &ids(&[0])).expect("none of it"), 0);
    assert_eq!(store.delete_traces(here, &ids(&[4])).expect("deletes"), 1);
    assert_eq!(store.delete_traces(here, &until(4, Some(1))).expect("deletes"), 1);
    assert_eq!(code(store.get_trace_info(&made[0].id)), Some(ErrorCode::ResourceDoesNotExist), "the oldest goes first");
    let none = store.delete_traces(here, &until(4, Some(0)));
    assert_eq!(message(none), "`max_traces` must be a positive integer, received 0.");
    assert_eq!(store.delete_traces(here, &until(3, None)).expect("deletes"), 2);
    assert!(store.get_trace_info(&made[3].id).is_ok());
}

fn traces_are_linked_to_runs(store: &TrackingStore) {
    let experiment = experiment(store);
    let run = RunId::random();
    let new_run = NewRun { id: run.clone(), experiment, name: "r".into(), user: String::new(), started: Millis(1), tags: Vec::new() };
    store.create_run(&new_run).expect("a new id");
    let new = info(experiment, 1);
    store.start_trace(&new).expect("a new trace");
    let both = [new.id.clone(), "tr-none".to_owned()];
    store.link_traces_to_run(&both, &run).expect("links what is there");
    store.link_traces_to_run(&both, &run).expect("again changes nothing");
    assert_eq!(code(store.link_traces_to_run(&both, &RunId::random())), Some(ErrorCode::ResourceDoesNotExist));
    let many: Vec<String> = (0..101).map(|place| format!("tr-{place}")).collect();
    assert_eq!(
        message(store.link_traces_to_run(&many, &run)),
        "Cannot link more than 100 traces to a run in a single request. Provided 101 traces."
    );
    store.link_prompts_to_trace(&new.id, &[("p".into(), "1".into())]).expect("links");
    assert_eq!(code(store.link_prompts_to_trace("tr-none", &[])), Some(ErrorCode::ResourceDoesNotExist));
}

fn deleted_experiments_take_no_traces(store: &TrackingStore) {
    let experiment = experiment(store);
    store.delete_experiment(experiment, Millis(2)).expect("is there");
    let new = info(experiment, 1);
    assert_eq!(code(store.start_trace(&new)), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(code(store.begin_trace(experiment, Millis(1), &[], &[])), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(code(store.log_spans(experiment, &[spans(&new.id, vec![span("a", None, 1)])])), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(code(store.log_spans(ExperimentId(i64::MAX), &[])), Some(ErrorCode::ResourceDoesNotExist));
}
