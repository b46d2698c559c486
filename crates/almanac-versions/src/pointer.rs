//! A pointer file, `NAME.dvc`: what it tracks, kept as it was written wherever we do not change it.
//!
//! Not here: the outputs of pipelines (`lock_file.rs`), and which files are pointers (`repo.rs`).

mod patch;

use serde_yaml_ng::{Mapping, Value};

use crate::document;
use crate::error::{Result, VersionsError};
use crate::hash::{Md5, Oid};
use crate::yaml;

pub(crate) const WHAT: &str = "a pointer file";

/// A pointer file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointer {
    document: Mapping,
    /// As it was read, with its comments.
    text: Option<String>,
}

/// What a pointer says of one file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As written: relative to the pointer's folder, or an address.
    pub path: String,
    /// Its content; absent before the first commit of it.
    pub oid: Option<Oid>,
    /// Bytes.
    pub size: Option<u64>,
    /// Files, of a folder.
    pub files: Option<u64>,
    /// Whether a single file may be executed.
    pub is_executable: bool,
    /// False where only the hash is kept, not the bytes.
    pub is_cached: bool,
    /// False where it never goes to a remote.
    pub is_pushed: bool,
    /// The remote it goes to instead of the default one.
    pub remote: Option<String>,
    /// `ETag` of an imported address.
    pub etag: Option<String>,
}

impl Pointer {
    /// A pointer to one output that is not yet known.
    pub fn new(path: &str) -> Self {
        let out = Mapping::from_iter([(Value::from("path"), Value::from(path))]);
        let document = Mapping::from_iter([(Value::from("outs"), Value::Sequence(vec![Value::Mapping(out)]))]);
        Self { document, text: None }
    }

    /// Reads a pointer. `name` is for messages.
    ///
    /// # Errors
    /// If it is not YAML, has no list of outputs, or a hash or path in it is none.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let refused = |problem: &dyn std::fmt::Display| VersionsError::malformed(name, WHAT, problem);
        let document = match document::parse(text, name, WHAT)? {
            Value::Mapping(mapping) => mapping,
            Value::Null => Mapping::new(),
            _ => return Err(refused(&"it is not a mapping")),
        };
        let pointer = Self { document, text: Some(text.to_owned()) };
        if pointer.document.get("wdir").is_some_and(|wdir| !wdir.is_string()) {
            return Err(refused(&"`wdir` is not a text"));
        }
        if pointer.document.get("frozen").is_some_and(|frozen| !frozen.is_bool()) {
            return Err(refused(&"`frozen` is neither `true` nor `false`"));
        }
        // All of it is understood now, so that later calls cannot fail.
        pointer.entries("outs", name)?;
        pointer.entries("deps", name)?;
        Ok(pointer)
    }

    /// Returns the outputs, in the order of the file.
    ///
    /// # Errors
    /// As [`Pointer::parse`].
    pub fn outs(&self, name: &str) -> Result<Vec<Entry>> {
        self.entries("outs", name)
    }

    /// Returns what the outputs were imported from.
    ///
    /// # Errors
    /// As [`Pointer::parse`].
    pub fn deps(&self, name: &str) -> Result<Vec<Entry>> {
        self.entries("deps", name)
    }

    /// Returns the folder that paths are relative to, itself relative to the pointer's.
    pub fn working_folder(&self) -> Option<&str> {
        self.document.get("wdir").and_then(Value::as_str).filter(|wdir| *wdir != ".")
    }

    /// Tells whether its sources are left alone.
    pub fn is_frozen(&self) -> bool {
        self.document.get("frozen").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Writes down what an output holds now. Keys that we do not know stay as they are.
    pub fn set_out(&mut self, at: usize, entry: &Entry) {
        self.set("outs", at, entry);
    }

    /// Makes it an import of `dep`, which later updates leave alone unless asked.
    pub fn set_import(&mut self, dep: &Entry) {
        let mut document = Mapping::new();
        document.insert("md5".into(), Value::Null);
        document.insert("frozen".into(), true.into());
        let path = Mapping::from_iter([(Value::from("path"), Value::from(dep.path.as_str()))]);
        document.insert("deps".into(), Value::Sequence(vec![Value::Mapping(path)]));
        for (key, value) in std::mem::take(&mut self.document) {
            document.insert(key, value);
        }
        self.document = document;
        self.text = None;
        self.set("deps", 0, dep);
    }

    /// Writes down the hash of the import itself, by which DVC sees that its description changed.
    pub fn seal_import(&mut self) {
        let sum = import_sum(&self.document);
        self.document.insert("md5".into(), sum.to_string().into());
    }

    /// Returns the text to write: the one read if nothing changed, with its comments where they can be kept.
    pub fn to_text(&self) -> String {
        let whole = || yaml::write(&Value::Mapping(self.document.clone()));
        let Some(text) = &self.text else { return whole() };
        patch::patch(text, &self.document).unwrap_or_else(whole)
    }

    fn entries(&self, list: &str, name: &str) -> Result<Vec<Entry>> {
        match self.document.get(list) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Sequence(items)) => items.iter().map(|item| entry(item, name, WHAT)).collect(),
            Some(_) => Err(VersionsError::malformed(name, WHAT, format!("`{list}` is not a list"))),
        }
    }

    fn set(&mut self, list: &str, at: usize, entry: &Entry) {
        let items = self.document.get_mut(list).and_then(Value::as_sequence_mut);
        let Some(Value::Mapping(item)) = items.and_then(|items| items.get_mut(at)) else { return };
        let known: [(&str, Option<Value>); 7] = [
            ("md5", entry.oid.map(|oid| oid.to_string().into())),
            ("etag", entry.etag.clone().filter(|_| !entry.path.starts_with("http")).map(Value::from)),
            ("checksum", entry.etag.clone().filter(|_| entry.path.starts_with("http")).map(Value::from)),
            ("size", entry.size.map(Value::from)),
            ("nfiles", entry.files.map(Value::from)),
            ("isexec", entry.is_executable.then(|| true.into())),
            ("hash", (!entry.oid.is_some_and(|oid| oid.is_legacy)).then(|| "md5".into())),
        ];
        let is_new = item.len() == 1 && item.contains_key("path");
        if is_new {
            // DVC's own order, `path` last.
            *item = known.into_iter().filter_map(|(key, value)| Some((Value::from(key), value?))).collect();
            item.insert("path".into(), entry.path.as_str().into());
            return;
        }
        for (key, value) in known {
            match value {
                Some(value) => drop(item.insert(key.into(), value)),
                None => drop(item.shift_remove(key)),
            }
        }
        // The list of files that versioned buckets keep is another way to say the same.
        item.shift_remove("files");
        item.shift_remove("cloud");
    }
}

