//! The list of a folder's files, an object whose name ends in `.dir`.
//!
//! Not here: finding the files (`walk.rs`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Result, VersionsError};
use crate::hash::{Md5, Oid};

/// A folder's files by path below it, `/` between folders; sorted by code point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    files: BTreeMap<String, Md5>,
}

impl Tree {
    /// Gathers files.
    pub fn new(files: impl IntoIterator<Item = (String, Md5)>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// Reads the bytes of a `.dir` object. Every path stays below the folder: anything else is refused.
    ///
    /// # Errors
    /// If it is not such a list, or a path in it is unsafe or there twice.
    pub fn parse(bytes: &[u8], oid: Oid) -> Result<Self> {
        const WHAT: &str = "the list of a folder";
        let refused = |problem: String| VersionsError::malformed(oid, WHAT, problem);
        let entries: Vec<Line<'_>> = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        let count = entries.len();
        let mut files = Vec::with_capacity(count);
        for Line { md5, relpath } in entries {
            let md5 = md5.parse::<Md5>().map_err(|error| refused(error.to_string()))?;
            if let Some(why) = what_is_unsafe(&relpath) {
                return Err(VersionsError::leads_astray(&relpath, oid, why));
            }
            files.push((relpath.into_owned(), md5));
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(refused(format!("`{}` is there twice", twice[0].0)));
        }
        let files = BTreeMap::from_iter(files);
        let mut folder = "";
        for path in files.keys() {
            let own = path.rsplit_once('/').map_or("", |(own, _)| own);
            // The files of one folder mostly follow each other: it is looked up once.
            if own != folder && (files.contains_key(own) || own.match_indices('/').any(|(at, _)| files.contains_key(&own[..at]))) {
                return Err(refused(format!("`{path}` lies below a file")));
            }
            folder = own;
        }
        Ok(Self { files })
    }

    /// Returns the bytes of the object: JSON as Python writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        list_bytes(self.files.len(), self.files.iter().map(|(path, md5)| (path.as_str(), *md5)))
    }

    /// Returns the files, sorted.
    pub fn files(&self) -> &BTreeMap<String, Md5> {
        &self.files
    }

    /// Returns how many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// One entry, as it is read.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    md5: Cow<'a, str>,
    #[serde(borrow)]
    relpath: Cow<'a, str>,
}

/// The bytes of a list whose files are sorted by path.
pub(crate) fn list_bytes<'f>(count: usize, files: impl Iterator<Item = (&'f str, Md5)>) -> Vec<u8> {
    let mut text = String::with_capacity(count * 80 + 2);
    text.push('[');
    for (at, (path, md5)) in files.enumerate() {
        text.push_str(if at > 0 { ", {\"md5\": \"" } else { "{\"md5\": \"" });
        md5.push_to(&mut text);
        text.push_str("\", \"relpath\": ");
        push_string(&mut text, path);
        text.push('}');
    }
    text.push(']');
    text.into_bytes()
}

/// Says why a path written by someone else must not be followed, or `None` where it stays below its folder.
pub fn what_is_unsafe(path: &str) -> Option<&'static str> {
    let has_drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic() && path.as_bytes().get(2) == Some(&b'\\');
    if path.is_empty() {
        return Some("is empty");
    }
    if path.starts_with('/') || path.starts_with("\\\\") || has_drive {
        return Some("is absolute");
    }
    if path.contains('\0') {
        return Some("holds a zero byte");
    }
    path.split('/').find_map(|part| match part {
        ".." => Some("leaves the folder"),
        "" | "." => Some("is not in its simplest form"),
        _ if part.starts_with("..\\") || part.contains("\\..\\") || part.ends_with("\\..") => Some("leaves the folder"),
        _ => None,
    })
}

/// Writes JSON as Python's `json.dumps(…, sort_keys=True)` does.
pub(crate) fn python_json(value: &Value) -> String {
    fn write(text: &mut String, value: &Value) {
        match value {
            Value::String(value) => push_string(text, value),
            Value::Array(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    text.push_str(if at > 0 { ", " } else { "" });
                    write(text, item);
                }
                text.push(']');
            }
            Value::Object(pairs) => {
                text.push('{');
                let sorted: BTreeMap<_, _> = pairs.iter().collect();
                for (at, (key, value)) in sorted.into_iter().enumerate() {
                    text.push_str(if at > 0 { ", " } else { "" });
                    push_string(text, key);
                    text.push_str(": ");
                    write(text, value);
                }
                text.push('}');
            }
            other => text.push_str(&other.to_string()),
        }
    }
    let mut text = String::new();
    write(&mut text, value);
    text
}

/// A JSON string in ASCII.
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        text.push_str(value);
        text.push('"');
        return;
    }
    for char in value.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(char),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
}
