//! Linear models as global models: the same rows, features and targets as the trees, learnt by a line.
//!
//! ```text
//!   features ──design──► columns ──moments──► sums of products ──penalty, estimate──► a line
//!                            └──occurrence──► the odds that anything is sold (hurdle)
//! ```
//!
//! A line knows no thresholds and no interactions, but learns from little, says what it has learnt in a page of numbers, and does not
//! stop at the largest value seen. What it learns is the target over its usual value: its logarithm where all targets are positive.
//!
//! Time grows with rows times columns squared; memory does not grow with rows.
//!
//! Source: Hoerl & Kennard (1970), Technometrics 12(1), for ridge; Tibshirani (1996), JRSS B 58(1), for lasso; Zou & Hastie (2005),
//! JRSS B 67(2), for the elastic net; Cragg (1971), Econometrica 39(5), for the hurdle.

mod config;
mod design;
mod estimate;
mod fit;
mod logistic;
mod model;
mod moments;
mod occurrence;
mod penalty;
#[cfg(test)]
mod reference;

pub use config::{LinearConfig, LinearMethod};
pub use model::GlobalLinear;
