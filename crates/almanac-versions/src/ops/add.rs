//! `add`: hashes files, puts them into the cache, writes pointers.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::cache::Stored;
use crate::error::{Doing, Result, VersionsError};
use crate::files::{self, Stamp};
use crate::hash::{Md5, Oid};
use crate::index::is_at_or_below;
use crate::link::Link;
use crate::outs::{Out, Tracked};
use crate::pointer::{Entry, Pointer};
use crate::progress::Progress;
use crate::repo::Repo;
use crate::tree::Tree;
use crate::walk::{self, Found};
use crate::work::Work;
use crate::{config, gitignore};

/// How to add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// Write the pointers, keep nothing in the cache.
    pub no_commit: bool,
}

/// What became of one file: its hash, its object, and how it looks now.
type Done = (Md5, Option<Stamp>, Option<Stamp>);

/// What was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// Outputs, relative to the root.
    pub outs: Vec<String>,
    /// Files that git should have: pointers, and ignore files that were changed.
    pub for_git: Vec<String>,
}

impl Repo {
    /// Names a path that the user gave as everything here does: relative to the root.
    ///
    /// # Errors
    /// If it lies outside the repository, behind a link, or is not Unicode.
    pub fn name(&self, path: &Path) -> Result<String> {
        let absolute = config::simplified(&std::path::absolute(path).doing("find", path)?);
        let inside = if absolute.starts_with(self.root()) {
            absolute
        } else {
            // The way to the root may run through links; below it, it must not.
            let root = absolute.ancestors().find(|folder| fs::canonicalize(folder).is_ok_and(|folder| folder == self.root()));
            let below = root.and_then(|root| absolute.strip_prefix(root).ok());
            below.map_or_else(|| absolute.clone(), |below| self.root().join(below))
        };
        let inside = walk::absolute(self.root(), &walk::relative(self.root(), &inside)?);
        walk::check_way(self.root(), &inside)?;
        walk::relative(self.root(), &inside)
    }

    /// Adds files and folders. Either a pointer is written and everything it stands for is in the cache, or it is as before.
    ///
    /// # Errors
    /// If a path is not there, overlaps what is tracked, cannot be read, or the cache cannot be written.
    pub fn add(&self, targets: &[PathBuf], options: AddOptions, progress: &dyn Progress) -> Result<Added> {
        let mut work = self.begin()?;
        let tracked = self.tracked()?;
        let mut added = Added::default();
        let result = targets.iter().try_for_each(|target| {
            let name = self.name(target)?;
            work.add(&tracked, &name, options, &mut added, progress)
        });
        // What was hashed need not be hashed again, whatever happened. A full disk is told by the first error.
        let saved = work.index.save();
        result.and(saved)?;
        if self.is_staging()
            && let Some(git) = self.git()
        {
            git.add(&added.for_git.iter().map(|name| self.root().join(name)).collect::<Vec<_>>())?;
        }
        Ok(added)
    }
}

