//! A folder under version control: where everything lies, what is tracked, what is there now.
//!
//! Not here: the verbs, one file each under `ops/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cache::Cache;
use crate::config::{self, Config, Level, OptionName};
use crate::error::{Doing, NamedOid, Result, VersionsError};
use crate::files;
use crate::git::{Git, Which};
use crate::hash::Oid;
use crate::ignore::Ignore;
use crate::index::Index;
use crate::link::Link;
use crate::lock::Lock;
use crate::outs::{Out, Tracked};
use crate::tree::Tree;
use crate::work::Work;

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A repository of data.
#[derive(Debug)]
pub struct Repo {
    root: PathBuf,
    config: Config,
    git: Option<Git>,
    cache: Arc<Cache>,
    links: Vec<Link>,
}

/// How to make a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InitOptions {
    /// Without git.
    pub no_scm: bool,
    /// In a folder of a git repository that is not its root.
    pub subdir: bool,
    /// Throw away a `.dvc` that is there, with its cache.
    pub force: bool,
}

impl Repo {
    /// Opens the repository that a folder lies in.
    ///
    /// # Errors
    /// If there is none, or its configuration cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let here = fs::canonicalize(folder).doing("find", folder)?;
        let root = here.ancestors().find(|folder| folder.join(".dvc").is_dir());
        let root = root.ok_or_else(|| VersionsError::NoRepo { folder: here.clone() })?.to_owned();
        let config = Config::load(Some(&root.join(".dvc")))?;
        let git = if config.flag("core", "no_scm") { None } else { Git::find(&root) };
        let cache = config.text("cache", "dir").map_or_else(|| root.join(".dvc/cache"), PathBuf::from);
        let links = Link::parse_list(&config.text("cache", "type").unwrap_or_default());
        let links = if links.is_empty() { vec![Link::Reflink, Link::Copy] } else { links };
        let cache = Arc::new(Cache::open(cache, config.text("cache", "shared").is_some()));
        Ok(Self { root, config, git, cache, links })
    }

    /// Makes a repository in a folder.
    ///
    /// # Errors
    /// If there is one, or the folder is not the root of a git repository and options do not say otherwise.
    pub fn init(folder: &Path, options: InitOptions) -> Result<Self> {
        if options.no_scm && options.subdir {
            return Err(VersionsError::usage("`--no-scm` and `--subdir` exclude each other"));
        }
        let root = fs::canonicalize(folder).doing("find", folder)?;
        let git = Git::find(&root);
        let is_under_git = git.as_ref().is_some_and(|git| options.subdir || git.root() == root);
        if !options.no_scm && !is_under_git {
            return Err(VersionsError::NoGit { folder: root });
        }
        let dvc = root.join(".dvc");
        if dvc.exists() {
            if !options.force {
                return Err(VersionsError::Exists { path: dvc });
            }
            fs::remove_dir_all(&dvc).doing("remove", &dvc)?;
        }
        let temporary = dvc.join("tmp");
        fs::create_dir_all(&temporary).doing("make the folder", &temporary)?;
        let config = if options.no_scm { "[core]\n    no_scm = True\n" } else { "" };
        if !options.no_scm {
            files::write_atomic(&dvc.join(".gitignore"), b"/config.local\n/tmp\n/cache\n")?;
        }
        let ignored = root.join(".dvcignore");
        if !ignored.exists() {
            files::write_atomic(&ignored, b"# Add patterns of files dvc should ignore, which could improve\n# the performance. Learn more at\n# https://dvc.org/doc/user-guide/dvcignore\n")?;
        }
        // Last: from now on it is a repository.
        files::write_atomic(&dvc.join("config"), config.as_bytes())?;
        if let Some(git) = git.filter(|_| !options.no_scm) {
            git.add(&[dvc.join(".gitignore"), dvc.join("config"), ignored])?;
        }
        Self::open(&root)
    }

    /// Returns the root, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the configuration to change it.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Returns git, unless the repository does without.
    pub fn git(&self) -> Option<&Git> {
        self.git.as_ref()
    }

    /// Tells whether pointers are staged for git when they are written.
    pub fn is_staging(&self) -> bool {
        self.config.flag("core", "autostage")
    }

    /// Returns git or says that there is none.
    pub(crate) fn need_git(&self) -> Result<&Git> {
        self.git.as_ref().ok_or_else(|| VersionsError::usage("this repository is without git and has no revisions"))
    }

    /// Returns the cache.
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Returns everything tracked in the working folder.
    ///
    /// # Errors
    /// If a pointer or lock file cannot be read.
    pub fn tracked(&self) -> Result<Tracked> {
        Tracked::of_folder(&self.root, &mut Ignore::new(&self.root))
    }

    /// Returns everything tracked at a commit.
    ///
    /// # Errors
    /// If there is no such commit, or one of its pointers cannot be read.
    pub fn tracked_at(&self, revision: &str) -> Result<Tracked> {
        let git = self.need_git()?;
        let prefix = self.prefix(git)?;
        let commit = git.commit(revision)?;
        let files: Vec<_> = git.files(&commit)?.into_iter().filter(|(path, _)| path.starts_with(&prefix) && is_pointer(path)).collect();
        let contents = git.read(&files.iter().map(|(_, blob)| blob.clone()).collect::<Vec<_>>())?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let files: BTreeMap<String, String> =
            files.iter().map(|(path, _)| path[prefix.len()..].to_owned()).zip(contents.into_iter().map(text)).collect();
        Tracked::of_files(&files)
    }

    /// Lists every output that the working folder or any of these commits tracks, each content once. What is unreadable in an
    /// old commit is named in the second list and left out.
    ///
    /// # Errors
    /// If git fails or the working folder has an unreadable pointer.
    pub fn outs_of(&self, commits: &[Which]) -> Result<(Vec<Out>, Vec<String>)> {
        let mut outs: Vec<Out> = self.tracked()?.outs().cloned().collect();
        let mut unreadable = Vec::new();
        if let Some(git) = self.git.as_ref().filter(|_| !commits.is_empty()) {
            let prefix = self.prefix(git)?;
            let mut names = Vec::new();
            for which in commits {
                names.extend(git.commits(which)?);
            }
            names.sort();
            names.dedup();
            let mut seen: BTreeMap<Vec<(String, String)>, String> = BTreeMap::new();
            for commit in names {
                let pointers = git.files(&commit)?.into_iter().filter(|(path, _)| path.starts_with(&prefix) && is_pointer(path)).collect();
                seen.entry(pointers).or_insert(commit);
            }
            for commit in seen.into_values() {
                match self.tracked_at(&commit) {
                    Ok(tracked) => outs.extend(tracked.outs().cloned()),
                    Err(error) => unreadable.push(format!("{}: {error}", &commit[..commit.len().min(10)])),
                }
            }
        }
        outs.sort_by(|a, b| (&a.path, a.entry.oid).cmp(&(&b.path, b.entry.oid)));
        outs.dedup_by(|a, b| a.path == b.path && a.entry.oid == b.entry.oid);
        Ok((outs, unreadable))
    }

    /// Returns the objects of an output: its own and, of a folder, those of its files, with their paths from the root. `None`
    /// where the list of the folder is not in the cache.
    ///
    /// # Errors
    /// If the list is corrupted.
    pub fn objects_of(&self, out: &Out) -> Result<Option<Vec<NamedOid>>> {
        let Some(oid) = out.oid() else { return Ok(Some(Vec::new())) };
        let mut objects = vec![NamedOid { name: out.path.clone(), oid }];
        if oid.is_dir {
            let Some(tree) = self.tree(oid)? else { return Ok(None) };
            objects.extend(tree.files().iter().map(|(path, md5)| NamedOid {
                name: format!("{}/{path}", out.path),
                oid: Oid { md5: *md5, is_dir: false, is_legacy: oid.is_legacy },
            }));
        }
        Ok(Some(objects))
    }

    /// Reads the list of a folder from the cache; `None` where it is not there.
    ///
    /// # Errors
    /// If it is corrupted or names paths that leave the folder.
    pub fn tree(&self, oid: Oid) -> Result<Option<Tree>> {
        self.cache.read(oid)?.map(|bytes| Tree::parse(&bytes, oid)).transpose()
    }

    /// Removes objects from the cache, whatever refers to them.
    ///
    /// # Errors
    /// If the lock is held or the system does not let us.
    pub fn remove_objects(&self, oids: impl IntoIterator<Item = Oid>) -> Result<()> {
        let mut work = self.begin()?;
        for oid in oids {
            self.cache.remove(oid)?;
            work.index.forget_object(oid);
        }
        work.index.save()
    }

    /// Takes the lock and reads what is remembered.
    pub(crate) fn begin(&self) -> Result<Work<'_>> {
        let folder = self.root.join(".dvc/tmp");
        fs::create_dir_all(&folder).doing("make the folder", &folder)?;
        let lock = Lock::take(&folder.join("lock"), PATIENCE)?;
        self.cache.tidy(self.cache.root().starts_with(&self.root));
        let place = self.place_for_files();
        // Nobody else works here now: what is left is from someone who was killed.
        if let Ok(entries) = fs::read_dir(&place) {
            entries.flatten().for_each(|entry| drop(fs::remove_file(entry.path())));
        }
        fs::create_dir_all(&place).doing("make the folder", &place)?;
        Ok(Work::new(self, Index::load(folder.join("almanac-index")), Ignore::new(&self.root), lock))
    }

    /// The folder for temporary files on the disk of the working folder.
    pub(crate) fn place_for_files(&self) -> PathBuf {
        self.root.join(".dvc/tmp/almanac")
    }

    /// Returns how working files share their bytes with the cache here.
    pub(crate) fn link(&self) -> Result<Link> {
        Ok(Link::first_that_works(&self.links, self.cache.temporary()?, &self.place_for_files()))
    }

    /// Sets an option of the configuration.
    ///
    /// # Errors
    /// As [`Config::set`].
    pub fn configure(&mut self, level: Level, name: &OptionName, value: Option<&str>) -> Result<()> {
        self.config.set(level, name, value)
    }

    /// The way from the root of git to ours, with `/` at its end.
    fn prefix(&self, git: &Git) -> Result<String> {
        let way = config::relative_to(&self.root, git.root());
        if way.starts_with("..") {
            return Err(VersionsError::usage("the repository of git lies elsewhere"));
        }
        Ok(if way == "." { String::new() } else { format!("{way}/") })
    }
}

/// Tells by its name whether a file says what is tracked.
pub(crate) fn is_pointer(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "dvc.yaml" || name == "dvc.lock" || Path::new(name).extension().is_some_and(|extension| extension == "dvc")
}
