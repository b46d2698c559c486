//! What the server offers, which clients ask before they use it, and which MLflow it speaks like.

use almanac_api::mlflow as wire;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::super::Tracking;

/// Version of MLflow whose interface this is.
const MLFLOW: &str = "3.17.2";

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/version", get(|| async { MLFLOW }))
        .route("/api/3.0/mlflow/server-info", get(server_info))
        .route("/ajax-api/3.0/mlflow/server-info", get(server_info))
}

async fn server_info(State(tracking): State<Tracking>) -> Json<wire::ServerInfo> {
    let offers_parts = tracking.artifacts.offers_parts();
    Json(wire::ServerInfo {
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
        artifact_serving_enabled: true,
        multipart_uploads_enabled: offers_parts,
        multipart_downloads_enabled: offers_parts,
        presigned_upload_run_id_supported: true,
        presigned_upload_model_id_supported: true,
        features_enabled: [("gateway", false)].into(),
    })
}
