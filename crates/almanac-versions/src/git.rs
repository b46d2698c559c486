//! What git knows: files of another revision, all revisions, whether a path is ignored. By the `git` program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Result, VersionsError};

/// A repository of git.
#[derive(Debug, Clone)]
pub struct Git {
    /// Its root.
    root: PathBuf,
}

impl Git {
    /// Finds the repository that a folder lies in.
    pub fn find(folder: &Path) -> Option<Self> {
        let root = folder.ancestors().find(|folder| folder.join(".git").exists())?;
        Some(Self { root: root.to_owned() })
    }

    /// Returns the root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Tells whether there is any commit.
    pub fn has_commits(&self) -> bool {
        self.run(&["rev-parse", "--verify", "-q", "HEAD"]).is_ok()
    }

    /// Returns the full name of a commit.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn commit(&self, revision: &str) -> Result<String> {
        let text = self.run(&["rev-parse", "--verify", "-q", "--end-of-options", &format!("{revision}^{{commit}}")]).map_err(|_| {
            VersionsError::Git { command: format!("rev-parse {revision}"), message: "there is no commit of this name".to_owned() }
        })?;
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// Returns the commits that a garbage collection is to keep.
    ///
    /// # Errors
    /// If git fails.
    pub fn commits(&self, which: &Which) -> Result<Vec<String>> {
        let limit;
        let mut arguments = vec!["rev-list"];
        match which {
            Which::All => arguments.push("--all"),
            Which::Tips { branches, tags } => {
                arguments.push("--no-walk");
                if *branches {
                    arguments.push("--branches");
                }
                if *tags {
                    arguments.push("--tags");
                }
                if !*branches && !*tags {
                    return Ok(Vec::new());
                }
            }
            Which::From { revision, count } => {
                limit = format!("--max-count={count}");
                arguments.extend([limit.as_str(), "--first-parent", "--end-of-options", revision.as_str()]);
            }
        }
        let text = self.run(&arguments)?;
        Ok(String::from_utf8_lossy(&text).lines().map(ToOwned::to_owned).collect())
    }

    /// Lists the files of a commit: path from the root of git, and blob.
    ///
    /// # Errors
    /// If git fails.
    pub fn files(&self, commit: &str) -> Result<Vec<(String, String)>> {
        let listing = self.run(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let mut files = Vec::new();
        for entry in listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let mut about = about.split(' ');
            if let (Some(mode), Some("blob"), Some(blob)) = (about.next(), about.next(), about.next())
                && mode != "120000"
            {
                files.push((path.to_owned(), blob.to_owned()));
            }
        }
        Ok(files)
    }

    /// Reads blobs, in one process.
    ///
    /// # Errors
    /// If git fails or a blob is not there.
    pub fn read(&self, blobs: &[String]) -> Result<Vec<Vec<u8>>> {
        let failed = |message: String| VersionsError::Git { command: "cat-file --batch".to_owned(), message };
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no pipes".to_owned()));
        };
        let questions = blobs.join("\n") + "\n";
        let contents = std::thread::scope(|scope| {
            scope.spawn(move || {
                // If it ends early, reading tells.
                let _ = input.write_all(questions.as_bytes());
            });
            let mut output = BufReader::new(output);
            let mut contents = Vec::with_capacity(blobs.len());
            for blob in blobs {
                let mut header = String::new();
                output.read_line(&mut header).map_err(|error| failed(error.to_string()))?;
                let size = header.trim().rsplit(' ').next().and_then(|size| size.parse::<usize>().ok());
                let size = size.ok_or_else(|| failed(format!("blob {blob}: {}", header.trim())))?;
                let mut content = vec![0; size + 1];
                output.read_exact(&mut content).map_err(|error| failed(error.to_string()))?;
                content.truncate(size);
                contents.push(content);
            }
            Ok(contents)
        });
        let _ = child.wait();
        contents
    }

    /// Tells whether git ignores a path. It need not exist.
    pub fn is_ignored(&self, path: &Path) -> bool {
        self.command(&["check-ignore", "-q", "--no-index", "--"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Tells whether git keeps a path, or files below it, itself.
    pub fn is_tracked(&self, path: &Path) -> bool {
        let output = self.command(&["ls-files", "-z", "--"]).arg(path).stderr(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
    }

    /// Stages files.
    ///
    /// # Errors
    /// If git fails.
    pub fn add(&self, paths: &[PathBuf]) -> Result<()> {
        let mut command = self.command(&["add", "--"]);
        command.args(paths);
        finished(command, "add").map(drop)
    }

    /// Returns the folder of hooks.
    ///
    /// # Errors
    /// If git fails.
    pub fn hooks(&self) -> Result<PathBuf> {
        let text = self.run(&["rev-parse", "--git-path", "hooks"])?;
        Ok(self.root.join(String::from_utf8_lossy(&text).trim()))
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        finished(self.command(arguments), &arguments.join(" "))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(arguments).stdin(Stdio::null());
        // A hook is given these, and they would lead elsewhere.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(variable);
        }
        command
    }
}

/// Which commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Every one that a reference reaches.
    All,
    /// The last ones of branches and tags.
    Tips {
        /// Of branches.
        branches: bool,
        /// Of tags.
        tags: bool,
    },
    /// The last ones before a revision, itself among them.
    From {
        /// Where to begin.
        revision: String,
        /// How many.
        count: usize,
    },
}

fn finished(mut command: Command, what: &str) -> Result<Vec<u8>> {
    let failed = |message: String| VersionsError::Git { command: what.to_owned(), message };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(if message.is_empty() { output.status.to_string() } else { message }))
}
