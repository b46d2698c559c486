//! Integration tests of the statistical models.

mod conformance;
mod laws;
mod reference;
mod reference_theta;
mod reference_arima;
mod series;
