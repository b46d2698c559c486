//! `import-url`: copies data from a path or an address and tracks it together with where it came from.

use std::fs::{self, File};
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use serde_json::json;

use crate::config::{self, RemoteConfig};
use crate::error::{Doing, Result, VersionsError};
use crate::files::{self, Temporary};
use crate::hash::{Md5, Oid};
use crate::ops::add::{AddOptions, Added, blank};
use crate::outs::{folder_of, in_folder};
use crate::pointer::{Entry, Pointer};
use crate::progress::Progress;
use crate::remote;
use crate::repo::Repo;
use crate::walk;
use crate::work::Work;
use crate::{gitignore, tree};

/// How to import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Replace what is there.
    pub force: bool,
    /// Write the pointer, bring nothing.
    pub no_exec: bool,
}

impl Repo {
    /// Imports from a local path, `http(s)://`, or a bucket. `out`: where to, relative to the root; the last part of the address where
    /// there is none.
    ///
    /// # Errors
    /// If the source cannot be read, the target is there, or the address is of a kind that is not supported.
    pub fn import_url(&self, url: &str, out: Option<&Path>, options: ImportOptions, progress: &dyn Progress) -> Result<Added> {
        let base = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let base = if url.contains("://") { base } else { url.trim_end_matches('/').rsplit('/').next().unwrap_or_default() };
        let target = match out {
            Some(out) if out.is_dir() => out.join(base),
            Some(out) => out.to_owned(),
            None => std::env::current_dir().doing("find", ".")?.join(base),
        };
        let name = self.name(&target)?;
        if name.is_empty() || base.is_empty() {
            return Err(VersionsError::usage("the address names no file; say where to put it: `import-url URL OUT`"));
        }
        let path = walk::absolute(self.root(), &name);
        let mut work = self.begin()?;
        let tracked = self.tracked()?;
        let pointer_path = walk::absolute(self.root(), &format!("{name}.dvc"));
        if !options.force && (fs::symlink_metadata(&path).is_ok() || pointer_path.exists()) {
            return Err(VersionsError::Exists { path });
        }
        if let Some(other) = tracked.outs().find(|other| {
            other.path != name && (crate::index::is_at_or_below(&other.path, &name) || crate::index::is_at_or_below(&name, &other.path))
        }) {
            return Err(VersionsError::Overlap { path: name, other: other.path.clone(), pointer: other.address() });
        }
        let mut added = Added { outs: vec![name.clone()], for_git: Vec::new() };
        let dep_name = self.dep_name(url, &name)?;
        let mut dep = Entry { path: dep_name, oid: None, ..blank(Oid::file(Md5([0; 16]))) };
        let mut pointer = Pointer::new(name.rsplit('/').next().unwrap_or(&name));
        if options.no_exec {
            pointer.set_import(&dep);
        } else {
            let staging = self.place_for_files().join("import");
            let _ = fs::remove_dir_all(&staging);
            fs::create_dir_all(&staging).doing("make the folder", &staging)?;
            let arrived = staging.join("data");
            work.bring(url, &arrived, &mut dep, progress)?;
            if options.force {
                remove_any(&path)?;
            }
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).doing("make the folder", folder)?;
            }
            fs::rename(&arrived, &path).doing("write", &path)?;
            let entry = work.store_imported(&name, &path, progress)?;
            if !url.contains("://") {
                dep = Entry { oid: entry.oid, size: entry.size, files: entry.files, is_executable: entry.is_executable, ..dep };
            }
            pointer.set_import(&dep);
            pointer.set_out(0, &Entry { path: name.rsplit('/').next().unwrap_or(&name).to_owned(), ..entry.clone() });
            if let Some(oid) = entry.oid {
                work.index.remember_out(&name, oid);
            }
        }
        pointer.seal_import();
        files::write_atomic(&pointer_path, pointer.to_text().as_bytes())?;
        added.for_git.push(format!("{name}.dvc"));
        if let Some(git) = self.git()
            && let Some(changed) = gitignore::ignore(git, &path)?
        {
            added.for_git.push(walk::relative(self.root(), &changed)?);
        }
        work.index.save()?;
        Ok(added)
    }

    /// How the source is written down: an address as it is, a path inside the repository relative to the pointer, others absolute.
    fn dep_name(&self, url: &str, name: &str) -> Result<String> {
        if url.contains("://") {
            if url.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@'))) {
                return Err(VersionsError::usage(
                    "an address with a user or password would be written into a file for git; leave them out",
                ));
            }
            return Ok(url.to_owned());
        }
        let path = config::simplified(&std::path::absolute(url).doing("find", url)?);
        let folder = walk::absolute(self.root(), folder_of(name));
        let shown = if path.starts_with(self.root()) { config::relative_to(&path, &folder) } else { path.to_string_lossy().into_owned() };
        if !Path::new(&shown).is_absolute() && in_folder(folder_of(name), &shown) == *name {
            return Err(VersionsError::usage("source and target are the same"));
        }
        Ok(shown)
    }
}

