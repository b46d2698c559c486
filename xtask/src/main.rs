//! Chores of the house, in Rust: `cargo run --release -p xtask -- tidy`.
//!
//! Not here: anything that ships.

mod tidy;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo run --release -p xtask -- tidy

  tidy   check the rules of the house: arrows point down, headers, file length, the code map, purity";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["tidy"] {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match workspace().and_then(|root| tidy::check(&root)) {
        Ok(report) if report.findings.is_empty() => {
            println!("tidy: {} crates, {} Rust files, all rules kept", report.crates, report.files);
            ExitCode::SUCCESS
        }
        Ok(report) => {
            for finding in &report.findings {
                eprintln!("{finding}");
            }
            eprintln!("tidy: {} findings in {} crates, {} Rust files", report.findings.len(), report.crates, report.files);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: the tree could not be read\n  caused by: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder at or above the current one that holds the workspace.
fn workspace() -> io::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let is_root = |folder: &&Path| folder.join("crates").is_dir() && folder.join("Cargo.toml").is_file();
    let found = here.ancestors().find(is_root).map(Path::to_owned);
    found.ok_or_else(|| io::Error::other(format!("no workspace at or above `{}`", here.display())))
}
