//! The tests of the crate.

#![allow(clippy::needless_raw_string_hashes, reason = "as expect-test writes them")]

mod facts;
mod field;
mod gx;
mod memory;
mod suites;
mod tables;
