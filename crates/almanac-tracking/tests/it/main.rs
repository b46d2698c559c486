//! The tracking store over real databases.

#![expect(clippy::needless_raw_string_hashes, reason = "as `expect-test` writes its snapshots")]

mod access;
mod artifacts;
mod garbage;
mod postgres;
mod sqlite;
