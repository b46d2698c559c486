//! Independent random streams: one for each store, item, series and so on, all from one seed.
//!
//! ChaCha is counter based, so stream `i` does not depend on how many streams there are or in which order they are read:
//! series 17 is the same in a demo of 20 series and of 30,000.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a stream is about. The numbers are part of the data: changing one changes every demo.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    Category = 1,
    Item = 2,
    Store = 3,
    Series = 4,
    Mess = 5,
}

/// Returns the stream of member `index` of `topic`.
pub(crate) fn stream(seed: u64, topic: Topic, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((topic as u64) << 40) | index);
    rng
}

/// Draws from the normal distribution with this mean and standard deviation.
pub(crate) fn normal(rng: &mut ChaCha8Rng, mean: f64, deviation: f64) -> f64 {
    let standard: f64 = StandardNormal.sample(rng);
    mean + deviation * standard
}

/// Draws from the uniform distribution on `low..high`.
pub(crate) fn uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// Is true with this probability.
pub(crate) fn chance(rng: &mut ChaCha8Rng, probability: f64) -> bool {
    rng.random::<f64>() < probability
}
