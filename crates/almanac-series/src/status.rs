//! What a row of the panel stands for.

/// Why a row's `y` is what it is, and so whether it may be learnt from or scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RowStatus {
    /// A value from the source.
    Observed = 0,
    /// A gap that the policy reads as a true zero (no row means no sale).
    Filled = 1,
    /// A gap whose value is unknown: `y` is NaN.
    Missing = 2,
    /// Demand was cut by a stock-out: `y` is what was sold, not what was wanted.
    Censored = 3,
    /// Not open for trade: `y` is 0 and says nothing about demand.
    Closed = 4,
    /// After the end of the history: only known-ahead columns have values.
    Future = 5,
}

impl RowStatus {
    /// Returns whether the row's `y` counts in losses, scales and metrics.
    pub fn is_scored(self) -> bool {
        matches!(self, Self::Observed | Self::Filled)
    }

    /// Reads the stored code, as written by `self as u8`.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Observed,
            1 => Self::Filled,
            2 => Self::Missing,
            3 => Self::Censored,
            4 => Self::Closed,
            5 => Self::Future,
            _ => return None,
        })
    }
}
