//! The forecast explorer: the list of series, and one series with its past and its forecast.
//!
//! The frame is rendered here; `assets/explorer.js` fills it from the REST interface and keeps the address in step.

use super::layout::{Place, layout};
use super::page;
use super::problem::{problem, sentence};
use super::wording::count;
use crate::router::App;
use almanac_api::{ProjectInfo, Readiness};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, PreEscaped, html};

/// `GET /`.
pub(crate) async fn explorer(State(app): State<App>) -> Response {
    match app.caller.call(|service| Ok((service.project()?, service.readiness()))).await {
        Err(error) => problem(error.into_problem()),
        Ok((project, readiness)) if !readiness.ready || project.levels.is_empty() => {
            page(StatusCode::OK, layout("Forecasts", Place::Explorer, Some(&project), &html! {}, &not_ready(&readiness)))
        }
        Ok((project, _)) => {
            let head = html! {
                link rel="stylesheet" href="/assets/vendor/uplot/uPlot.min.css";
                script src="/assets/vendor/uplot/uPlot.iife.min.js" defer {}
                script type="module" src="/assets/explorer.js" {}
            };
            page(StatusCode::OK, layout("Forecasts", Place::Explorer, Some(&project), &head, &frame(&project)))
        }
    }
}

fn not_ready(readiness: &Readiness) -> Markup {
    let reason = readiness.reason.as_deref().unwrap_or("there are no forecasts yet");
    html! {
        main #main.message {
            h1 { "Nothing to show yet" }
            p { (sentence(reason)) }
            p.hint { "Run the pipeline in the project's folder, then load this page again:" }
            pre { code { "almanac run" } }
            p { a.button href="/" { "Load again" } }
        }
    }
}

fn frame(project: &ProjectInfo) -> Markup {
    let start = project.levels.iter().find(|level| level.is_leaf).or(project.levels.last());
    html! {
        main #main.explorer {
            (side(project, start.map_or("", |level| level.name.as_str())))
            (detail())
        }
        script #project type="application/json" { (PreEscaped(json_in_html(project))) }
        noscript { p.noscript { "The explorer draws with JavaScript. The same numbers are at " code { "/api/v1/forecasts" } "." } }
    }
}

fn side(project: &ProjectInfo, start: &str) -> Markup {
    html! {
        aside.side aria-label="Series" {
            form.controls role="search" onsubmit="return false" {
                div.field {
                    label for="level" { "Level" }
                    select #level name="level" {
                        @for level in &project.levels {
                            option value=(level.name) selected[level.name == start] { (level.name) " (" (count(level.series)) ")" }
                        }
                    }
                }
                div.field {
                    label for="sort" { "Sort by" }
                    select #sort name="sort" {
                        option value="value.desc" { "Highest value" }
                        option value="value.asc" { "Lowest value" }
                        option value="error.desc" { "Largest error" }
                        option value="error.asc" { "Smallest error" }
                        option value="name.asc" { "Name, A to Z" }
                        option value="name.desc" { "Name, Z to A" }
                    }
                }
                div.field.search {
                    label.visually-hidden for="search" { "Search series" }
                    input #search type="search" name="search" placeholder="Search series" autocomplete="off" spellcheck="false"
                        aria-controls="list" aria-keyshortcuts="/";
                    kbd aria-hidden="true" { "/" }
                }
            }
            div.count {
                p #count role="status" {}
                span aria-hidden="true" { "recent value · WAPE" }
            }
            div #list.list role="listbox" tabindex="0" aria-label="Series; arrow keys move" { div #rows.rows {} }
            p.side-foot {
                "All forecasts of this level: "
                a #download-csv href="/api/v1/forecasts?format=csv" download { "CSV" }
                " · "
                a #download-parquet href="/api/v1/forecasts?format=parquet" download { "Parquet" }
            }
        }
    }
}

fn detail() -> Markup {
    html! {
        section.detail aria-label="Forecast of the selected series" {
            div.series-head {
                div.series-title {
                    h1 #title { span.skeleton-text { "Loading" } }
                    p #about.about {}
                }
                div.series-actions {
                    div.field {
                        label for="model" { "Model" }
                        select #model name="model" {}
                    }
                    div.field {
                        label for="cutoff" { "Cutoff" }
                        select #cutoff name="cutoff" {}
                    }
                    a #download.button href="/api/v1/forecasts?format=csv" download { "Download CSV" }
                }
            }
            dl #figures.figures aria-label="Key figures" {}
            div.card {
                div.chart-bar {
                    div #ranges.segments role="group" aria-label="Range shown" {}
                    button #reset.quiet type="button" hidden { "Reset zoom" }
                    ul #legend.legend aria-label="Legend" {}
                }
                div #chart.chart tabindex="0" role="application" aria-roledescription="chart" aria-label="Forecast chart" {
                    div #tooltip.tooltip hidden {}
                }
                p #spoken.visually-hidden aria-live="polite" {}
                p.chart-help { "Drag to zoom, double-click to reset. With the chart in focus, ← and → read it step by step." }
            }
            details #table-card.card.table-card {
                summary { "Forecast as a table" }
                div.table-scroll tabindex="0" role="region" aria-label="Forecast as a table" { table #table.numbers {} }
            }
            div #trouble.trouble role="alert" hidden {}
        }
    }
}

/// Returns JSON that cannot end the script element it stands in.
fn json_in_html(project: &ProjectInfo) -> String {
    let json = serde_json::to_string(project).expect("a project is plain data");
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
