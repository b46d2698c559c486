//! How the pipeline gets its models: through a factory that the binary composes.
//!
//! ```text
//!   almanac (binary) ──composes──► ModelFactory ──asked by──► almanac-pipeline
//!        │                                                     (knows no concrete model)
//!        └──► almanac-stats, almanac-trees
//! ```

use almanac_model::{FittedForecaster, Forecaster, PredictError};

/// Makes models by name.
pub trait ModelFactory: std::fmt::Debug + Send + Sync {
    /// Returns the model of this name, or `None` if there is none.
    fn forecaster(&self, name: &str) -> Option<Box<dyn Forecaster>>;

    /// Reads back what [`FittedForecaster::state`] wrote, to the same forecasts bit for bit.
    ///
    /// # Errors
    /// [`PredictError::Library`] if the text is damaged.
    fn load(&self, name: &str, state: &str) -> Result<Box<dyn FittedForecaster>, PredictError>;

    /// Returns text that changes when the settings of the named model change: part of the fingerprints.
    fn describe(&self, name: &str) -> String;
}
