//! The SQLite store keeps the contract and survives; artifacts stay whole and in their place.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes snapshots with them")]

mod artifacts;
mod sqlite;
