//! Why a model could not be fitted to a panel or a series, or could not forecast it.

use almanac_series::{Hint, SeriesId};

/// Why a model could not learn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A series is shorter than the model needs.
    #[error("series `{series}` has {got} usable rows, `{model}` needs at least {needed}")]
    TooShort {
        /// The series.
        series: SeriesId,
        /// The model's name.
        model: String,
        /// Rows that count.
        got: usize,
        /// Rows needed.
        needed: usize,
    },
    /// The numbers left the range in which the model can be computed.
    #[error("series `{series}`: `{model}` gave no finite forecast")]
    NotFinite {
        /// The series.
        series: SeriesId,
        /// The model's name.
        model: String,
    },
    /// No series could be modelled at all.
    #[error("`{model}` could model none of the {n_series} series")]
    NothingToFit {
        /// The model's name.
        model: String,
        /// How many series were offered.
        n_series: usize,
    },
    /// The library behind the model failed.
    #[error("`{model}` failed in its library: {message}")]
    Library {
        /// The model's name.
        model: String,
        /// What the library said.
        message: String,
    },
    /// A setting of the model names a column that the data lacks, or that cannot serve it.
    #[error("`{setting}` of `{model}` names the column `{column}`, which is no {wanted}")]
    UnknownColumn {
        /// The model's name.
        model: String,
        /// The setting.
        setting: &'static str,
        /// The column, as given.
        column: String,
        /// What kind of column would do.
        wanted: &'static str,
        /// The column most like it.
        near: Option<String>,
        /// The columns that would do.
        known: Vec<String>,
    },
    /// The library that the model is trained with is not there, or will not do. No other data would change that.
    #[error("`{model}` cannot be trained: {message}")]
    NoLibrary {
        /// The model's name.
        model: String,
        /// What is missing.
        message: String,
        /// How to get it.
        hint: String,
    },
}

impl Hint for FitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooShort { needed, .. } => Some(format!("drop series under {needed} rows, or add `naive` as a fallback")),
            Self::NotFinite { .. } => Some("look for absurd values in the target with `[checks] max`".into()),
            Self::NothingToFit { .. } => Some("give longer histories, or add `naive` to `[forecast] models`".into()),
            Self::NoLibrary { hint, .. } => Some(hint.clone()),
            Self::UnknownColumn { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::UnknownColumn { known, .. } if known.is_empty() => Some("there is none; declare it in `[data]`".into()),
            Self::UnknownColumn { known, .. } => Some(format!("there are `{}`", known.join("`, `"))),
            Self::Library { .. } => None,
        }
    }
}

/// Why a fitted model could not forecast a panel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The context lacks a column the model learnt from.
    #[error("`{model}` learnt from column `{column}`, which the history given now lacks")]
    MissingColumn {
        /// The model's name.
        model: String,
        /// The column.
        column: String,
    },
    /// A longer horizon than the model was fitted for.
    #[error("`{model}` was fitted for {fitted} steps ahead, {asked} were asked for")]
    HorizonTooLong {
        /// The model's name.
        model: String,
        /// Steps it was fitted for.
        fitted: usize,
        /// Steps asked for.
        asked: usize,
    },
    /// The library behind the model failed.
    #[error("`{model}` failed in its library: {message}")]
    Library {
        /// The model's name.
        model: String,
        /// What the library said.
        message: String,
    },
}

impl Hint for PredictError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::MissingColumn { column, .. } => Some(format!("add `{column}`, or run again without it in `[data]`")),
            Self::HorizonTooLong { asked, .. } => Some(format!("set `[forecast] horizon = {asked}` and run again")),
            Self::Library { .. } => None,
        }
    }
}

/// A series that was left out of a forecast, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The series.
    pub series: SeriesId,
    /// The reason.
    pub reason: FitError,
}
