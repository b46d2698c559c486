//! The outputs of pipelines: `dvc.yaml` says what a stage makes, `dvc.lock` what it made last.
//!
//! Not here: running stages; whether their commands or parameters changed.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use crate::document;
use crate::error::Result;
use crate::outs::{Out, Stage, dep_path, folder_of, in_folder, inside};
use crate::pointer;

pub(crate) const PIPELINE: &str = "a pipeline";
pub(crate) const LOCK: &str = "a lock file";

/// Reads the stages of a `dvc.yaml` that have run. `name`: its path from the root.
///
/// # Errors
/// If a file is not YAML, or an entry is not understood or lies outside.
pub(crate) fn stages(name: &str, yaml: &str, lock: &str) -> Result<Vec<Stage>> {
    let lock_name = format!("{}.lock", name.trim_end_matches(".yaml"));
    let declared = document::parse(yaml, name, PIPELINE)?;
    let locked = document::parse(lock, &lock_name, LOCK)?;
    let mut stages = Vec::new();
    let Some(entries) = locked.get("stages").and_then(Value::as_mapping) else { return Ok(stages) };
    for (stage, locked) in entries {
        let Some(stage) = stage.as_str() else { continue };
        let declared = declaration(&declared, stage);
        let wdir = declared.and_then(|stage| stage.get("wdir")).and_then(Value::as_str).unwrap_or(".");
        let folder = in_folder(folder_of(name), wdir);
        let flags = flags(declared);
        let list = |key: &str| locked.get(key).and_then(Value::as_sequence).cloned().unwrap_or_default();
        let mut outs = Vec::new();
        for (at, item) in list("outs").iter().enumerate() {
            let mut entry = pointer::entry(item, &lock_name, LOCK)?;
            // What no declaration names was made by a stage that is gone, or by a template: its object counts if it is there.
            let (is_cached, is_pushed) = flags.get(&entry.path).copied().unwrap_or((true, true));
            entry.is_cached = is_cached;
            entry.is_pushed = is_pushed;
            let path = inside(&folder, &entry.path, &lock_name)?;
            outs.push(Out { path, entry, file: name.to_owned(), stage: Some(stage.to_owned()), at });
        }
        let mut deps = Vec::new();
        for item in list("deps") {
            let entry = pointer::entry(&item, &lock_name, LOCK)?;
            deps.push((dep_path(&folder, &entry.path), entry));
        }
        let address = if name == "dvc.yaml" { stage.to_owned() } else { format!("{name}:{stage}") };
        stages.push(Stage { address, is_frozen: false, deps, outs });
    }
    Ok(stages)
}

/// Finds the stage in `dvc.yaml`; the items of `foreach` and `matrix` share one.
fn declaration<'a>(declared: &'a Value, stage: &str) -> Option<&'a Value> {
    let all = declared.get("stages")?;
    let found = all.get(stage).or_else(|| all.get(stage.split_once('@')?.0))?;
    Some(found.get("do").unwrap_or(found))
}

/// Whether an output is kept in the cache and pushed, by its path as written.
fn flags(declared: Option<&Value>) -> BTreeMap<String, (bool, bool)> {
    let mut flags = BTreeMap::new();
    for list in ["outs", "metrics", "plots"] {
        for item in declared.and_then(|stage| stage.get(list)).and_then(Value::as_sequence).into_iter().flatten() {
            if let Some((Value::String(path), about)) = item.as_mapping().and_then(|mapping| mapping.iter().next()) {
                let flag = |key: &str| about.get(key).and_then(Value::as_bool).unwrap_or(true);
                flags.insert(path.clone(), (flag("cache"), flag("push")));
            }
        }
    }
    flags
}
