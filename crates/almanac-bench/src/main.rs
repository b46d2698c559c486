//! How long the models take, over series that a file gives or that are made here: one JSON line a model on stdout.
//!
//! `speed/` calls it beside the Python peers on the same series and puts both into `BENCHMARKS.md`; `accuracy/` holds accuracy on real data.
//! Nothing that ships depends on this crate, and no test is timed.

mod clock;
mod gbm;
mod matrix;
mod models;

use std::path::PathBuf;

use almanac_model::FittedForecaster;
use almanac_series::{Freq, Horizon, Panel, Quantile, Seed};
use clap::{Parser, Subcommand};
use serde_json::json;

/// Processor seconds over which the calls of a model are repeated, so that fast ones can be told.
const LEAST_SECONDS: f64 = 0.5;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Times models over the series of a file.
    Models {
        /// Little-endian f64, series after series, all of the same length.
        file: PathBuf,
        /// Rows of each series.
        #[arg(long)]
        rows: usize,
        /// Spacing of the rows: D, MS or 1.
        #[arg(long, default_value = "D")]
        freq: Freq,
        /// Steps ahead.
        #[arg(long, default_value_t = 28)]
        horizon: usize,
        /// Threads.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Names of models.
        names: Vec<String>,
    },
    /// Times a global LightGBM from values to a recursive forecast of the last 28 rows, held out.
    Gbm {
        /// Little-endian f64, series after series, all of the same length.
        file: PathBuf,
        /// Rows of each series.
        #[arg(long)]
        rows: usize,
        /// Trees.
        #[arg(long)]
        trees: usize,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Times one model over made-up series, all at once.
    Scale {
        /// Name of the model.
        model: String,
        /// Number of series.
        #[arg(long)]
        series: usize,
        /// Rows of each.
        #[arg(long)]
        rows: usize,
        /// Steps ahead.
        #[arg(long, default_value_t = 28)]
        horizon: usize,
    },
}

fn main() {
    match Arguments::parse().job {
        Job::Models { file, rows, freq, horizon, threads, names } => {
            let panel = matrix::read(&file, rows, freq);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            for name in names {
                pool.install(|| time(&name, &panel, horizon));
            }
        }
        Job::Gbm { file, rows, trees, threads } => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            pool.install(|| gbm::time(&matrix::read(&file, rows, Freq::Day), trees, threads));
        }
        Job::Scale { model, series, rows, horizon } => {
            let panel = matrix::generate(series, rows);
            let horizon = Horizon::new(horizon).expect("at least 1");
            let fitted = fitted(&model, &panel, horizon);
            let clock = clock::Clock::start();
            let forecast = fitted.predict(&panel, horizon, &quantiles()).expect("a forecast");
            let (wall, cpu) = clock.seconds();
            let checksum: f64 = forecast.mean.iter().sum();
            let peak = clock::peak_gib();
            println!(
                "{}",
                json!({"model": model, "series": series, "rows": rows, "wall_s": wall, "cpu_s": cpu, "peak_gib": peak, "checksum": checksum})
            );
        }
    }
}

/// Times the first call, and then as many as make the processor time worth reading.
fn time(name: &str, panel: &Panel, horizon: usize) {
    let horizon = Horizon::new(horizon).expect("at least 1");
    let fitted = fitted(name, panel, horizon);
    let mut calls = Vec::new();
    let mut checksum = 0.0;
    let mut total = 0.0;
    while calls.len() < 2 || total < LEAST_SECONDS {
        let clock = clock::Clock::start();
        let forecast = fitted.predict(panel, horizon, &quantiles()).expect("a forecast");
        let (wall, cpu) = clock.seconds();
        checksum = forecast.mean.iter().sum();
        total += wall;
        calls.push((wall, cpu));
    }
    let n = panel.n_series() as f64;
    let cpu: f64 = calls.iter().map(|(_, cpu)| cpu).sum::<f64>() / calls.len() as f64;
    let wall = calls.iter().map(|(wall, _)| *wall).fold(f64::INFINITY, f64::min);
    let per_series = |seconds: f64| seconds * 1e3 / n;
    println!(
        "{}",
        json!({
            "model": name, "series": panel.n_series(), "calls": calls.len(), "cold_ms": per_series(calls[0].0),
            "wall_ms": per_series(wall), "cpu_ms": per_series(cpu), "checksum": checksum,
        })
    );
}

fn fitted(name: &str, panel: &Panel, horizon: Horizon) -> Box<dyn FittedForecaster> {
    let model = models::by_name(name).unwrap_or_else(|| panic!("no model of the name `{name}` is timed here"));
    model.fit(panel, horizon, Seed(7)).expect("a fit")
}

fn quantiles() -> [Quantile; 3] {
    [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"))
}
