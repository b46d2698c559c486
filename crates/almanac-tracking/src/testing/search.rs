//! Searching runs: every entity, operator and order, and pages that neither overlap nor miss any.

use super::{experiment, id, metric, param, tag};
use crate::{Batch, ErrorCode, ExperimentId, Millis, NewRun, RunQuery, TrackingStore};

pub(super) fn search(store: &TrackingStore) {
    let experiment = experiment(store, "search");
    let runs: [(u8, f64, &str, &str); 5] =
        [(50, 0.5, "A", "x_y"), (51, 1.5, "b", "xzy"), (52, f64::NAN, "A", "É"), (53, 2.5, "B", "X"), (54, 0.0, "", "")];
    for (n, loss, model, note) in runs {
        let new =
            NewRun { id: id(n), experiment, name: format!("run {n}"), user: "me".into(), started: Millis(i64::from(n)), tags: vec![] };
        store.create_run(&new).expect("starts");
        let mut batch = Batch { metrics: vec![metric("loss", loss, 0)], ..Batch::default() };
        if n == 54 {
            batch.metrics.clear();
        }
        if !model.is_empty() {
            batch.params.push(param("the model", model));
        }
        if !note.is_empty() {
            batch.tags.push(tag("note", note));
        }
        store.log_batch(&id(n), &batch).expect("logs");
    }
    filters(store, experiment);
    orders(store, experiment);
    pages(store, experiment);
}

fn found(store: &TrackingStore, experiment: ExperimentId, filter: &str, order: &[&str]) -> Vec<String> {
    let order_by = order.iter().map(|term| (*term).to_owned()).collect();
    let query = RunQuery { experiments: vec![experiment], filter: filter.to_owned(), order_by, ..RunQuery::default() };
    let found = store.search_runs(&query).unwrap_or_else(|error| panic!("`{filter}` {order:?}: {error}"));
    found.items.into_iter().map(|record| record.run.name.trim_start_matches("run ").to_owned()).collect()
}

fn filters(store: &TrackingStore, experiment: ExperimentId) {
    let find = |filter: &str| found(store, experiment, filter, &["start_time ASC"]).join(" ");
    assert_eq!(find(""), "50 51 52 53 54");
    assert_eq!(find("metrics.loss > 0.5"), "51 53");
    assert_eq!(find("metrics.loss >= 0.5 AND metrics.loss <= 1.5"), "50 51");
    assert_eq!(find("metrics.loss != 0.5"), "51 52 53", "NaN is unequal, a missing one is not compared");
    assert_eq!(find("metrics.loss < 100"), "50 51 53", "NaN is not less");
    assert_eq!(find("metric.loss = 0"), "", "NaN is kept as 0 and is not 0");
    assert_eq!(find("params.`the model` = 'A'"), "50 52");
    assert_eq!(find("param.\"the model\" != 'A'"), "51 53", "runs without the key do not match");
    assert_eq!(find("parameters.`the model` LIKE 'a'"), "", "LIKE minds the case");
    assert_eq!(find("params.`the model` ILIKE 'a'"), "50 52");
    assert_eq!(find("params.`the model` IS NULL"), "54");
    assert_eq!(find("tags.note IS NOT NULL"), "50 51 52 53");
    assert_eq!(find("tags.note LIKE 'x_y'"), "50 51", "_ is any character");
    assert_eq!(find("tag.note ILIKE 'x%'"), "50 51 53");
    assert_eq!(find("tag.note ILIKE 'É'"), "52");
    assert_eq!(find("attributes.status = 'RUNNING' AND start_time > 52"), "53 54");
    assert_eq!(find("run_name = 'run 51'"), "51");
    assert_eq!(find(&format!("run_id IN ('{}', '{}')", id(50), id(53))), "50 53");
    assert_eq!(find(&format!("run_id NOT IN ('{}', '{}')", id(50), id(53))), "51 52 54");
    assert_eq!(find("created >= 53"), "53 54");
    assert_eq!(find("tags.note = 'it''s; DROP TABLE runs'"), "");
    for bad in [
        "metrics.loss > 'a'",
        "metrics.loss LIKE 'a'",
        "params.a > 5",
        "params.a > 'x'",
        "status IN ('RUNNING')",
        "tags.a IN ('x')",
        "lifecycle_stage = 'active'",
        "foo.bar = 'x'",
        "metrics.loss IS NULL",
        "start_time > 'x'",
        "metrics.loss > 1 OR metrics.loss < 0",
        "run_id IN ()",
        "dataset.size = 'x'",
    ] {
        let query = RunQuery { experiments: vec![experiment], filter: bad.to_owned(), ..RunQuery::default() };
        assert_eq!(store.search_runs(&query).expect_err(bad).code(), Some(ErrorCode::InvalidParameterValue), "{bad}");
    }
}

fn orders(store: &TrackingStore, experiment: ExperimentId) {
    let order = |terms: &[&str]| found(store, experiment, "", terms).join(" ");
    assert_eq!(order(&[]), "54 53 52 51 50", "newest first");
    assert_eq!(order(&["metrics.loss"]), "50 51 53 52 54", "NaN and missing come last");
    assert_eq!(order(&["metrics.loss DESC"]), "53 51 50 52 54", "in both directions");
    assert_eq!(order(&["params.`the model` ASC", "start_time ASC"]), "50 52 53 51 54", "by bytes in every database");
    assert_eq!(order(&["tags.note DESC"]), "52 51 50 53 54");
    assert_eq!(order(&["attributes.run_name DESC"]), "54 53 52 51 50");
    for bad in ["metrics.loss SIDEWAYS", "foo.x", "loss", "", "metrics.loss DESC DESC"] {
        let query = RunQuery { experiments: vec![experiment], order_by: vec![bad.to_owned()], ..RunQuery::default() };
        assert_eq!(store.search_runs(&query).expect_err(bad).code(), Some(ErrorCode::InvalidParameterValue), "{bad}");
    }
    let twice =
        RunQuery { experiments: vec![experiment], order_by: vec!["metrics.a".into(), "metrics.a DESC".into()], ..RunQuery::default() };
    assert!(store.search_runs(&twice).is_err());
}

fn pages(store: &TrackingStore, experiment: ExperimentId) {
    let mut query = RunQuery { experiments: vec![experiment], max_results: 2, ..RunQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.search_runs(&query).expect("a page");
        seen.extend(page.items.into_iter().map(|record| record.run.id));
        query.page_token = page.next;
        if query.page_token.is_none() {
            break;
        }
    }
    assert_eq!(seen, [54, 53, 52, 51, 50].map(id));
    for (max_results, token) in [(0, None), (-1, None), (50_001, None), (1, Some("x")), (1, Some("e30="))] {
        let query = RunQuery { experiments: vec![experiment], max_results, page_token: token.map(str::to_owned), ..RunQuery::default() };
        assert_eq!(store.search_runs(&query).expect_err("refused").code(), Some(ErrorCode::InvalidParameterValue));
    }
    assert!(store.search_runs(&RunQuery::default()).expect("no experiments").items.is_empty());
    let nowhere = RunQuery { experiments: vec![ExperimentId(987_654)], ..RunQuery::default() };
    assert!(store.search_runs(&nowhere).expect("unknown experiments").items.is_empty());
}
