//! Rows that have a key: the newest version of each, and every version there was, made from landed files.
//!
//! Landed files are never rewritten; both tables are files of their own beside them (`view-…`), made again whenever a load is added.
//! A row of a later load that says the same as the newest version of its key is no new version. Within one load the greatest
//! watermark is the newest, then the last row. After a full load, keys that it lacks are deleted: they are in the history only.
//!
//! Two passes over the files; memory is about 80 bytes a key.
//!
//! Not here: what lands (`land`), how bronze types text.

pub(crate) mod json;
mod parquet;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ConnectError;
use crate::landing::{LandedFile, LandingError, Load, LoadMode, Mark, TableLanding, VIEW};

/// Column of the history that says which load a version came with.
pub const LOAD_COLUMN: &str = "_load";
/// Column of the history that says when that load was committed, in UTC.
pub const LOADED_AT_COLUMN: &str = "_loaded_at";

/// The tables that bronze is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Views {
    /// Files of the table as it is now.
    pub current: Vec<PathBuf>,
    /// Files of all versions, with [`LOAD_COLUMN`] and [`LOADED_AT_COLUMN`]; `None` if rows have no key.
    pub history: Option<Vec<PathBuf>>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

impl Views {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.current.iter().chain(self.history.iter().flatten())
    }
}

/// What a row is, apart from its values.
#[derive(Debug, Clone, Copy)]
struct Row {
    key: u128,
    content: u128,
    mark: Option<Mark>,
}

/// The newest version of a key.
struct Newest {
    content: u128,
    row: u64,
    load: u64,
    mark: Option<Mark>,
}

/// One bit a row, over all files in their order.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, place: u64) {
        let word = (place / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (place % 64);
    }

    fn unset(&mut self, place: u64) {
        if let Some(word) = self.0.get_mut((place / 64) as usize) {
            *word &= !(1 << (place % 64));
        }
    }

    fn has(&self, place: u64) -> bool {
        self.0.get((place / 64) as usize).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}

/// A landed file of a keyed table.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    load: &'a Load,
    path: &'a Path,
}

impl Part<'_> {
    /// Whether its rows say themselves with which load they came.
    fn is_stamped(&self) -> bool {
        !self.load.packed.is_empty()
    }
}

/// Writes all rows of loads into one file, with the number of the load in each if they have a key. False: they cannot hold it.
pub(crate) fn pack(table: &TableLanding, loads: &[Load], is_keyed: bool, to: &Path) -> Result<bool, ConnectError> {
    let paths: Vec<(&Load, PathBuf)> = loads.iter().flat_map(|load| load.files.iter().map(move |file| (load, table.path(file)))).collect();
    let parts: Vec<Part<'_>> = paths.iter().map(|(load, path)| Part { load, path }).collect();
    let stamp = if is_keyed { Stamp::Load } else { Stamp::Nothing };
    let wanted = Wanted { rows: None, stamp };
    let written = match to.extension() {
        Some(end) if end == "parquet" => parquet::write(&table.manifest().table, &parts, &wanted, to),
        _ => json::write(&table.manifest().table, &parts, &wanted, to),
    };
    match written {
        Err(ConnectError::TwiceNamed { .. }) => {
            // What cannot be removed now is a stray, which the next load removes.
            let _ = fs::remove_file(to);
            Ok(false)
        }
        other => other.map(|()| true),
    }
}

/// Which rows to write, and whether with the columns of the load.
struct Wanted<'a> {
    /// `None`: all of them.
    rows: Option<&'a Bits>,
    stamp: Stamp,
}

impl Wanted<'_> {
    fn has(&self, place: u64) -> bool {
        self.rows.is_none_or(|rows| rows.has(place))
    }
}

/// What is written beside the columns of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Nothing,
    /// The number of its load.
    Load,
    /// Number and time of its load.
    LoadAndTime,
}

