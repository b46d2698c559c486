//! The words of Almanac: series ids, units, frequencies and the regular panel.
//!
//! Every crate above speaks in these types, so that a level cannot be taken for a quantile or a future column for a
//! historic one. A panel is regular by construction: its rows are counted in [`Period`]s of its [`Freq`], and timestamps
//! are computed, not stored.
//!
//! Not here: files, clocks, models, or arithmetic on values beyond telling what kind of series they are (`demand`, `season`).

mod demand;
mod exog;
mod freq;
mod hint;
mod id;
mod infer;
mod panel;
mod season;
mod status;
mod units;

pub use demand::DemandClass;
pub use exog::{FutureColumn, HistoricColumn, StaticColumn, StaticValues};
pub use freq::{Freq, FreqError, MICROS_PER_DAY, Period, Weekday};
pub use hint::Hint;
pub use id::SeriesId;
pub use infer::{InferError, infer_freq};
pub use panel::{Panel, PanelBuilder, PanelError, SeriesRows, SeriesSpan, SeriesView};
pub use season::longer_season;
pub use status::RowStatus;
pub use units::{Horizon, Level, OutOfRange, Quantile, SeasonLength, Seed};
