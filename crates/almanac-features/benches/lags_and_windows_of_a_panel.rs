//! How long do the features take that peers are timed on: lags 1, 7, 14, 28, 30, 365, rolling mean, deviation, minimum and maximum
//! over 7, 28, 90 full rows, and the calendar, in memory?
//!
//! `crates/almanac-bench/speed/features.py` writes the panel, runs this and the peers, and compares. Arguments: the panel's file
//! (little-endian: the number of series; first day and rows of each; all values), threads, runs. Prints one JSON line.

use std::time::Instant;

use almanac_features::kernel::{RollingOut, lag, rolling};
use almanac_features::{Calendar, Columns, FeaturePlan, FeatureSpec, known};
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, RowStatus, SeriesRows};
use rayon::prelude::*;

const LAGS: [usize; 6] = [1, 7, 14, 28, 30, 365];
const WINDOWS: [usize; 3] = [7, 28, 90];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [file, threads, runs] = arguments.as_slice() else {
        println!("needs a panel's file, threads and runs: see crates/almanac-bench/speed/features.py");
        return;
    };
    let threads: usize = threads.parse().expect("threads are a number");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("the first pool");
    let panel = read(&std::fs::read(file).expect("a readable file"));
    let mut spec = FeatureSpec::for_freq(Freq::Day, Horizon::new(1).expect("in range"));
    spec.trend = true;
    let plan = FeaturePlan::new(&panel, spec).expect("no country");
    let binding = plan.bind(&panel);
    let (mut wall, mut cpu, mut sum) = (f64::INFINITY, f64::INFINITY, 0.0);
    for _ in 0..runs.parse().expect("runs are a number") {
        let (started, before) = (Instant::now(), cpu_seconds());
        let calendar = Calendar::new(&panel, &plan).expect("no country");
        let made: Vec<(Columns, Columns)> = (0..panel.n_series())
            .into_par_iter()
            .map(|index| {
                let view = panel.view(index);
                (lags_and_windows(view.y()), known(&view, &plan, &binding, &calendar))
            })
            .collect();
        wall = wall.min(started.elapsed().as_secs_f64());
        cpu = cpu.min(cpu_seconds() - before);
        sum = made.iter().map(|(columns, _)| checksum(columns)).sum();
    }
    println!(r#"{{"peer": "almanac", "wall_s": {wall:.4}, "cpu_s": {cpu:.4}, "rows": {}, "checksum": {sum:.2}}}"#, panel.n_rows());
}

fn lags_and_windows(y: &[f64]) -> Columns {
    let mut out = Columns::zeroed(LAGS.len() + 4 * WINDOWS.len(), y.len());
    let mut columns = out.columns_mut();
    let mut next = || columns.next().expect("as many columns as are written");
    for back in LAGS {
        lag(y, back, next());
    }
    for window in WINDOWS {
        let (mean, std, min, max) = (Some(next()), Some(next()), Some(next()), Some(next()));
        rolling(y, window, window, RollingOut { mean, std, min, max, zero_share: None });
    }
    out
}

/// Sum of all values that peers have: theirs stand a row further, and what is known after the last row they leave out.
fn checksum(columns: &Columns) -> f64 {
    let known = columns.iter().flat_map(|column| &column[..column.len() - 1]);
    known.filter(|value| !value.is_nan()).map(|value| f64::from(*value)).sum()
}

fn read(bytes: &[u8]) -> Panel {
    let mut words = bytes.chunks_exact(8).map(|word| <[u8; 8]>::try_from(word).expect("eight bytes"));
    let mut next = || words.next().expect("a whole file");
    let n_series = u64::from_le_bytes(next());
    let heads: Vec<(i64, u64)> = (0..n_series).map(|_| (i64::from_le_bytes(next()), u64::from_le_bytes(next()))).collect();
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for (index, (start, rows)) in heads.into_iter().enumerate() {
        let y: Vec<f64> = (0..rows).map(|_| f64::from_le_bytes(next())).collect();
        let rows = SeriesRows { status: vec![RowStatus::Observed; y.len()], y, ..SeriesRows::default() };
        builder.push(format!("{index:08}").as_str().into(), Period(start), rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}

/// Seconds that the threads of this process have run, where the system tells (Linux); 0 elsewhere.
fn cpu_seconds() -> f64 {
    let nanos = |path: std::path::PathBuf| std::fs::read_to_string(path).ok()?.split(' ').next()?.parse::<f64>().ok();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter_map(|task| nanos(task.path().join("schedstat"))).sum::<f64>() / 1e9
}
