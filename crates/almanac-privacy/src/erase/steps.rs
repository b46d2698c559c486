//! The steps of an erasure: each in the journal before a file is touched, each to the same end when it is taken twice.

use std::path::{Path, PathBuf};

use super::plan::is_wide;
use super::{Action, EraseObserver, Found, Ground, Plan};
use crate::beyond::{BEGUN, CHANGED, Finder};
use crate::dvc;
use crate::error::EraseError;
use crate::files::{Staged, hash_of, parent, remove, walk};
use crate::journal::Journal;
use crate::key::PrivacyKey;
use crate::needles::{Needles, Subject};
use crate::proof::{DELETED, FileProof};
use crate::rewrite::{self, Fate, list, sqlite};

/// What the steps share.
pub(super) struct Worker<'a> {
    pub(super) ground: &'a Ground,
    pub(super) subject: &'a Subject,
    pub(super) key: &'a PrivacyKey,
    pub(super) telling: &'a [String],
    pub(super) observer: &'a dyn EraseObserver,
}

impl Worker<'_> {
    pub(super) fn carry_out(&self, plan: &Plan, journal: &mut Journal) -> Result<(), EraseError> {
        let base = Needles::new(self.subject, self.key, &[]);
        let wide = Needles::new(self.subject, self.key, self.telling);
        let total = plan.found.len();
        let mut renewed = Vec::new();
        let mut objects = Vec::new();
        let files = self.files();
        let pointers = dvc::pointers(&files);
        let removed: Vec<&Found> = plan.found.iter().filter(|found| found.action == Action::Remove).collect();
        self.remove_all(&removed, journal)?;
        for (place, found) in plan.found.iter().enumerate() {
            let needles = if is_wide(self.ground, &found.path) { &wide } else { &base };
            match found.action {
                Action::Remove | Action::Leave | Action::Beyond => continue,
                Action::Edit => self.edit(found, needles, journal)?,
                Action::Database => self.database(found, needles, journal)?,
                Action::Rewrite => self.rewrite(found, needles, journal)?,
                Action::Delete => self.delete(found, found.why.clone(), journal)?,
                Action::Object => {
                    if let Some(object) = renew(found, needles, &files, &pointers)? {
                        renewed.push(object);
                    }
                    objects.push(found);
                }
            }
            if found.action != Action::Object {
                self.tell(&found.path, place + 1, total)?;
            }
        }
        // The new objects are there; pointers turn to them before the old ones go.
        let folders = dvc::renew_folders(&files, &pointers, &renewed)?;
        for pointer in &pointers {
            let all: Vec<dvc::Renewed> = renewed.iter().chain(&folders).cloned().collect();
            if dvc::repoint(pointer, &self.ground.name_of(pointer), &all, &mut |step| self.note(pointer, step, journal))? {
                self.tell(pointer, total, total)?;
            }
        }
        for found in objects {
            self.delete(found, Some("an object of a version; other commits that point to it no longer find it".to_owned()), journal)?;
            self.tell(&found.path, total, total)?;
        }
        Ok(())
    }

    /// What is no file comes last; what was begun before is done again, because nobody knows how far it came. Returns what is left, and why.
    pub(super) fn carry_out_beyond(&self, plan: &Plan, journal: &mut Journal) -> Result<Vec<(String, String)>, EraseError> {
        let wide = Needles::new(self.subject, self.key, self.telling);
        let mut left = Vec::new();
        for place in &self.ground.beyond {
            let name = wide.shown(&place.name());
            let found = plan.found.iter().find(|found| found.action == Action::Beyond && found.shown == name);
            let finder = Finder::new(&wide, journal.steps());
            let is_begun = journal.steps().any(|step| step.path == name && step.after == BEGUN);
            // Objects that were deleted here may be there, seen before or not.
            if found.is_none() && !is_begun && finder.gone.is_empty() {
                continue;
            }
            let mentions = match found {
                Some(found) => found.mentions,
                None => match place.look(&finder) {
                    Ok(0) if !is_begun => continue,
                    Ok(mentions) => mentions,
                    Err(_) => continue,
                },
            };
            let step = |after: &str| FileProof { path: name.clone(), before: None, after: after.to_owned(), rows: 0, mentions, why: None };
            self.note(Path::new(&name), step(BEGUN), journal)?;
            match place.erase(&finder) {
                Ok(()) => {
                    journal.add(&[step(CHANGED)])?;
                    self.tell(Path::new(&name), 0, 0)?;
                }
                Err(why) => left.push((name, wide.shown(&why))),
            }
        }
        Ok(left)
    }

    /// Takes the key out of lists of values.
    fn edit(&self, found: &Found, needles: &Needles, journal: &mut Journal) -> Result<(), EraseError> {
        let path = &found.path;
        let failed = |error| EraseError::io(path, error);
        let old = std::fs::read_to_string(path).map_err(failed)?;
        let Some(new) = list::without(&old, needles) else { return Ok(()) };
        let (staged, ()) = Staged::write(path, |out| out.write_all(new.as_bytes())).map_err(failed)?;
        let before = Some(blake3::hash(old.as_bytes()).to_hex().to_string());
        self.note(path, Self::step(found, before, staged.hash.clone(), None), journal)?;
        staged.commit().map_err(failed)
    }

    fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.ground.root).chain(&self.ground.more).flat_map(|root| walk(root, &self.ground.spared).files).collect()
    }

    /// Tells of a step that was taken, or is about to be; stops where that is wanted.
    fn tell(&self, path: &Path, done: usize, total: usize) -> Result<(), EraseError> {
        if self.observer.on(path, done, total).is_break() { Err(EraseError::Stopped) } else { Ok(()) }
    }

    fn note(&self, path: &Path, step: FileProof, journal: &mut Journal) -> Result<(), EraseError> {
        journal.add(&[step])?;
        self.tell(path, 0, 0)
    }

    fn step(found: &Found, before: Option<String>, after: String, why: Option<String>) -> FileProof {
        FileProof { path: found.shown.clone(), before, after, rows: found.rows, mentions: found.mentions, why }
    }

    /// All of them are in the journal at once, because there may be thousands.
    fn remove_all(&self, removed: &[&Found], journal: &mut Journal) -> Result<(), EraseError> {
        let mut steps = Vec::new();
        for found in removed {
            let before = hash_of(&found.path).map_err(|error| EraseError::io(&found.path, error))?;
            steps.push(Self::step(found, before, DELETED.to_owned(), Some("made again by the next run".to_owned())));
        }
        journal.add(&steps)?;
        for (place, found) in removed.iter().enumerate() {
            self.tell(&found.path, place, removed.len())?;
            remove(&found.path, self.ground.root_of(&found.path)).map_err(|error| EraseError::io(&found.path, error))?;
        }
        Ok(())
    }

    fn delete(&self, found: &Found, why: Option<String>, journal: &mut Journal) -> Result<(), EraseError> {
        let before = hash_of(&found.path).map_err(|error| EraseError::io(&found.path, error))?;
        self.note(&found.path, Self::step(found, before, DELETED.to_owned(), why), journal)?;
        remove(&found.path, self.ground.root_of(&found.path)).map_err(|error| EraseError::io(&found.path, error))
    }

    fn rewrite(&self, found: &Found, needles: &Needles, journal: &mut Journal) -> Result<(), EraseError> {
        let path = &found.path;
        let (staged, fate) =
            Staged::write(path, |out| rewrite::file(path, out, needles).map_err(Failed::from)).map_err(|error| error.at(path))?;
        if let Fate::Hopeless(why) | Fate::Stuck(why) = fate {
            // The look before said otherwise: the file was changed since.
            return Err(EraseError::table(path, why));
        }
        let before = hash_of(path).map_err(|error| EraseError::io(path, error))?;
        let step = Self::step(found, before.clone(), staged.hash.clone(), None);
        self.note(path, step, journal)?;
        if let Some(old) = before {
            // Before the file: once the file is new, nobody would come back for the manifest.
            self.manifest(path, &old, &staged, found.rows, journal)?;
        }
        staged.commit().map_err(|error| EraseError::io(path, error))
    }

    /// Corrects what a `manifest.json` beside the file says of it.
    fn manifest(&self, path: &Path, old: &str, new: &Staged, rows: u64, journal: &mut Journal) -> Result<(), EraseError> {
        let manifest = parent(path).join("manifest.json");
        let Ok(text) = std::fs::read_to_string(&manifest) else { return Ok(()) };
        let Some(changed) = corrected(&text, old, &new.hash, new.size, rows) else { return Ok(()) };
        let failed = |error| EraseError::io(&manifest, error);
        let (staged, ()) = Staged::write(&manifest, |out| out.write_all(changed.as_bytes())).map_err(failed)?;
        let before = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
        let path = self.ground.name_of(&manifest);
        self.note(&manifest, FileProof { path, before, after: staged.hash.clone(), rows: 0, mentions: 0, why: None }, journal)?;
        staged.commit().map_err(failed)
    }

    fn database(&self, found: &Found, needles: &Needles, journal: &mut Journal) -> Result<(), EraseError> {
        let path = &found.path;
        let before = hash_of(path).map_err(|error| EraseError::io(path, error))?;
        // What it will be is not known before: a step without an end is taken for not taken, until the second line.
        let begun = Self::step(found, before.clone(), BEGUN.to_owned(), None);
        sqlite::erase(path, needles, |_| self.note(path, begun, journal))?;
        let after = hash_of(path).map_err(|error| EraseError::io(path, error))?.unwrap_or_else(|| DELETED.to_owned());
        journal.add(&[Self::step(found, before, after, None)])
    }
}

