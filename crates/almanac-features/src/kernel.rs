//! Kernels over one series: lags, rolling statistics, seasonal means, EWM, counters. All in O(rows), whatever the window.
//!
//! Input is the target with NaN in every row that carries no information on demand (see [`masked`]). Output row `r` is
//! what is known at the close of row `r`. All outputs are f32; values beyond its range stick to its ends.
//!
//! Rolling statistics split the rows into blocks of one window. A window then is a suffix of one block and a prefix of the
//! next, so sums are only ever added, never subtracted: a value of 1e15 that has left the window leaves no residue.
//!
//! Each kernel is the fold of a state that takes one value at a time, so that rows appended later get the bits that they
//! would have had in a longer history.

mod quantile;
mod rolling;
mod running;

pub use quantile::{RollingQuantile, rolling_quantile};
pub(crate) use rolling::last as last_rolling;
pub use rolling::{Rolling, RollingOut, Summary, rolling};
pub use running::{Ewm, Expanding, RowsSince};

use almanac_series::RowStatus;

/// Returns `y` with NaN where the row is not scored.
pub fn masked(y: &[f64], status: &[RowStatus]) -> Vec<f64> {
    y.iter().zip(status).map(|(y, status)| if status.is_scored() { *y } else { f64::NAN }).collect()
}

