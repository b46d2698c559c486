//! Which parameters of a stage differ from those it ran with.
//!
//! Not here: what the stage declares (`lock_file.rs`). Files of YAML and JSON are read; those of TOML and Python are not.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

use crate::document;
use crate::error::Result;
use crate::walk;

/// The parameters that a stage takes from one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Path from the root.
    pub file: String,
    /// Their names, with dots between levels; `None` for all of the file.
    pub names: Option<Vec<String>>,
    /// What they were when the stage ran last; `None` if it took none from this file.
    pub locked: Option<Mapping>,
}

/// What became of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The whole file: `new` or `deleted`.
    File(&'static str),
    /// Name to `new`, `modified` or `deleted`; empty if nothing differs.
    Names(BTreeMap<String, &'static str>),
    /// The file is of a kind that is not read.
    Unknown,
}

impl Params {
    /// Compares with the file as it is now.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn change(&self, root: &Path) -> Result<Change> {
        let path = walk::absolute(root, &self.file);
        if !path.exists() {
            return Ok(Change::File("deleted"));
        }
        let Some(locked) = &self.locked else { return Ok(Change::File("new")) };
        if path.extension().is_some_and(|extension| extension == "toml" || extension == "py") {
            return Ok(Change::Unknown);
        }
        const WHAT: &str = "a file of parameters";
        let now = document::parse(&document::read(&path, &self.file, WHAT)?, &self.file, WHAT)?;
        let names: Vec<String> = self.names.clone().unwrap_or_else(|| {
            let keys = now.as_mapping().into_iter().chain([locked]).flat_map(Mapping::keys);
            keys.filter_map(|key| key.as_str().map(ToOwned::to_owned)).collect()
        });
        let mut changes = BTreeMap::new();
        for name in names {
            let what = match (find(&now, &name), locked.get(name.as_str())) {
                (None, _) => "deleted",
                (Some(_), None) => "new",
                (Some(now), Some(before)) if !is_equal(now, before) => "modified",
                _ => continue,
            };
            changes.insert(name, what);
        }
        Ok(Change::Names(changes))
    }
}

/// Follows a name level by level; a number counts in a list.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').try_fold(value, |value, part| match value {
        Value::Sequence(items) => items.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

/// As Python compares: `1` and `1.0` are the same.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Sequence(a), Value::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b)),
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| is_equal(value, other)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(file: &str, names: Option<&[&str]>, locked: Option<&str>) -> Change {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("params.yaml"), file).expect("can be written");
        let params = Params {
            file: "params.yaml".to_owned(),
            names: names.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            locked: locked.map(|text| serde_yaml_ng::from_str(text).expect("a mapping")),
        };
        params.change(folder.path()).expect("can be read")
    }

    #[test]
    fn only_named_parameters_count_and_numbers_are_compared_by_value() {
        let file = "lr: 1.0\nmodel: {depth: [3, 4]}\nother: 5\n";
        let names: &[&str] = &["lr", "model.depth", "model.depth.1", "gone", "other"];
        let locked = "lr: 1\nmodel.depth: [3, 5]\nmodel.depth.1: 4\ngone: 1\n";
        let expected = [("gone", "deleted"), ("model.depth", "modified"), ("other", "new")];
        assert_eq!(change(file, Some(names), Some(locked)), Change::Names(expected.map(|(name, what)| (name.to_owned(), what)).into()));
    }

    #[test]
    fn a_whole_file_is_compared_key_by_key() {
        let expected = [("b", "modified"), ("c", "new"), ("d", "deleted")];
        let changes = change("a: 1\nb: 2\nc: 3\n", None, Some("a: 1\nb: 3\nd: 4\n"));
        assert_eq!(changes, Change::Names(expected.map(|(name, what)| (name.to_owned(), what)).into()));
        assert_eq!(change("a: 1\n", None, None), Change::File("new"));
    }
}
