//! The tests of the crate.

mod gx;
