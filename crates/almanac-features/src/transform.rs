//! Invertible transforms of a target: fitted on a history, undone on a forecast that starts where the history ends.
//!
//! ```text
//!   TransformSpec ──fit(y)──► Transform ──apply(y)──► what a model learns
//!                                       ──undo(z)───► a forecast in the units of `y`
//! ```
//!
//! Missing values are NaN and stay so; whatever is fitted is fitted on the others. Not here: which rows are scored (see
//! [`crate::kernel::masked`]), and what undoing does to a mean: undone, a mean of logarithms is the median.

mod lambda;

pub use lambda::Lambda;

use almanac_series::Hint;
use serde::{Deserialize, Serialize};

/// A transform to be fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TransformSpec {
    /// Each value less the one `lag` rows before: 1 is the plain difference, a season the seasonal one.
    Difference {
        /// Rows back.
        lag: usize,
    },
    /// The logarithm of 1 + y; values must lie above -1.
    Log1p,
    /// Over the mean of the absolute values of the last rows.
    LocalMean {
        /// Rows of the window.
        rows: usize,
    },
    /// Less the mean of the last rows, over their standard deviation.
    LocalStandard {
        /// Rows of the window.
        rows: usize,
    },
    /// (y^λ - 1) / λ, the logarithm at λ = 0; values must be positive.
    BoxCox {
        /// How λ is chosen.
        lambda: Lambda,
    },
}

/// A fitted transform: plain data, to be stored with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// Each value less the one as many rows before as there are values here.
    Difference {
        /// The values that the history ends in, the newest last; a missing one is that of the last season that has it.
        last: Vec<f64>,
    },
    /// The logarithm of 1 + y.
    Log1p,
    /// Less `centre`, over `scale`.
    Scale {
        /// In the units of `y`.
        centre: f64,
        /// In the units of `y`; positive.
        scale: f64,
    },
    /// (y^λ - 1) / λ, the logarithm at λ = 0.
    BoxCox {
        /// λ.
        lambda: f64,
    },
}

/// Why a transform cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// Too few values.
    #[error("`{transform}` needs {needed} values, the history has {got}")]
    TooShort {
        /// The transform.
        transform: &'static str,
        /// Values that the history has.
        got: usize,
        /// Values that it needs.
        needed: usize,
    },
    /// A value that the transform has no image of.
    #[error("`{transform}` needs values above {above}, row {row} has {value}")]
    Domain {
        /// The transform.
        transform: &'static str,
        /// What values must be above.
        above: f64,
        /// Row of the history.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A parameter that makes no sense.
    #[error("`{transform}` needs {wanted}")]
    Parameter {
        /// The transform.
        transform: &'static str,
        /// What is wanted of it.
        wanted: &'static str,
    },
}

impl Hint for TransformError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Domain { transform: "box_cox", value, .. } if *value == 0.0 => Some("use `log1p`, which takes zeros".into()),
            _ => None,
        }
    }
}

