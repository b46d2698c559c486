//! The leaderboard: models by their scores, for one level and one part of the horizon at a time.

use super::layout::{Place, layout};
use super::problem::problem;
use super::wording::{percent, score, signed_percent};
use super::{encoded, page, problem::sentence};
use crate::ServiceError;
use crate::error::ApiError;
use crate::router::App;
use almanac_api::{CoverageScore, Leaderboard, LeaderboardRow, ProjectInfo, Scores, StepBucket};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

/// Which table.
#[derive(Debug, Deserialize)]
pub(crate) struct LeaderboardParams {
    level: Option<String>,
    steps: Option<String>,
}

/// A column of scores: how it is named, read and explained.
struct Column {
    key: &'static str,
    name: &'static str,
    meaning: &'static str,
    of: fn(&Scores) -> Option<f64>,
    text: fn(Option<f64>) -> String,
    /// Whether the best is the one nearest 0, not the lowest.
    is_signed: bool,
}

const COLUMNS: [Column; 6] = [
    Column {
        key: "wrmsse",
        name: "WRMSSE",
        meaning: "Root mean squared error of each series over that of a naive forecast, averaged with the series' value as weight; \
                  without price and hierarchy every series counts the same. Below 1 beats naive. Lower is better.",
        of: |scores| scores.wrmsse,
        text: score,
        is_signed: false,
    },
    Column {
        key: "mase",
        name: "MASE",
        meaning: "Mean absolute error over that of seasonal naive in the training data. Below 1 beats it; every series counts the same. \
                  Lower is better.",
        of: |scores| scores.mase,
        text: score,
        is_signed: false,
    },
    Column {
        key: "rmsse",
        name: "RMSSE",
        meaning: "Like MASE with squared errors, so that large misses weigh more. Lower is better.",
        of: |scores| scores.rmsse,
        text: score,
        is_signed: false,
    },
    Column {
        key: "wape",
        name: "WAPE",
        meaning: "All absolute errors added up, over all sales added up: 20 % means that a fifth of the volume was misplaced. Lower is better.",
        of: |scores| scores.wape,
        text: percent,
        is_signed: false,
    },
    Column {
        key: "bias",
        name: "Bias",
        meaning: "Forecast less actual, over actual. Above 0 forecasts too much, below 0 too little. Nearest 0 is best.",
        of: |scores| scores.bias,
        text: signed_percent,
        is_signed: true,
    },
    Column {
        key: "wql",
        name: "WQL",
        meaning: "Weighted quantile loss: how well the whole distribution fits, not only its middle. Lower is better.",
        of: |scores| scores.wql,
        text: score,
        is_signed: false,
    },
];

const COVERAGE_MEANING: &str = "How often the held-out value fell into the interval, beside what the interval promises. \
                                Below the promise the intervals are too narrow, above it too wide. \
                                Above the leaves it is measured for the champion only.";

/// `GET /leaderboard`.
pub(crate) async fn leaderboard(State(app): State<App>, params: Result<Query<LeaderboardParams>, QueryRejection>) -> Response {
    let params = params.map_or(LeaderboardParams { level: None, steps: None }, |Query(params)| params);
    let asked = app.caller.call(|service| {
        let project = service.project()?;
        let board = match service.leaderboard() {
            Err(ServiceError::NotReady { reason }) => Err(reason),
            other => Ok(other?),
        };
        Ok((project, board))
    });
    match asked.await {
        Err(error) => problem(error.into_problem()),
        Ok((project, Ok(board))) if !board.rows.is_empty() => answer(&project, &board, params),
        Ok((project, board)) => {
            let reason = board.err().unwrap_or_else(|| "there is no backtest yet".to_owned());
            let body = html! {
                main #main.message {
                    h1 { "No scores yet" }
                    p { (sentence(&reason)) }
                    p.hint { "The leaderboard is made by the backtest, a part of every run:" }
                    pre { code { "almanac run" } }
                }
            };
            page(StatusCode::OK, layout("Leaderboard", Place::Leaderboard, Some(&project), &html! {}, &body))
        }
    }
}

