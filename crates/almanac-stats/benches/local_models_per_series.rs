//! How long does each cheap model of one series take per series, on one thread?
//!
//! Without arguments: 200 seeded series of 730 days, a third of them intermittent, and the models of the table below. With
//! arguments: names of models of that table to run alone; `rows=N` for other lengths, `csv=PATH` for series of `unique_id,y`
//! rows sorted by time.

use std::time::Instant;

use almanac_model::LocalForecaster;
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, SeriesRows};
use almanac_stats::{
    Adida, AutoIntermittent, Croston, CrostonOptimized, Drift, HistoricAverage, Holt, HoltWinters, Imapa, Mstl, Sba, Ses, Tsb,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let value = |key: &str| arguments.iter().find_map(|argument| argument.strip_prefix(key));
    let rows = value("rows=").map_or(730, |rows| rows.parse().expect("a whole number"));
    let series = match value("csv=") {
        Some(path) => read(&std::fs::read_to_string(path).expect("a readable file")),
        None => (0..200).map(|k| generate(k, rows)).collect(),
    };
    let panel = panel(&series);
    let horizon = Horizon::new(28).expect("in range");
    let quantiles = [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"));
    let models: [Box<dyn LocalForecaster>; 14] = [
        Box::new(Drift),
        Box::new(HistoricAverage),
        Box::new(Ses),
        Box::new(Holt),
        Box::new(HoltWinters::default()),
        Box::new(Croston),
        Box::new(CrostonOptimized),
        Box::new(Sba),
        Box::new(Tsb::default()),
        Box::new(Tsb::fixed(0.2, 0.1)),
        Box::new(Adida),
        Box::new(Imapa),
        Box::new(AutoIntermittent),
        Box::new(Mstl::default()),
    ];
    let is_named =
        |name: &str| arguments.iter().all(|argument| argument.contains('=')) || arguments.iter().any(|argument| argument == name);
    for model in models.iter().filter(|model| is_named(model.name())) {
        for view in panel.views().take(5) {
            model.forecast(&view, horizon, &quantiles).expect("forecast");
        }
        let started = Instant::now();
        for view in panel.views() {
            model.forecast(&view, horizon, &quantiles).expect("forecast");
        }
        let elapsed = started.elapsed().as_secs_f64();
        println!("{:20} {:10.2} µs per series", model.name(), elapsed * 1e6 / panel.n_series() as f64);
    }
}

fn read(text: &str) -> Vec<Vec<f64>> {
    let mut series: Vec<(String, Vec<f64>)> = Vec::new();
    for line in text.lines().skip(1) {
        let (id, y) = line.split_once(',').expect("two columns");
        if series.last().is_none_or(|(last, _)| last != id) {
            series.push((id.to_owned(), Vec::new()));
        }
        series.last_mut().expect("just pushed").1.push(y.parse().expect("a number"));
    }
    series.into_iter().map(|(_, y)| y).collect()
}

fn generate(k: usize, rows: usize) -> Vec<f64> {
    let mut state = 7 + k as u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut level = 20.0 + k as f64;
    let value = |row: usize| {
        level += 0.3 * noise();
        let y = level.abs() * (1.0 + 0.3 * f64::from(u8::from(row % 7 >= 5))) + 6.0 * noise() + 5.0;
        if k.is_multiple_of(3) && noise() < 0.25 { 0.0 } else { y.round() }
    };
    (0..rows).map(value).collect()
}

fn panel(series: &[Vec<f64>]) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for (k, y) in series.iter().enumerate() {
        let rows = SeriesRows { status: vec![RowStatus::Observed; y.len()], y: y.clone(), ..SeriesRows::default() };
        builder.push(format!("s{k:05}").as_str().into(), Period(0), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}
