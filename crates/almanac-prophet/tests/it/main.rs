//! Integration tests of Prophet.

mod conformance;
