//! Integration tests of the statistical models.

mod conformance;
mod laws;
mod reference;
mod reference_arima;
mod reference_intermittent;
mod reference_theta;
mod series;
