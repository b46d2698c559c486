//! Demand classes: how often something sells, and how evenly.
//!
//! Source: Syntetos, Boylan & Croston (2005), "On the categorization of demand patterns", Journal of the Operational Research Society 56.

use std::fmt;

/// Mean rows between sales above which demand is intermittent.
const MOST_INTERVAL: f64 = 1.32;
/// Squared coefficient of variation of the sales above which they are uneven.
const MOST_VARIATION: f64 = 0.49;

/// The class of a series by its average demand interval (ADI) and the squared coefficient of variation of its demand sizes (CV²).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DemandClass {
    /// Sells often and evenly.
    Smooth,
    /// Sells often, in uneven sizes.
    Erratic,
    /// Sells seldom, in even sizes.
    Intermittent,
    /// Sells seldom, in uneven sizes.
    Lumpy,
}

impl DemandClass {
    /// Every class, in the order of the source.
    pub const ALL: [Self; 4] = [Self::Smooth, Self::Erratic, Self::Intermittent, Self::Lumpy];

    /// Returns the class of a series of values, one a row, oldest first. NaN rows are passed over, and rows before the first sale are not
    /// counted. `None` where nothing was ever sold.
    ///
    /// The interval is rows over demands; the variance of the sizes is that of a sample, 0 for a single demand.
    pub fn of(y: &[f64]) -> Option<Self> {
        let since_first = || y.iter().copied().filter(|y| !y.is_nan()).skip_while(|y| *y == 0.0);
        let sizes = || since_first().filter(|y| *y != 0.0);
        let (rows, n) = (since_first().count(), sizes().count());
        if n == 0 {
            return None;
        }
        // Sizes as shares of the largest: their squares stay within the floats.
        let largest = sizes().fold(0.0_f64, |largest, size| largest.max(size.abs()));
        let mean = sizes().map(|size| size / largest).sum::<f64>() / n as f64;
        let squares = sizes().map(|size| (size / largest - mean).powi(2)).sum::<f64>();
        let variance = squares / n.saturating_sub(1).max(1) as f64;
        let is_seldom = rows as f64 / n as f64 > MOST_INTERVAL;
        let is_uneven = variance > MOST_VARIATION * mean * mean;
        Some(match (is_seldom, is_uneven) {
            (false, false) => Self::Smooth,
            (false, true) => Self::Erratic,
            (true, false) => Self::Intermittent,
            (true, true) => Self::Lumpy,
        })
    }

    /// Returns its name: `smooth`, `erratic`, `intermittent` or `lumpy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smooth => "smooth",
            Self::Erratic => "erratic",
            Self::Intermittent => "intermittent",
            Self::Lumpy => "lumpy",
        }
    }
}

impl fmt::Display for DemandClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_is_classed_by_how_often_and_how_much() {
        for (y, class) in [
            (vec![3.0, 4.0, 0.0, 3.0, 5.0], Some(DemandClass::Smooth)),
            (vec![1.0, 9.0, 0.0, 1.0, 1.0], Some(DemandClass::Erratic)),
            (vec![0.0, 3.0, 0.0, 0.0, 4.0], Some(DemandClass::Intermittent)),
            (vec![1.0, 0.0, 0.0, 9.0, 0.0, 1.0], Some(DemandClass::Lumpy)),
            (vec![0.0, 0.0, 0.0, 5.0, 6.0, 5.0], Some(DemandClass::Smooth)),
            (vec![2e300, f64::NAN, 3e300], Some(DemandClass::Smooth)),
            (vec![0.0, 0.0, f64::NAN], None),
            (vec![], None),
        ] {
            assert_eq!(DemandClass::of(&y), class, "{y:?}");
        }
    }
}
