//! How the pipeline gets its models: through a factory that the binary composes.
//!
//! ```text
//!   almanac (binary) ──composes──► ModelFactory ──asked by──► almanac-pipeline
//!        │                                                     (knows no concrete model)
//!        └──► almanac-stats, almanac-trees
//! ```

use std::time::Duration;

use almanac_evaluate::PanelProfile;
use almanac_model::{FittedForecaster, Forecaster, PredictError};
use serde::{Deserialize, Serialize};

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

    /// Returns the models worth comparing on a panel like this: what `auto` stands for. `fits`: how often each will be run over the panel;
    /// `budget`: processor time for all of it.
    fn field(&self, profile: &PanelProfile, fits: usize, budget: Duration) -> Field;
}

/// The models that take part, and those that do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Names, each with the reason why it takes part.
    pub models: Vec<(String, String)>,
    /// Names, each with the reason why not.
    pub left_out: Vec<(String, String)>,
}
