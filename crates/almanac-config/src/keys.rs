//! Every key that `almanac.toml` may hold, the embedded default file, and the nearest known key to a wrong one.
//!
//! The list stands beside the structs of `file` because a suggestion may come from another section; a test holds the two
//! and the default file together.

use almanac_connect::SOURCE_KEYS;

/// The default configuration, commented: what a project without a line of its own gets.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// Sections and their keys. A section without keys holds names that the user chooses.
pub(crate) const SECTIONS: [(&str, &[&str]); 21] = [
    (
        "data",
        &[
            "source",
            "tables",
            "offline",
            "keep_loads",
            "sql",
            "future_source",
            "future_sql",
            "id",
            "time",
            "target",
            "freq",
            "timezone",
            "hierarchy",
            "static",
            "historic",
            "future",
            "in_stock",
            "price",
            "gaps",
            "duplicates",
            "negatives",
            "country",
            "csv",
            "types",
        ],
    ),
    ("data.tables", &[]),
    ("data.csv", &["delimiter", "encoding", "decimal", "date_format", "null_values"]),
    ("data.types", &[]),
    ("privacy", &["personal", "key", "key_file", "subject"]),
    ("privacy.personal", &[]),
    (
        "features",
        &[
            "lags",
            "windows",
            "holidays",
            "quantiles",
            "expanding",
            "differences",
            "events",
            "price_history",
            "fourier",
            "target_encoding",
            "parents",
        ],
    ),
    (
        "forecast",
        &["horizon", "quantiles", "models", "budget", "folds", "fold_stride", "season_length", "seed", "max_train_rows", "reconcile"],
    ),
    ("models", &["lightgbm", "xgboost"]),
    (
        "models.lightgbm",
        &[
            "objective",
            "tweedie_power",
            "quantile",
            "quantiles",
            "strategy",
            "block",
            "pool",
            "early_stopping",
            "monotone",
            "weights",
            "bag",
            "trees",
            "learning_rate",
            "max_bin",
            "num_leaves",
            "min_data_in_leaf",
            "feature_fraction",
            "bagging_fraction",
            "lambda_l2",
        ],
    ),
    ("models.lightgbm.monotone", &[]),
    (
        "models.xgboost",
        &[
            "objective",
            "tweedie_power",
            "quantile",
            "quantiles",
            "strategy",
            "block",
            "pool",
            "early_stopping",
            "monotone",
            "weights",
            "bag",
            "trees",
            "learning_rate",
            "max_bin",
            "max_depth",
            "min_child_weight",
            "colsample_bytree",
            "subsample",
            "lambda",
        ],
    ),
    ("models.xgboost.monotone", &[]),
    (
        "checks",
        &[
            "expectations",
            "max_null_share",
            "min",
            "max",
            "allowed",
            "ranges",
            "required",
            "max_quarantine_share",
            "freshness_days",
            "max_row_change",
            "min_series",
        ],
    ),
    ("checks.allowed", &[]),
    ("checks.ranges", &[]),
    ("drift", &["severity", "share", "missing", "columns", "limits"]),
    ("drift.limits", &["ks", "chi_square", "z", "wasserstein", "jensen_shannon", "psi"]),
    ("gates", &["beats", "min_folds"]),
    ("run", &["threads", "memory_gb"]),
    ("tracking", &["backend_store", "artifact_root"]),
];

pub(crate) const SERVE: (&str, &[&str]) = ("serve", &["listen"]);

pub(crate) fn sections() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    SECTIONS.into_iter().chain([SERVE])
}

/// The section and key of the first path that is not known, given as (section, key).
pub(crate) fn unknown(path: &str) -> Option<(&str, &str)> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    if section.is_empty() {
        return (!sections().any(|(name, _)| name == key)).then_some(("", key));
    }
    let keys = if is_source(section) { SOURCE_KEYS } else { sections().find(|(name, _)| *name == section)?.1 };
    (!keys.is_empty() && !keys.contains(&key)).then_some((section, key))
}

/// Whether the section holds the keys of one source: `data.tables.sales`.
fn is_source(section: &str) -> bool {
    matches!(section, "data.source" | "data.future_source")
        || section.strip_prefix("data.tables.").is_some_and(|table| !table.is_empty() && !table.contains('.'))
}

/// What to write instead of an unknown key: a near key of its own section, else of any section.
pub(crate) fn suggest(section: &str, key: &str) -> Option<String> {
    if section.is_empty() {
        let top = sections().map(|(name, _)| name).filter(|name| !name.contains('.'));
        if let Some(near) = nearest(key, top) {
            return Some(format!("did you mean `[{near}]`?"));
        }
    }
    let listed = || sections().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
    let own = if is_source(section) { SOURCE_KEYS } else { listed() };
    if let Some(near) = nearest(key, own.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let elsewhere = sections().find(|(_, keys)| keys.contains(&key)).map(|(name, _)| format!("`{key}` belongs under `[{name}]`"));
    elsewhere.or_else(|| {
        let known: Vec<_> = own.iter().map(|key| format!("`{key}`")).collect();
        (!known.is_empty()).then(|| format!("`[{section}]` knows {}", known.join(", ")))
    })
}

/// The candidate most like the given word, if any is like it at all.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let shorter = candidate.len().min(given.len());
            let contains = shorter >= 4 && (candidate.contains(&given) || given.contains(candidate));
            let score = strsim::normalized_damerau_levenshtein(&given, candidate);
            (if contains { score.max(0.7) } else { score }, candidate)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}
