//! Expectations: what must hold of a table, told in one scan.
//!
//! Not here: where tables come from, what happens when an expectation fails (`almanac-pipeline`).
