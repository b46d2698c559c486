//! The server over a fake project: the REST interface, the operators' endpoints, a real port, and a real browser.

#![expect(clippy::needless_raw_string_hashes, reason = "as `expect-test` writes its snapshots")]

mod access;
mod api;
mod browser;
mod checks;
mod clients;
mod devtools;
mod fake;
mod features;
mod guarded;
mod listening;
mod mlflow;
mod ops;
mod optuna;
mod predict;
mod request;
mod vulnerabilities;