/// Puts the object without the subject into the store, if the workspace points to the old one.
fn renew(found: &Found, needles: &Needles, files: &[PathBuf], pointers: &[PathBuf]) -> Result<Option<dvc::Renewed>, EraseError> {
    let path = &found.path;
    let hash = dvc::object_hash(path).unwrap_or_default();
    if found.why.is_some() || !dvc::is_pointed_to(&hash, files, pointers)? {
        return Ok(None);
    }
    let (staged, fate) =
        Staged::write(path, |out| rewrite::file(path, out, needles).map_err(Failed::from)).map_err(|error| error.at(path))?;
    match fate {
        Fate::Written(_) => dvc::renew(path, staged).map(Some),
        Fate::Hopeless(_) | Fate::Stuck(_) => Ok(None),
    }
}

/// The text of a manifest with the new hash, size and rows of one file, or `None` if it does not name the old hash.
fn corrected(text: &str, old: &str, new: &str, size: u64, rows: u64) -> Option<String> {
    let mut manifest: serde_json::Value = serde_json::from_str(text).ok().filter(|_| text.contains(old))?;
    fn walk(value: &mut serde_json::Value, old: &str, change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)) {
        match value {
            serde_json::Value::Object(members) => {
                if members.values().any(|member| member.as_str() == Some(old)) {
                    change(members);
                }
                members.values_mut().for_each(|member| walk(member, old, change));
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| walk(item, old, change)),
            _ => {}
        }
    }
    walk(&mut manifest, old, &|members| {
        // A hash of the rows is not known any more; without it that of the bytes decides.
        members.remove("content");
        for (name, member) in members.iter_mut() {
            if member.as_str() == Some(old) {
                *member = new.into();
            } else if name == "bytes" || name == "size" {
                *member = size.into();
            } else if name == "rows" {
                *member = member.as_u64().unwrap_or_default().saturating_sub(rows).into();
            }
        }
    });
    serde_json::to_string_pretty(&manifest).ok().map(|text| text + "\n")
}

/// A failure while a new file is written: of the rewriting, or of the disk.
enum Failed {
    Rewriting(EraseError),
    Disk(std::io::Error),
}

impl From<EraseError> for Failed {
    fn from(error: EraseError) -> Self {
        Self::Rewriting(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Failed {
    fn at(self, path: &Path) -> EraseError {
        match self {
            Self::Rewriting(error) => error,
            Self::Disk(error) => EraseError::io(path, error),
        }
    }
}
