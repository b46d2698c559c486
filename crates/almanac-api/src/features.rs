//! Features looked up online, in our form and in that of Feast's feature server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A lookup of the newest values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeaturesRequest {
    /// `view:feature`, or `view` for all of its features. Either these or `service`.
    #[serde(default)]
    #[schema(example = json!(["prices:price", "sales"]))]
    pub features: Vec<String>,
    /// A feature service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// For each key one value an entity; at most 10,000 entities and 1,000,000 values at once.
    #[schema(value_type = BTreeMap<String, Vec<Value>>)]
    pub entities: BTreeMap<String, Vec<Value>>,
    /// Time of the question, RFC 3339; now where it is left out. Not before the newest materialisation: the past is not kept online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether features are named `view__feature`, not `feature`.
    #[serde(default)]
    pub full_names: bool,
}

/// The newest values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeaturesResponse {
    /// Time of the question.
    pub at: String,
    /// The keys, as asked for.
    #[schema(value_type = BTreeMap<String, Vec<Value>>)]
    pub entities: BTreeMap<String, Vec<Value>>,
    /// One entry a feature, in the order asked for.
    pub features: Vec<FeatureValues>,
}

/// The values of one feature, one an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureValues {
    /// Its name.
    pub name: String,
    /// Values; `null` where there is none. Instants are RFC 3339, infinities the texts `Infinity` and `-Infinity`.
    #[schema(value_type = Vec<Value>)]
    pub values: Vec<Value>,
    /// What each value is.
    pub statuses: Vec<FeatureStatus>,
    /// Time of the entity's newest row.
    pub times: Vec<Option<String>>,
}

/// What a value is, in Feast's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeatureStatus {
    /// There is one.
    Present,
    /// The entity is known, the value is missing.
    NullValue,
    /// The entity is not known.
    NotFound,
    /// The newest row is older than the view's `ttl`.
    OutsideMaxAge,
}

/// What can be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureCatalogue {
    /// The feature views.
    pub views: Vec<FeatureViewInfo>,
    /// The feature services, with their features.
    pub services: BTreeMap<String, Vec<String>>,
}

/// A feature view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureViewInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Words to find it by.
    pub tags: BTreeMap<String, String>,
    /// Its keys, with their types: `text` or `int`.
    pub keys: BTreeMap<String, String>,
    /// Its features.
    pub features: Vec<String>,
    /// How long a row counts, such as `7d`; `null` is for ever.
    pub ttl: Option<String>,
    /// Whether its newest values are kept.
    pub online: bool,
    /// Until when it is materialised, RFC 3339; `null` where it is not served.
    pub until: Option<String>,
    /// Entities with values.
    pub entities: u64,
    /// Bytes in memory.
    pub bytes: u64,
    /// Why it is not served, or not in its newest form.
    pub trouble: Option<String>,
}

/// A lookup as Feast's clients send it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeastFeaturesRequest {
    /// `view:feature`. Either these or `feature_service`.
    #[serde(default)]
    pub features: Vec<String>,
    /// A feature service.
    #[serde(default)]
    pub feature_service: Option<String>,
    /// For each key one value an entity.
    #[schema(value_type = BTreeMap<String, Vec<Value>>)]
    pub entities: BTreeMap<String, Vec<Value>>,
    /// Whether features are named `view__feature`.
    #[serde(default)]
    pub full_feature_names: bool,
}

/// The answer as Feast's feature server gives it: first the keys, then the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeastFeaturesResponse {
    /// Names of what is in `results`.
    pub metadata: FeastMetadata,
    /// One entry a name.
    pub results: Vec<FeastResult>,
}

/// Names of the results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeastMetadata {
    /// The names.
    pub feature_names: Vec<String>,
}

/// The values of one key or feature, one an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeastResult {
    /// Values; instants are seconds since 1970.
    #[schema(value_type = Vec<Value>)]
    pub values: Vec<Value>,
    /// What each value is.
    pub statuses: Vec<FeatureStatus>,
    /// Time of the entity's newest row; 1970 where there is none.
    pub event_timestamps: Vec<String>,
}
