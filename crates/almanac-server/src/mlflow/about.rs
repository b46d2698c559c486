//! What clients ask about the server itself: which version it speaks, and what it has.

use axum::Json;
use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::Tracking;

/// The version of MLflow whose interface this is. Clients send spans only to servers from 3.4 on.
const VERSION: &str = "3.17.2";

/// At the root of the server.
pub(super) fn at_root() -> Router<Tracking> {
    Router::new().route("/version", get(async || VERSION))
}

/// In the third version of the interface.
pub(super) fn routes() -> Router<Tracking> {
    Router::new().route("/server-info", get(server_info))
}

async fn server_info() -> Json<Value> {
    Json(json!({
        "store_type": "SqlStore",
        "workspaces_enabled": false,
        "trace_archival_enabled": false,
        "multipart_uploads_enabled": false,
        "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false,
        "presigned_upload_model_id_supported": false,
        "features_enabled": {"gateway": false},
    }))
}
