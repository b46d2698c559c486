//! Files that come with an import: copied below this store's root, or left where they are.
//!
//! Copies appear under their names only when they are whole; a file that is there with the same size is not copied again.
//!
//! Not here: files in object stores, whose addresses are kept.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::report::ImportReport;

/// What becomes of the files that an import finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Artifacts {
    /// They stay where they are, and so do their addresses.
    #[default]
    Keep,
    /// Those in local folders are copied below this root, where the server serves them.
    Copy(PathBuf),
}

/// Finds files of runs and models, and copies them if that is wanted.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    wanted: &'a Artifacts,
    is_dry: bool,
    /// Old address and new one, of what was copied.
    moved: HashMap<String, String>,
    copied: u64,
    /// How many addresses lead to local folders, and to a server that is left.
    stay_local: u64,
    stay_proxied: u64,
    faults: Vec<(String, String)>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(wanted: &'a Artifacts, is_dry: bool) -> Self {
        Self { wanted, is_dry, moved: HashMap::new(), copied: 0, stay_local: 0, stay_proxied: 0, faults: Vec::new() }
    }

    /// Returns whether files are copied at all.
    pub(super) fn copies(&self) -> bool {
        matches!(self.wanted, Artifacts::Copy(_))
    }

    /// Returns the address under which files are found from now on: `target` below the root if they are copied, else `uri`.
    ///
    /// `candidates` are the folders where they may lie, best first. Only one that is named as `target` is, after its experiment,
    /// is copied: a store that others wrote cannot name any folder of this machine.
    pub(super) fn settle(&mut self, uri: &str, candidates: &[PathBuf], target: &str) -> String {
        let Artifacts::Copy(root) = self.wanted else {
            self.stays(uri);
            return uri.to_owned();
        };
        let has_plain_target = Path::new(target).components().all(|part| matches!(part, Component::Normal(_)));
        let name = target.split_once('/').map_or(target, |(_, name)| name);
        let is_meant = |folder: &&PathBuf| has_plain_target && folder.ends_with(name) && folder.is_dir();
        let Some(folder) = candidates.iter().find(is_meant) else {
            if is_remote(uri) {
                self.stays(uri);
                return uri.to_owned();
            }
            // Nothing was logged, so nothing has to be found; what comes next goes to the server.
            return format!("mlflow-artifacts:/{target}");
        };
        let moved = format!("mlflow-artifacts:/{target}");
        self.copy(folder, &root.join(target));
        self.moved.insert(uri.trim_end_matches('/').to_owned(), moved.clone());
        moved
    }

    /// Returns the new address of something that lies in a folder that was copied.
    pub(super) fn follow(&self, uri: &str) -> String {
        let mut folder = uri.trim_end_matches('/');
        loop {
            if let Some(moved) = self.moved.get(folder) {
                return format!("{moved}{}", &uri[folder.len()..]);
            }
            match folder.rfind('/') {
                Some(end) if end > 0 => folder = &folder[..end],
                _ => return uri.to_owned(),
            }
        }
    }

    /// Writes down what the report should tell.
    pub(super) fn tell(self, report: &mut ImportReport) {
        report.files_copied = self.copied;
        if self.stay_local > 0 {
            report.warnings.push(format!(
                "artifacts of {} runs and models stay in local folders, which only clients on this machine can read",
                self.stay_local
            ));
        }
        if self.stay_proxied > 0 {
            report.warnings.push(format!(
                "artifacts of {} runs and models were served by the old server (`mlflow-artifacts:`): copy its artifact folder into this one's",
                self.stay_proxied
            ));
        }
        for (place, what) in self.faults {
            report.problem(place, what);
        }
    }

    fn stays(&mut self, uri: &str) {
        if uri.starts_with("mlflow-artifacts:") {
            self.stay_proxied += 1;
        } else if !is_remote(uri) {
            self.stay_local += 1;
        }
    }

    fn copy(&mut self, from: &Path, to: &Path) {
        let entries = match fs::read_dir(from) {
            Ok(entries) => entries,
            Err(error) => return self.faults.push((from.display().to_string(), format!("cannot be read: {error}"))),
        };
        for entry in entries.flatten() {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.copy(&source, &target),
                Ok(kind) if kind.is_file() => match copy_file(&source, &target, self.is_dry) {
                    Ok(true) => self.copied += 1,
                    Ok(false) => {}
                    Err(error) => self.faults.push((source.display().to_string(), format!("cannot be copied: {error}"))),
                },
                _ => self.faults.push((source.display().to_string(), "is a link or no file, and is left out".to_owned())),
            }
        }
    }
}

