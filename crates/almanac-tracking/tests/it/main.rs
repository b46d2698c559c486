//! The tracking store over real databases.

mod access;
mod artifacts;
