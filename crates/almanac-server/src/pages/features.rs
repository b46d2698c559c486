//! The feature views: what is in them, how fresh they are, and how to ask for them.

use super::layout::{Place, layout};
use super::page;
use super::problem::sentence;
use super::wording::{count, instant};
use crate::api::catalogue;
use crate::router::App;
use almanac_api::{FeatureCatalogue, FeatureViewInfo};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

/// `GET /features`.
pub(crate) async fn features(State(app): State<App>) -> Response {
    let catalogue = catalogue(app.features.as_deref());
    let project = app.caller.call(|service| service.project()).await.ok();
    let body = if catalogue.views.is_empty() { nothing() } else { table(&catalogue) };
    page(StatusCode::OK, layout("Features", Place::Features, project.as_ref(), &html! {}, &body))
}

fn nothing() -> Markup {
    html! {
        main #main.message {
            h1 { "No features yet" }
            p { "Features are declared once, in " code { "features.yaml" } ", and read the same way for training and online." }
            p.hint { "Take over a Feast repository, or look at what is declared:" }
            pre { code { "almanac features import feature_store.yaml\nalmanac features list" } }
        }
    }
}

fn table(catalogue: &FeatureCatalogue) -> Markup {
    let served = catalogue.views.iter().filter(|view| view.until.is_some()).count();
    let is_waiting = catalogue.views.iter().any(|view| view.online && view.until.is_none());
    html! {
        main #main.board {
            div.board-head {
                h1 { "Features" }
                p.lead {
                    (catalogue.views.len()) @if catalogue.views.len() == 1 { " feature view is" } @else { " feature views are" }
                    " declared, " (served) " served online. A lookup is answered from the newest materialisation, by the code that training uses."
                    @if is_waiting { " " code { "almanac features materialise" } " makes what is not there yet." }
                }
            }
            div.card.table-scroll {
                table.numbers {
                    caption.visually-hidden { "Feature views" }
                    thead {
                        tr {
                            th scope="col" { "View" }
                            th scope="col" { "Keys" }
                            th scope="col" { "Features" }
                            th scope="col" { "Materialised until" }
                            th.number scope="col" { "Entities" }
                            th.number scope="col" { "Memory" }
                            th.number scope="col" { "Rows count for" }
                        }
                    }
                    tbody { @for view in &catalogue.views { (row(view)) } }
                }
            }
            @if !catalogue.services.is_empty() {
                section.glossary aria-labelledby="services" {
                    h2 #services { "Feature services" }
                    dl {
                        @for (name, features) in &catalogue.services {
                            div { dt { (name) } dd { (features.join(", ")) } }
                        }
                    }
                }
            }
        }
    }
}

fn row(view: &FeatureViewInfo) -> Markup {
    let keys: Vec<String> = view.keys.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    html! {
        tr {
            th scope="row" {
                span.model-name { (view.name) }
                @if !view.online { " " span.badge { "offline" } }
                @if !view.description.is_empty() { br; span.small { (view.description) } }
            }
            td { @if keys.is_empty() { span.small { "none: one row for all" } } @else { (keys.join(", ")) } }
            td title=(view.features.join(", ")) { (few(&view.features)) }
            td {
                @match &view.until {
                    Some(until) => time datetime=(until) { (instant(until)) },
                    None if view.online => "not yet",
                    None => "–",
                }
                @if let (Some(trouble), Some(_)) = (&view.trouble, &view.until) { br; span.small { (sentence(trouble)) } }
            }
            td.number { @if view.until.is_some() { (count(view.entities)) } @else { "–" } }
            td.number { @if view.until.is_some() { (size(view.bytes)) } @else { "–" } }
            td.number { (view.ttl.as_deref().unwrap_or("ever")) }
        }
    }
}

/// The first names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

fn size(bytes: u64) -> String {
    if bytes < 100_000 { format!("{} kB", bytes.div_ceil(1_000)) } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}