impl TransformSpec {
    fn name(&self) -> &'static str {
        match self {
            Self::Difference { .. } => "difference",
            Self::Log1p => "log1p",
            Self::LocalMean { .. } => "local_mean",
            Self::LocalStandard { .. } => "local_standard",
            Self::BoxCox { .. } => "box_cox",
        }
    }

    /// Fits the transform to a history, NaN where missing.
    ///
    /// # Errors
    /// [`TransformError`] if there are too few values, or one lies outside of what the transform takes.
    pub fn fit(&self, y: &[f64]) -> Result<Transform, TransformError> {
        let transform = self.name();
        let known = y.iter().filter(|value| !value.is_nan()).count();
        let at_least = |needed: usize| {
            if known < needed { Err(TransformError::TooShort { transform, got: known, needed }) } else { Ok(()) }
        };
        let above = |above: f64| match y.iter().position(|value| *value <= above || value.is_infinite()) {
            Some(row) => Err(TransformError::Domain { transform, above, row, value: y[row] }),
            None => Ok(()),
        };
        let one_row = |rows: usize| {
            if rows == 0 { Err(TransformError::Parameter { transform, wanted: "at least 1 row" }) } else { Ok(()) }
        };
        match self {
            Self::Difference { lag } => {
                one_row(*lag)?;
                let last: Vec<f64> = (0..*lag).filter_map(|phase| newest_of_phase(y, *lag, phase)).collect();
                if last.len() < *lag {
                    return Err(TransformError::TooShort { transform, got: known, needed: *lag });
                }
                Ok(Transform::Difference { last })
            }
            Self::Log1p => above(-1.0).map(|()| Transform::Log1p),
            Self::LocalMean { rows } => {
                one_row(*rows)?;
                at_least(1)?;
                let window = newest(y, *rows);
                let scale = window.iter().map(|value| value.abs()).sum::<f64>() / window.len() as f64;
                Ok(Transform::Scale { centre: 0.0, scale: or_one(scale) })
            }
            Self::LocalStandard { rows } => {
                one_row(*rows)?;
                at_least(1)?;
                let window = newest(y, *rows);
                let n = window.len() as f64;
                let centre = window.iter().sum::<f64>() / n;
                let squares = window.iter().map(|value| (value - centre).powi(2)).sum::<f64>();
                Ok(Transform::Scale { centre, scale: or_one((squares / (n - 1.0).max(1.0)).sqrt()) })
            }
            Self::BoxCox { lambda } => {
                above(0.0)?;
                at_least(lambda.min_values())?;
                lambda.choose(y).map(|lambda| Transform::BoxCox { lambda })
            }
        }
    }
}

/// A window without any size leaves values as they are.
fn or_one(scale: f64) -> f64 {
    if scale > 0.0 && scale.is_finite() { scale } else { 1.0 }
}

/// The known values of the last rows; of the last rows that have any, where those have none.
fn newest(y: &[f64], rows: usize) -> Vec<f64> {
    let known = |values: &[f64]| values.iter().copied().filter(|value| !value.is_nan()).collect::<Vec<_>>();
    let end = y.iter().rposition(|value| !value.is_nan()).map_or(0, |last| last + 1);
    let window = known(&y[y.len().saturating_sub(rows)..]);
    if window.is_empty() { known(&y[end.saturating_sub(rows)..end]) } else { window }
}

/// The newest value that is as many seasons and `phase` rows from the first row after the history.
fn newest_of_phase(y: &[f64], lag: usize, phase: usize) -> Option<f64> {
    (1..).map_while(|back| (y.len() + phase).checked_sub(back * lag)).map(|row| y[row]).find(|value| !value.is_nan())
}

impl Transform {
    /// Returns the transformed history, as many values; NaN where a value or what it is compared with is missing.
    pub fn apply(&self, y: &[f64]) -> Vec<f64> {
        match self {
            Self::Difference { last } => {
                let before = |row: usize| row.checked_sub(last.len()).map_or(f64::NAN, |row| y[row]);
                y.iter().enumerate().map(|(row, value)| value - before(row)).collect()
            }
            Self::Log1p => y.iter().map(|value| value.ln_1p()).collect(),
            Self::Scale { centre, scale } => y.iter().map(|value| (value - centre) / scale).collect(),
            Self::BoxCox { lambda } => y.iter().map(|value| lambda::box_cox(*value, *lambda)).collect(),
        }
    }

    /// Turns the transformed values of the rows after the history, the first row first, into units of `y`.
    ///
    /// Where a Box-Cox forecast lies below all that a value is transformed to, it becomes 0; above all, infinite.
    pub fn undo(&self, ahead: &mut [f64]) {
        match self {
            Self::Difference { last } => {
                for step in 0..ahead.len() {
                    ahead[step] += step.checked_sub(last.len()).map_or_else(|| last[step], |before| ahead[before]);
                }
            }
            Self::Log1p => ahead.iter_mut().for_each(|value| *value = value.exp_m1()),
            Self::Scale { centre, scale } => ahead.iter_mut().for_each(|value| *value = *value * scale + centre),
            Self::BoxCox { lambda } => ahead.iter_mut().for_each(|value| *value = lambda::inverse(*value, *lambda)),
        }
    }
}

/// Transforms one after the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transforms(Vec<Transform>);

