//! Synthetic retail data: a small chain of shops, told day by day and then spoilt the way real exports are.
//!
//! The teller ([`story`]) is pure: seed and index in, one series out, the same whatever the number of series. The spoiler
//! ([`mess`]) is pure too and counts every fault it makes, so that what a run reports can be checked against
//! `raw/README.md`. Only [`write`] touches files, and it holds one series in memory at a time.
//!
//! Not here: running the pipeline on the result (`commands::demo`).

mod calendar;
mod catalogue;
mod holidays;
mod mess;
mod project;
mod readme;
mod spec;
mod story;
mod streams;
mod write;

pub(crate) use spec::DemoSpec;
pub(crate) use write::{DemoError, write_demo};
