//! The stages of pipelines: `dvc.yaml` says what a stage makes, of what and how, `dvc.lock` what it made last.
//!
//! Not here: running stages, and filling in templates: what stands in `${…}` is taken from the lock file.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};

use crate::document;
use crate::error::Result;
use crate::hash::{Md5, Oid};
use crate::ops::add::blank;
use crate::outs::{Out, Pipeline, Stage, dep_path, folder_of, in_folder, inside};
use crate::params::Params;
use crate::pointer;

pub(crate) const PIPELINE: &str = "a pipeline";
pub(crate) const LOCK: &str = "a lock file";

/// Reads the stages of a `dvc.yaml`. `name`: its path from the root.
///
/// # Errors
/// If a file is not YAML, or an entry is not understood or lies outside.
pub(crate) fn stages(name: &str, yaml: &str, lock: &str) -> Result<Vec<Stage>> {
    let lock_name = format!("{}.lock", name.trim_end_matches(".yaml"));
    let declared = document::parse(yaml, name, PIPELINE)?;
    let locked = document::parse(lock, &lock_name, LOCK)?;
    let empty = Mapping::new();
    let locked = locked.get("stages").and_then(Value::as_mapping).unwrap_or(&empty);
    let mut stages = Vec::new();
    for (stage, entry) in locked {
        let Some(stage) = stage.as_str() else { continue };
        stages.push(Declared::find(&declared, stage).stage(name, stage, entry, &lock_name)?);
    }
    // Those that never ran. What a template makes has names that only DVC knows.
    for (stage, about) in declared.get("stages").and_then(Value::as_mapping).unwrap_or(&empty) {
        let Some(stage) = stage.as_str().filter(|stage| !locked.contains_key(*stage)) else { continue };
        if about.get("foreach").is_none() && about.get("matrix").is_none() {
            stages.push(Declared { about: Some(about), is_template: false }.stage(name, stage, &Value::Null, &lock_name)?);
        }
    }
    Ok(stages)
}

/// What `dvc.yaml` says of a stage.
struct Declared<'a> {
    about: Option<&'a Value>,
    /// Whether it is one of `foreach` or `matrix`, which share a declaration.
    is_template: bool,
}

impl<'a> Declared<'a> {
    fn find(declared: &'a Value, stage: &str) -> Self {
        let all = declared.get("stages");
        let own = all.and_then(|all| all.get(stage));
        let about = own.or_else(|| all?.get(stage.split_once('@')?.0));
        Self { about: about.map(|about| about.get("do").unwrap_or(about)), is_template: own.is_none() }
    }

    /// `locked`: what `dvc.lock` says of it.
    fn stage(&self, name: &str, stage: &str, locked: &Value, lock_name: &str) -> Result<Stage> {
        let wdir = self.about.and_then(|about| about.get("wdir")).and_then(Value::as_str).unwrap_or(".");
        let folder = in_folder(folder_of(name), wdir);
        let flags = self.flags();
        let list = |key: &str| locked.get(key).and_then(Value::as_sequence).cloned().unwrap_or_default();
        let mut outs = Vec::new();
        for (at, item) in list("outs").iter().enumerate() {
            let mut entry = pointer::entry(item, lock_name, LOCK)?;
            // What no declaration names was made by a stage that is gone, or by a template: its object counts if it is there.
            let (is_cached, is_pushed) = flags.get(&entry.path).copied().unwrap_or((true, true));
            entry.is_cached = is_cached;
            entry.is_pushed = is_pushed;
            let path = inside(&folder, &entry.path, lock_name)?;
            outs.push(Out { path, entry, file: name.to_owned(), stage: Some(stage.to_owned()), at });
        }
        let mut deps = Vec::new();
        for item in list("deps") {
            let entry = pointer::entry(&item, lock_name, LOCK)?;
            deps.push((dep_path(&folder, &entry.path), entry));
        }
        let blank = |path: &str| pointer::Entry { path: path.to_owned(), oid: None, ..blank(Oid::file(Md5([0; 16]))) };
        if let Some(paths) = self.plain(&["deps"]) {
            deps.retain(|(_, entry)| paths.contains(&entry.path));
            for path in paths.iter().filter(|path| !deps.iter().any(|(_, entry)| entry.path == **path)).collect::<Vec<_>>() {
                deps.push((dep_path(&folder, path), blank(path)));
            }
        }
        for path in self.plain(&["outs", "metrics", "plots"]).unwrap_or_default() {
            if !outs.iter().any(|out| out.entry.path == path) {
                let at = outs.len();
                let (is_cached, is_pushed) = flags.get(&path).copied().unwrap_or((true, true));
                let entry = pointer::Entry { is_cached, is_pushed, ..blank(&path) };
                outs.push(Out { path: inside(&folder, &path, name)?, entry, file: name.to_owned(), stage: Some(stage.to_owned()), at });
            }
        }
        let flag = |key: &str| self.about.and_then(|about| about.get(key)).and_then(Value::as_bool).unwrap_or(false);
        let pipeline = Pipeline {
            is_declared: self.about.is_some(),
            is_always_changed: flag("always_changed"),
            is_command_changed: self.is_command_changed(locked),
            params: self.params(&folder, locked),
        };
        let address = if name == "dvc.yaml" { stage.to_owned() } else { format!("{name}:{stage}") };
        Ok(Stage { address, is_frozen: flag("frozen"), deps, outs, pipeline: Some(pipeline) })
    }

