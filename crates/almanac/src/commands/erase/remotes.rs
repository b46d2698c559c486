//! Remotes of versions that are buckets: what is in them comes into the cache to be searched, and what was erased here goes there.
//!
//! Not here: the search and what becomes of objects of this machine (`almanac-privacy`), remotes that are folders, which are searched as such.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use almanac_privacy::{Beyond, Finder};
use almanac_series::Hint;
use almanac_versions::{Oid, Repo, TransferOptions, VersionsError};

/// A bucket whose objects are all in the cache.
#[derive(Debug)]
pub(super) struct Bucket {
    project: PathBuf,
    name: String,
}

/// Brings what a remote has into the cache, so that it can be searched; returns how many objects came.
///
/// # Errors
/// Why it cannot be reached, and what to do then.
pub(super) fn fetched(project: &Path, name: &str) -> Result<(Bucket, usize), String> {
    let bucket = Bucket { project: project.to_owned(), name: name.to_owned() };
    let count = bucket.repo().and_then(|repo| repo.fetch_everything(name, &())).map_err(|error| bucket.why(&error))?;
    Ok((bucket, count))
}

impl Bucket {
    fn repo(&self) -> Result<Repo, VersionsError> {
        Repo::open(&self.project)
    }

    fn why(&self, error: &VersionsError) -> String {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let name = &self.name;
        // A server may answer with a page.
        let error: String = error.to_string().lines().next().unwrap_or_default().chars().take(300).collect();
        format!(
            "it was not searched: {error}{hint}; when it can be reached, call `almanac erase` with the subject again, or `almanac data gc -w -c -r {name}` after it"
        )
    }

    /// Objects of the remote that hold the subject: those that do here, and those that did.
    fn found(&self, finder: &Finder<'_>) -> Result<Vec<Oid>, VersionsError> {
        let repo = self.repo()?;
        let mut found = Vec::new();
        for oid in repo.remote(Some(&self.name))?.list()? {
            // What cannot be searched here is said by the search of the files.
            if finder.is_gone(&oid.to_string())
                || repo.cache().stamp(oid)?.is_some() && finder.is_in(&repo.cache().path(oid)).unwrap_or(false)
            {
                found.push(oid);
            }
        }
        Ok(found)
    }
}

impl Beyond for Bucket {
    fn name(&self) -> String {
        format!("remote `{}`", self.name)
    }

    fn look(&self, finder: &Finder<'_>) -> Result<u64, String> {
        self.found(finder).map(|found| found.len() as u64).map_err(|error| self.why(&error))
    }

    /// What pointers name now is there before what they named goes.
    fn erase(&self, finder: &Finder<'_>) -> Result<(), String> {
        let done = || -> Result<(), VersionsError> {
            let repo = self.repo()?;
            let found = self.found(finder)?;
            let remote = repo.remote(Some(&self.name))?;
            let there: BTreeSet<Oid> = remote.list()?.into_iter().collect();
            // Which of them took the place of which is not known here, so all that pointers name and it lacks is sent.
            let targets: Vec<String> = repo
                .tracked()?
                .outs()
                .filter(|out| !out.oid().is_some_and(|oid| there.contains(&oid)))
                .map(|out| out.path.clone())
                .collect();
            if !targets.is_empty() {
                repo.push(Some(&self.name), &targets, &TransferOptions::default(), &())?;
            }
            remote.remove(&found)
        };
        done().map_err(|error| self.why(&error))
    }
}
