//! Small panels and seeded noise for the tests of this crate.

use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, RowStatus, SeasonLength, SeriesRows};

/// A daily panel of fully observed series that start at period 0.
pub(crate) fn panel_of(series: &[(&str, Vec<f64>)]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for (id, y) in series {
        let rows = SeriesRows { y: y.clone(), status: vec![RowStatus::Observed; y.len()], ..SeriesRows::default() };
        builder.push((*id).into(), Period(0), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}

pub(crate) fn horizon(steps: usize) -> Horizon {
    Horizon::new(steps).expect("in range")
}

pub(crate) fn season(steps: usize) -> SeasonLength {
    SeasonLength::new(steps).expect("in range")
}

/// SplitMix64: a few lines of generator, so that the tests need none from outside.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Poisson by Knuth's product, in pieces so that large rates do not underflow.
    pub(crate) fn poisson(&mut self, rate: f64) -> f64 {
        let (mut left, mut count) = (rate, 0.0);
        while left > 0.0 {
            let limit = (-left.min(30.0)).exp();
            let mut product = self.uniform();
            while product > limit {
                count += 1.0;
                product *= self.uniform();
            }
            left -= 30.0;
        }
        count
    }
}