fn answer(project: &ProjectInfo, board: &Leaderboard, params: LeaderboardParams) -> Response {
    let mut levels: Vec<&str> = Vec::new();
    let mut buckets: Vec<StepBucket> = Vec::new();
    for row in &board.rows {
        if !levels.contains(&row.level.as_str()) {
            levels.push(&row.level);
        }
        if !buckets.contains(&row.steps) {
            buckets.push(row.steps);
        }
    }
    // The whole horizon first, then its parts in order.
    buckets.sort_by_key(|steps| (steps.first, std::cmp::Reverse(steps.last)));
    let level = match params.level {
        None => levels[0],
        Some(name) => match levels.iter().find(|level| **level == name) {
            Some(level) => level,
            None => return problem(ApiError::from(ServiceError::NotFound { what: "level", name }).into_problem()),
        },
    };
    let steps = buckets.iter().find(|steps| Some(steps_key(**steps)) == params.steps).or(buckets.first());
    let steps = *steps.expect("the leaderboard has rows");
    let mut rows: Vec<&LeaderboardRow> = board.rows.iter().filter(|row| row.level == level && row.steps == steps).collect();
    rows.sort_by_key(|row| row.rank);

    let body = html! {
        main #main.board {
            div.board-head {
                h1 { "Leaderboard" }
                (summary(board, &rows))
            }
            div.filters {
                nav aria-label="Hierarchy level" {
                    span.filter-name { "Level" }
                    div.segments {
                        @for name in &levels {
                            a href=(link(name, steps)) aria-current=[(*name == level).then_some("true")] { (name) }
                        }
                    }
                }
                nav aria-label="Part of the horizon" {
                    span.filter-name { "Steps ahead" }
                    div.segments {
                        @for bucket in &buckets {
                            a href=(link(level, *bucket)) aria-current=[(*bucket == steps).then_some("true")] { (steps_text(*bucket)) }
                        }
                    }
                }
            }
            div.card.table-scroll { (table(board, &rows, level, steps)) }
            (glossary(&rows))
        }
    };
    page(StatusCode::OK, layout("Leaderboard", Place::Leaderboard, Some(project), &html! {}, &body))
}

fn summary(board: &Leaderboard, rows: &[&LeaderboardRow]) -> Markup {
    let ranking = COLUMNS.iter().find(|column| column.key == board.ranked_by);
    let champion = rows.iter().find(|row| row.is_champion);
    let gain = ranking.and_then(|column| {
        let champion = (column.of)(&champion?.scores)?;
        let baselines = rows.iter().filter(|row| row.is_baseline);
        let best = baselines.filter_map(|row| Some((row, (column.of)(&row.scores)?))).min_by(|a, b| a.1.total_cmp(&b.1))?;
        (best.1 > 0.0).then_some((best.0.model.as_str(), 1.0 - champion / best.1))
    });
    let name = ranking.map_or(board.ranked_by.as_str(), |column| column.name);
    html! {
        p.lead {
            @if let Some(champion) = champion {
                strong { (champion.model) } " is served. "
                @if let Some((baseline, gain)) = gain {
                    "Here its " (name) " is "
                    strong { (percent(Some(gain.abs()))) @if gain >= 0.0 { " below" } @else { " above" } }
                    " that of the best baseline, " (baseline) ". "
                }
            }
            "Ranked by " (name) " over " (board.cutoffs.len()) @if board.cutoffs.len() == 1 { " cutoff" } @else { " cutoffs" }
            @if let (Some(first), Some(last)) = (board.cutoffs.first(), board.cutoffs.last()) {
                " from " time { (first) } " to " time { (last) }
            }
            "."
        }
    }
}

fn table(board: &Leaderboard, rows: &[&LeaderboardRow], level: &str, steps: StepBucket) -> Markup {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| rows.iter().any(|row| (column.of)(&row.scores).is_some())).collect();
    let nominals = nominals(rows);
    html! {
        table.numbers.leaderboard {
            caption.visually-hidden { "Scores of all models, level " (level) ", steps " (steps_text(steps)) }
            thead {
                tr {
                    th scope="col" { "#" }
                    th scope="col" { "Model" }
                    @for column in &columns {
                        th.number scope="col" aria-sort=[(column.key == board.ranked_by).then_some("ascending")] {
                            (term(column.key, column.name, column.meaning))
                        }
                    }
                    @for nominal in &nominals {
                        th.number scope="col" {
                            (term(&format!("coverage-{nominal}"), &format!("{:.0} % covers", nominal * 100.0), COVERAGE_MEANING))
                        }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr.champion[row.is_champion] {
                        td.rank { (row.rank) }
                        th scope="row" {
                            span.model-name { (row.model) }
                            @if row.is_champion { span.badge.champion { "champion" } }
                            @if row.is_baseline { span.badge { "baseline" } }
                        }
                        @for column in &columns {
                            td.number.best[is_best(column, row, rows)] { ((column.text)((column.of)(&row.scores))) }
                        }
                        @for nominal in &nominals {
                            td.number { (coverage(row.coverage.iter().find(|score| score.nominal == *nominal))) }
                        }
                    }
                }
            }
        }
    }
}

