//! Integration tests of the statistical models.

mod conformance;
mod laws;
mod reference;
mod reference_intermittent;
mod series;
