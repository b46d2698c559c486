//! `status`: what in the working folder differs from the pointers, or what of the cache differs from a remote.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::error::{NamedOid, Result};
use crate::hash::{Md5, Oid};
use crate::outs::{Out, Pipeline, Tracked};
use crate::params::Change;
use crate::progress::Progress;
use crate::repo::Repo;
use crate::work::{State, Work};

/// What differs, stage by stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Stages with something to tell, by address.
    pub stages: Vec<StageStatus>,
    /// Whether anything is tracked at all.
    pub is_tracking: bool,
}

/// One stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageStatus {
    /// The pointer file, or the stage of a pipeline.
    pub address: String,
    /// What it was made from: path, and `modified` or `deleted`.
    pub deps: BTreeMap<String, &'static str>,
    /// Its parameters that differ: file, and name to `modified`, `deleted` or `new`.
    pub params: BTreeMap<String, BTreeMap<String, &'static str>>,
    /// What it made: path, and `modified`, `deleted`, `new` or `not in cache`.
    pub outs: BTreeMap<String, &'static str>,
    /// `always changed`, `changed command`.
    pub others: Vec<&'static str>,
}

impl Status {
    /// Tells whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.stages.is_empty()
    }

    /// Returns it as `dvc status --json` prints it.
    pub fn to_json(&self) -> Value {
        let stage = |stage: &StageStatus| -> Value {
            let deps: Map<String, Value> = stage
                .deps
                .iter()
                .map(|(path, what)| (path.clone(), json!(what)))
                .chain(stage.params.iter().map(|(file, names)| (file.clone(), json!(names))))
                .collect();
            let deps = (!deps.is_empty()).then(|| json!({ "changed deps": deps }));
            let outs = (!stage.outs.is_empty()).then(|| json!({ "changed outs": stage.outs }));
            deps.into_iter().chain(outs).chain(stage.others.iter().map(|other| json!(other))).collect()
        };
        Value::Object(self.stages.iter().map(|at| (at.address.clone(), stage(at))).collect())
    }
}

/// What differs between cache and remote: path, and `new` (not in the remote), `deleted` (not in the cache), `missing` (in neither).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudStatus {
    /// By path.
    pub files: BTreeMap<String, &'static str>,
}

impl Repo {
    /// Compares the working folder with the pointers. `targets`: as for checkout.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn status(&self, targets: &[String], recursive: bool, progress: &dyn Progress) -> Result<Status> {
        let mut work = self.begin()?;
        let tracked = self.tracked()?;
        let status = work.status(&tracked, targets, recursive, progress)?;
        work.index.save()?;
        Ok(status)
    }

    /// Compares the cache with a remote.
    ///
    /// # Errors
    /// If there is no such remote or it cannot be read.
    pub fn cloud_status(
        &self,
        remote: Option<&str>,
        targets: &[String],
        options: crate::TransferOptions,
        progress: &dyn Progress,
    ) -> Result<CloudStatus> {
        let mut work = self.begin()?;
        let objects = work.needed(targets, &options, progress)?;
        let mut status = CloudStatus::default();
        for (remote, objects) in work.by_remote(remote, objects, true)? {
            let there = remote.existing(&objects.iter().map(|object| object.oid).collect::<Vec<_>>())?;
            for NamedOid { name, oid } in objects {
                let what = match (self.cache().stamp(oid)?.is_some(), there.contains(&oid)) {
                    (true, false) => "new",
                    (false, true) => "deleted",
                    (false, false) => "missing",
                    (true, true) => continue,
                };
                status.files.insert(name, what);
            }
        }
        Ok(status)
    }
}

