//! The tracking store over real databases.

mod artifacts;
mod store;
