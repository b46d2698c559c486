//! The checks: what came of each suite of expectations, newest first, with what was expected, what was seen, and how it went over runs.

use super::layout::{Place, layout};
use super::page;
use super::problem::{problem, with_code};
use crate::error::{ApiError, ServiceError};
use crate::router::App;
use almanac_api::ProjectInfo;
use almanac_tracking::{RecordedValidation, TrackingStore};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value as Json;

/// Validations looked at for trends.
const LOOKED_AT: i64 = 1000;
/// Runs shown in a trend.
const TREND: usize = 40;
/// Failing values shown of an expectation.
const SHOWN: usize = 5;

/// One table and suite: the newest validation with its report, and the ones before it, newest first.
struct Gate {
    newest: RecordedValidation,
    outcomes: Vec<Json>,
    trend: Vec<RecordedValidation>,
}

/// `GET /checks`.
pub(crate) async fn checks(State(app): State<App>) -> Response {
    let store = app.checks.clone();
    let asked = app.caller.call(move |service| {
        let project = service.project()?;
        let gates = store.map(|store| gates(&store)).transpose()?.unwrap_or_default();
        Ok((project, gates))
    });
    match asked.await {
        Err(error) => problem(ApiError::into_problem(error)),
        Ok((project, gates)) => answer(&project, &gates),
    }
}

fn gates(store: &TrackingStore) -> Result<Vec<Gate>, ServiceError> {
    let mut gates: Vec<Gate> = Vec::new();
    for found in store.validations(LOOKED_AT).map_err(ServiceError::internal)? {
        let same =
            |gate: &&mut Gate| (&gate.newest.layer, &gate.newest.table, &gate.newest.suite) == (&found.layer, &found.table, &found.suite);
        if let Some(gate) = gates.iter_mut().find(same) {
            if gate.trend.len() < TREND {
                gate.trend.push(found);
            }
            continue;
        }
        let report = store.validation_report(found.id).map_err(ServiceError::internal)?.map(|(_, report)| report).unwrap_or_default();
        let report: Json = serde_json::from_str(&report).unwrap_or_default();
        let outcomes = report["outcomes"].as_array().cloned().unwrap_or_default();
        gates.push(Gate { newest: found.clone(), outcomes, trend: vec![found] });
    }
    let order = |layer: &str| ["bronze", "silver", "gold"].iter().position(|name| *name == layer).unwrap_or(3);
    gates.sort_by(|a, b| {
        // What fails comes first: it is why one looks.
        let place = |gate: &Gate| (gate.newest.failed == 0, order(&gate.newest.layer));
        (place(a), &a.newest.table, &a.newest.suite).cmp(&(place(b), &b.newest.table, &b.newest.suite))
    });
    Ok(gates)
}

fn answer(project: &ProjectInfo, gates: &[Gate]) -> Response {
    let body = if gates.is_empty() {
        html! {
            main #main.message {
                h1 { "No checks yet" }
                p { "Suites of expectations say what must hold of the data. None has been judged in this project." }
                p.hint { "Let one be proposed from what the tables hold, read it, and judge by it:" }
                pre { code { "almanac check --suggest --write\nalmanac check" } }
            }
        }
    } else {
        let failed: i64 = gates.iter().map(|gate| gate.newest.failed).sum();
        let all: i64 = gates.iter().map(|gate| gate.newest.expectations).sum();
        html! {
            main #main.board {
                div.board-head {
                    h1 { "Checks" }
                    p.lead {
                        @if failed == 0 { "All " strong { (all) } " expectations hold. " }
                        @else { strong { (failed) } " of " (all) " expectations failed at the last look. " }
                        "Each table is shown as it was when it was last judged."
                    }
                }
                @for gate in gates { (section(gate)) }
            }
        }
    };
    page(StatusCode::OK, layout("Checks", Place::Checks, Some(project), &html! {}, &body))
}

fn section(gate: &Gate) -> Markup {
    let newest = &gate.newest;
    let place = if newest.layer.is_empty() { newest.table.clone() } else { format!("{} · {}", newest.layer, newest.table) };
    let (held, failed): (Vec<&Json>, Vec<&Json>) = gate.outcomes.iter().partition(|outcome| outcome["success"] == Json::Bool(true));
    html! {
        section.check aria-label=(place) {
            div.check-head {
                h2 { (place) }
                p {
                    span.verdict.bad[newest.failed > 0] {
                        @if newest.failed == 0 { "all " (newest.expectations) " hold" } @else { (newest.failed) " of " (newest.expectations) " failed" }
                    }
                    ", expectations of " code { (newest.suite) } " over " (newest.rows) " rows, "
                    time { (moment(newest.made.0)) }
                }
                (trend(&gate.trend))
            }
            div.card.table-scroll {
                table.checks {
                    thead { tr { th { "Verdict" } th { "Column" } th { "Expected" } th { "Observed" } th { "Failing values" } } }
                    tbody {
                        @for outcome in failed.iter().chain(&held) { (row(outcome)) }
                    }
                }
            }
        }
    }
}

fn row(outcome: &Json) -> Markup {
    let text = |key: &str| outcome[key].as_str().unwrap_or_default().to_owned();
    let holds = outcome["success"] == Json::Bool(true);
    let values: Vec<String> = outcome["result"]["partial_unexpected_list"]
        .as_array()
        .into_iter()
        .flatten()
        .take(SHOWN)
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    html! {
        tr.failed[!holds] {
            td { span.verdict.bad[!holds] { @if holds { "holds" } @else { (text("severity")) } } }
            td { code { (text("subject")) } }
            td { (with_code(&text("expected"))) }
            td { (text("observed")) }
            td { @for (place, value) in values.iter().enumerate() { @if place > 0 { ", " } code { (value) } } }
        }
    }
}

/// Failures over runs as bars, oldest first. A run without failures is a short bar of the good colour.
fn trend(runs: &[RecordedValidation]) -> Markup {
    if runs.len() < 2 {
        return html! {};
    }
    let most = runs.iter().map(|run| run.failed).max().unwrap_or(0).max(1) as f64;
    let width = runs.len() * 7;
    html! {
        svg.trend width=(width) height="28" role="img" aria-label=(format!("failed expectations over the last {} looks", runs.len())) {
            @for (place, run) in runs.iter().rev().enumerate() {
                @let height = if run.failed == 0 { 3.0 } else { 4.0 + 24.0 * run.failed as f64 / most };
                rect.bad[run.failed > 0] x=(place * 7) y=(format!("{:.1}", 28.0 - height)) width="5" height=(format!("{height:.1}")) rx="1" {
                    title { (moment(run.made.0)) ": " (run.failed) " of " (run.expectations) " failed, " (run.rows) " rows" }
                }
            }
        }
    }
}

fn moment(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