/// Reads one entry of `outs` or `deps`, of a pointer or of `dvc.lock`.
pub(crate) fn entry(item: &Value, name: &str, what: &'static str) -> Result<Entry> {
    let refused = |problem: String| VersionsError::malformed(name, what, problem);
    let Value::Mapping(item) = item else { return Err(refused("an entry is not a mapping".to_owned())) };
    let text = |key: &str| match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(refused(format!("`{key}` is {other:?}, not a text"))),
    };
    let number = |key: &str| match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| refused(format!("`{key}` is not a count"))),
    };
    let flag = |key: &str, default: bool| match item.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_bool().ok_or_else(|| refused(format!("`{key}` is neither `true` nor `false`"))),
    };
    let path = text("path")?.ok_or_else(|| refused("an entry has no `path`".to_owned()))?;
    let is_legacy = text("hash")?.is_none();
    let oid = match text("md5")? {
        Some(md5) => Some(Oid::parse(&md5, is_legacy).map_err(|error| refused(error.to_string()))?),
        None => None,
    };
    Ok(Entry {
        path,
        oid,
        size: number("size")?,
        files: number("nfiles")?,
        is_executable: flag("isexec", false)?,
        is_cached: flag("cache", true)?,
        is_pushed: flag("push", true)?,
        remote: text("remote")?,
        etag: text("etag")?.or(text("checksum")?),
    })
}

/// The md5 of an import's description as Python's `json.dumps(…, sort_keys=True)` writes it, without what may change freely.
fn import_sum(document: &Mapping) -> Md5 {
    const LEFT_OUT: [&str; 11] = ["desc", "type", "labels", "meta", "locked", "frozen", "metric", "persist", "isexec", "size", "nfiles"];
    fn json(value: &Value) -> serde_json::Value {
        match value {
            Value::Mapping(mapping) => mapping
                .iter()
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
                .filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()))
                .map(|(key, value)| (key, json(value)))
                .collect(),
            Value::Sequence(items) => items.iter().map(json).collect(),
            other => serde_json::to_value(other).unwrap_or_default(),
        }
    }
    let mut document = document.clone();
    for key in ["md5", "meta", "desc"] {
        document.shift_remove(key);
    }
    if document.get("wdir").and_then(Value::as_str) == Some(".") {
        document.shift_remove("wdir");
    }
    Md5::of(crate::tree::python_json(&json(&Value::Mapping(document))).as_bytes())
}
