//! The wire types of Almanac's HTTP interface, shared by the server, its clients and the tests.
//!
//! Plain structs with serde and an OpenAPI schema, so that one definition is documentation, server and client at once.
//! Timestamps travel as text (`ds`): a date, a date with a time, or the integer of an integer-step series.
//!
//! Not here: HTTP, checks of meaning (an unsorted history is representable), conversion from the core's types.

mod access;
mod data;
mod exog;
mod features;
mod forecast;
mod history;
mod leaderboard;
pub mod mlflow;
mod predict;
mod problem;
mod project;
mod row;
mod series;

pub use access::{AccessTokenCreated, AccessTokenInfo, AccessTokens, CreateAccessToken};
pub use data::{TableData, TableVersion};
pub use exog::ExogValue;
pub use features::{
    FeastFeaturesRequest, FeastFeaturesResponse, FeastMetadata, FeastResult, FeatureCatalogue, FeatureStatus, FeatureValues,
    FeatureViewInfo, FeaturesRequest, FeaturesResponse,
};
pub use forecast::ForecastRow;
pub use history::{History, HistoryPoint, HistoryStatus};
pub use leaderboard::{Leaderboard, LeaderboardRow, Scores, StepBucket};
pub use predict::{FallbackSeries, PredictRequest, PredictResponse, PredictSeries, SkippedSeries};
pub use problem::Problem;
pub use project::{ExogColumns, IssueInfo, LevelInfo, ModelInfo, Outdated, OutdatedReason, ProjectInfo, Readiness};
pub use row::{FutureRow, HistoryRow};
pub use series::{CoverageScore, SeriesItem, SeriesMetrics, SeriesPage, SeriesState};
