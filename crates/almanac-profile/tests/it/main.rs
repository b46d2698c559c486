//! Profiles and drift from the outside.

mod drift;
mod files;
mod profile;
mod reference;
mod sample;
mod store;
