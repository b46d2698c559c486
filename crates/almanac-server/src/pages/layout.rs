//! What all pages share: head, navigation, and the line about the run.

use super::problem::sentence;
use super::wording::{instant, short};
use almanac_api::{Outdated, OutdatedReason, ProjectInfo};
use maud::{DOCTYPE, Markup, html};

/// Which entry of the navigation is current.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Explorer,
    Leaderboard,
    Data,
    Features,
    Checks,
    Elsewhere,
}

pub(super) fn layout(title: &str, place: Place, project: Option<&ProjectInfo>, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) @if let Some(project) = project { " · " (project.name) } " · Almanac" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                (head)
                link rel="stylesheet" href="/assets/app.css";
            }
            body.explores[place == Place::Explorer] {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" aria-label="Almanac, forecast explorer" {
                        img src="/assets/icon.svg" alt="" width="26" height="26";
                        span.brand-name { "Almanac" }
                    }
                    @if let Some(project) = project {
                        span.project title="Project" { (project.name) }
                    }
                    nav aria-label="Pages" {
                        a href="/" aria-current=[(place == Place::Explorer).then_some("page")] { "Explorer" }
                        a href="/leaderboard" aria-current=[(place == Place::Leaderboard).then_some("page")] { "Leaderboard" }
                        a href="/data" aria-current=[(place == Place::Data).then_some("page")] { "Data" }
                        a href="/features" aria-current=[(place == Place::Features).then_some("page")] { "Features" }
                        a href="/checks" aria-current=[(place == Place::Checks).then_some("page")] { "Checks" }
                        a href="/docs/" { "API" }
                    }
                    @if let Some(project) = project { (provenance(project)) }
                }
                @if let Some(outdated) = project.and_then(|project| project.outdated.as_ref()) { (notice(outdated)) }
                (body)
            }
        }
    }
}

/// Says that the forecasts are not those of the newest data, and why.
fn notice(outdated: &Outdated) -> Markup {
    let is_newer = outdated.history_until != outdated.cutoff;
    html! {
        aside.notice aria-label="Notice" {
            @match outdated.reason {
                OutdatedReason::GateFailed => {
                    strong { "The newest backtest did not pass its gate, so no new model was promoted." }
                    " " (sentence(&outdated.detail))
                    " The forecasts from " time { (outdated.cutoff) } " go on being served"
                    @if is_newer { "; the history goes to " time { (outdated.history_until) } }
                    "."
                }
                OutdatedReason::NewerHistory => {
                    strong { "The forecasts do not start at the end of the history." }
                    " " (sentence(&outdated.detail)) " " code { "almanac run" } " forecasts from there."
                }
            }
        }
    }
}

fn provenance(project: &ProjectInfo) -> Markup {
    html! {
        dl.provenance aria-label="Latest run" {
            @if let Some(run_at) = &project.run_at {
                div { dt { "Run" } dd { time datetime=(run_at) { (instant(run_at)) } } }
            }
            @if let Some(version) = &project.data_version {
                div { dt { "Data" } dd { code title=(version) { (short(version)) } } }
            }
        }
    }
}
