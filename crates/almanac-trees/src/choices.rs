//! Choices of a global model: which steps, which series and which rows a model of its bag learns from.

use serde::{Deserialize, Serialize};

/// Which model forecasts which step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One model for all steps, the step being a feature: no forecast feeds on a forecast.
    #[default]
    Direct,
    /// One direct model for every so many steps.
    Blocks {
        /// Steps of a block, at least 1.
        steps: usize,
    },
    /// One model of the next step, whose forecasts are taken for what happened until the last step is reached.
    Recursive,
    /// The mean of [`Self::Direct`] and [`Self::Recursive`].
    Average,
}

/// A range of steps, and how they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reach {
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// Whether the model reaches further than a step by feeding on its own forecasts.
    pub(crate) recursive: bool,
}

impl Strategy {
    /// Returns the ranges of steps that get a model each, up to `horizon`.
    pub(crate) fn reaches(self, horizon: usize) -> Vec<Reach> {
        let direct = Reach { first: 1, last: horizon, recursive: false };
        let recursive = Reach { first: 1, last: 1, recursive: true };
        match self {
            Self::Direct => vec![direct],
            Self::Blocks { steps } => (1..=horizon)
                .step_by(steps.max(1))
                .map(|first| Reach { first, last: (first + steps.max(1) - 1).min(horizon), ..direct })
                .collect(),
            Self::Recursive => vec![recursive],
            Self::Average => vec![direct, recursive],
        }
    }
}

/// Which series learn together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// All of them.
    #[default]
    Whole,
    /// Those with the same value of this static column. A value with few rows, or never seen, takes the model of all series.
    By(String),
    /// The mean of both, where there are both.
    Both(String),
}

impl Pool {
    pub(crate) fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// Returns the static column whose values tell series apart.
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Self::Whole => None,
            Self::By(column) | Self::Both(column) => Some(column),
        }
    }
}

/// What a training row weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// As much as suits the objective: up to the local level of its series.
    #[default]
    Level,
    /// The local level of its series times the newest price of it, where there is a price: what the series turns over.
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_step_once() {
        let reaches = Strategy::Blocks { steps: 7 }.reaches(16);
        let steps: Vec<usize> = reaches.iter().flat_map(|reach| reach.first..=reach.last).collect();
        assert_eq!(steps, (1..=16).collect::<Vec<_>>());
        assert_eq!(reaches.len(), 3);
        assert_eq!(Strategy::Blocks { steps: 0 }.reaches(2).len(), 2);
    }
}