impl Work<'_> {
    fn store_imported(&mut self, name: &str, path: &Path, progress: &dyn Progress) -> Result<Entry> {
        if !path.is_dir() {
            let metadata = fs::metadata(path).doing("look at", path)?;
            let file = walk::Found { path: String::new(), stamp: walk::regular(path, &metadata)?, is_link: false };
            let md5 = self.store(name, std::slice::from_ref(&file), false, AddOptions::default(), progress)?[0];
            return Ok(Entry { size: Some(file.stamp.size), ..blank(Oid::file(md5)) });
        }
        let listing = walk::list(path, &mut self.ignore)?;
        let hashes = self.store(name, &listing.files, false, AddOptions::default(), progress)?;
        let size = listing.files.iter().map(|file| file.stamp.size).sum();
        let list = tree::Tree::new(listing.files.into_iter().map(|file| file.path).zip(hashes));
        let bytes = list.to_bytes();
        let oid = Oid::dir(Md5::of(&bytes));
        if self.is_whole(oid)? != Some(true) {
            let stamp = self.repo.cache().store_bytes(oid, &bytes)?;
            self.index.remember_object(oid, stamp);
        }
        Ok(Entry { size: Some(size), files: Some(list.len() as u64), ..blank(oid) })
    }

    /// Copies the source to a path that is not there yet, and notes by what it is recognised later.
    fn bring(&mut self, url: &str, to: &Path, dep: &mut Entry, progress: &dyn Progress) -> Result<()> {
        match url.split_once("://") {
            None => self.bring_path(Path::new(url), to, progress),
            Some(("http" | "https", _)) => bring_http(url, to, dep, progress),
            Some((scheme @ ("s3" | "gs" | "gcs" | "azure" | "remote"), rest)) => {
                let remote = self.remote_for(url, scheme, rest)?;
                bring_bucket(&remote, url, to, dep, progress)
            }
            Some((scheme, _)) => Err(VersionsError::Url {
                doing: "read",
                url: url.to_owned(),
                problem: format!("`{scheme}://` is not supported; paths, `http(s)://`, `s3://`, `gs://` and `azure://` are"),
            }),
        }
    }

    /// The options of the configured remote whose bucket this is, or those of the environment.
    fn remote_for(&self, url: &str, scheme: &str, rest: &str) -> Result<RemoteConfig> {
        let config = self.repo.config();
        if scheme == "remote" {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            let mut remote = config.remote(Some(name))?;
            remote.url = format!("{}/{path}", remote.url.trim_end_matches('/'));
            return Ok(remote);
        }
        let bucket = |url: &str| {
            url.split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.split('/').next().unwrap_or_default().to_owned()))
        };
        for name in config.remote_names(None) {
            if let Ok(mut remote) = config.remote(Some(&name))
                && bucket(&remote.url) == bucket(url)
            {
                url.clone_into(&mut remote.url);
                return Ok(remote);
            }
        }
        Ok(RemoteConfig::without_options("import", url))
    }

    fn bring_path(&mut self, from: &Path, to: &Path, progress: &dyn Progress) -> Result<()> {
        let metadata = match fs::metadata(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VersionsError::NotFound { path: from.to_owned() }),
            other => other.doing("look at", from)?,
        };
        if !metadata.is_dir() {
            walk::regular(from, &metadata)?;
            progress.begin("copying", metadata.len());
            return copy(from, to);
        }
        let absolute = std::path::absolute(from).doing("find", from)?;
        let listing = walk::list(&absolute, &mut self.ignore)?;
        fs::create_dir_all(to).doing("make the folder", to)?;
        progress.begin("copying", listing.files.iter().map(|file| file.stamp.size).sum());
        for file in &listing.files {
            let target = to.join(&file.path);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).doing("make the folder", folder)?;
            }
            copy(&absolute.join(&file.path), &target)?;
            progress.advance(file.stamp.size);
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = File::open(from).doing("open", from)?;
    let mut target = files::create(to, 0o666).doing("write", to)?;
    io::copy(&mut source, &mut target).doing("write", to).map(drop)
}

fn remove_any(path: &PathBuf) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).doing("remove", path),
        Ok(_) => fs::remove_file(path).doing("remove", path),
        Err(error) => Err(error).doing("look at", path),
    }
}