impl Transforms {
    /// Fits each transform to what the ones before it leave of a history.
    ///
    /// # Errors
    /// [`TransformError`] of the first that cannot be fitted.
    pub fn fit(specs: &[TransformSpec], y: &[f64]) -> Result<Self, TransformError> {
        let mut values = y.to_vec();
        let mut fitted = Vec::with_capacity(specs.len());
        for spec in specs {
            let transform = spec.fit(&values)?;
            values = transform.apply(&values);
            fitted.push(transform);
        }
        Ok(Self(fitted))
    }

    /// Returns the transformed history, see [`Transform::apply`].
    pub fn apply(&self, y: &[f64]) -> Vec<f64> {
        self.0.iter().fold(y.to_vec(), |values, transform| transform.apply(&values))
    }

    /// Turns transformed values ahead into units of `y`, see [`Transform::undo`].
    pub fn undo(&self, ahead: &mut [f64]) {
        self.0.iter().rev().for_each(|transform| transform.undo(ahead));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn specs() -> impl Strategy<Value = Vec<TransformSpec>> {
        let first = prop_oneof![
            Just(TransformSpec::Log1p),
            (1_usize..40).prop_map(|rows| TransformSpec::LocalMean { rows }),
            (1_usize..40).prop_map(|rows| TransformSpec::LocalStandard { rows }),
            Just(TransformSpec::BoxCox { lambda: Lambda::Fixed(0.3) }),
            Just(TransformSpec::BoxCox { lambda: Lambda::Guerrero { season_length: 7 } }),
            Just(TransformSpec::BoxCox { lambda: Lambda::Likelihood }),
        ];
        let lags = prop::collection::vec(prop_oneof![Just(1_usize), Just(7)], 0..3);
        (first, lags)
            .prop_map(|(first, lags)| std::iter::once(first).chain(lags.into_iter().map(|lag| TransformSpec::Difference { lag })).collect())
    }

    proptest! {
        /// What follows the history is transformed with it and undone without it.
        #[test]
        fn undoing_gives_back_what_follows(
            specs in specs(),
            values in prop::collection::vec(prop_oneof![6 => 1.0..50.0_f64, 1 => Just(f64::NAN)], 60),
            ahead in prop::collection::vec(1.0..50.0_f64, 1..20),
        ) {
            // Undone, a gap is what the season before was; differences of it have to know it as that.
            let mut all = values.clone();
            for row in 0..all.len() {
                if all[row].is_nan() {
                    all[row] = if row >= 14 { all[row - 7] } else { 10.0 };
                }
            }
            let fitted = Transforms::fit(&specs, &all).expect("long and positive");
            all.extend(&ahead);
            let mut z = fitted.apply(&all)[60..].to_vec();
            fitted.undo(&mut z);
            for (found, wanted) in z.iter().zip(&ahead) {
                prop_assert!((found - wanted).abs() < 1e-6 * wanted, "{found} for {wanted}");
            }
            let text = serde_json::to_string(&fitted).expect("plain data");
            prop_assert_eq!(serde_json::from_str::<Transforms>(&text).expect("as written"), fitted);
        }
    }

    #[test]
    fn a_gap_at_the_end_is_compared_with_the_season_before() {
        let fitted = TransformSpec::Difference { lag: 2 }.fit(&[1.0, 2.0, 3.0, f64::NAN]).expect("both phases known");
        assert_eq!(fitted, Transform::Difference { last: vec![3.0, 2.0] });
        let mut ahead = [1.0, 1.0, 1.0];
        fitted.undo(&mut ahead);
        assert_eq!(ahead, [4.0, 3.0, 5.0]);
    }

    #[test]
    fn a_window_without_size_leaves_values_as_they_are() {
        let fitted = TransformSpec::LocalMean { rows: 3 }.fit(&[5.0, 0.0, 0.0, 0.0]).expect("values");
        assert_eq!(fitted.apply(&[5.0]), [5.0]);
    }

    #[test]
    fn what_a_transform_cannot_take_is_named() {
        let error = TransformSpec::BoxCox { lambda: Lambda::Likelihood }.fit(&[1.0, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "`box_cox` needs values above 0, row 1 has 0");
        assert_eq!(error.hint().as_deref(), Some("use `log1p`, which takes zeros"));
        let error = TransformSpec::Difference { lag: 12 }.fit(&[1.0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "`difference` needs 12 values, the history has 5");
        assert!(TransformSpec::LocalMean { rows: 0 }.fit(&[1.0]).is_err());
    }
}
