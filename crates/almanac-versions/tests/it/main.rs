//! What the library does with folders, caches and remotes; with the real DVC, see `crates/almanac/tests/it/data.rs`.

#![expect(clippy::needless_raw_string_hashes, reason = "snapshots are written by expect-test")]

mod add;
mod hostile;
mod place;
mod revisions;
mod share;
