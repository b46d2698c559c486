//! Source files gathered into tables: `sales_2023.csv` and `sales_2024.csv` are one, each other file is its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ingest::{IngestError, TableSpec, expand_source};
use crate::sketch::Frame;

/// Words that cannot name a table without quotes.
const RESERVED: [&str; 20] = [
    "order", "orders", "group", "table", "select", "values", "user", "from", "join", "where", "limit", "all", "left", "right", "end",
    "case", "union", "on", "as", "index",
];

/// The tables that were read, and those that could not be.
pub(crate) type Loaded = (Vec<Frame>, Vec<(String, IngestError)>);

/// Loads every table that the sources hold.
/// A table that cannot be read is handed back with its error, beside those that can.
pub(crate) fn load(sources: &[PathBuf]) -> Result<Loaded, IngestError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for source in sources {
        let found = expand_source(Path::new(""), &source.to_string_lossy())?;
        files.extend(found.into_iter().filter(|path| !sources.iter().any(|other| other == path && other != source)));
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for path in files {
        let stem = stem(&path);
        let extension = path.extension().map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
        // Only what ends in digits can be a part of something.
        let base = stem.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | ' ' | '.'));
        let key = if base.len() < stem.len() && !base.is_empty() { format!("{base}*{extension}") } else { format!("{stem}.{extension}") };
        if !groups.contains_key(&key) {
            order.push(key.clone());
        }
        groups.entry(key).or_default().push(path);
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut failed: Vec<(String, IngestError)> = Vec::new();
    for key in order {
        let paths = groups.remove(&key).unwrap_or_default();
        let base = if paths.len() > 1 { key.split('*').next().unwrap_or(&key).to_owned() } else { stem(&paths[0]) };
        let taken: Vec<&str> = frames.iter().map(|frame| frame.name.as_str()).chain(failed.iter().map(|(name, _)| name.as_str())).collect();
        let name = table_name(&base, &taken);
        let spec = TableSpec { name: name.clone(), paths, ..TableSpec::default() };
        match Frame::load(&spec) {
            Ok(frame) => frames.push(frame),
            Err(error) => failed.push((name, error)),
        }
    }
    match failed.pop() {
        Some((_, error)) if frames.is_empty() => Err(error),
        last => {
            failed.extend(last);
            Ok((frames, failed))
        }
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').next().unwrap_or(&name).to_owned()
}

fn table_name(base: &str, taken: &[&str]) -> String {
    let mut name: String = base.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    name = name.trim_matches('_').to_owned();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&name.as_str()) {
        name = format!("t_{name}");
    }
    let mut unique = name.clone();
    let mut count = 2;
    while taken.contains(&unique.as_str()) {
        unique = format!("{name}_{count}");
        count += 1;
    }
    unique
}
