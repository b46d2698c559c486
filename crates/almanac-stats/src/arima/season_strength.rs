//! How strong a season is: one minus the share of the variance left when trend and season are taken out.
//!
//! Trend and season come from STL: local lines through each place in the season, their slow part taken off, then a local line
//! through the rest, twice. Rows without score have no weight.
//!
//! Source: Cleveland, Cleveland, McRae & Terpenning (1990), "STL: a seasonal-trend decomposition procedure based on loess".

/// Seasons that the line through a place in the season reaches over, as in R's `mstl`.
const SEASONAL_WINDOW: usize = 11;
const ROUNDS: usize = 2;

/// Returns the strength, 0 to 1, of a season of two steps or more. NaN marks rows without score.
pub(crate) fn season_strength(values: &[f64], season_length: usize) -> f64 {
    let n = values.len();
    let trend_window = odd((1.5 * season_length as f64 / (1.0 - 1.5 / SEASONAL_WINDOW as f64)).ceil() as usize);
    let (mut trend, mut season) = (vec![0.0; n], vec![0.0; n]);
    // Seasonal lines reach one season beyond both ends.
    let mut lines = vec![0.0; n + 2 * season_length];
    for _ in 0..ROUNDS {
        for place in 0..season_length {
            let own: Vec<f64> = (place..n).step_by(season_length).map(|row| values[row] - trend[row]).collect();
            for (k, line) in lines.iter_mut().skip(place).step_by(season_length).enumerate().take(own.len() + 2) {
                *line = local_line(&own, SEASONAL_WINDOW, k as f64 - 1.0);
            }
        }
        let averaged = moving_average(&moving_average(&moving_average(&lines, season_length), season_length), 3);
        for (row, season) in season.iter_mut().enumerate() {
            *season = lines[row + season_length] - local_line(&averaged, odd(season_length), row as f64);
        }
        let rest: Vec<f64> = values.iter().zip(&season).map(|(value, season)| value - season).collect();
        for (row, trend) in trend.iter_mut().enumerate() {
            *trend = local_line(&rest, trend_window, row as f64);
        }
    }
    let detrended = values.iter().zip(&trend).map(|(value, trend)| value - trend);
    let whole = variance(detrended.clone());
    let left = variance(detrended.zip(&season).map(|(value, season)| value - season));
    if whole > 0.0 { (1.0 - left / whole).clamp(0.0, 1.0) } else { 0.0 }
}

fn odd(window: usize) -> usize {
    window | 1
}

fn moving_average(values: &[f64], window: usize) -> Vec<f64> {
    values.windows(window).map(|window| window.iter().sum::<f64>() / window.len() as f64).collect()
}

fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum()
}

/// Value at `x` of the line through the `window` nearest values, near ones weighing more. 0 where none of them is a number.
fn local_line(values: &[f64], window: usize, x: f64) -> f64 {
    let n = values.len();
    let reach = window.min(n);
    let left = (x.round() as isize - (reach as isize - 1) / 2).clamp(0, (n - reach) as isize) as usize;
    let farthest = (x - left as f64).max((left + reach - 1) as f64 - x) + (window - reach) as f64 / 2.0;
    let (mut weights, mut xs, mut ys, mut squares, mut products) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (row, y) in values.iter().enumerate().skip(left).take(reach).filter(|(_, value)| !value.is_nan()) {
        let distance = row as f64 - x;
        let share = distance.abs() / farthest;
        let near = 1.0 - share * share * share;
        // The farthest ones weigh nothing; a trace keeps a neighbourhood of them alone.
        let weight = (near * near * near).max(1e-9);
        weights += weight;
        xs += weight * distance;
        ys += weight * y;
        squares += weight * distance * distance;
        products += weight * distance * y;
    }
    if weights == 0.0 {
        return 0.0;
    }
    let (mean_x, mean_y) = (xs / weights, ys / weights);
    let spread = squares / weights - mean_x * mean_x;
    if spread < 1e-6 { mean_y } else { mean_y - mean_x * (products / weights - mean_x * mean_y) / spread }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_strong_and_noise_is_weak_also_with_holes() {
        let noise = |row: u32| f64::from(row * 7919 % 101) / 101.0;
        let mut season: Vec<f64> = (0..120).map(|row| f64::from(row % 12) + noise(row) + 0.1 * f64::from(row)).collect();
        let mut flat: Vec<f64> = (0..120).map(noise).collect();
        for row in (0..120).step_by(7) {
            season[row] = f64::NAN;
            flat[row] = f64::NAN;
        }
        assert!(season_strength(&season, 12) > 0.95);
        assert!(season_strength(&flat, 12) < 0.64);
    }
}
