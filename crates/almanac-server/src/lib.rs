//! Almanac over HTTP: the REST interface, its documentation, the operators' endpoints, the pages, and MLflow's interface.
//!
//! The only crate that knows HTTP. What it serves comes through [`ForecastService`], which the binary implements over the
//! lake and the champion, so that this crate knows neither files nor models.
//!
//! Not here: TLS (put a proxy in front), anything that changes the project.

mod access;
mod api;
mod assets;
mod blocking;
mod csv;
mod data_report;
mod ds;
mod error;
mod listen;
mod mlflow;
mod no_project;
mod openapi;
mod ops;
mod optuna;
mod pages;
mod router;
mod service;
mod services;
mod telemetry;
mod validate;

pub use access::{Access, Guard, GuardPolicy, Hosts};
pub use data_report::{DataReport, ShownTable};
pub use error::ServiceError;
pub use listen::{Listening, ServeError, bind, serve, shutdown_signal};
pub use no_project::NoProject;
pub use openapi::openapi_json;
pub use router::{BODY_LIMIT, router};
pub use service::{
    Cutoff, ForecastQuery, ForecastService, HistoryQuery, Order, PredictQuery, PredictRow, PredictSeriesQuery, SeriesQuery, SeriesSort,
};
pub use services::Services;
