//! Features declared once, and read the same way for training, in batch and online.
//!
//! Not here: what is computed from a series (`almanac-features`).
