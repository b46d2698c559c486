//! Times the as-of features of 5,000 series x 1,095 days: lags 1, 7, 14, 28, 30, 365 and rolling mean, standard deviation,
//! minimum and maximum over 7, 28 and 90 rows. `cargo run --release -p almanac-features --example asof_speed`.

use std::time::Instant;

use almanac_features::{FeaturePlan, FeatureSpec, WindowSpec, asof};
use almanac_series::{Freq, Horizon, PanelBuilder, Period, RowStatus, SeriesRows};
use rayon::prelude::*;

fn main() {
    const SERIES: usize = 5_000;
    const DAYS: usize = 1_095;
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for series in 0..SERIES {
        let y = (0..DAYS).map(|row| ((row * 7919 + series * 104_729) % 997) as f64 / 10.0).collect();
        let rows = SeriesRows { y, status: vec![RowStatus::Observed; DAYS], ..SeriesRows::default() };
        builder.push(format!("{series:05}").as_str().into(), Period(0), rows).expect("no columns");
    }
    let panel = builder.finish(vec![]).expect("keys are unique");
    let spec = FeatureSpec {
        lags: vec![1, 7, 14, 28, 30, 365],
        windows: [7, 28, 90].map(WindowSpec::full).into(),
        ewm: vec![],
        ..FeatureSpec::for_freq(Freq::Day, Horizon::new(28).expect("in range"))
    };
    let plan = FeaturePlan::new(&panel, spec).expect("no country");
    let binding = plan.bind(&panel);
    for _ in 0..3 {
        let start = Instant::now();
        let all: Vec<_> = (0..SERIES).into_par_iter().map(|index| asof(&panel.view(index), &plan, &binding)).collect();
        eprintln!("{} series, {} features: {:.3} s", all.len(), plan.asof().len(), start.elapsed().as_secs_f64());
    }
}
