//! Which error, trend and season a model has, and its name as in the literature: `ETS(M,Ad,M)`.

use std::fmt;

/// How the error enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EtsError {
    /// Added to the one-step mean; the same size at every level.
    Additive,
    /// A share of the one-step mean.
    Multiplicative,
}

/// The trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EtsTrend {
    /// None.
    None,
    /// A slope that goes on.
    Additive,
    /// A slope that dies out.
    Damped,
}

/// The season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EtsSeason {
    /// None.
    None,
    /// Added to the level.
    Additive,
    /// Multiplies the level.
    Multiplicative,
}

/// An ETS form. [`EtsForm::ALL`] holds those that can be estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EtsForm {
    /// The error.
    pub error: EtsError,
    /// The trend.
    pub trend: EtsTrend,
    /// The season.
    pub season: EtsSeason,
}

impl EtsForm {
    /// The fifteen forms that are considered, a simpler one before those that contain it.
    pub const ALL: [Self; 15] = {
        use EtsError as E;
        use EtsSeason as S;
        use EtsTrend as T;
        [
            Self::new(E::Additive, T::None, S::None),
            Self::new(E::Multiplicative, T::None, S::None),
            Self::new(E::Additive, T::Additive, S::None),
            Self::new(E::Multiplicative, T::Additive, S::None),
            Self::new(E::Additive, T::Damped, S::None),
            Self::new(E::Multiplicative, T::Damped, S::None),
            Self::new(E::Additive, T::None, S::Additive),
            Self::new(E::Multiplicative, T::None, S::Additive),
            Self::new(E::Additive, T::Additive, S::Additive),
            Self::new(E::Multiplicative, T::Additive, S::Additive),
            Self::new(E::Additive, T::Damped, S::Additive),
            Self::new(E::Multiplicative, T::Damped, S::Additive),
            Self::new(E::Multiplicative, T::None, S::Multiplicative),
            Self::new(E::Multiplicative, T::Additive, S::Multiplicative),
            Self::new(E::Multiplicative, T::Damped, S::Multiplicative),
        ]
    };

    /// Names a form. Not every combination can be estimated; see [`Self::ALL`].
    pub const fn new(error: EtsError, trend: EtsTrend, season: EtsSeason) -> Self {
        Self { error, trend, season }
    }

    /// Returns whether the form only makes sense for strictly positive data.
    pub fn needs_positive(self) -> bool {
        self.error == EtsError::Multiplicative || self.season == EtsSeason::Multiplicative
    }

    pub(crate) fn has_trend(self) -> bool {
        self.trend != EtsTrend::None
    }

    pub(crate) fn is_damped(self) -> bool {
        self.trend == EtsTrend::Damped
    }

    pub(crate) fn is_seasonal(self) -> bool {
        self.season != EtsSeason::None
    }

    /// Number of smoothing parameters.
    pub(crate) fn n_smoothing(self) -> usize {
        1 + usize::from(self.has_trend()) + usize::from(self.is_seasonal()) + usize::from(self.is_damped())
    }
}

impl fmt::Display for EtsForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = if self.error == EtsError::Additive { "A" } else { "M" };
        let trend = match self.trend {
            EtsTrend::None => "N",
            EtsTrend::Additive => "A",
            EtsTrend::Damped => "Ad",
        };
        let season = match self.season {
            EtsSeason::None => "N",
            EtsSeason::Additive => "A",
            EtsSeason::Multiplicative => "M",
        };
        write!(f, "ETS({error},{trend},{season})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_named_as_in_the_literature() {
        let form = EtsForm::new(EtsError::Multiplicative, EtsTrend::Damped, EtsSeason::Multiplicative);
        assert_eq!(form.to_string(), "ETS(M,Ad,M)");
    }
}
