//! Judges a Parquet file by a suite and prints how long it took: what `almanac-bench/speed/expectations.py` measures.
//!
//! `cargo run --release -p almanac-expect --example check -- TABLE.parquet SUITE.json [runs] [memory in MB]`. The table is `other` too.

use std::time::Instant;

use almanac_expect::{Options, ResultFormat, Suite, Table, check};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [table, suite, rest @ ..] = &arguments[..] else { return Err("usage: check TABLE.parquet SUITE.json [runs]".into()) };
    let runs: usize = rest.first().map_or(Ok(1), |runs| runs.parse())?;
    let suite = Suite::read(suite.as_ref())?.remove(0);
    let memory: u64 = rest.get(1).map_or(Ok(1024), |memory| memory.parse())?;
    let other = std::collections::BTreeMap::from([("other".to_owned(), Table::open(table.as_ref())?)]);
    let options = Options { format: ResultFormat::BooleanOnly, memory: memory << 20, tables: other, ..Options::default() };
    for _ in 0..runs {
        let start = Instant::now();
        let opened = Table::open(table.as_ref())?;
        let validation = check(&opened, &suite, &options)?;
        let failed: Vec<&str> = validation.failures().map(|outcome| outcome.kind.as_str()).collect();
        println!("{:.4} s, {} rows, failed: {failed:?}", start.elapsed().as_secs_f64(), validation.rows);
        for outcome in validation.failures() {
            eprintln!("  {} {}: {}", outcome.kind, outcome.subject.as_deref().unwrap_or_default(), outcome.observed);
        }
    }
    Ok(())
}
