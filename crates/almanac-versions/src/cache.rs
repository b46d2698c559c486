//! The cache: every content once, under its hash, read-only.
//!
//! An object is written under a temporary name and renamed, so that what has its final name was whole when it got it. It is
//! not synced one by one: see `docs/decisions/013-versions-as-dvc-keeps-them.md`. Whoever reads an object checks it, unless the
//! index knows its stamp.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;

use crate::copy;
use crate::error::{Doing, Result, VersionsError};
use crate::files::{self, Stamp, Temporary};
use crate::hash::{self, Md5, Oid};
use crate::link::Link;

/// Files up to this size are read at once.
const SMALL: u64 = 8 << 20;
const READ_ONLY: u32 = 0o444;

/// A cache on disk.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    temporary: PathBuf,
    /// Whether a group shares it.
    is_shared: bool,
    made: Vec<AtomicBool>,
}

/// A file that was hashed and is in the cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) md5: Md5,
    /// Of the object.
    pub(crate) object: Stamp,
}

impl Cache {
    /// Opens a cache; its folders are made when something is stored.
    pub(crate) fn open(root: PathBuf, is_shared: bool) -> Self {
        let temporary = root.join(".almanac-tmp");
        Self { root, temporary, is_shared, made: std::iter::repeat_with(AtomicBool::default).take(256).collect() }
    }

    /// Returns the root: the folder that holds `files/md5`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where an object lies, whether it is there or not.
    pub fn path(&self, oid: Oid) -> PathBuf {
        self.root.join(oid.place())
    }

    /// Returns the folder for temporary files, on the disk of the cache.
    pub(crate) fn temporary(&self) -> Result<&Path> {
        self.make_folder(&self.temporary)?;
        Ok(&self.temporary)
    }