impl Work<'_> {
    fn add(&mut self, tracked: &Tracked, name: &str, options: AddOptions, added: &mut Added, progress: &dyn Progress) -> Result<()> {
        let path = walk::absolute(self.repo.root(), name);
        let unfit = |why| Err(VersionsError::Unfit { path: path.clone(), why });
        if name.is_empty() {
            return unfit("it is the repository itself");
        }
        if name == ".dvc" || name.starts_with(".dvc/") || name.split('/').any(|part| part == ".git") {
            return unfit("it is where versions themselves are kept");
        }
        if crate::repo::is_pointer(name) {
            return unfit("it says itself what is tracked");
        }
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(VersionsError::NotFound { path }),
            other => other.doing("look at", &path)?,
        };
        let is_link = metadata.is_symlink();
        let metadata = if is_link { walk::followed(&path)? } else { metadata };
        if is_link && metadata.is_dir() {
            return unfit("it is a link to a folder");
        }
        if self.ignore.is_ignored_or_inside(&path, metadata.is_dir())? {
            return unfit("`.dvcignore` leaves it out");
        }
        let known = tracked.outs().find(|out| is_at_or_below(name, &out.path) && (out.path == name || out.is_dir()));
        if let Some(stage) = known.and_then(|out| out.stage.as_ref().map(|_| out)) {
            return Err(VersionsError::Overlap { path: name.to_owned(), other: stage.path.clone(), pointer: stage.address() });
        }
        let overlapping =
            tracked.outs().find(|out| out.path != name && (is_at_or_below(&out.path, name) || is_at_or_below(name, &out.path)));
        if let (None, Some(other)) = (known, overlapping) {
            return Err(VersionsError::Overlap { path: name.to_owned(), other: other.path.clone(), pointer: other.address() });
        }
        if let Some(git) = self.repo.git().filter(|_| known.is_none())
            && git.is_tracked(&path)
        {
            return unfit("git keeps it already; `git rm -r --cached` it first");
        }
        let out_path = known.map_or(name, |out| &out.path).to_owned();
        let entry = if known.is_some_and(|out| out.path != name) {
            self.store_part(&out_path, known, name, &path, options, progress)?
        } else if metadata.is_dir() {
            let tree = self.store_folder(name, &path, options, progress)?;
            self.folder_entry(&tree.0, tree.1, options)?
        } else {
            self.store_single(name, &path, is_link, &metadata, options, progress)?
        };
        self.write_pointer(tracked, known, &out_path, entry, added)
    }

    /// One file with its executable bit.
    fn store_single(
        &mut self,
        name: &str,
        path: &Path,
        is_link: bool,
        metadata: &fs::Metadata,
        options: AddOptions,
        progress: &dyn Progress,
    ) -> Result<Entry> {
        let file = Found { path: String::new(), stamp: walk::regular(path, metadata)?, is_link };
        let is_executable = metadata.mode() & 0o111 != 0;
        let md5 = self.store(name, std::slice::from_ref(&file), is_executable, options, progress)?[0];
        Ok(Entry { size: Some(file.stamp.size), is_executable, ..blank(Oid::file(md5)) })
    }

    /// Everything in a folder; its list and its bytes.
    fn store_folder(&mut self, name: &str, path: &Path, options: AddOptions, progress: &dyn Progress) -> Result<(Tree, u64)> {
        let listing = walk::list(path, &mut self.ignore)?;
        for link in &listing.skipped {
            progress.note(&format!("`{name}/{link}` is a link to a folder and is left out"));
        }
        let hashes = self.store(name, &listing.files, false, options, progress)?;
        let keep: std::collections::HashSet<String> = listing.files.iter().map(|file| format!("{name}/{}", file.path)).collect();
        self.index.forget_files(name, |file| keep.contains(file));
        let size = listing.files.iter().map(|file| file.stamp.size).sum();
        Ok((Tree::new(listing.files.into_iter().map(|file| file.path).zip(hashes)), size))
    }

    /// Some of a tracked folder: the rest stays as it was committed.
    fn store_part(
        &mut self,
        out: &str,
        known: Option<&Out>,
        name: &str,
        path: &Path,
        options: AddOptions,
        progress: &dyn Progress,
    ) -> Result<Entry> {
        let before = known.and_then(Out::oid).filter(|oid| !oid.is_legacy);
        let Some(before) = before.map(|oid| self.repo.tree(oid)).transpose()?.flatten() else {
            let tree = self.store_folder(out, &walk::absolute(self.repo.root(), out), options, progress)?;
            return self.folder_entry(&tree.0, tree.1, options);
        };
        let part = &name[out.len() + 1..];
        let mut files: Vec<(String, Md5)> =
            before.files().iter().filter(|(path, _)| !is_at_or_below(path, part)).map(|(path, md5)| (path.clone(), *md5)).collect();
        if path.is_dir() {
            let (tree, _) = self.store_folder(name, path, options, progress)?;
            files.extend(tree.files().iter().map(|(below, md5)| (format!("{part}/{below}"), *md5)));
        } else {
            let metadata = fs::metadata(path).doing("look at", path)?;
            let is_link = fs::symlink_metadata(path).doing("look at", path)?.is_symlink();
            let entry = self.store_single(name, path, is_link, &metadata, options, progress)?;
            files.extend(entry.oid.map(|oid| (part.to_owned(), oid.md5)));
        }
        let tree = Tree::new(files);
        let mut size = 0;
        for md5 in tree.files().values() {
            size += self.repo.cache().stamp(Oid::file(*md5))?.map_or(0, |stamp| stamp.size);
        }
        self.folder_entry(&tree, size, options)
    }

    fn folder_entry(&mut self, tree: &Tree, size: u64, options: AddOptions) -> Result<Entry> {
        let bytes = tree.to_bytes();
        let oid = Oid::dir(Md5::of(&bytes));
        if !options.no_commit && self.is_whole(oid)? != Some(true) {
            let stamp = self.repo.cache().store_bytes(oid, &bytes)?;
            self.index.remember_object(oid, stamp);
        }
        Ok(Entry { size: Some(size), files: Some(tree.len() as u64), ..blank(oid) })
    }

    /// Puts files into the cache, in parallel, and returns their hashes in order.
    pub(crate) fn store(
        &mut self,
        name: &str,
        files: &[Found],
        is_executable: bool,
        options: AddOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<Md5>> {
        let link = if options.no_commit { Link::Copy } else { self.repo.link()? };
        let names: Vec<String> =
            files.iter().map(|file| if file.path.is_empty() { name.to_owned() } else { format!("{name}/{}", file.path) }).collect();
        progress.begin(&format!("adding `{name}`"), files.iter().map(|file| file.stamp.size).sum());
        let failed = AtomicBool::new(false);
        let (index, repo) = (&self.index, self.repo);
        let place = repo.place_for_files();
        let one = |name: &String, file: &Found| -> Result<Done> {
            let path = walk::absolute(repo.root(), name);
            let known = index.file(name, file.stamp);
            if options.no_commit {
                let md5 = known.map_or_else(|| crate::hash::hash_file(&path, false), Ok)?;
                return Ok((md5, None, Some(file.stamp)));
            }
            let object = known.map(|md5| repo.cache().stamp(Oid::file(md5))).transpose()?.flatten();
            let stored = match (known, object) {
                (Some(md5), Some(object)) if index.is_whole(Oid::file(md5), object) => Stored { md5, object },
                // A file behind a link is not ours to share.
                _ => repo
                    .cache()
                    .take_in(&path, file.stamp, if file.is_link { Link::Copy } else { link }, |oid, stamp| index.is_whole(oid, stamp))?,
            };
            let oid = Oid::file(stored.md5);
            let is_in_cache = file.stamp.inode == stored.object.inode;
            let is_linked = if link == Link::Symlink { file.is_link && is_in_cache } else { !file.is_link && is_in_cache };
            let is_foreign_link = file.is_link && !is_in_cache;
            let is_right = if link.is_shared() { is_linked || is_foreign_link } else { !is_in_cache };
            if is_right {
                return Ok((stored.md5, Some(stored.object), Some(file.stamp)));
            }
            repo.cache().place(oid, &path, link, is_executable, &place)?;
            let stamp = fs::metadata(&path).doing("look at", &path)?;
            Ok((stored.md5, Some(stored.object), Some(Stamp::of(&stamp))))
        };
        let done: Vec<Option<Result<Done>>> = names
            .par_iter()
            .zip(files)
            .map(|(name, file)| {
                if failed.load(Ordering::Relaxed) {
                    return None;
                }
                let result = one(name, file);
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                progress.advance(file.stamp.size);
                Some(result)
            })
            .collect();
        let mut hashes = Vec::with_capacity(files.len());
        let mut first_error = None;
        for (name, result) in names.iter().zip(done) {
            match result {
                Some(Ok((md5, object, stamp))) => {
                    if let Some(object) = object {
                        self.index.remember_object(Oid::file(md5), object);
                    }
                    if let Some(stamp) = stamp {
                        self.index.remember_file(name, stamp, md5);
                    }
                    hashes.push(md5);
                }
                Some(Err(error)) => first_error = first_error.or(Some(error)),
                None => {}
            }
        }
        first_error.map_or(Ok(hashes), Err)
    }

    /// Writes the pointer of an output and keeps its data out of git.
    pub(crate) fn write_pointer(&mut self, tracked: &Tracked, known: Option<&Out>, out: &str, new: Entry, added: &mut Added) -> Result<()> {
        let file = known.map_or_else(|| format!("{out}.dvc"), |out| out.file.clone());
        let path = walk::absolute(self.repo.root(), &file);
        let base = out.rsplit('/').next().unwrap_or(out);
        let (mut pointer, mut entry, at) = match known
            .and_then(|out| Some((tracked.pointers.get(&out.file)?.clone(), out.entry.clone(), out.at)))
        {
            Some(found) => found,
            None if path.exists() => {
                // A pointer that tracks something else under this name: both cannot have it.
                let other = tracked.outs().find(|out| out.file == file).map_or_else(|| "something else".to_owned(), |out| out.path.clone());
                return Err(VersionsError::Overlap { path: out.to_owned(), other, pointer: file });
            }
            None => (Pointer::new(base), Entry { path: base.to_owned(), ..blank(Oid::file(Md5([0; 16]))) }, 0),
        };
        let oid = new.oid;
        entry = Entry { oid, size: new.size, files: new.files, is_executable: new.is_executable, ..entry };
        pointer.set_out(at, &entry);
        let text = pointer.to_text();
        if fs::read_to_string(&path).map_or(true, |before| before != text) {
            files::write_atomic(&path, text.as_bytes())?;
        }
        if let Some(git) = self.repo.git()
            && let Some(changed) = gitignore::ignore(git, &walk::absolute(self.repo.root(), out))?
        {
            let name = walk::relative(self.repo.root(), &changed)?;
            if !added.for_git.contains(&name) {
                added.for_git.push(name);
            }
        }
        if let Some(oid) = oid {
            self.index.remember_out(out, oid);
        }
        added.outs.push(out.to_owned());
        if !added.for_git.contains(&file) {
            added.for_git.push(file);
        }
        Ok(())
    }
}

/// An entry that knows its content only.
pub(crate) fn blank(oid: Oid) -> Entry {
    Entry {
        path: String::new(),
        oid: Some(oid),
        size: None,
        files: None,
        is_executable: false,
        is_cached: true,
        is_pushed: true,
        remote: None,
        etag: None,
    }
}
