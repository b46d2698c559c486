//! Suites and contracts that other tools wrote.

pub(crate) mod gx;
pub(crate) mod odcs;