    /// Removes what processes that are gone have left behind. `.part` files stay: a download goes on with them. `is_ours`: whoever
    /// else writes here holds the lock that we hold.
    pub(crate) fn tidy(&self, is_ours: bool) {
        /// A process that we do not see may run in another container, or on another machine.
        const GONE_S: u64 = 600;
        const OLD_S: u64 = 24 * 3600;
        let Ok(entries) = fs::read_dir(&self.temporary) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_temporary = path.extension().is_some_and(|extension| extension == "tmp");
            let age = entry.metadata().ok().and_then(|metadata| metadata.modified().ok()?.elapsed().ok());
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.split('-').next()?.parse::<u32>().ok());
            let is_gone = pid.is_some_and(|pid| pid != std::process::id() && !Path::new("/proc").join(pid.to_string()).exists());
            let limit = match (is_gone, self.is_shared) {
                (true, false) if is_ours => 0,
                (true, false) => GONE_S,
                _ => OLD_S,
            };
            if is_temporary && age.is_some_and(|age| age.as_secs() >= limit) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Looks at an object; `None` where there is none.
    ///
    /// # Errors
    /// If the system does not let us look.
    pub fn stamp(&self, oid: Oid) -> Result<Option<Stamp>> {
        let path = self.path(oid);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::of(&metadata))),
            Ok(_) => Err(VersionsError::Unfit { path, why: "an object of the cache is an ordinary file" }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error).doing("look at", path),
        }
    }

    /// Tells whether the bytes of an object are those of its name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn verify(&self, oid: Oid) -> Result<bool> {
        Ok(hash::hash_file(&self.path(oid), oid.is_legacy && !oid.is_dir)? == oid.md5)
    }

    /// Reads a small object and checks it.
    ///
    /// # Errors
    /// If it is not there, cannot be read, or is corrupted.
    pub fn read(&self, oid: Oid) -> Result<Option<Vec<u8>>> {
        let path = self.path(oid);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).doing("read", path),
        };
        if Md5::of(&bytes) == oid.md5 || oid.is_legacy { Ok(Some(bytes)) } else { Err(Self::corrupt(oid, &oid.to_string())) }
    }

    pub(crate) fn corrupt(oid: Oid, name: &str) -> VersionsError {
        VersionsError::Corrupt { place: "in the cache".to_owned(), objects: vec![crate::NamedOid { name: name.to_owned(), oid }] }
    }

    /// Removes an object. It need not be there.
    ///
    /// # Errors
    /// If the system does not let us.
    pub fn remove(&self, oid: Oid) -> Result<()> {
        let path = self.path(oid);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("remove", path),
            _ => Ok(()),
        }
    }

    /// Lists all objects, those of DVC 2 among them. Names that are none are left out.
    ///
    /// # Errors
    /// If a folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Oid>> {
        let mut all = Vec::new();
        for (folder, is_legacy) in [(self.root.join("files/md5"), false), (self.root.clone(), true)] {
            for prefix in names(&folder)?.into_iter().filter(|name| name.len() == 2) {
                all.extend(list_below(&folder, &prefix, is_legacy)?);
            }
        }
        Ok(all)
    }

    /// Lists the files among the objects of DVC 3 whose names begin with these two digits, sorted.
    pub(crate) fn list_prefix(&self, prefix: u8) -> Result<Vec<Md5>> {
        let first = format!("{prefix:02x}");
        let folder = self.root.join("files/md5").join(&first);
        // Whatever else has the name of a folder is not waited for.
        let opened = match File::options().read(true).custom_flags(OFlags::DIRECTORY.bits().cast_signed()).open(&folder) {
            Ok(opened) => opened,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
            Err(error) => return Err(error).doing("list", folder),
        };
        let mut digits = [0; 32];
        digits[..2].copy_from_slice(first.as_bytes());
        let mut found = Vec::new();
        let mut space = Vec::with_capacity(32 << 10);
        let mut entries = rustix::fs::RawDir::new(&opened, space.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(io::Error::from).doing("list", &folder)?;
            let name = entry.file_name().to_bytes();
            if name.len() == 30 {
                digits[2..].copy_from_slice(name);
                found.extend(Md5::from_digits(&digits));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Stores bytes under their name.
    pub(crate) fn store_bytes(&self, oid: Oid, bytes: &[u8]) -> Result<Stamp> {
        let temporary = Temporary::new(self.temporary()?.join(files::temporary_name()));
        let mut file = files::create(temporary.path(), READ_ONLY).doing("write", temporary.path())?;
        file.write_all(bytes).doing("write", temporary.path())?;
        self.adopt(oid, temporary, &file)
    }

    /// Gives a temporary file, whose bytes are known to be right, its name in the cache.
    pub(crate) fn adopt(&self, oid: Oid, temporary: Temporary, file: &File) -> Result<Stamp> {
        let metadata = file.metadata().doing("write", temporary.path())?;
        if metadata.mode() & 0o777 != READ_ONLY {
            // Some file systems know no permissions; then there is nothing to protect either.
            let _ = file.set_permissions(fs::Permissions::from_mode(READ_ONLY));
        }
        let path = self.path(oid);
        self.make_prefix(oid, &path)?;
        temporary.become_file(&path).doing("write", &path)?;
        Ok(Stamp::of(&metadata))
    }

    /// Hashes a file and stores it, reading it once. `is_whole` tells whether an object that is there already can be kept.
    ///
    /// # Errors
    /// If it cannot be read or written, or changes meanwhile.
    pub(crate) fn take_in(&self, source: &Path, before: Stamp, link: Link, is_whole: impl Fn(Oid, Stamp) -> bool) -> Result<Stored> {
        let keep = |oid: Oid| -> Result<Option<Stamp>> {
            let Some(stamp) = self.stamp(oid)? else { return Ok(None) };
            let is_kept = is_whole(oid, stamp) || stamp.size == before.size && self.verify(oid)?;
            if !is_kept {
                tracing::warn!(%oid, "an object of the cache was corrupted and is replaced");
                self.remove(oid)?;
            }
            Ok(is_kept.then_some(stamp))
        };
        let unchanged =
            || if files::is_unchanged(source, before) { Ok(()) } else { Err(VersionsError::Changed { path: source.to_owned() }) };
        if link != Link::Copy {
            let md5 = hash::hash_file(source, false)?;
            unchanged()?;
            let oid = Oid::file(md5);
            let object = match keep(oid)? {
                Some(stamp) => stamp,
                None => self.share(oid, source, link)?,
            };
            return Ok(Stored { md5, object });
        }
        let mut file = File::open(source).doing("open", source)?;
        if before.size <= SMALL {
            let mut bytes = Vec::with_capacity(before.size as usize + 1);
            file.read_to_end(&mut bytes).doing("read", source)?;
            unchanged()?;
            let oid = Oid::file(Md5::of(&bytes));
            let object = match keep(oid)? {
                Some(stamp) => stamp,
                None => self.store_bytes(oid, &bytes)?,
            };
            return Ok(Stored { md5: oid.md5, object });
        }
        let temporary = Temporary::new(self.temporary()?.join(files::temporary_name()));
        let (md5, copy) = copy::copy_and_hash(file, source, before.size, temporary.path(), READ_ONLY)?;
        unchanged()?;
        let oid = Oid::file(md5);
        let object = match keep(oid)? {
            Some(stamp) => stamp,
            None => self.adopt(oid, temporary, &copy)?,
        };
        Ok(Stored { md5, object })
    }

    /// Stores a file by clone or link.
    fn share(&self, oid: Oid, source: &Path, link: Link) -> Result<Stamp> {
        let real = fs::canonicalize(source).doing("follow", source)?;
        let temporary = Temporary::new(self.temporary()?.join(files::temporary_name()));
        // Links to one file are limited, and an empty one has nothing to share.
        let is_empty = fs::metadata(&real).doing("look at", source)?.len() == 0;
        let shared = match link {
            Link::Reflink => reflink_copy::reflink(&real, temporary.path()).is_ok(),
            Link::Hardlink | Link::Symlink if !is_empty => fs::hard_link(&real, temporary.path()).is_ok(),
            _ => false,
        };
        if !shared {
            let mut from = File::open(&real).doing("open", source)?;
            let mut to = files::create(temporary.path(), READ_ONLY).doing("write", temporary.path())?;
            io::copy(&mut from, &mut to).doing("write", temporary.path())?;
            return self.adopt(oid, temporary, &to);
        }
        let file = File::open(temporary.path()).doing("open", temporary.path())?;
        self.adopt(oid, temporary, &file)
    }

    /// Puts an object, known to be whole, where a file should be. What is there is replaced as a whole. `work`: a folder for
    /// temporary files on the disk of the target.
    pub(crate) fn place(&self, oid: Oid, target: &Path, link: Link, is_executable: bool, work: &Path) -> Result<()> {
        let object = self.path(oid);
        let temporary = Temporary::new(work.join(files::temporary_name()));
        let is_empty = fs::metadata(&object).doing("read", &object)?.len() == 0;
        let is_linked = match link {
            Link::Copy => false,
            Link::Reflink => reflink_copy::reflink(&object, temporary.path()).is_ok(),
            Link::Hardlink => !is_empty && fs::hard_link(&object, temporary.path()).is_ok(),
            Link::Symlink => {
                let absolute = std::path::absolute(&object).doing("find", &object)?;
                std::os::unix::fs::symlink(absolute, temporary.path()).is_ok()
            }
        };
        if !is_linked {
            let mut from = File::open(&object).doing("open", &object)?;
            let mut to = files::create(temporary.path(), 0o666).doing("write", target)?;
            io::copy(&mut from, &mut to).doing("write", target)?;
        }
        if is_linked && link == Link::Reflink {
            // A clone has the permissions of the object, which nobody may write.
            let _ = fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o666 & !files::umask()));
        }
        if is_executable {
            let mode = fs::metadata(temporary.path()).doing("write", target)?.mode();
            fs::set_permissions(temporary.path(), fs::Permissions::from_mode(mode | 0o100)).doing("write", target)?;
        }
        if link == Link::Hardlink { temporary.become_link(target) } else { temporary.become_file(target) }.doing("write", target)
    }

    fn make_prefix(&self, oid: Oid, path: &Path) -> Result<()> {
        let flag = &self.made[usize::from(oid.md5.0[0])];
        if oid.is_legacy || !flag.load(Ordering::Relaxed) {
            if let Some(folder) = path.parent() {
                self.make_folder(folder)?;
            }
            flag.store(!oid.is_legacy, Ordering::Relaxed);
        }
        Ok(())
    }

    fn make_folder(&self, folder: &Path) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(folder).doing("make the folder", folder)?;
        if self.is_shared {
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o2775));
        }
        Ok(())
    }
}

/// Writes everything of a disk that is not on it yet.
pub(crate) fn sync_disk(folder: &Path) -> Result<()> {
    let Ok(opened) = File::open(folder) else { return Ok(()) };
    rustix::fs::syncfs(&opened).map_err(io::Error::from).doing("sync", folder)
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
            Ok(names.doing("list", folder)?.into_iter().filter_map(|name| name.into_string().ok()).collect())
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error).doing("list", folder),
    }
}

fn list_below(folder: &Path, prefix: &str, is_legacy: bool) -> Result<Vec<Oid>> {
    let mut name = prefix.to_owned();
    let rest = names(&folder.join(prefix))?;
    let parse = |rest: &String| {
        name.truncate(prefix.len());
        name.push_str(rest);
        Oid::parse(&name, is_legacy).ok()
    };
    Ok(rest.iter().filter_map(parse).collect())
}
