//! Panels of one series for the tests.

use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, SeriesRows};

/// First day of a month, every month.
pub(crate) const MONTH: Freq = Freq::Month { months: 1, anchor: 1, end: false };

pub(crate) fn observed(y: &[f64], freq: Freq) -> Panel {
    with_status(y, &vec![RowStatus::Observed; y.len()], freq)
}

pub(crate) fn with_status(y: &[f64], status: &[RowStatus], freq: Freq) -> Panel {
    let mut builder = PanelBuilder::new(freq, &[], &[]);
    let rows = SeriesRows { y: y.to_vec(), status: status.to_vec(), ..SeriesRows::default() };
    builder.push("series".into(), Period(0), rows).expect("columns agree");
    builder.finish(vec![]).expect("one key")
}

pub(crate) fn horizon(steps: usize) -> Horizon {
    Horizon::new(steps).expect("in range")
}

pub(crate) fn quantiles<const N: usize>(probabilities: [f64; N]) -> [Quantile; N] {
    probabilities.map(|probability| Quantile::new(probability).expect("in range"))
}

/// Monthly airline passengers, in thousands, 1949 to 1960: Box & Jenkins (1976), series G.
pub(crate) fn air_passengers() -> Vec<f64> {
    include_str!("../fixtures/air_passengers.csv").lines().skip(1).map(|line| line.parse().expect("a number")).collect()
}
