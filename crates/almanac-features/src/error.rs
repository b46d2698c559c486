//! Why features cannot be planned.

use almanac_series::Hint;

/// Why a [`crate::FeaturePlan`] could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No holidays are known for the country.
    #[error("country `{given}` is not known")]
    UnknownCountry {
        /// As given.
        given: String,
        /// Codes and names that look like it.
        near: Vec<String>,
    },
    /// The panel names a time zone that the time zone database lacks.
    #[error("time zone `{given}` is not known")]
    UnknownTimezone {
        /// As given.
        given: String,
    },
    /// A number of rows is zero.
    #[error("`{field}` must hold numbers of rows of at least 1")]
    ZeroRows {
        /// Field of the [`crate::FeatureSpec`].
        field: &'static str,
    },
    /// A smoothing factor is out of range.
    #[error("`ewm` must hold factors above 0 and at most 1")]
    EwmOutOfRange,
    /// A group is made of a column that is not there.
    #[error("`parents` names `{given}`, which is no static column")]
    UnknownStatic {
        /// As given.
        given: String,
        /// The static columns.
        known: Vec<String>,
    },
    /// A number is out of range.
    #[error("`{field}` must hold {wanted}")]
    OutOfRange {
        /// Field of the [`crate::FeatureSpec`].
        field: &'static str,
        /// What it may hold.
        wanted: &'static str,
    },
}

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownCountry { near, .. } if near.is_empty() => Some("use a two-letter ISO code, e.g. `US` or `DE`".into()),
            Self::UnknownCountry { near, .. } => Some(format!("did you mean {}?", near.join(", "))),
            Self::UnknownTimezone { .. } => Some("use an IANA name, e.g. `Europe/Berlin`".into()),
            Self::UnknownStatic { known, .. } if known.is_empty() => Some("the data has no static columns".into()),
            Self::UnknownStatic { known, .. } => Some(format!("it has {}", known.join(", "))),
            Self::ZeroRows { .. } | Self::EwmOutOfRange | Self::OutOfRange { .. } => None,
        }
    }
}
