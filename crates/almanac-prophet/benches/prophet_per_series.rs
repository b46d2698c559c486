//! How long does `prophet` take per daily series, on one thread?
//!
//! Without an argument: 100 seeded series of 740 days, which is two years and so a yearly season. With one: a CSV of `unique_id,y` rows sorted by time, days from
//! 2020-01-01, so that another program can be timed on the same series.

use std::time::Instant;

use almanac_model::Forecaster;
use almanac_prophet::{Prophet, SeasonalityMode};
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, Seed, SeriesRows};

fn main() {
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let series = match argument {
        Some(path) => read(&std::fs::read_to_string(path).expect("a readable file")),
        None => generate(100, 740),
    };
    let panel = panel(&series);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    for seasonality_mode in [SeasonalityMode::Additive, SeasonalityMode::Multiplicative] {
        let model = Prophet { seasonality_mode, ..Prophet::default() };
        let horizon = Horizon::new(28).expect("in range");
        let quantiles = [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"));
        let fitted = model.fit(&panel, horizon, Seed(7)).expect("right settings");
        let started = Instant::now();
        let forecast = pool.install(|| fitted.predict(&panel, horizon, &quantiles)).expect("forecast");
        let elapsed = started.elapsed().as_secs_f64();
        assert!(forecast.skipped.is_empty());
        println!("{seasonality_mode:?}: {} series, {:.3} ms per series", panel.n_series(), elapsed * 1e3 / panel.n_series() as f64);
    }
}

fn read(text: &str) -> Vec<(String, Vec<f64>)> {
    let mut series: Vec<(String, Vec<f64>)> = Vec::new();
    for line in text.lines().skip(1) {
        let (id, y) = line.split_once(',').expect("two columns");
        if series.last().is_none_or(|(last, _)| last != id) {
            series.push((id.to_owned(), Vec::new()));
        }
        series.last_mut().expect("just pushed").1.push(y.parse().expect("a number"));
    }
    series
}

fn generate(n_series: u64, rows: u64) -> Vec<(String, Vec<f64>)> {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    (0..n_series)
        .map(|index| {
            let mut level = 50.0 + 100.0 * (noise() + 0.5);
            let values = (0..rows)
                .map(|row| {
                    level += noise();
                    let week = 1.0 + 0.3 * f64::from(u8::from(row % 7 >= 5));
                    level.max(5.0) * week * (1.0 + 0.2 * (row as f64 / 58.1).sin()) + 20.0 * noise()
                })
                .collect();
            (format!("s{index:05}"), values)
        })
        .collect()
}

fn panel(series: &[(String, Vec<f64>)]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for (id, y) in series {
        let rows = SeriesRows { y: y.clone(), status: vec![RowStatus::Observed; y.len()], ..SeriesRows::default() };
        builder.push(id.as_str().into(), Period(18_262), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}
