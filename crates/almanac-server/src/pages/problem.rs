//! The page of a problem: what happened, and what to do.

use super::layout::{Place, layout};
use super::page;
use almanac_api::Problem;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

/// Returns a problem as a page.
pub(crate) fn problem(problem: Problem) -> Response {
    let body = html! {
        main #main.message {
            p.status-code aria-hidden="true" { (problem.status) }
            h1 { (problem.title) }
            p { (sentence(&problem.detail)) }
            @if let Some(hint) = &problem.hint {
                p.hint { (sentence(hint)) }
            }
            p { a.button href="/" { "Forecast explorer" } }
        }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    page(status, layout(&problem.title, Place::Elsewhere, None, &html! {}, &body))
}

/// Returns a message, lower case and without full stop as our errors are, as a sentence with its backticks as code.
pub(super) fn sentence(message: &str) -> Markup {
    let mut letters = message.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let whole = format!("{first}{}.", letters.as_str().trim_end_matches('.'));
    with_code(&whole)
}

/// Returns a text with what stands in backticks as code.
pub(super) fn with_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
