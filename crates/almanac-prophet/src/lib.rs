//! Prophet: a trend that bends, seasons as Fourier sums, holidays and known-ahead columns, one series at a time.
//!
//! ```text
//!   SeriesView ──terms──► rows of regressors ──posterior──► least squares with priors ──map──► parameters ──forecaster──► mean
//!                                                   lasso: the bends ◄──┘                └──spread──► quantiles
//! ```
//!
//! The model, its priors and its defaults are those of Prophet 1.5: Taylor & Letham (2018), "Forecasting at scale", The
//! American Statistician 72(1). Where the original asks a general optimiser for a point of high posterior density, [`Prophet`]
//! computes the maximum from the structure of the problem, and where the original simulates intervals, it inverts their
//! characteristic function, so that nothing here is random.
//!
//! [`Prophet`] is the model and its settings. What is missing is said there.
//!
//! Invariant: learns from scored rows only; the same panel gives the same numbers, bit for bit.
//!
//! Not here: the holidays themselves (`almanac-features`), which models a run uses, conformal intervals.

mod clock;
mod config;
mod forecaster;
mod lasso;
mod map;
mod posterior;
mod series;
mod spread;
mod terms;

pub use config::{Growth, HolidayWindow, Prophet, Seasonality, SeasonalityMode};
pub use series::ProphetFit;
