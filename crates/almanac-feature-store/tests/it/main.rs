//! The crate as its users see it.

mod agreement;
mod bad_input;
mod by_hand;
mod feast;
mod incremental;
mod support;
