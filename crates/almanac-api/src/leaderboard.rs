//! The leaderboard: every model's out-of-sample scores by hierarchy level and part of the horizon.

use crate::CoverageScore;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Scores of all models of the backtest that chose the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Leaderboard {
    /// Score that ranks the models, a field name of [`Scores`].
    #[schema(example = "wrmsse")]
    pub ranked_by: String,
    /// Cutoffs of the backtest, oldest first.
    pub cutoffs: Vec<String>,
    /// One row per level, part of the horizon and model.
    pub rows: Vec<LeaderboardRow>,
}

/// Scores of one model at one level over one part of the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaderboardRow {
    /// Hierarchy level.
    pub level: String,
    /// Part of the horizon.
    pub steps: StepBucket,
    /// Model.
    pub model: String,
    /// 1 is the best of this level and part of the horizon.
    pub rank: u32,
    /// Whether this model is the one that is served.
    pub is_champion: bool,
    /// Whether it is a baseline that a champion must beat.
    pub is_baseline: bool,
    /// Its scores.
    pub scores: Scores,
    /// Coverage of its intervals.
    pub coverage: Vec<CoverageScore>,
}

/// A part of the horizon, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct StepBucket {
    /// First step, from 1.
    pub first: u32,
    /// Last step.
    pub last: u32,
}

/// Scores over all cutoffs; `null` where one is not defined. Lower is better, except that `bias` is best at 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scores {
    /// Mean absolute scaled error.
    pub mase: Option<f64>,
    /// Root mean squared scaled error.
    pub rmsse: Option<f64>,
    /// Root mean squared scaled error, weighted by value where a price or a hierarchy is given.
    pub wrmsse: Option<f64>,
    /// Sum of absolute errors over the sum of actuals.
    pub wape: Option<f64>,
    /// Sum of errors over the sum of actuals; above 0 is too high.
    pub bias: Option<f64>,
    /// Weighted quantile loss.
    pub wql: Option<f64>,
}
