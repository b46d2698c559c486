//! Forecasts on request: history in, forecast out.

use crate::row::columns_once;
use crate::{ExogValue, ForecastRow, FutureRow, HistoryRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Asks the champion for forecasts of the series in the body, known or new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `series`")]
pub struct PredictRequest {
    /// The series; each key once.
    pub series: Vec<PredictSeries>,
    /// Steps ahead; the project's horizon where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 14)]
    pub horizon: Option<u32>,
    /// Central intervals as fractions: 0.8 asks for the quantiles 0.1 and 0.9. May stand beside `quantiles`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!([0.8, 0.95]))]
    pub levels: Option<Vec<f64>>,
    /// Quantiles, strictly between 0 and 1; the project's where both this and `levels` are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Vec<f64>>,
}

/// One series of a predict request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `unique_id` and `history`")]
pub struct PredictSeries {
    /// Key of the series. A key that the project knows brings its static columns with it.
    #[schema(example = "store_1/item_7")]
    pub unique_id: String,
    /// The past, sorted by `ds`, without duplicates.
    pub history: Vec<HistoryRow>,
    /// Known-ahead columns for the steps after the history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub future: Vec<FutureRow>,
    /// Static columns by name.
    #[serde(default, rename = "static", deserialize_with = "columns_once", skip_serializing_if = "BTreeMap::is_empty")]
    pub statics: BTreeMap<String, ExogValue>,
}

/// Answer to a predict request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictResponse {
    /// Model that answered.
    pub model: String,
    /// Its version in the registry, where it has one.
    pub model_version: Option<String>,
    /// Forecasts, series in the order of the request, steps in order.
    pub forecasts: Vec<ForecastRow>,
    /// Series that have no forecast, and why.
    pub skipped: Vec<SkippedSeries>,
    /// Series that the model could not forecast and a baseline did; their rows name it as `model`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<FallbackSeries>,
}

/// A series forecast by a baseline, because the model that answered could not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FallbackSeries {
    /// Key of the series.
    pub unique_id: String,
    /// Baseline that forecast it.
    pub model: String,
    /// Why the model that answered could not.
    pub reason: String,
}

/// A series without a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SkippedSeries {
    /// Key of the series.
    pub unique_id: String,
    /// Why there is none.
    pub reason: String,
}
