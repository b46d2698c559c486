//! Integration tests of Prophet.

mod conformance;
mod laws;
mod reference;
mod series;
