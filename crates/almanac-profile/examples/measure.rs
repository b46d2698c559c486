//! How long a profile and a comparison take, for `crates/almanac-bench/speed/drift.py`.
//!
//! ```text
//! measure profile FILE…         the files as one table
//! measure drift OLD NEW [exact] both from Parquet to the verdict
//! ```
//! Prints one line of JSON: seconds, peak memory in MB, what was found.

use std::path::PathBuf;
use std::time::Instant;

use almanac_profile::{DriftOptions, ProfileOptions, compare, profile_parquet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let files: Vec<PathBuf> = rest.iter().filter(|arg| *arg != "exact").map(PathBuf::from).collect();
    let options = if rest.len() > files.len() { ProfileOptions::at_hand() } else { ProfileOptions::default() };
    let started = Instant::now();
    let found = if what == "drift" {
        let (old, new) = (profile_parquet(&files[..1], &options)?, profile_parquet(&files[1..], &options)?);
        let drift = compare(&old, &new, &DriftOptions::default());
        serde_json::json!({ "rows": new.rows, "drifted": drift.verdict.drifted, "tested": drift.verdict.tested })
    } else {
        let options = ProfileOptions { key: std::env::var("KEY").map(|key| vec![key]).unwrap_or_default(), ..options };
        let profile = profile_parquet(&files, &options)?;
        let bytes = serde_json::to_vec(&profile)?.len();
        let distinct: Vec<Option<u64>> = profile.summary().columns.iter().map(|column| column.distinct).collect();
        serde_json::json!({ "rows": profile.rows, "columns": profile.columns.len(), "kept_bytes": bytes, "distinct": distinct })
    };
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "seconds": seconds, "peak_mb": peak_mb(), "found": found }));
    Ok(())
}

/// The peak of resident memory, where the system tells it.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()? / 1024.0)
}
