//! Artifacts.

use std::collections::BTreeMap;

use serde::Serialize;

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct FileInfo {
    pub path: String,
    pub is_dir: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
}

/// Answer to `artifacts/list`, and to the listing of the artifact proxy, which has no root.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ArtifactsListed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileInfo>,
}

/// Where one part of an upload goes, by `PUT`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct UploadCredential {
    pub url: String,
    pub part_number: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Answer to `mpu/create`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct UploadCreated {
    pub upload_id: String,
    pub credentials: Vec<UploadCredential>,
}

/// Where a file can be read directly: answer to `presigned`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct PresignedDownload {
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub file_size: u64,
}

/// Answer to `artifacts/presigned-upload-url` and `artifacts/presigned-download-url`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct PresignedUrl {
    pub presigned_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
}

/// Answer to `server-info`: what clients may use.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ServerInfo {
    pub store_type: &'static str,
    pub workspaces_enabled: bool,
    pub trace_archival_enabled: bool,
    pub artifact_serving_enabled: bool,
    pub multipart_uploads_enabled: bool,
    pub multipart_downloads_enabled: bool,
    pub presigned_upload_run_id_supported: bool,
    pub presigned_upload_model_id_supported: bool,
    pub features_enabled: BTreeMap<&'static str, bool>,
}
