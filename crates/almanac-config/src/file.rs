//! What `almanac.toml` says, all of it optional: the mirror of the file, without defaults and without checks.
//!
//! No `flatten` and no `untagged`, because they ruin serde's messages; values of two shapes have a visitor each.
//!
//! Not here: defaults and checks (`resolve`), the wording of errors (`error`).

use std::collections::BTreeMap;
use std::fmt;

use almanac_connect::SourceKeys;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct ProjectFile {
    pub data: DataSection,
    pub privacy: PrivacySection,
    pub features: FeaturesSection,
    pub forecast: ForecastSection,
    pub models: ModelsSection,
    pub checks: ChecksSection,
    pub drift: DriftSection,
    pub gates: GatesSection,
    pub run: RunSection,
    pub tracking: TrackingSection,
    pub serve: ServeSection,
}

/// `[data]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSection {
    pub source: Option<TableEntry>,
    pub tables: BTreeMap<String, TableEntry>,
    pub offline: Option<bool>,
    pub keep_loads: Option<usize>,
    pub sql: Option<String>,
    pub future_source: Option<TableEntry>,
    pub future_sql: Option<String>,
    pub id: Option<StringOrList>,
    pub time: Option<String>,
    pub target: Option<String>,
    pub freq: Option<String>,
    pub timezone: Option<String>,
    pub hierarchy: Option<StringOrList>,
    #[serde(rename = "static")]
    pub static_columns: Option<StringOrList>,
    pub historic: Option<StringOrList>,
    pub future: Option<StringOrList>,
    pub in_stock: Option<String>,
    pub price: Option<String>,
    pub gaps: Option<String>,
    pub duplicates: Option<String>,
    pub negatives: Option<String>,
    pub country: Option<String>,
    pub csv: CsvSection,
    pub types: BTreeMap<String, String>,
}

/// `[data.csv]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvSection {
    pub delimiter: Option<String>,
    pub encoding: Option<String>,
    pub decimal: Option<String>,
    pub date_format: Option<StringOrList>,
    pub null_values: Option<StringOrList>,
}

/// `[privacy]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacySection {
    pub personal: BTreeMap<String, String>,
    pub key: Option<String>,
    pub key_file: Option<String>,
    pub subject: Option<StringOrList>,
}

/// `[features]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesSection {
    pub lags: Option<Vec<usize>>,
    pub windows: Option<Vec<usize>>,
    pub holidays: Option<Ask>,
    pub quantiles: Option<Vec<f64>>,
    pub expanding: Option<bool>,
    pub differences: Option<Vec<usize>>,
    pub events: Option<bool>,
    pub price_history: Option<bool>,
    pub fourier: Option<AskNumbers>,
    pub target_encoding: Option<bool>,
    pub parents: Option<bool>,
}

/// `[forecast]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForecastSection {
    pub horizon: Option<usize>,
    pub quantiles: Option<Vec<f64>>,
    pub models: Option<StringOrList>,
    pub budget: Option<String>,
    pub folds: Option<usize>,
    pub fold_stride: Option<usize>,
    pub season_length: Option<usize>,
    pub seed: Option<u64>,
    pub max_train_rows: Option<usize>,
    pub reconcile: Option<String>,
}

/// `[models]`: a section for each model with settings of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsSection {
    pub lightgbm: LightGbmSection,
    pub xgboost: XgBoostSection,
}

/// `[models.lightgbm]`. The first keys are those of [`XgBoostSection`] too: `flatten` would ruin serde's messages.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightGbmSection {
    pub objective: Option<String>,
    pub tweedie_power: Option<f64>,
    pub quantile: Option<f64>,
    pub quantiles: Option<bool>,
    pub strategy: Option<String>,
    pub block: Option<usize>,
    pub pool: Option<String>,
    pub early_stopping: Option<usize>,
    pub monotone: BTreeMap<String, i64>,
    pub weights: Option<String>,
    pub bag: Option<usize>,
    pub trees: Option<usize>,
    pub learning_rate: Option<f64>,
    pub max_bin: Option<usize>,
    pub num_leaves: Option<usize>,
    pub min_data_in_leaf: Option<usize>,
    pub feature_fraction: Option<f64>,
    pub bagging_fraction: Option<f64>,
    pub lambda_l2: Option<f64>,
}

