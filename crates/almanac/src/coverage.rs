//! How often the intervals of a leaderboard's row held: what is known of it, gathered.
//!
//! At the bottom every model was measured, step by step; at upper levels the champion alone, over its whole horizon.

use almanac_evaluate::LeaderboardRow;
use almanac_pipeline::Selection;

/// Returns (nominal, measured) coverage of a row, ascending; empty where nothing was measured.
pub(crate) fn of_row(selection: &Selection, row: &LeaderboardRow) -> Vec<(f64, f64)> {
    let last = selection.leaderboard.rows.iter().map(|row| row.horizon_to).max().unwrap_or(0);
    let is_whole = row.horizon_from == 1 && row.horizon_to == last;
    let mut coverage: Vec<(f64, f64)> = Vec::new();
    if is_whole && row.model == selection.champion {
        let of_level = selection.cross_coverage.iter().filter(|measured| measured.level == row.level);
        coverage.extend(of_level.map(|measured| (measured.nominal, measured.empirical)));
    }
    for (nominal, empirical) in &row.coverage {
        if at(&coverage, *nominal).is_none() {
            // 1 - 2 × 0.165 is not 0.67 in binary.
            coverage.push(((nominal * 1e9).round() / 1e9, *empirical));
        }
    }
    coverage.sort_by(|a, b| a.0.total_cmp(&b.0));
    coverage
}

/// Returns the measured coverage at a nominal one.
pub(crate) fn at(coverage: &[(f64, f64)], nominal: f64) -> Option<f64> {
    coverage.iter().find(|(known, _)| (known - nominal).abs() < 1e-9).map(|(_, empirical)| *empirical)
}