/// Levels of the intervals to show: of all that were measured those nearest to 50, 80 and 95 %, narrow to wide.
fn nominals(rows: &[&LeaderboardRow]) -> Vec<f64> {
    let mut measured: Vec<f64> = rows.iter().flat_map(|row| &row.coverage).map(|score| score.nominal).collect();
    measured.sort_by(f64::total_cmp);
    measured.dedup();
    let nearest = |wanted: f64| measured.iter().copied().min_by(|a, b| (a - wanted).abs().total_cmp(&(b - wanted).abs()));
    let mut shown: Vec<f64> = [0.5, 0.8, 0.95].into_iter().filter_map(nearest).collect();
    shown.dedup();
    shown
}

fn is_best(column: &Column, row: &LeaderboardRow, rows: &[&LeaderboardRow]) -> bool {
    let size = |row: &LeaderboardRow| (column.of)(&row.scores).map(|value| if column.is_signed { value.abs() } else { value });
    size(row).is_some_and(|own| rows.iter().filter_map(|row| size(row)).all(|other| own <= other))
}

fn term(key: &str, name: &str, meaning: &str) -> Markup {
    html! {
        span.term {
            button type="button" aria-describedby={ "tip-" (key) } { (name) }
            span.tip role="tooltip" id={ "tip-" (key) } { (meaning) }
        }
    }
}

/// A coverage as text and as a mark on a scale whose tick is the promise.
fn coverage(score: Option<&CoverageScore>) -> Markup {
    let Some(score) = score else {
        return html! { "–" };
    };
    let off = score.empirical - score.nominal;
    // Three points is what a run has to keep; beyond it the reader should look.
    let is_off = off.abs() > 0.03;
    html! {
        span.coverage.off[is_off] title={ "promised " (percent(Some(score.nominal))) ", held " (percent(Some(score.empirical))) } {
            (percent(Some(score.empirical)))
            @if is_off {
                span.visually-hidden { @if off < 0.0 { " too narrow" } @else { " too wide" } }
                span.arrow aria-hidden="true" { @if off < 0.0 { "▾" } @else { "▴" } }
            }
            svg.gauge viewBox="0 0 60 6" width="60" height="6" aria-hidden="true" {
                rect.track x="0" y="2" width="60" height="2" rx="1" {}
                rect.tick x=(format!("{:.1}", gauge(score.nominal))) y="0" width="1.5" height="6" {}
                circle.mark cx=(format!("{:.1}", gauge(score.empirical))) cy="3" r="2.6" {}
            }
        }
    }
}

/// Place on a scale of 60 from 40 % to 100 %, where the differences of interest are.
fn gauge(coverage: f64) -> f64 {
    (coverage - 0.4).clamp(0.0, 0.6) / 0.6 * 54.0 + 3.0
}

fn glossary(rows: &[&LeaderboardRow]) -> Markup {
    let shown = COLUMNS.iter().filter(|column| rows.iter().any(|row| (column.of)(&row.scores).is_some()));
    html! {
        section.glossary aria-labelledby="glossary" {
            h2 #glossary { "What the scores mean" }
            dl {
                @for column in shown {
                    div { dt { (column.name) } dd { (column.meaning) } }
                }
                div { dt { "Coverage" } dd { (COVERAGE_MEANING) } }
            }
            p.small { "All scores are out of sample: each model saw the data up to a cutoff and was scored on what came after. \
                Rows with a stock-out or a closed shop are not scored." }
        }
    }
}

fn steps_text(steps: StepBucket) -> String {
    if steps.first == steps.last { steps.first.to_string() } else { format!("{}–{}", steps.first, steps.last) }
}

fn steps_key(steps: StepBucket) -> String {
    format!("{}-{}", steps.first, steps.last)
}

fn link(level: &str, steps: StepBucket) -> String {
    format!("/leaderboard?level={}&steps={}", encoded(level), steps_key(steps))
}
