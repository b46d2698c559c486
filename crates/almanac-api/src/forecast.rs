//! One row of the forecast table.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One series, step and issue of a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ForecastRow {
    /// Key of the series.
    #[schema(example = "store_1/item_7")]
    pub unique_id: String,
    /// Timestamp that is forecast.
    #[schema(example = "2024-02-01")]
    pub ds: String,
    /// Last timestamp that the model had seen.
    #[schema(example = "2024-01-31")]
    pub cutoff: String,
    /// Model that made it.
    #[schema(example = "ensemble")]
    pub model: String,
    /// Expected value.
    pub mean: f64,
    /// Quantiles by column name, e.g. `q0.025`, in rising order.
    #[schema(example = json!({"q0.1": 4.0, "q0.5": 7.0, "q0.9": 11.0}))]
    pub quantiles: BTreeMap<String, f64>,
}
