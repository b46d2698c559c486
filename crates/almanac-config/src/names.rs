//! Names that stand in the file for things built elsewhere: models and reconciliations.
//!
//! The config crate knows the names only, so that a wrong one is refused with a suggestion before any data is read.

/// Models that can be fitted and asked for by name, cheapest first.
pub const MODELS: &[&str] = &[
    "naive",
    "seasonal_naive",
    "drift",
    "historic_average",
    "window_average",
    "seasonal_window_average",
    "year_over_year",
    "ses",
    "croston",
    "croston_optimized",
    "sba",
    "tsb",
    "adida",
    "imapa",
    "auto_intermittent",
    "theta",
    "optimized_theta",
    "dynamic_theta",
    "dynamic_optimized_theta",
    "auto_theta",
    "holt",
    "holt_winters",
    "auto_ces",
    "auto_ets",
    "mstl",
    "ridge",
    "lasso",
    "elastic_net",
    "hurdle",
    "auto_arima",
    "arimax",
    "prophet",
    "xgboost",
    "lightgbm_recursive",
    "lightgbm",
];

/// The combination of the other models; asked for by name like one of them.
pub const ENSEMBLE: &str = "ensemble";

/// Models of the design that are not built yet.
pub(crate) const PLANNED_MODELS: [&str; 1] = ["bottom_up_ets"];

/// Reconciliations of the design that are not built yet.
pub(crate) const PLANNED_RECONCILIATIONS: [&str; 6] = ["mint_shrink", "mint", "ols", "wls_struct", "top_down", "middle_out"];

/// Encodings to suggest; every label of the WHATWG standard is understood.
pub(crate) const ENCODINGS: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "shift_jis",
    "gb18030",
    "big5",
];
