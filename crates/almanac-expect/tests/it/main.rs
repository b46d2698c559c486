//! The tests of the crate.

mod field;
mod gx;
mod suites;
mod tables;
