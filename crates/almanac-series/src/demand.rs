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
    /// Sells seldom, in uneven sizes; also a series that has sold once or never.
    Lumpy,
}

impl DemandClass {
    /// Every class, in the order of the source.
    pub const ALL: [Self; 4] = [Self::Smooth, Self::Erratic, Self::Intermittent, Self::Lumpy];

    /// Returns the class of scored values, oldest first; rows before the first sale are not counted.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut rows, mut n, mut mean, mut squares) = (0_u64, 0_u64, 0.0, 0.0);
        for value in values.skip_while(|value| *value == 0.0) {
            rows += 1;
            if value != 0.0 {
                n += 1;
                let change = value - mean;
                mean += change / n as f64;
                squares += change * (value - mean);
            }
        }
        if n < 2 {
            return Self::Lumpy;
        }
        let is_seldom = rows as f64 / n as f64 >= MOST_INTERVAL;
        let is_uneven = squares / n as f64 >= MOST_VARIATION * mean * mean;
        match (is_seldom, is_uneven) {
            (false, false) => Self::Smooth,
            (false, true) => Self::Erratic,
            (true, false) => Self::Intermittent,
            (true, true) => Self::Lumpy,
        }
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
    fn the_cut_offs_are_those_of_the_source() {
        let of = |values: &[f64]| DemandClass::of(values.iter().copied());
        assert_eq!(of(&[0.0, 0.0, 5.0, 6.0, 5.0, 6.0]), DemandClass::Smooth, "rows before the first sale do not count");
        assert_eq!(of(&[1.0, 9.0, 1.0, 9.0, 1.0, 30.0]), DemandClass::Erratic);
        assert_eq!(of(&[5.0, 0.0, 5.0, 0.0, 6.0, 0.0]), DemandClass::Intermittent);
        assert_eq!(of(&[1.0, 0.0, 30.0, 0.0, 1.0, 0.0]), DemandClass::Lumpy);
        assert_eq!(of(&[]), DemandClass::Lumpy);
        assert_eq!(of(&[0.0, 0.0]), DemandClass::Lumpy);
    }
}
