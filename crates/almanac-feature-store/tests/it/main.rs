//! The crate as its users see it.

#![expect(clippy::needless_raw_string_hashes, reason = "as `expect-test` writes its snapshots")]

mod agreement;
mod bad_input;
mod by_hand;
mod feast;
mod incremental;
mod support;
