//! The frequency of a whole table, from samples of its series.
//!
//! Most series agreeing settles it. Otherwise all timestamps together may (items that sell now and then), and at last the
//! largest group of series that agree.
//!
//! Not here: one series' frequency (`almanac_series::infer_freq`).

use almanac_series::{Freq, InferError, infer_freq};

/// Returns the frequency that `samples`, the timestamps of one series each, have in common.
pub(super) fn common_freq(samples: &mut [Vec<i64>]) -> Result<Freq, InferError> {
    let mut votes: Vec<(Freq, usize)> = Vec::new();
    let mut voters = 0;
    let mut union: Vec<i64> = Vec::new();
    for sample in samples.iter_mut() {
        sample.sort_unstable();
        sample.dedup();
        union.extend_from_slice(sample);
        voters += usize::from(sample.len() >= 3);
        if let Ok(freq) = infer_freq(sample) {
            match votes.iter_mut().find(|(found, _)| *found == freq) {
                Some((_, count)) => *count += 1,
                None => votes.push((freq, 1)),
            }
        }
    }
    // On a tie the finer one wins: it holds the timestamps of both.
    votes.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.steps_per_year().unwrap_or(0.0).total_cmp(&a.0.steps_per_year().unwrap_or(0.0))));
    if let Some((freq, count)) = votes.first()
        && count * 5 >= voters * 4
    {
        return Ok(*freq);
    }
    union.sort_unstable();
    union.dedup();
    infer_freq(&union).or_else(|error| match votes.first() {
        Some((freq, count)) if count * 2 >= voters => Ok(*freq),
        _ => Err(error),
    })
}
