//! Panels to time on: from a file that Python reads too, or made up.

use std::path::Path;

use almanac_series::{Freq, Panel, PanelBuilder, Period, RowStatus, SeriesRows};
use rayon::prelude::*;

/// Days from 1970 to 2020.
const FIRST_DAY: Period = Period(18_262);

/// Reads series of `rows` little-endian f64 each.
pub(crate) fn read(file: &Path, rows: usize, freq: Freq) -> Panel {
    let bytes = std::fs::read(file).expect("a readable file");
    let values: Vec<f64> = bytes.chunks_exact(8).map(|chunk| f64::from_le_bytes(chunk.try_into().expect("eight bytes"))).collect();
    assert!(!values.is_empty() && values.len().is_multiple_of(rows), "{} values are no series of {rows} rows", values.len());
    panel(values.par_chunks_exact(rows).map(<[f64]>::to_vec).collect(), freq)
}

/// Makes daily series with a level that wanders, a week, and noise; every third is zero on a quarter of its days.
pub(crate) fn generate(n_series: usize, rows: usize) -> Panel {
    let series = |k: usize| {
        let mut state = 7 + k as u64;
        let mut noise = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut level = 20.0 + (k % 1_000) as f64;
        (0..rows)
            .map(|row| {
                level += 0.3 * noise();
                let y = level.abs() * (1.0 + 0.3 * f64::from(u8::from(row % 7 >= 5))) + 6.0 * noise() + 5.0;
                if k.is_multiple_of(3) && noise() < -0.25 { 0.0 } else { y.round() }
            })
            .collect()
    };
    panel((0..n_series).into_par_iter().map(series).collect(), Freq::Day)
}

fn panel(series: Vec<Vec<f64>>, freq: Freq) -> Panel {
    let mut builder = PanelBuilder::new(freq, &[], &[]);
    for (k, y) in series.into_iter().enumerate() {
        let rows = SeriesRows { status: vec![RowStatus::Observed; y.len()], y, ..SeriesRows::default() };
        builder
            .push(format!("s{k:07}").as_str().into(), if freq == Freq::Day { FIRST_DAY } else { Period(0) }, rows)
            .expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}