fn bring_http(url: &str, to: &Path, dep: &mut Entry, progress: &dyn Progress) -> Result<()> {
    let failed = |error: reqwest::Error| VersionsError::Url { doing: "read", url: url.to_owned(), problem: causes(&error.without_url()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().doing("start threads for", url)?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(20)).build().map_err(failed)?;
        let answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        dep.etag = header("etag").or_else(|| header("content-md5"));
        let announced = answer.content_length();
        progress.begin("downloading", announced.unwrap_or(0));
        let temporary = Temporary::new(to.with_extension("part"));
        let mut file = files::create(temporary.path(), 0o666).doing("write", to)?;
        let mut stream = answer.bytes_stream();
        let mut size = 0;
        while let Some(piece) = stream.try_next().await.map_err(failed)? {
            file.write_all(&piece).doing("write", to)?;
            size += piece.len() as u64;
            progress.advance(piece.len() as u64);
        }
        if announced.is_some_and(|announced| announced != size) {
            return Err(VersionsError::Url { doing: "read", url: url.to_owned(), problem: "the connection ended early".to_owned() });
        }
        dep.size = Some(size);
        temporary.become_file(to).doing("write", to)
    })
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(at) = cause {
        text.push_str(&format!(": {at}"));
        cause = at.source();
    }
    text
}

fn bring_bucket(remote: &RemoteConfig, url: &str, to: &Path, dep: &mut Entry, progress: &dyn Progress) -> Result<()> {
    let failed = |error: object_store::Error| VersionsError::Url { doing: "read", url: url.to_owned(), problem: error.to_string() };
    let bucket = remote::open_bucket(remote)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().doing("start threads for", url)?;
    let etag = |tag: Option<String>| tag.map(|tag| tag.trim_matches('"').to_owned());
    runtime.block_on(async {
        match bucket.store.get(&bucket.prefix).await {
            Ok(found) => {
                dep.size = Some(found.meta.size);
                dep.etag = etag(found.meta.e_tag.clone());
                progress.begin("downloading", found.meta.size);
                return write_stream(found, to, progress).await.map_err(|error| error.unwrap_or_else(failed));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        let found: Vec<_> = bucket.store.list(Some(&bucket.prefix)).try_collect().await.map_err(failed)?;
        if found.is_empty() {
            return Err(VersionsError::Url { doing: "read", url: url.to_owned(), problem: "there is nothing at this address".to_owned() });
        }
        fs::create_dir_all(to).doing("make the folder", to)?;
        progress.begin("downloading", found.iter().map(|object| object.size).sum());
        let mut list = std::collections::BTreeMap::new();
        for object in &found {
            let below = object.location.as_ref().strip_prefix(bucket.prefix.as_ref()).unwrap_or_default().trim_start_matches('/');
            if let Some(why) = tree::what_is_unsafe(below) {
                return Err(VersionsError::Unsafe { path: below.to_owned(), within: url.to_owned(), why });
            }
            let target = to.join(below);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).doing("make the folder", folder)?;
            }
            let content = bucket.store.get(&object.location).await.map_err(failed)?;
            write_stream(content, &target, progress).await.map_err(|error| error.unwrap_or_else(failed))?;
            list.insert(below.to_owned(), etag(object.e_tag.clone()).unwrap_or_default());
        }
        dep.size = Some(found.iter().map(|object| object.size).sum());
        dep.files = Some(found.len() as u64);
        let list: Vec<_> = list.into_iter().map(|(path, tag)| json!({"etag": tag, "relpath": path})).collect();
        dep.etag = Some(format!("{}.dir", Md5::of(tree::python_json(&list.into()).as_bytes())));
        Ok(())
    })
}

/// Either of two errors, decided by the caller.
enum Either {
    Ours(VersionsError),
    Theirs(object_store::Error),
}

impl Either {
    fn unwrap_or_else(self, theirs: impl Fn(object_store::Error) -> VersionsError) -> VersionsError {
        match self {
            Self::Ours(error) => error,
            Self::Theirs(error) => theirs(error),
        }
    }
}

async fn write_stream(found: object_store::GetResult, to: &Path, progress: &dyn Progress) -> Result<(), Either> {
    let mut file = files::create(to, 0o666).doing("write", to).map_err(Either::Ours)?;
    let mut stream = found.into_stream();
    while let Some(piece) = stream.try_next().await.map_err(Either::Theirs)? {
        file.write_all(&piece).doing("write", to).map_err(Either::Ours)?;
        progress.advance(piece.len() as u64);
    }
    Ok(())
}
