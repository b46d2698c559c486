//! Which files a source names: a path, a folder, a glob, and with `!/` what is wanted of a file that holds several things.
//!
//! ```text
//! archive.zip!/2024-*.csv     the members of an archive that match
//! book.xlsx!/Sales            a sheet; `!/*` all of them
//! answer.json!/data/items     the rows below a JSON pointer
//! ```
//!
//! Not here: what the files hold (`source`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::IngestError;

/// Between a file and what is wanted of it.
pub(crate) const INSIDE: &str = "!/";

/// Folders upwards in which the log of a table is looked for.
const LEVELS: usize = 4;

const TEXT: [&str; 6] = ["csv", "tsv", "txt", "json", "jsonl", "ndjson"];
const OTHERS: [&str; 9] = ["parquet", "pq", "xlsx", "xlsm", "xlsb", "xls", "ods", "zip", "gz"];

/// Returns the files that a path, a folder or a glob below `root` names, sorted by path.
///
/// A folder gives the files directly in it whose extension is a known one, `.gz` and `.zst` of a text included. What follows `!/`
/// stays at the end of each path, see [`on_disk`].
///
/// # Errors
/// [`IngestError::NoFile`] if there are none.
pub fn expand_source(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, IngestError> {
    let whole = root.join(pattern);
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    if let Some((outer, inner)) = pattern.split_once(INSIDE) {
        let files = expand_source(root, outer).map_err(|error| match error {
            IngestError::NoFile { .. } => IngestError::NoFile { pattern: pattern.to_owned() },
            other => other,
        })?;
        return Ok(files.into_iter().map(|file| format!("{}{INSIDE}{inner}", file.display()).into()).collect());
    }
    let mut files = Vec::new();
    not_a_lake(&whole)?;
    if whole.is_dir() {
        let failed = |source| IngestError::Read { path: whole.clone(), source };
        for entry in std::fs::read_dir(&whole).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_file() && is_known(&name) {
                files.push(path);
            }
        }
    } else {
        let bad = |reason: String| IngestError::BadPattern { pattern: pattern.to_owned(), reason };
        let escaped = glob::Pattern::escape(&root.to_string_lossy());
        let text = if Path::new(pattern).is_absolute() {
            pattern.to_owned()
        } else {
            Path::new(&escaped).join(pattern).to_string_lossy().into_owned()
        };
        for found in glob::glob(&text).map_err(|error| bad(error.to_string()))? {
            let path = found.map_err(|error| IngestError::Read { path: error.path().to_owned(), source: error.into() })?;
            if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().filter_map(|file| file.parent()).collect::<BTreeSet<_>>().into_iter().try_for_each(not_a_lake)?;
    if files.is_empty() { Err(IngestError::NoFile { pattern: pattern.to_owned() }) } else { Ok(files) }
}

/// Refuses a folder that is, or lies in, a table of Delta or Iceberg.
fn not_a_lake(folder: &Path) -> Result<(), IngestError> {
    // Folders of partitions lie a few levels below the table.
    for (level, here) in folder.ancestors().take(LEVELS).filter(|here| !here.as_os_str().is_empty()).enumerate() {
        if here.join("_delta_log").is_dir() {
            return Err(IngestError::Lake { path: here.to_owned(), kind: "a Delta" });
        }
        let is_its_data = level == 0 || folder.starts_with(here.join("data"));
        if is_its_data && std::fs::read_dir(here.join("metadata")).is_ok_and(|files| files.flatten().any(is_of_iceberg)) {
            return Err(IngestError::Lake { path: here.to_owned(), kind: "an Iceberg" });
        }
    }
    Ok(())
}

fn is_of_iceberg(entry: std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().ends_with(".metadata.json")
}

/// Returns the file of a path that [`expand_source`] gave, without what is wanted of it.
pub fn on_disk(path: &Path) -> &Path {
    split(path).0
}

/// Splits a path into the file and what is wanted of it.
pub(crate) fn split(path: &Path) -> (&Path, Option<&str>) {
    match path.to_str().and_then(|text| text.split_once(INSIDE)) {
        Some((outer, inner)) if !path.exists() => (Path::new(outer), Some(inner)),
        _ => (path, None),
    }
}

/// Whether a file of this name in a folder is one to be read.
pub(crate) fn is_known(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // `~$book.xlsx` is the lock of a spreadsheet that is open somewhere.
    if lower.starts_with('.') || lower.starts_with("~$") {
        return false;
    }
    let (stem, is_packed) = unpacked(&lower);
    let Some((_, extension)) = stem.rsplit_once('.') else { return is_packed };
    TEXT.contains(&extension) || (!is_packed && OTHERS.contains(&extension))
}

/// Takes the ending of a packed text off a lower-case name.
pub(crate) fn unpacked(lower: &str) -> (&str, bool) {
    [".gz", ".zst", ".zstd"].iter().find_map(|ending| lower.strip_suffix(ending)).map_or((lower, false), |stem| (stem, true))
}

/// Whether a lower-case name ends in one of these extensions.
pub(crate) fn has_extension(lower: &str, wanted: &[&str]) -> bool {
    lower.rsplit_once('.').is_some_and(|(_, extension)| wanted.contains(&extension))
}
