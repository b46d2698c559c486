//! Benchmarks of the whole program: they run the binary as a user would and compare it with its peers.
//!
//! `accuracy/` holds accuracy on real data, `speed/` time and memory; results and method are in `BENCHMARKS.md`.
//! Nothing that ships depends on this crate, and no test is timed.
