//! What is in a table, as sketches of fixed size, and how two tables differ.
//!
//! Not here: rules that a table must meet (`almanac-expect`).