/// Copies a file unless it is there; returns whether it was not.
fn copy_file(from: &Path, to: &Path, is_dry: bool) -> io::Result<bool> {
    let size = fs::metadata(from)?.len();
    if fs::metadata(to).is_ok_and(|there| there.len() == size) {
        return Ok(false);
    }
    if is_dry {
        return Ok(true);
    }
    let folder = to.parent().expect("lies below the root");
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(folder)?;
    io::copy(&mut File::open(from)?, &mut file)?;
    file.as_file().sync_all()?;
    file.persist(to).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(true)
}

/// Returns whether an address names a service, not a folder of this machine.
fn is_remote(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && scheme != "file" && !scheme.contains(['/', '\\', '.']))
}

/// Returns the folder of this machine that an address of MLflow's names; relative ones lie beside the store.
pub(super) fn local_folder(uri: &str, beside: &Path) -> Option<PathBuf> {
    if uri.starts_with("file:") {
        return url::Url::parse(uri).ok()?.to_file_path().ok();
    }
    if let Some(path) = uri.strip_prefix("mlflow-artifacts:") {
        // Where MLflow's server keeps them unless it is told otherwise.
        let path = path.trim_start_matches('/');
        let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        return is_plain.then(|| beside.join("mlartifacts").join(path));
    }
    (!is_remote(uri)).then(|| beside.join(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let beside = Path::new("/data");
        let folder = |uri: &str| local_folder(uri, beside).map(|path| path.display().to_string());
        assert_eq!(folder("file:///a/b%20c").as_deref(), Some("/a/b c"));
        assert_eq!(folder("/a/b").as_deref(), Some("/a/b"));
        assert_eq!(folder("./mlruns/0").as_deref(), Some("/data/./mlruns/0"));
        assert_eq!(folder("mlflow-artifacts:/0/r/artifacts").as_deref(), Some("/data/mlartifacts/0/r/artifacts"));
        assert_eq!(folder("mlflow-artifacts:/../etc"), None);
        assert_eq!(folder("s3://bucket/a"), None);
    }

    #[test]
    fn what_lies_in_a_folder_that_was_copied_follows_it() {
        let wanted = Artifacts::Keep;
        let mut files = Collector::new(&wanted, false);
        files.moved.insert("file:///a/r/artifacts".into(), "mlflow-artifacts:/0/r/artifacts".into());
        assert_eq!(files.follow("file:///a/r/artifacts/model"), "mlflow-artifacts:/0/r/artifacts/model");
        assert_eq!(files.follow("file:///a/r/artifacts"), "mlflow-artifacts:/0/r/artifacts");
        assert_eq!(files.follow("file:///b/r"), "file:///b/r");
    }

    #[test]
    fn a_store_cannot_name_any_folder_of_this_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let (secret, root) = (folder.path().join("secret"), folder.path().join("root"));
        let meant = folder.path().join("r").join("artifacts");
        for place in [&secret, &meant] {
            fs::create_dir_all(place).expect("a folder");
            fs::write(place.join("key"), "x").expect("a file");
        }
        let wanted = Artifacts::Copy(root.clone());
        let mut files = Collector::new(&wanted, false);
        files.settle("/secret", std::slice::from_ref(&secret), "0/r/artifacts");
        files.settle("/secret", std::slice::from_ref(&secret), "0/../artifacts");
        assert_eq!(files.copied, 0);
        files.settle("r/artifacts", std::slice::from_ref(&meant), "0/r/artifacts");
        assert_eq!(files.copied, 1);
        assert!(root.join("0/r/artifacts/key").is_file());
    }
}
