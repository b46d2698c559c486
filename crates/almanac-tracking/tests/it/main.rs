//! The tracking store over real databases.

mod access;
mod artifacts;
mod garbage;
mod postgres;
mod sqlite;
