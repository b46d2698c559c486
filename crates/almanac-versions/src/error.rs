//! What can go wrong with versions of data, with what and where, and how to mend it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use almanac_series::Hint;

use crate::hash::Oid;

/// The result of everything here.
pub type Result<T, E = VersionsError> = std::result::Result<T, E>;

/// A failed operation on versions of data. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum VersionsError {
    /// The operating system said no.
    #[error("failed to {doing} `{}`", path.display())]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no `.dvc` folder here or above.
    #[error("`{}` is not inside a folder under version control", folder.display())]
    NoRepo {
        /// Where the search began.
        folder: PathBuf,
    },
    /// `init` where there is no git repository.
    #[error("`{}` is not the root of a git repository", folder.display())]
    NoGit {
        /// The folder.
        folder: PathBuf,
    },
    /// `init` twice, or another thing that would overwrite.
    #[error("`{}` exists", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A pointer file, `dvc.lock` or `.dir` object that cannot be understood.
    #[error("`{path}` cannot be read as {what}: {problem}")]
    Malformed {
        /// Which file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        problem: String,
    },
    /// A configuration file that cannot be understood.
    #[error("`{}`:{line}: {problem}", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// Line, from one; 0 where the whole file is meant.
        line: usize,
        /// Why.
        problem: String,
    },
    /// A configuration key that is unknown, missing, or has a wrong value.
    #[error("{problem}")]
    Setting {
        /// Why.
        problem: String,
    },
    /// Another process holds the lock.
    #[error("`{}` is held by another process{}", path.display(), pid.as_ref().map(|pid| format!(" (PID {pid})")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Its process, if it said so.
        pid: Option<String>,
    },
    /// What was named is not there.
    #[error("`{}` does not exist", path.display())]
    NotFound {
        /// What was named.
        path: PathBuf,
    },
    /// What was named is not tracked.
    #[error("`{target}` is not tracked")]
    NotTracked {
        /// What was named.
        target: String,
    },
    /// Two tracked outputs would hold the same files.
    #[error("`{path}` overlaps `{other}`, which `{pointer}` tracks")]
    Overlap {
        /// What was to be added.
        path: String,
        /// What is tracked already.
        other: String,
        /// By which file.
        pointer: String,
    },
    /// Neither a file nor a folder, a dangling link, or a name that cannot be written down.
    #[error("`{}` cannot be put under version control: {why}", path.display())]
    Unfit {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A path from a pointer or a `.dir` object that would leave its folder.
    #[error("`{within}` names `{path}`, which {why}")]
    Unsafe {
        /// The path as it is written.
        path: String,
        /// Where it is written.
        within: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file altered while it was read.
    #[error("`{}` changed while it was being read", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// Objects whose bytes are not those of their name.
    #[error("{} corrupted {place}: {}", plural(objects.len(), "object is", "objects are"), some(objects))]
    Corrupt {
        /// `in the cache` or `in remote NAME`.
        place: String,
        /// Which, with the file each belongs to.
        objects: Vec<NamedOid>,
    },
    /// Objects that are nowhere.
    #[error("{} missing {place}: {}", plural(objects.len(), "object is", "objects are"), some(objects))]
    Missing {
        /// `from the cache`, or `from the cache and from remote NAME`.
        place: String,
        /// Which, with the file each belongs to.
        objects: Vec<NamedOid>,
    },
    /// Files that would be lost.
    #[error("{} not saved anywhere else and would be lost: {}", plural(paths.len(), "file is", "files are"), some(paths))]
    WouldLose {
        /// Relative to the root.
        paths: Vec<String>,
    },
    /// `git` failed or is not there.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// Its arguments.
        command: String,
        /// What it said.
        message: String,
    },
    /// No remote is named and there is no default.
    #[error("no remote is named and there is no default remote")]
    NoRemote,
    /// A remote that cannot be used.
    #[error("remote `{name}`: {problem}")]
    Remote {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A transfer that failed for some objects; the others are where they should be.
    #[error("{failed} of {total} objects were not {verb}; the first, `{name}`")]
    Transfer {
        /// `pushed` or `fetched`.
        verb: &'static str,
        /// How many failed.
        failed: usize,
        /// Of how many.
        total: usize,
        /// The first of them.
        name: String,
        /// Why.
        source: Box<VersionsError>,
    },
    /// An address that could not be read.
    #[error("failed to {doing} `{url}`: {problem}")]
    Url {
        /// As a verb.
        doing: &'static str,
        /// Without user and password.
        url: String,
        /// What was said.
        problem: String,
    },
    /// Options that contradict each other.
    #[error("{problem}")]
    Usage {
        /// How.
        problem: String,
    },
}

/// An object and the file it is the content of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedOid {
    /// Path relative to the root, `/` between folders.
    pub name: String,
    /// Its content.
    pub oid: Oid,
}

