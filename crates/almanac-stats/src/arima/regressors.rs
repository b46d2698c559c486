//! Columns that explain the level: those known ahead, and waves for seasons too long for seasonal lags.

use almanac_series::SeriesView;

use crate::history::History;

/// Returns the numeric columns known ahead that are finite in every row of the history and in `steps` rows after its last
/// scored one, each divided by its largest magnitude.
pub(crate) fn known_ahead(series: &SeriesView<'_>, history: &History, steps: usize) -> Vec<Vec<f64>> {
    let end = series.len() - history.gap;
    let (start, end) = (end - history.values.len(), end + steps);
    let column = |values: &[f64]| {
        let values = values.get(start..end)?;
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let usable = values.iter().all(|value| value.is_finite()) && largest > 1e-290;
        usable.then(|| values.iter().map(|value| value / largest).collect())
    };
    series.future_numbers().filter_map(column).collect()
}

/// Returns `n_waves` pairs of sine and cosine of a season over `rows` rows, slow ones first.
pub(crate) fn waves(season_length: usize, n_waves: usize, rows: usize) -> Vec<Vec<f64>> {
    let wave = |harmonic: usize, shift: f64| -> Vec<f64> {
        let angle = |row: usize| std::f64::consts::TAU * ((row * harmonic) % season_length) as f64 / season_length as f64;
        (0..rows).map(|row| (angle(row) + shift).sin()).collect()
    };
    (1..=n_waves).flat_map(|harmonic| [wave(harmonic, 0.0), wave(harmonic, std::f64::consts::FRAC_PI_2)]).collect()
}