/// Returns the files that bronze reads for a table: as they landed or, with a key, the newest version of each row and all versions.
///
/// # Errors
/// [`ConnectError::Landing`], [`ConnectError::Write`], and those of a key that is not in the rows.
pub fn views(table: &TableLanding, source: &str, key: &[String], watermark: Option<&str>) -> Result<Views, ConnectError> {
    let manifest = table.manifest();
    if key.is_empty() {
        let current = manifest.current(source).into_iter().map(|file| table.path(file)).collect();
        clear(table, &[])?;
        return Ok(Views { current, history: None, notes: Vec::new() });
    }
    let loads = manifest.counting(source);
    let files: Vec<(&Load, &LandedFile)> = loads.iter().flat_map(|load| load.files.iter().map(move |file| (load, file))).collect();
    let Some((_, first)) = files.first() else { return Ok(Views { current: Vec::new(), history: Some(Vec::new()), notes: Vec::new() }) };
    let is_parquet = first.name.ends_with(".parquet");
    let last = loads.last().map_or(0, |load| load.number);
    // A load that says less than it did has other files.
    let hidden: Vec<&str> =
        loads.iter().filter(|load| load.privacy.is_some()).flat_map(|load| &load.files).map(|file| file.blake3.as_str()).collect();
    let id = &blake3::hash(format!("{source}\n{key:?}\n{watermark:?}\n1{}", hidden.concat()).as_bytes()).to_hex()[..8];
    let record = table.folder().join(format!("{VIEW}{id}-{last:06}.json"));
    let found: Option<Record> = fs::read(&record).ok().and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(found) = found {
        let views = found.views(table.folder());
        if views.files().all(|path| path.is_file()) {
            return Ok(views);
        }
    }
    let paths_of: Vec<(&Load, PathBuf)> = files.iter().map(|(load, file)| (*load, table.path(file))).collect();
    let parts: Vec<Part<'_>> = paths_of.iter().map(|(load, path)| Part { load, path }).collect();

    let mut count = Count::new(loads);
    for part in &parts {
        let mut take = |load: u64, row: Row| count.take(load, row);
        if is_parquet {
            parquet::scan(&manifest.table, *part, key, watermark, &mut take)?;
        } else {
            json::scan(&manifest.table, *part, key, watermark, &mut take)?;
        }
    }
    let (current, history, notes) = count.finish();
    let write = |what: &str, wanted: &Wanted<'_>| -> Result<String, ConnectError> {
        let staged = table.folder().join(format!("{VIEW}{what}.tmp"));
        if is_parquet {
            parquet::write(&manifest.table, &parts, wanted, &staged)?;
        } else {
            json::write(&manifest.table, &parts, wanted, &staged)?;
        }
        // Named by its content: a load without a new version leaves the same files, and nothing behind them runs again.
        let mut hasher = blake3::Hasher::new();
        fs::File::open(&staged).and_then(|file| hasher.update_reader(file).map(|_| ())).map_err(|source| unwritten(&staged, source))?;
        let extension = if is_parquet { "parquet" } else { "jsonl" };
        let name = format!("{VIEW}{what}-{}.{extension}", &hasher.finalize().to_hex()[..16]);
        let path = table.folder().join(&name);
        if !path.is_file() {
            settle(&staged, &path)?;
        }
        Ok(name)
    };
    let made = Record {
        current: write("current", &Wanted { rows: Some(&current), stamp: Stamp::Nothing })?,
        history: write("history", &Wanted { rows: Some(&history), stamp: Stamp::LoadAndTime })?,
        notes,
    };
    let staged = table.folder().join(format!("{VIEW}record.tmp"));
    fs::write(&staged, serde_json::to_vec(&made).expect("plain data")).map_err(|source| unwritten(&staged, source))?;
    settle(&staged, &record)?;
    let views = made.views(table.folder());
    let mut kept: Vec<PathBuf> = views.files().cloned().collect();
    kept.push(record);
    clear(table, &kept)?;
    Ok(views)
}

/// Which files were made of the loads up to one.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Record {
    current: String,
    history: String,
    notes: Vec<String>,
}

impl Record {
    fn views(self, folder: &Path) -> Views {
        Views { current: vec![folder.join(self.current)], history: Some(vec![folder.join(self.history)]), notes: self.notes }
    }
}

