//! How long do `auto_theta` and `auto_ces` take per series, on one thread?
//!
//! 200 seeded series of 730 days with a season of 7, and as many of 120 months with one of 12. An argument is a file to write
//! them to as `unique_id,y` rows, so that another program can be timed on the same series.

use std::fmt::Write as _;
use std::time::Instant;

use almanac_model::LocalForecaster;
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, SeriesRows};
use almanac_stats::{AutoCes, AutoTheta, Theta};

const N_SERIES: usize = 200;

fn main() {
    let mut text = String::from("unique_id,y\n");
    let month = Freq::Month { months: 1, anchor: 1, end: false };
    for (name, freq, rows, season_length) in [("daily", Freq::Day, 730, 7), ("monthly", month, 120, 12)] {
        let panel = generate(name, freq, rows, season_length, &mut text);
        for model in [&Theta::default() as &dyn LocalForecaster, &AutoTheta::default(), &AutoCes::default()] {
            let horizon = Horizon::new(28).expect("in range");
            let quantiles = [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"));
            let started = Instant::now();
            for view in panel.views() {
                model.forecast(&view, horizon, &quantiles).expect("forecast");
            }
            let elapsed = started.elapsed().as_secs_f64();
            println!("{name} {}: {:.3} ms per series", model.name(), elapsed * 1e3 / N_SERIES as f64);
        }
    }
    if let Some(out) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) {
        std::fs::write(out, text).expect("a writable path");
    }
}

fn generate(name: &str, freq: Freq, rows: usize, season_length: usize, text: &mut String) -> Panel {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut builder = PanelBuilder::new(freq, &[], &[]);
    for k in 0..N_SERIES {
        let mut level = 20.0 + k as f64;
        let values = (0..rows).map(|row| {
            level += 0.3 * noise();
            level.abs() * (1.0 + 0.3 * (row % season_length) as f64 / season_length as f64) + 6.0 * noise() + 5.0
        });
        let y: Vec<f64> = values.collect();
        for y in &y {
            writeln!(text, "{name}_{k:03},{y}").expect("a string grows");
        }
        let rows = SeriesRows { status: vec![RowStatus::Observed; y.len()], y, ..SeriesRows::default() };
        builder.push(format!("{name}_{k:03}").as_str().into(), Period(0), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}
