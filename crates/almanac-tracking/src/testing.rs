//! The suite that the store passes on every database; shipped, so that it can be run against a database of one's own.
//!
//! Not here: what only one database has, such as the schema of a file.

mod access;
mod assessments;
mod experiments;
mod garbage;
mod inputs;
mod logged_models;
mod logging;
mod registry;
mod runs;
mod search;
mod studies;
mod traces;
mod transfer;

use crate::{ExperimentId, Metric, Millis, NewRun, Param, RunId, Tag, TrackingStore, ViewType};

/// Checks a store, which may hold other things already. What it makes has names that nobody else uses.
///
/// # Panics
/// At the first thing that is not as it should be.
pub fn check_store(store: &TrackingStore) {
    experiments::experiments(store);
    runs::runs(store);
    logging::logging(store);
    search::search(store);
    access::access(store);
    inputs::inputs(store);
    logged_models::logged_models(store);
    registry::registry(store);
    garbage::garbage(store);
    traces::traces(store);
    assessments::assessments(store);
    studies::studies(store);
    // Last, so that it has rows of every kind to move.
    transfer::transfer(store);
}

fn id(n: u8) -> RunId {
    RunId::from_bytes([n; 16])
}

fn param(key: &str, value: &str) -> Param {
    Param { key: key.into(), value: value.into() }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

fn metric(key: &str, value: f64, step: i64) -> Metric {
    Metric::new(key, value, Millis(1_000 + step), step)
}

fn experiment(store: &TrackingStore, name: &str) -> ExperimentId {
    store.get_or_create_experiment(name, Millis(1)).expect("makes").id
}

fn start(store: &TrackingStore, n: u8, experiment: ExperimentId) -> RunId {
    let new = NewRun { id: id(n), experiment, name: format!("run {n}"), user: String::new(), started: Millis(i64::from(n)), tags: vec![] };
    store.create_run(&new).expect("a new run starts");
    id(n)
}

fn active() -> ViewType {
    ViewType::ActiveOnly
}

fn deleted() -> ViewType {
    ViewType::DeletedOnly
}
