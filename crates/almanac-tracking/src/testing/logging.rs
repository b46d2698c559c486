//! Params, metrics and tags: what is kept, what is refused, and that a batch is one.

use super::{experiment, id, metric, param, start, tag};
use crate::{Batch, ErrorCode, Metric, Millis, RunId, TrackingStore};

pub(super) fn logging(store: &TrackingStore) {
    let experiment = experiment(store, "logging");
    let run = start(store, 20, experiment);
    what_is_logged_is_there_once(store, &run);
    the_latest_value_counts(store, &start(store, 21, experiment));
    a_failed_batch_leaves_nothing(store, &start(store, 22, experiment));
    batches_have_limits(store, &run);
    long_histories_are_paged_and_sampled(store, &start(store, 23, experiment));
}

fn history(store: &TrackingStore, run: &RunId, key: &str) -> Vec<Metric> {
    store.metric_history(run, key, None, None).expect("asks").items
}

fn what_is_logged_is_there_once(store: &TrackingStore, run: &RunId) {
    let batch = Batch {
        params: vec![param("model/lags", "7"), param("a", "")],
        metrics: vec![metric("wape", 0.3, 0), metric("wape", 0.1, 2), metric("wape", 0.2, 1), metric("nan", f64::NAN, 0)],
        tags: vec![tag("k", "1")],
    };
    store.log_batch(run, &batch).expect("logs");
    store.log_batch(run, &batch).expect("the same again is fine");
    store.set_tag(run, &tag("k", "2")).expect("a tag may change");
    let data = store.get_run_record(run).expect("is there").data;
    assert_eq!(data.params, [param("a", ""), param("model/lags", "7")]);
    assert!(data.tags.contains(&tag("k", "2")));
    assert_eq!(data.metrics.len(), 2);
    assert!(data.metrics[0].value.is_nan(), "NaN is kept");
    assert_eq!(data.metrics[1], metric("wape", 0.1, 2), "the latest step counts");
    assert_eq!(history(store, run, "wape"), [metric("wape", 0.3, 0), metric("wape", 0.2, 1), metric("wape", 0.1, 2)], "stored once each");
    assert!(history(store, run, "none").is_empty() && history(store, &id(99), "wape").is_empty());

    store.log_metric(run, &metric("inf", f64::NEG_INFINITY, 0)).expect("logs");
    store.log_metric(run, &metric("tiny", 5e-324, 0)).expect("logs");
    assert_eq!(history(store, run, "inf")[0].value, f64::MIN);
    assert_eq!(history(store, run, "tiny")[0].value, 5e-324);
    store.delete_tag(run, "k").expect("is there");
    assert_eq!(store.delete_tag(run, "k").expect_err("gone").code(), Some(ErrorCode::ResourceDoesNotExist));
    let cut = param("long", &"ä".repeat(6_001));
    store.log_param(run, &cut).expect("is cut");
    let data = store.get_run_record(run).expect("is there").data;
    assert!(data.params.contains(&param("long", &"ä".repeat(6_000))), "long values are cut");
}

fn the_latest_value_counts(store: &TrackingStore, run: &RunId) {
    let at = |value, timestamp, step| Metric::new("m", value, Millis(timestamp), step);
    let latest = || store.get_run_record(run).expect("is there").data.metrics[0].clone();
    store.log_metric(run, &at(1.0, 100, 5)).expect("logs");
    for (older, why) in [(at(9.0, 200, 4), "step"), (at(9.0, 99, 5), "time"), (at(0.5, 100, 5), "value"), (at(f64::NAN, 100, 5), "NaN")] {
        store.log_metric(run, &older).expect("logs");
        assert_eq!(latest(), at(1.0, 100, 5), "the greatest {why} counts");
    }
    store.log_metric(run, &at(-3.0, 50, 6)).expect("logs");
    assert_eq!(latest(), at(-3.0, 50, 6), "first the step counts, then time, then value");
    assert_eq!(history(store, run, "m").len(), 6);
}

