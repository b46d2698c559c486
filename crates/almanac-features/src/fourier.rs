//! Fourier terms: where in a period a row lies, as waves. Periods are counted in rows from a fixed origin of the frequency, so that
//! all series and all panels agree, with a calendar or without.

use almanac_series::Period;

use crate::FourierSpec;
use crate::plan::Feature;

/// Returns the Fourier terms of a spec, in order: sine and cosine, wave after wave.
pub(crate) fn features(spec: &[FourierSpec]) -> Vec<Feature> {
    let waves = spec.iter().flat_map(|waves| (1..=waves.order).map(|order| (waves.period, order)));
    waves.flat_map(|(period, order)| ["sin", "cos"].map(|wave| Feature::plain(format!("fourier{period}_{wave}{order}")))).collect()
}

/// Writes the terms of a row.
pub(crate) fn write(spec: &[FourierSpec], at: Period, out: &mut [f32]) {
    let waves = spec.iter().flat_map(|waves| (1..=waves.order).map(|order| (waves.period, order)));
    for ((period, order), to) in waves.zip(out.chunks_exact_mut(2)) {
        // The whole turns go first, so that rows far from the origin are as exact as near ones.
        let turns = (at.0 as f64).rem_euclid(period) / period * order as f64;
        let (sin, cos) = (turns.fract() * std::f64::consts::TAU).sin_cos();
        to.copy_from_slice(&[sin as f32, cos as f32]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_period_is_the_top_of_its_wave() {
        let mut out = [0.0; 4];
        write(&[FourierSpec { period: 12.0, order: 2 }], Period(12 * 1000 + 3), &mut out);
        let wanted = [1.0, 0.0, 0.0, -1.0];
        assert!(out.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn rows_before_the_origin_go_on_with_the_wave() {
        let spec = [FourierSpec { period: 7.0, order: 3 }];
        let (mut before, mut after) = ([0.0; 6], [0.0; 6]);
        write(&spec, Period(-5), &mut before);
        write(&spec, Period(2), &mut after);
        assert_eq!(before, after);
    }
}