/// `[models.xgboost]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XgBoostSection {
    pub objective: Option<String>,
    pub tweedie_power: Option<f64>,
    pub quantile: Option<f64>,
    pub quantiles: Option<bool>,
    pub strategy: Option<String>,
    pub block: Option<usize>,
    pub pool: Option<String>,
    pub early_stopping: Option<usize>,
    pub monotone: BTreeMap<String, i64>,
    pub weights: Option<String>,
    pub bag: Option<usize>,
    pub trees: Option<usize>,
    pub learning_rate: Option<f64>,
    pub max_bin: Option<usize>,
    pub max_depth: Option<usize>,
    pub min_child_weight: Option<f64>,
    pub colsample_bytree: Option<f64>,
    pub subsample: Option<f64>,
    pub lambda: Option<f64>,
}

/// `[checks]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChecksSection {
    pub expectations: Option<String>,
    pub max_null_share: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub allowed: BTreeMap<String, Vec<String>>,
    pub ranges: BTreeMap<String, [f64; 2]>,
    pub required: Option<StringOrList>,
    pub max_quarantine_share: Option<f64>,
    pub freshness_days: Option<u32>,
    pub max_row_change: Option<f64>,
    pub min_series: Option<usize>,
}

/// `[drift]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftSection {
    pub severity: Option<String>,
    pub share: Option<f64>,
    pub missing: Option<f64>,
    pub columns: Option<StringOrList>,
    pub limits: DriftLimits,
}

/// `[drift.limits]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct DriftLimits {
    pub ks: Option<f64>,
    pub chi_square: Option<f64>,
    pub z: Option<f64>,
    pub wasserstein: Option<f64>,
    pub jensen_shannon: Option<f64>,
    pub psi: Option<f64>,
}

/// `[gates]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatesSection {
    pub beats: Option<StringOrList>,
    pub min_folds: Option<usize>,
}

/// `[run]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    pub threads: Option<usize>,
    pub memory_gb: Option<f64>,
}

/// `[tracking]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackingSection {
    pub backend_store: Option<String>,
    pub artifact_root: Option<String>,
}

/// `[serve]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeSection {
    pub listen: Option<String>,
}

/// One string, or a list of them; `"a"` is short for `["a"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StringOrList(pub Vec<String>);

impl<'de> Deserialize<'de> for StringOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = StringOrList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<StringOrList, E> {
                Ok(StringOrList(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<StringOrList, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(StringOrList(list))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Where a table is from: files or URLs, or the keys of a source outside.
#[derive(Debug, Clone, PartialEq)]
pub enum TableEntry {
    /// Files, folders, globs or URLs.
    Places(Vec<String>),
    /// `{ url = … }`.
    Source(Box<SourceKeys>),
}

impl<'de> Deserialize<'de> for TableEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = TableEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a list of strings or a table such as `{ url = \"…\", table = \"…\" }`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TableEntry, E> {
                Ok(TableEntry::Places(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TableEntry, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(TableEntry::Places(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TableEntry, A::Error> {
                SourceKeys::deserialize(MapAccessDeserializer::new(map)).map(|keys| TableEntry::Source(Box::new(keys)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Yes, no, or yes with a value: `true`, `false`, `"DE"`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Ask {
    Yes,
    No,
    With(String),
}

impl<'de> Deserialize<'de> for Ask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Ask;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or a country code")
            }

            fn visit_bool<E: serde::de::Error>(self, yes: bool) -> Result<Ask, E> {
                Ok(if yes { Ask::Yes } else { Ask::No })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ask, E> {
                Ok(Ask::With(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Yes, no, or yes with numbers: `true`, `false`, `[7, 365.25]`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AskNumbers {
    Yes,
    No,
    With(Vec<f64>),
}

impl<'de> Deserialize<'de> for AskNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AskNumbers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or a list of numbers")
            }

            fn visit_bool<E: serde::de::Error>(self, yes: bool) -> Result<AskNumbers, E> {
                Ok(if yes { AskNumbers::Yes } else { AskNumbers::No })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AskNumbers, A::Error> {
                let mut numbers = Vec::new();
                while let Some(number) = items.next_element()? {
                    numbers.push(number);
                }
                Ok(AskNumbers::With(numbers))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
