//! Features of a forecasting problem: what was known at the close of a row, and what is known of a row ahead.
//!
//! ```text
//!   y, status, historic ──asof──►  lags, rolling, EWM …          one row per row of history   (the gold layer)
//!   calendar, holidays, future, static ──known──►                 one row per row, ahead too
//!   all series ──bind──►  what groups of series tell
//!   (origin o, target t) ──row──►  asof(o) ++ known(t) ++ groups(o, t) ++ aligned(o, t) ++ step
//!   the next y ──push──►  the same for one row more, in time that does not grow with the history
//! ```
//!
//! Invariant: no value of a row `r` depends on anything after `r`, save columns declared known ahead; a perturbation test
//! holds it. Invariant: same panel, same numbers, bit for bit; no clock, no file, no network.
//!
//! Beside them [`Transforms`] of a target, fitted on a history and undone on a forecast.
//!
//! Not here: what a model learns of a target, sampling of training rows, models (`almanac-trees`), storage (`almanac-data`).

mod aligned;
mod asof;
mod calendar;
mod columns;
mod error;
mod fourier;
mod groups;
mod holidays;
pub mod kernel;
mod known;
mod optional;
mod plan;
mod series;
mod spec;
mod transform;

pub use asof::asof;
pub use calendar::Calendar;
pub use columns::Columns;
pub use error::PlanError;
pub use holidays::{Country, countries};
pub use known::known;
pub use plan::{Binding, Feature, FeaturePlan, FutureKind, FutureRole, HistoricEvent, StaticKind, StaticRole};
pub use series::{AdvanceError, SeriesFeatures};
pub use spec::{FeatureSpec, FourierSpec, QuantileSpec, WindowSpec};
pub use transform::{Lambda, Transform, TransformError, TransformSpec, Transforms};