/// Removes views; those of earlier loads, and halves of some.
fn clear(table: &TableLanding, kept: &[PathBuf]) -> Result<(), ConnectError> {
    let Ok(entries) = fs::read_dir(table.folder()) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(VIEW) && !kept.contains(&path) {
            let failed = |source| LandingError::Io { action: "remove", path: path.clone(), source };
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn settle(staged: &Path, path: &Path) -> Result<(), ConnectError> {
    let done = || {
        fs::File::open(staged)?.sync_all()?;
        fs::rename(staged, path)
    };
    done().map_err(|source| unwritten(path, source))
}

fn unwritten(path: &Path, source: std::io::Error) -> ConnectError {
    ConnectError::Write { file: path.display().to_string(), source }
}

/// Goes over all rows in the order in which they landed.
struct Count {
    newest: HashMap<u128, Newest>,
    versions: Bits,
    row: u64,
    /// The last full load: keys that it lacks are deleted.
    last_full: Option<u64>,
    twice: u64,
}

impl Count {
    fn new(loads: &[Load]) -> Self {
        let last_full = loads.iter().rev().find(|load| load.mode == LoadMode::Full).map(|load| load.number);
        Self { newest: HashMap::new(), versions: Bits::default(), row: 0, last_full, twice: 0 }
    }

    fn take(&mut self, load: u64, row: Row) {
        let place = self.row;
        self.row += 1;
        let Some(newest) = self.newest.get_mut(&row.key) else {
            self.newest.insert(row.key, Newest { content: row.content, row: place, load, mark: row.mark });
            self.versions.set(place);
            return;
        };
        if newest.load == load {
            // Twice in one load: one of the two is the version.
            self.twice += u64::from(newest.content != row.content);
            if row.mark < newest.mark {
                return;
            }
            if newest.content != row.content && self.versions.has(newest.row) {
                self.versions.unset(newest.row);
                self.versions.set(place);
            } else if newest.content != row.content {
                self.versions.set(place);
            }
            if newest.content != row.content {
                *newest = Newest { content: row.content, row: place, load, mark: row.mark };
            }
            return;
        }
        newest.load = load;
        if newest.content == row.content {
            newest.mark = row.mark;
            return;
        }
        self.versions.set(place);
        *newest = Newest { content: row.content, row: place, load, mark: row.mark };
    }

    /// The rows of the table as it is now, those of all versions, and remarks.
    fn finish(self) -> (Bits, Bits, Vec<String>) {
        let mut current = Bits::default();
        let mut deleted = 0_u64;
        for newest in self.newest.values() {
            if self.last_full.is_none_or(|full| newest.load >= full) {
                current.set(newest.row);
            } else {
                deleted += 1;
            }
        }
        let mut notes = Vec::new();
        if self.twice > 0 {
            notes.push(format!("{} rows share their key with another row of the same load; the newest of them counts", self.twice));
        }
        if deleted > 0 {
            notes.push(format!("{deleted} keys are no longer in the source; they are in the history only"));
        }
        (current, self.versions, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(number: u64, mode: LoadMode) -> Load {
        Load {
            number,
            mode,
            source: "s".into(),
            is_anew: false,
            loaded_at: String::new(),
            files: Vec::new(),
            gone: Vec::new(),
            watermark: None,
            offsets: std::collections::BTreeMap::new(),
            columns: Vec::new(),
            privacy: None,
            notes: Vec::new(),
            packed: Vec::new(),
        }
    }

    fn row(key: u128, content: u128, mark: i64) -> Row {
        Row { key, content, mark: Some(Mark::Integer(mark)) }
    }

    fn set(bits: &Bits, rows: u64) -> Vec<u64> {
        (0..rows).filter(|place| bits.has(*place)).collect()
    }

    #[test]
    fn corrected_rows_are_new_versions_and_repeated_ones_are_not() {
        let loads = [load(1, LoadMode::Rows), load(2, LoadMode::Rows)];
        let mut count = Count::new(&loads);
        for row in [row(1, 10, 1), row(2, 20, 1)] {
            count.take(1, row);
        }
        for row in [row(1, 10, 1), row(2, 21, 2), row(3, 30, 2)] {
            count.take(2, row);
        }
        let (current, versions, notes) = count.finish();
        assert_eq!(set(&current, 5), [0, 3, 4]);
        assert_eq!(set(&versions, 5), [0, 1, 3, 4]);
        assert!(notes.is_empty());
    }

    #[test]
    fn within_a_load_the_greatest_watermark_counts() {
        let loads = [load(1, LoadMode::Rows)];
        let mut count = Count::new(&loads);
        for row in [row(1, 10, 5), row(1, 11, 4), row(1, 12, 6), row(1, 12, 6)] {
            count.take(1, row);
        }
        let (current, versions, notes) = count.finish();
        assert_eq!((set(&current, 4), set(&versions, 4)), (vec![2], vec![2]));
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn keys_that_a_full_load_lacks_are_deleted() {
        let loads = [load(1, LoadMode::Full), load(2, LoadMode::Full)];
        let mut count = Count::new(&loads);
        count.take(1, row(1, 10, 1));
        count.take(1, row(2, 20, 1));
        count.take(2, row(1, 10, 1));
        let (current, versions, notes) = count.finish();
        assert_eq!((set(&current, 3), set(&versions, 3)), (vec![0], vec![0, 1]));
        assert_eq!(notes, ["1 keys are no longer in the source; they are in the history only"]);
    }
}