/// Rounds to f32 without leaving its range.
pub(crate) fn narrow(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// Writes the value `lag - 1` rows before each row: lag 1, seen from the next step, is the value of the row itself.
pub fn lag(values: &[f64], lag: usize, out: &mut [f32]) {
    let back = lag.saturating_sub(1).min(values.len());
    out[..back].fill(f32::NAN);
    for (to, from) in out[back..].iter_mut().zip(values) {
        *to = narrow(*from);
    }
}

/// Writes the mean of the last `count` values of the same season: rows `r`, `r - season`, `r - 2 season` …
pub fn seasonal_mean(values: &[f64], season: usize, count: usize, out: &mut [f32]) {
    let season = season.max(1);
    let mut phase_values = Vec::with_capacity(values.len() / season + 1);
    let mut phase_out = Vec::new();
    for phase in 0..season.min(values.len()) {
        phase_values.clear();
        phase_values.extend(values[phase..].iter().step_by(season));
        phase_out.clear();
        phase_out.resize(phase_values.len(), 0.0);
        rolling(&phase_values, count, 1, RollingOut { mean: Some(&mut phase_out), ..RollingOut::default() });
        for (to, from) in out[phase..].iter_mut().step_by(season).zip(&phase_out) {
            *to = *from;
        }
    }
}

/// Returns the last value of [`seasonal_mean`] over `rows` rows, in O(`count`).
pub(crate) fn last_seasonal_mean(rows: usize, season: usize, count: usize, at: impl Fn(usize) -> f64) -> f32 {
    let season = season.max(1);
    let phase = (rows - 1) % season;
    last_rolling((rows - 1) / season + 1, count, 1, |row| at(phase + row * season)).mean()
}

/// Writes the exponentially weighted mean: weights `(1 - alpha)^age` in values, not rows, normalised to sum to 1.
pub fn ewm(values: &[f64], alpha: f64, out: &mut [f32]) {
    let mut state = Ewm::new(alpha);
    for (to, value) in out.iter_mut().zip(values) {
        *to = state.push(*value);
    }
}

/// Writes the rows passed since `is_event` last held (0 in the row itself), NaN before its first time.
pub fn rows_since(rows: usize, is_event: impl Fn(usize) -> bool, out: &mut [f32]) {
    let mut state = RowsSince::default();
    for (row, to) in out.iter_mut().enumerate().take(rows) {
        *to = state.push(is_event(row));
    }
}

/// Writes the rows to come until `is_event` next holds (0 in the row itself), NaN after its last time. Only for columns known ahead.
pub fn rows_until(rows: usize, is_event: impl Fn(usize) -> bool, out: &mut [f32]) {
    let mut next = None;
    for row in (0..rows).rev() {
        if is_event(row) {
            next = Some(row);
        }
        out[row] = next.map_or(f32::NAN, |next: usize| (next - row) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(values: &[f64], row: usize, window: usize, min_count: usize) -> [f64; 5] {
        let first = (row + 1).saturating_sub(window);
        let seen: Vec<f64> = values[first..=row].iter().copied().filter(|value| !value.is_nan()).collect();
        let n = seen.len() as f64;
        if seen.len() < min_count.max(1) {
            return [f64::NAN; 5];
        }
        let mean = seen.iter().sum::<f64>() / n;
        let std = if seen.len() < 2 { f64::NAN } else { (seen.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt() };
        let min = seen.iter().copied().fold(f64::INFINITY, f64::min);
        let max = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        [mean, std, min, max, seen.iter().filter(|v| **v == 0.0).count() as f64 / n]
    }

    fn all(values: &[f64], window: usize, min_count: usize) -> [Vec<f32>; 5] {
        let mut out: [Vec<f32>; 5] = std::array::from_fn(|_| vec![0.0; values.len()]);
        let [mean, std, min, max, zero_share] = &mut out;
        rolling(
            values,
            window,
            min_count,
            RollingOut { mean: Some(mean), std: Some(std), min: Some(min), max: Some(max), zero_share: Some(zero_share) },
        );
        out
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![4 => -100.0..100.0_f64, 2 => Just(0.0), 1 => Just(f64::NAN)]
    }

    proptest! {
        #[test]
        fn rolling_statistics_equal_the_naive_ones(values in prop::collection::vec(value(), 0..80), window in 1_usize..30, min_count in 0_usize..5) {
            let out = all(&values, window, min_count);
            for row in 0..values.len() {
                for (found, wanted) in out.iter().zip(naive(&values, row, window, min_count)) {
                    let close = (f64::from(found[row]) - wanted).abs() <= 1e-4 || (found[row].is_nan() && wanted.is_nan());
                    prop_assert!(close, "row {row}: {} for {wanted}", found[row]);
                }
            }
        }

        #[test]
        fn a_window_resumed_anywhere_goes_on_with_the_same_bits(
            values in prop::collection::vec(value(), 1..80),
            window in 1_usize..30,
            min_count in 0_usize..5,
            cut in 0_usize..80,
        ) {
            let cut = cut.min(values.len());
            let out = all(&values, window, min_count);
            let mut state = Rolling::resume(window, min_count, cut, |row| values[row]);
            for row in cut..values.len() {
                // A state sees the rows up to its own and no more.
                let pushed = state.push(values[row], |before| values[..row][before]);
                let alone = last_rolling(row + 1, window, min_count, |before| values[..=row][before]);
                for summary in [pushed, alone] {
                    let found = [summary.mean(), summary.std(), summary.min(), summary.max(), summary.zero_share()];
                    prop_assert_eq!(found.map(f32::to_bits), std::array::from_fn(|at| out[at][row].to_bits()), "row {}", row);
                }
            }
        }

        #[test]
        fn seasonal_means_equal_the_naive_ones(values in prop::collection::vec(value(), 0..60), season in 1_usize..9, count in 1_usize..5) {
            let mut out = vec![0.0; values.len()];
            seasonal_mean(&values, season, count, &mut out);
            for (row, found) in out.iter().enumerate() {
                let seen: Vec<f64> = (0..count).filter_map(|k| row.checked_sub(k * season)).map(|r| values[r]).filter(|v| !v.is_nan()).collect();
                let wanted = seen.iter().sum::<f64>() / seen.len() as f64;
                prop_assert!((f64::from(*found) - wanted).abs() < 1e-4 || (found.is_nan() && wanted.is_nan()));
            }
        }

        #[test]
        fn what_comes_later_changes_nothing_before(values in prop::collection::vec(value(), 1..80), window in 1_usize..30, cut in 0_usize..80, by in 1.0..1e9_f64) {
            let cut = cut.min(values.len() - 1);
            let disturbed: Vec<f64> = values.iter().enumerate().map(|(row, v)| if row > cut { v * by + 1.0 } else { *v }).collect();
            for (a, b) in all(&values, window, 1).iter().zip(all(&disturbed, window, 1)) {
                let bits = |column: &[f32]| column[..=cut].iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(a), bits(&b));
            }
        }
    }

    #[test]
    fn an_outlier_that_left_the_window_leaves_no_residue() {
        let mut values = vec![1e15, 3e15];
        values.extend((0..40).map(|row| 10.0 + f64::from(row % 2)));
        let [mean, std, ..] = all(&values, 7, 1);
        assert!((mean[20] - 10.5).abs() < 0.1 && std[20] < 0.6, "{} {}", mean[20], std[20]);
    }

    #[test]
    fn a_constant_has_no_deviation_at_all() {
        let [mean, std, ..] = all(&[0.1; 30], 7, 1);
        assert!(mean.iter().all(|v| *v == 0.1) && std[1..].iter().all(|v| *v == 0.0));
    }

    #[test]
    fn lag_one_is_the_row_itself() {
        let mut out = [0.0; 3];
        lag(&[1.0, 2.0, 3.0], 1, &mut out);
        assert_eq!(out, [1.0, 2.0, 3.0]);
        lag(&[1.0, 2.0, 3.0], 3, &mut out);
        assert!(out[0].is_nan() && out[1].is_nan() && out[2] == 1.0);
    }

    #[test]
    fn absurd_values_stay_in_range() {
        let mut out = [0.0; 2];
        lag(&[1e308, -1e308], 1, &mut out);
        assert_eq!(out, [f32::MAX, f32::MIN]);
    }

    #[test]
    fn counters_count_both_ways() {
        let mut out = [0.0; 4];
        rows_since(4, |row| row == 1, &mut out);
        assert!(out[0].is_nan());
        assert_eq!(out[1..], [0.0, 1.0, 2.0]);
        rows_until(4, |row| row == 1, &mut out);
        assert_eq!(out[..2], [1.0, 0.0]);
        assert!(out[2].is_nan());
    }
}
