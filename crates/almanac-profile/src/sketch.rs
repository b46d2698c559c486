//! The parts of a profile that grow with nothing: each has a fixed size, merges with its like, and is written as JSON.
//!
//! | what | file | exact | otherwise |
//! |---|---|---|---|
//! | how often each value occurs | `counts` | up to its capacity of different values | counts too low by a known bound |
//! | how many different values | `distinct` | never needed: `counts` is | 1.2 % standard error |
//! | the distribution of numbers | `quantiles` | never needed: `counts` is | ranks within 1 % |
//! | mean, spread, extremes | `moments` | always | |
//! | rows by calendar period | `periods` | at the finest unit that fits | |
//! | which keys there are | `keys` | up to its capacity of keys | estimates from the 4,096 smallest hashes |
//!
//! Nothing here is random: the same parts merged in the same order give the same bits.

pub(crate) mod counts;
pub(crate) mod distinct;
pub(crate) mod keys;
pub(crate) mod moments;
pub(crate) mod periods;
pub(crate) mod quantiles;
