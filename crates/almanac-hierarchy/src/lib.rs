//! The summing structure of a panel: which series add up to which nodes, level by level.
//!
//! ```text
//!   Hierarchy::new(panel, ["region/store/item", "category/item"])
//!     total · region · region/store · category · category/item · bottom (the series themselves)
//! ```
//!
//! Forecasts and actuals of every level are sums over series in one fixed order, so they are coherent by construction and the same on any
//! number of threads.
//!
//! Not here: reconciliation of forecasts that were made level by level, scores, files.

mod aggregate;
mod coherence;
mod history;
mod spec;
mod structure;

pub use coherence::{Coherence, coherence_check};
pub use history::{NodeHistory, PanelIndex};
pub use spec::HierarchyError;
pub use structure::{BOTTOM, Hierarchy, LevelSpec, NodeKey, TOTAL};
