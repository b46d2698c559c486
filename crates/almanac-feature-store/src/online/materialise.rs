//! Bringing the online values of a view up to a time.
//!
//! Only rows that were not seen last time are read into memory: those after the last time, and those created after the last
//! `created`. Rows that came late and do not say so show as a number of older rows that is not the one of last time; then everything is
//! made anew, so that nothing is missed. Parts of Parquet whose statistics say that all is old are not read at all.
//!
//! Two processes cannot materialise one view at once; readers never wait for either.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use super::manifest::Manifest;
use super::segment;
use crate::FeatureError;
use crate::clock::{Micros, write_instant};
use crate::declaration::View;
use crate::gather::{Before, Counts, Wanted, gather};
use crate::plan::Plan;
use crate::rows::Rows;
use crate::source::Source;

/// Segments that are put together when there are more.
const MOST_SEGMENTS: usize = 8;

/// What is to be materialised.
#[derive(Debug, Clone, Copy)]
pub struct Materialise<'a> {
    /// Folder of all views.
    pub folder: &'a Path,
    /// The view.
    pub view: &'a View,
    /// Until when.
    pub until: Micros,
    /// The time now, for the record.
    pub now: Micros,
    /// Whether everything is made anew.
    pub full: bool,
    /// Most bytes of rows in memory.
    pub memory: usize,
}

/// What was materialised.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Materialised {
    /// The view.
    pub view: String,
    /// Until when.
    pub until: String,
    /// Whether everything was made anew, and why: empty where only new rows were added.
    pub anew: String,
    /// Rows of the source.
    pub source_rows: u64,
    /// Rows that were new.
    pub new_rows: u64,
    /// Rows without a key or a time.
    pub nameless: u64,
    /// Rows written.
    pub written: u64,
    /// Segments there are now.
    pub segments: usize,
}

impl Materialise<'_> {
    /// Brings the view up to the time.
    ///
    /// # Errors
    /// [`FeatureError::Busy`] while another process does; [`FeatureError::Backwards`] for a time before the last; whatever reading the
    /// source and writing raise. The old values stay until the new ones are whole.
    pub fn run(&self, source: &dyn Source) -> Result<Materialised, FeatureError> {
        let folder = self.folder.join(&self.view.name);
        fs::create_dir_all(&folder).map_err(|error| FeatureError::written(&folder, error))?;
        let _lock = lock(&folder, &self.view.name)?;
        let declaration = self.view.fingerprint();
        let (old, mut anew) = match Manifest::read(&folder) {
            _ if self.full => (None, "asked for"),
            Ok(None) => (None, "the first time"),
            Ok(Some(old)) if old.declaration != declaration => (None, "the declaration has changed"),
            Ok(Some(old)) if !old.segments.iter().all(|segment| segment.has_its_size(&folder)) => (None, "a segment is gone or cut off"),
            Ok(Some(old)) => (Some(old), ""),
            Err(FeatureError::Damaged { .. }) => (None, "the manifest is damaged"),
            Err(error) => return Err(error),
        };
        if let Some(old) = &old
            && self.until < old.until
        {
            let (until, asked) = (write_instant(old.until), write_instant(self.until));
            return Err(FeatureError::Backwards { view: self.view.name.clone(), until, asked });
        }
        let plan = Plan::whole(self.view);
        let mut wanted = Wanted {
            entities: None,
            from: Micros::MIN,
            until: self.until,
            only_lasting: true,
            before: old.as_ref().map(|old| Before { time: old.until, created: old.newest_created }),
            memory: self.memory,
        };
        let mut gathered = gather(self.view, &plan, source, wanted)?;
        let mut manifest = match old {
            Some(old) if unseen(&gathered.counts) == old.source_rows => old,
            old => {
                if old.is_some() {
                    anew = "rows of the past were added or removed";
                    wanted.before = None;
                    gathered = gather(self.view, &plan, source, wanted)?;
                }
                Manifest::new(&self.view.name, declaration)
            }
        };
        let counts = gathered.counts;
        plan.check(&gathered.rows.kinds())?;
        manifest.until = self.until;
        manifest.made = self.now;
        manifest.newest_created = manifest.newest_created.max(gathered.newest_created);
        manifest.source_rows = counts.rows - counts.future;
        let rows = gathered.rows.lasting(self.view, &plan, self.until)?;
        let number = next_number(&folder, &manifest)?;
        let mut written = rows.len() as u64;
        if manifest.segments.len() >= MOST_SEGMENTS && rows.len() > 0 {
            let mut parts = Vec::new();
            for old in &manifest.segments {
                parts.push(segment::read(&folder, old, self.view, &plan)?);
            }
            parts.push(rows);
            let whole = Rows::stack(parts, self.view, &plan, &source.place())?.lasting(self.view, &plan, self.until)?;
            written = whole.len() as u64;
            manifest.segments = vec![segment::write(&folder, number, self.view, &plan, &whole)?];
        } else if rows.len() > 0 {
            manifest.segments.push(segment::write(&folder, number, self.view, &plan, &rows)?);
        }
        manifest.write(&folder)?;
        remove_rubbish(&folder, &manifest);
        Ok(Materialised {
            view: self.view.name.clone(),
            until: write_instant(self.until),
            anew: anew.to_owned(),
            source_rows: counts.rows,
            new_rows: counts.fresh,
            nameless: counts.nameless,
            written,
            segments: manifest.segments.len(),
        })
    }
}

/// Rows up to the time of last time, had nothing of the past changed since.
fn unseen(counts: &Counts) -> u64 {
    counts.rows - counts.future - counts.fresh
}

/// Greater than every number in use, also by segments that a killed process left.
fn next_number(folder: &Path, manifest: &Manifest) -> Result<u64, FeatureError> {
    let entries = fs::read_dir(folder).map_err(|error| FeatureError::read(folder, error))?;
    let on_disk = entries.filter_map(Result::ok).filter_map(|entry| number_of(&entry.file_name().to_string_lossy()));
    let greatest = on_disk.chain(manifest.segments.iter().map(|segment| segment.number)).max();
    Ok(greatest.map_or(0, |greatest| greatest + 1))
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(".parquet")?.parse().ok()
}

/// Removes segments that no manifest names any more, and halves of files. A reader that still wants one reads the manifest again.
fn remove_rubbish(folder: &Path, manifest: &Manifest) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_unnamed = number_of(&name).is_some_and(|number| !manifest.segments.iter().any(|segment| segment.number == number));
        let is_half = name.starts_with('.') && Path::new(&name).extension().is_some_and(|extension| extension == "tmp");
        if is_unnamed || is_half {
            // What cannot be removed now, the next materialisation tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Takes the lock of a view; the system gives it back when the process ends, however it ends.
fn lock(folder: &Path, view: &str) -> Result<File, FeatureError> {
    let path = folder.join("lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| FeatureError::written(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FeatureError::Busy { view: view.to_owned() }),
        Err(TryLockError::Error(error)) => Err(FeatureError::written(&path, error)),
    }
}
