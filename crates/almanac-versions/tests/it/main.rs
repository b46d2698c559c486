//! What the library does with folders, caches and remotes; with the real DVC, see `crates/almanac/tests/it/data.rs`.

mod add;
mod hostile;
mod place;
mod revisions;
mod share;
