//! How long does `auto_arima` take per daily series, on one thread?
//!
//! Without an argument: 100 seeded series of 730 days. With arguments: a CSV of `unique_id,y` rows sorted by time; a file to
//! write `unique_id,order,constant,log_likelihood,aicc` to, so that another program can be timed on and compared with the same series; a season
//! length other than 7.

use std::fmt::Write as _;
use std::time::Instant;

use almanac_model::LocalForecaster as _;
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, SeasonLength, SeriesRows};
use almanac_stats::AutoArima;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let series = match arguments.first() {
        Some(path) => read(&std::fs::read_to_string(path).expect("a readable file")),
        None => generate(100, 730),
    };
    let panel = panel(&series);
    let season_length = arguments.get(2).map(|text| SeasonLength::new(text.parse().expect("a whole number")).expect("at least 1"));
    let model = AutoArima { season_length, exog: false };
    let horizon = Horizon::new(28).expect("in range");
    let quantiles = [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"));
    for view in panel.views().take(5) {
        model.forecast(&view, horizon, &quantiles).expect("forecast");
    }
    let started = Instant::now();
    for view in panel.views() {
        model.forecast(&view, horizon, &quantiles).expect("forecast");
    }
    let elapsed = started.elapsed().as_secs_f64();
    println!("{} series, {:.3} ms per series", panel.n_series(), elapsed * 1e3 / panel.n_series() as f64);
    if let Some(out) = arguments.get(1) {
        let mut text = String::from("unique_id,order,constant,log_likelihood,aicc\n");
        for view in panel.views() {
            let fit = model.select(&view).expect("finite").expect("long enough");
            writeln!(text, "{},\"{}\",{:?},{},{}", view.id(), fit.order, fit.constant, fit.log_likelihood, fit.aicc)
                .expect("a string grows");
        }
        std::fs::write(out, text).expect("a writable path");
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
    let one = |k: u64| {
        let mut level = 20.0 + k as f64;
        let values = (0..rows).map(|row| {
            level += 0.3 * noise();
            level.abs() * (1.0 + 0.3 * f64::from(u8::from(row % 7 >= 5))) + 6.0 * noise() + 5.0
        });
        (format!("s{k:03}"), values.collect())
    };
    (0..n_series).map(one).collect()
}

fn panel(series: &[(String, Vec<f64>)]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for (id, y) in series {
        let rows = SeriesRows { status: vec![RowStatus::Observed; y.len()], y: y.clone(), ..SeriesRows::default() };
        builder.push(id.as_str().into(), Period(0), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}