    /// Whether an output is kept in the cache and pushed, by its path as written.
    fn flags(&self) -> BTreeMap<String, (bool, bool)> {
        let mut flags = BTreeMap::new();
        for item in ["outs", "metrics", "plots"].into_iter().flat_map(|list| self.list(list)) {
            if let Some((Value::String(path), about)) = item.as_mapping().and_then(|mapping| mapping.iter().next()) {
                let flag = |key: &str| about.get(key).and_then(Value::as_bool).unwrap_or(true);
                flags.insert(path.clone(), (flag("cache"), flag("push")));
            }
        }
        flags
    }

    fn list(&self, key: &str) -> &'a [Value] {
        self.about.and_then(|about| about.get(key)).and_then(Value::as_sequence).map_or(&[], Vec::as_slice)
    }

    /// The paths of lists as they are written; `None` where DVC would fill in a template.
    fn plain(&self, lists: &[&str]) -> Option<Vec<String>> {
        self.about.filter(|_| !self.is_template)?;
        let path = |item: &Value| match item {
            Value::String(path) => Some(path.clone()),
            other => other.as_mapping()?.keys().next()?.as_str().map(ToOwned::to_owned),
        };
        let paths: Option<Vec<String>> = lists.iter().flat_map(|list| self.list(list)).map(path).collect();
        paths.filter(|paths| !paths.iter().any(|path| path.contains("${")))
    }

    fn is_command_changed(&self, locked: &Value) -> bool {
        let (Some(now), Some(before)) = (self.about.and_then(|about| about.get("cmd")), locked.get("cmd")) else { return false };
        let has_template = |command: &Value| command.as_str().is_some_and(|text| text.contains("${"));
        let is_filled_in = self.is_template || has_template(now) || now.as_sequence().is_some_and(|all| all.iter().any(has_template));
        !is_filled_in && now != before
    }

    fn params(&self, folder: &str, locked: &Value) -> Vec<Params> {
        let mut wanted: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        let mut want = |file: &str, name: Option<&str>| {
            let names = wanted.entry(file.to_owned()).or_insert_with(|| Some(Vec::new()));
            match (name, names.as_mut()) {
                (Some(name), Some(names)) => names.push(name.to_owned()),
                // All of the file, whatever else is named.
                _ => *names = None,
            }
        };
        for item in self.list("params") {
            match item {
                Value::String(name) => want("params.yaml", Some(name)),
                Value::Mapping(files) => {
                    for (file, names) in files.iter().filter_map(|(file, names)| Some((file.as_str()?, names))) {
                        match names.as_sequence() {
                            Some(names) => names.iter().filter_map(Value::as_str).for_each(|name| want(file, Some(name))),
                            None => want(file, None),
                        }
                    }
                }
                _ => {}
            }
        }
        let is_filled_in = |text: &String| text.contains("${");
        let locked = locked.get("params").and_then(Value::as_mapping);
        wanted
            .into_iter()
            .filter(|(file, names)| !is_filled_in(file) && !names.iter().flatten().any(is_filled_in))
            .map(|(file, names)| {
                let locked = locked.and_then(|locked| locked.get(file.as_str())).and_then(Value::as_mapping).cloned();
                Params { file: dep_path(folder, &file), names, locked }
            })
            .collect()
    }
}
