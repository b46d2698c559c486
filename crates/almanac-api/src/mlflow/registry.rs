//! The model registry: registered models, their versions, aliases and webhooks; and, of our own, evidence and moves.

use serde::Serialize;
use serde_json::Value;

use super::KeyValue;

/// A registered model; times in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RegisteredModel {
    pub name: String,
    pub creation_timestamp: i64,
    pub last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latest_versions: Vec<ModelVersion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<ModelAlias>,
}

/// An alias of a registered model.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ModelAlias {
    pub alias: String,
    pub version: String,
}

/// A version; times in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ModelVersion {
    pub name: String,
    pub version: String,
    pub creation_timestamp: i64,
    pub last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_id: String,
    pub current_stage: &'static str,
    pub description: String,
    pub source: String,
    pub run_id: String,
    pub status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
    pub run_link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
}

/// Answer that holds one registered model.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RegisteredModelFound {
    pub registered_model: RegisteredModel,
}

/// Answer to `registered-models/search`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RegisteredModelsFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registered_models: Vec<RegisteredModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Answer that holds one version.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ModelVersionFound {
    pub model_version: ModelVersion,
}

/// Answer that holds several versions.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ModelVersionsFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model_versions: Vec<ModelVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Answer to `model-versions/get-download-uri`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct DownloadUri {
    pub artifact_uri: String,
}

/// What a webhook wants to hear of.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct WebhookEvent {
    pub entity: &'static str,
    pub action: &'static str,
}

/// A webhook; times in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Webhook {
    pub webhook_id: String,
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub url: String,
    pub events: Vec<WebhookEvent>,
    pub status: &'static str,
    pub creation_timestamp: i64,
    pub last_updated_timestamp: i64,
}

/// Answer that holds one webhook.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct WebhookFound {
    pub webhook: Webhook,
}

/// Answer to the list of webhooks.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct WebhooksFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// What was proven of a version.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: String,
    /// A JSON object: `backtest`, `data_version`, `config`, `code`, `coverage`, `leakage_audit`, and whatever else was recorded.
    pub evidence: Value,
    /// Whether who recorded it holds it to be enough.
    pub passed: bool,
    /// When it was recorded, in milliseconds since 1970.
    pub since: i64,
}

/// Answer that holds evidence.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the name says it")]
pub struct EvidenceFound {
    pub version_evidence: Evidence,
}

/// One move of an alias.
#[derive(Debug, Clone, Serialize)]
pub struct AliasMove {
    /// Counts up over all models.
    pub move_no: i64,
    /// The registered model.
    pub name: String,
    /// Empty where the model was deleted.
    pub alias: String,
    /// `set`, `delete`, `rollback` or `model_delete`.
    pub kind: &'static str,
    /// Where it pointed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    /// Where it pointed afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_version: Option<String>,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub moved_at: i64,
}

/// Answer to the list of moves.
#[derive(Debug, Clone, Serialize)]
pub struct AliasMovesFound {
    /// Newest first.
    pub moves: Vec<AliasMove>,
}
