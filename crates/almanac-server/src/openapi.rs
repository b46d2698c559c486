//! The OpenAPI 3.1 document and its page.
//!
//! `openapi.json` is committed beside this crate, so that a change of the interface shows as a diff.

use crate::access::tokens;
use crate::{api, ops};
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Almanac",
        description = "Probabilistic, coherent forecasts. Errors are problem details (RFC 9457) with a `hint`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        api::project, api::series, api::history, api::forecasts, api::leaderboard, api::predict, api::feature_catalogue,
        api::features, api::feast_features, api::table_data, ops::health, ops::ready, ops::metrics,
        tokens::list, tokens::create, tokens::revoke
    ),
    tags(
        (name = "forecasts", description = "Series, their past, their forecasts, and the scores of the models"),
        (name = "features", description = "The newest values of features, as training saw them"),
        (name = "data", description = "What is in the tables, and what changed"),
        (name = "operations", description = "For whoever runs the server"),
        (name = "access", description = "For admins: who may call"),
    ),
)]
struct Document;

/// Returns the OpenAPI document, as served and as committed.
pub fn openapi_json() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("the document is plain data");
    text.push('\n');
    text
}

/// The OpenAPI document.
pub(crate) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

/// The documentation page with everything it needs.
pub(crate) fn docs() -> Router {
    let config = Config::new(["/openapi.json"]).validator_url("none").try_it_out_enabled(true);
    SwaggerUi::new("/docs").config(config).into()
}
