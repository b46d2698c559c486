//! What can go wrong with the library and with its models.

use std::path::PathBuf;

use almanac_series::Hint;

/// Why the library could not be used, or a model not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XgBoostError {
    /// It lies nowhere.
    #[error("the XGBoost library is not on this machine")]
    Absent,
    /// A file is there, or was named, and cannot be loaded.
    #[error("`{}` cannot be loaded as the XGBoost library: {message}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A library from before the calls that are made.
    #[error("`{}` is XGBoost {found}, {needed} or newer is needed", path.display())]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// A call failed.
    #[error("xgboost failed to {operation}: {message}")]
    Call {
        /// What was being done.
        operation: &'static str,
        /// The library's own words.
        message: String,
    },
    /// A text or a file holds no model that can be read.
    #[error("not a model that can be read: {reason}")]
    Model {
        /// What is wrong with it.
        reason: String,
    },
}

impl XgBoostError {
    pub(super) fn model(reason: impl Into<String>) -> Self {
        Self::Model { reason: reason.into() }
    }
}

impl Hint for XgBoostError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Absent => Some("install it with `pip install xgboost`, or name its file in `ALMANAC_XGBOOST_LIB`".into()),
            Self::Unusable { .. } => Some("name a `libxgboost` of this machine, or install one with `pip install xgboost`".into()),
            Self::TooOld { .. } => Some("install a newer one with `pip install --upgrade xgboost`".into()),
            Self::Call { .. } | Self::Model { .. } => None,
        }
    }
}