impl Work<'_> {
    fn status(&mut self, tracked: &Tracked, targets: &[String], recursive: bool, progress: &dyn Progress) -> Result<Status> {
        let selected: HashSet<(String, String)> =
            Self::select(tracked, targets, recursive)?.into_iter().map(|(out, _)| (out.address(), out.path.clone())).collect();
        let mut status = Status { is_tracking: !tracked.stages.is_empty(), ..Status::default() };
        for stage in tracked.stages.iter().filter(|stage| stage.pipeline.as_ref().is_none_or(|pipeline| pipeline.is_declared)) {
            let mut at = StageStatus { address: stage.address.clone(), ..StageStatus::default() };
            for out in stage.outs.iter().filter(|out| selected.contains(&(out.address(), out.path.clone()))) {
                if let Some(what) = self.out_status(out, progress)? {
                    at.outs.insert(out.path.clone(), what);
                }
            }
            let is_selected = targets.is_empty()
                || targets.contains(&stage.address)
                || stage.outs.iter().any(|out| selected.contains(&(out.address(), out.path.clone())));
            if stage.is_frozen && is_selected && !stage.deps.is_empty() {
                progress.note(&format!("`{}` is frozen: where it came from is not looked at", stage.address));
            } else if is_selected {
                for (path, entry) in
                    stage.deps.iter().filter(|(path, _)| !path.contains("://") && !path.starts_with('/') && !path.starts_with(".."))
                {
                    let is_legacy = entry.oid.is_some_and(|oid| oid.is_legacy);
                    let now = self.state(path, is_legacy, progress)?.oid(is_legacy);
                    match now {
                        None => drop(at.deps.insert(path.clone(), "deleted")),
                        Some(now) if Some(now) != entry.oid => drop(at.deps.insert(path.clone(), "modified")),
                        Some(_) => {}
                    }
                }
            }
            if let Some(pipeline) = stage.pipeline.as_ref().filter(|_| is_selected) {
                if !stage.is_frozen {
                    self.param_status(pipeline, &mut at, progress)?;
                }
                at.others.extend(pipeline.is_always_changed.then_some("always changed"));
                at.others.extend(pipeline.is_command_changed.then_some("changed command"));
            }
            if !at.outs.is_empty() || !at.deps.is_empty() || !at.params.is_empty() || !at.others.is_empty() {
                status.stages.push(at);
            }
        }
        Ok(status)
    }

    fn param_status(&self, pipeline: &Pipeline, at: &mut StageStatus, progress: &dyn Progress) -> Result<()> {
        for params in &pipeline.params {
            match params.change(self.repo.root())? {
                Change::File(what) => drop(at.deps.insert(params.file.clone(), what)),
                Change::Names(names) if names.is_empty() => {}
                Change::Names(names) => drop(at.params.insert(params.file.clone(), names)),
                Change::Unknown => {
                    progress.note(&format!("parameters in `{}` are not compared: only files of YAML and JSON are read", params.file));
                }
            }
        }
        Ok(())
    }

    fn out_status(&mut self, out: &Out, progress: &dyn Progress) -> Result<Option<&'static str>> {
        let is_legacy = out.entry.oid.is_some_and(|oid| oid.is_legacy);
        let state = self.state(&out.path, is_legacy, progress)?;
        let now = state.oid(is_legacy);
        let Some(oid) = out.entry.oid else {
            return Ok(Some(if now.is_some() { "new" } else { "deleted" }));
        };
        if out.entry.is_cached {
            let is_there = match &state {
                // What the list says is known: it is what is here.
                State::Folder { hashes, .. } if now == Some(oid) => {
                    self.is_whole(oid)? == Some(true) && self.are_in_cache(hashes, is_legacy)?
                }
                _ => self.is_in_cache(oid)?,
            };
            if !is_there {
                return Ok(Some("not in cache"));
            }
        }
        Ok(match now {
            None => Some("deleted"),
            Some(now) if now != oid => Some("modified"),
            Some(_) => None,
        })
    }

    /// Tells whether an object and, of a folder, those of its files are there. Their bytes are checked when they are read.
    fn is_in_cache(&self, oid: Oid) -> Result<bool> {
        if self.repo.cache().stamp(oid)?.is_none() {
            return Ok(false);
        }
        if !oid.is_dir {
            return Ok(true);
        }
        let Ok(Some(tree)) = self.repo.tree(oid) else { return Ok(false) };
        self.are_in_cache(&tree.files().values().copied().collect::<Vec<_>>(), oid.is_legacy)
    }

    fn are_in_cache(&self, files: &[Md5], is_legacy: bool) -> Result<bool> {
        /// More objects than this are looked up by listing the cache.
        const FEW: usize = 1_000;
        let cache = self.repo.cache();
        if files.len() < FEW || is_legacy {
            for md5 in files {
                if cache.stamp(Oid { is_legacy, ..Oid::file(*md5) })?.is_none() {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut by_prefix: Vec<Vec<Md5>> = vec![Vec::new(); 256];
        files.iter().for_each(|md5| by_prefix[usize::from(md5.0[0])].push(*md5));
        let looked: Result<Vec<bool>> = by_prefix
            .par_iter()
            .zip(0..=255)
            .filter(|(wanted, _)| !wanted.is_empty())
            .map(|(wanted, prefix)| {
                let there = cache.list_prefix(prefix)?;
                Ok(wanted.iter().all(|md5| there.binary_search(md5).is_ok()))
            })
            .collect();
        Ok(looked?.into_iter().all(|is_there| is_there))
    }
}