impl fmt::Display for NamedOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name, self.oid)
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The first few of a list.
fn some<T: fmt::Display>(all: &[T]) -> String {
    const SHOWN: usize = 5;
    let mut text = all.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

impl VersionsError {
    /// A path that must not be followed, as it can be shown: without characters that a terminal would act on.
    pub(crate) fn leads_astray(path: &str, within: impl std::fmt::Display, why: &'static str) -> Self {
        let mut shown = String::with_capacity(path.len());
        for char in path.chars() {
            if char.is_control() { shown.extend(char.escape_default()) } else { shown.push(char) }
        }
        Self::Unsafe { path: shown, within: within.to_string(), why }
    }

    pub(crate) fn malformed(path: impl fmt::Display, what: &'static str, problem: impl fmt::Display) -> Self {
        Self::Malformed { path: path.to_string(), what, problem: problem.to_string() }
    }

    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self::Usage { problem: problem.into() }
    }
}

impl Hint for VersionsError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoRepo { .. } => "`almanac data init` makes this folder one (`--no-scm` where there is no git)",
            Self::NoGit { .. } => "`--no-scm` does without git; `--subdir` is for a folder inside a git repository",
            Self::Exists { .. } => "`--force` writes over it",
            Self::Malformed { .. } => "restore the file from git; it is written by `almanac data` or `dvc`, not by hand",
            Self::Config { .. } => "`almanac data config` writes this file; a value with `#`, `,` or quotes goes between quotes",
            Self::Locked { .. } => "wait for the other `almanac data` or `dvc` to end, then run this again",
            Self::NotTracked { .. } => "`almanac data add` tracks it",
            Self::Overlap { .. } => "remove the other pointer file first, or add the outer folder only",
            Self::Unfit { .. } => "move it elsewhere, or name it in `.dvcignore`",
            Self::Unsafe { .. } => "do not use data from a source that writes such paths",
            Self::Changed { .. } => "add it again when nothing writes to it",
            Self::Corrupt { place, .. } if place.starts_with("in remote") => {
                "remove these objects from the remote (`files/md5/`, two digits, the others), then push them from where they are whole"
            }
            Self::Corrupt { .. } => "`almanac data fetch` gets it from a remote; or add the file again where it is still whole",
            Self::Missing { .. } => "`almanac data pull` gets it from a remote; or push from where it was added",
            Self::WouldLose { .. } => "`almanac data add` saves them; `--force` loses them",
            Self::NoRemote => "`almanac data remote add -d NAME URL` makes one, `-r NAME` names one",
            Self::Transfer { source, .. } => return source.hint().or_else(|| Some("run it again: what was transferred stays".to_owned())),
            Self::Url { .. } => "check the address, the network and the credentials, then run it again",
            Self::Remote { .. } => "`almanac data remote list` shows the remotes, `almanac data remote modify` mends one",
            Self::NotFound { .. } | Self::Io { .. } | Self::Git { .. } | Self::Setting { .. } | Self::Usage { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// Says what was being done to what when the system said no.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|source| VersionsError::Io { doing, path: path.as_ref().to_owned(), source })
    }
}