fn a_failed_batch_leaves_nothing(store: &TrackingStore, run: &RunId) {
    let before = store.get_run_record(run).expect("is there").data;
    store.log_param(run, &param("p", "1")).expect("logs");
    store.log_param(run, &param("p", "1")).expect("the same again is fine");
    let conflict =
        Batch { params: vec![param("new", "1"), param("p", "2")], metrics: vec![metric("m", 1.0, 0)], tags: vec![tag("t", "1")] };
    let error = store.log_batch(run, &conflict).expect_err("a param cannot change");
    assert_eq!(error.code(), Some(ErrorCode::InvalidParameterValue));
    assert!(error.to_string().contains("{'key': 'p', 'old_value': '1', 'new_value': '2'}"), "{error}");
    let error = store.log_param(run, &param("p", "2")).expect_err("a param cannot change");
    assert!(error.to_string().contains("already logged with value='1'"), "{error}");
    for key in ["a//b", "../x", "/a", "a$b", "a/./b", &"k".repeat(251)] {
        let batch = Batch { metrics: vec![metric("fine", 1.0, 0), metric(key, 1.0, 0)], ..Batch::default() };
        assert_eq!(store.log_batch(run, &batch).expect_err(key).code(), Some(ErrorCode::InvalidParameterValue), "`{key}`");
    }
    let early = Batch { metrics: vec![Metric::new("m", 1.0, Millis(-1), 0)], ..Batch::default() };
    assert_eq!(store.log_batch(run, &early).expect_err("before 1970").code(), Some(ErrorCode::InvalidParameterValue));
    let data = store.get_run_record(run).expect("is there").data;
    assert_eq!((data.params, data.metrics, data.tags), (vec![param("p", "1")], vec![], before.tags), "a failed batch leaves nothing");
    assert_eq!(store.log_batch(&id(98), &Batch::default()).expect_err("unknown").code(), Some(ErrorCode::ResourceDoesNotExist));
}

fn batches_have_limits(store: &TrackingStore, run: &RunId) {
    let metrics = |count: i64| (0..count).map(|step| metric("limit", 1.0, step)).collect::<Vec<_>>();
    let params = |count: i64| (0..count).map(|n| param(&format!("limit{n}"), "x")).collect::<Vec<_>>();
    store.log_batch(run, &Batch { metrics: metrics(1_000), ..Batch::default() }).expect("a thousand fit");
    for batch in [
        Batch { metrics: metrics(1_001), ..Batch::default() },
        Batch { params: params(101), ..Batch::default() },
        Batch { metrics: metrics(950), params: params(51), ..Batch::default() },
        Batch { params: vec![param("twice", "1"), param("twice", "1")], ..Batch::default() },
    ] {
        assert_eq!(store.log_batch(run, &batch).expect_err("too many").code(), Some(ErrorCode::InvalidParameterValue));
    }
}

fn long_histories_are_paged_and_sampled(store: &TrackingStore, run: &RunId) {
    let many: Vec<Metric> = (0..5_000).map(|step| metric("loss", step as f64 / 7.0, step)).collect();
    store.log_any_batch(run, &Batch { metrics: many.clone(), ..Batch::default() }).expect("logs many");
    assert_eq!(history(store, run, "loss"), many);
    let first = store.metric_history(run, "loss", Some(3_000), None).expect("a page");
    let second = store.metric_history(run, "loss", Some(3_000), first.next.as_deref()).expect("a page");
    assert_eq!((first.items.len(), second.items.len(), second.next), (3_000, 2_000, None));
    assert_eq!(second.items[0], many[3_000]);
    assert!(store.metric_history(run, "loss", Some(5), Some("rubbish")).is_err());

    let sample = store.metric_sample(std::slice::from_ref(run), "loss", 10, None).expect("samples");
    let steps: Vec<i64> = sample.iter().map(|(_, metric)| metric.step).collect();
    assert!(steps.len() <= 10 && steps[0] == 0 && steps.last() == Some(&4_999), "{steps:?}");
    assert!(steps.windows(2).all(|pair| pair[1] - pair[0] > 300), "spread evenly: {steps:?}");
    let part = store.metric_sample(std::slice::from_ref(run), "loss", 10, Some((10, 12))).expect("samples");
    assert_eq!(part.iter().map(|(_, metric)| metric.step).collect::<Vec<_>>(), [10, 11, 12]);
    let last = store.metric_sample(std::slice::from_ref(run), "loss", 1, None).expect("samples");
    assert_eq!(last[0].1.step, 4_999, "of one value it is the last");
    let of_runs = store.metric_history_of_runs(&[run.clone(), id(99)], "loss", 7).expect("asks");
    assert_eq!(of_runs.len(), 7);
}
