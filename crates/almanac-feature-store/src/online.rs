//! The newest values of each view, for those who ask now.
//!
//! ```text
//! <folder>/<view>/manifest.json     which segments there are, until when, of which declaration; replaced in one step
//! <folder>/<view>/segment-N.parquet keys, time, created, columns: rows that an answer from then on can be made of
//! <folder>/<view>/lock              held by whoever materialises
//! ```
//!
//! A materialisation adds a segment and then replaces the manifest; a reader sees the old or the new state, and a segment that no
//! manifest names is rubbish that the next one removes. What is kept are rows, not answers: so a window that slides on after the
//! materialisation is still right, and the answer comes from the same code as for training.

mod lookup;
mod manifest;
mod materialise;
mod segment;
mod store;

pub use lookup::{Answer, Cell, MOST_CELLS, MOST_ENTITIES, Request, Status};
pub(crate) use manifest::write_atomically;
pub use manifest::{Freshness, read_freshness};
pub use materialise::{Materialise, Materialised};
pub use store::{OnlineStore, Watch};
