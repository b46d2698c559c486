//! Changes values in the text of a pointer and leaves comments and everything else as they stand.
//!
//! Only the plain form that DVC writes is understood; the result is read back and compared, and where it is not what was
//! wanted the caller writes the document anew.

use serde_yaml_ng::{Mapping, Value};

use crate::yaml;

/// Returns the text changed so that it reads as `wanted`, or `None` where that cannot be done line by line.
pub(super) fn patch(text: &str, wanted: &Mapping) -> Option<String> {
    if reads_as(text, wanted) {
        return Some(text.to_owned());
    }
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for list in ["deps", "outs"] {
        if let Some(Value::Sequence(items)) = wanted.get(list) {
            patch_list(&mut lines, list, items)?;
        }
    }
    if let Some(sum) = wanted.get("md5").and_then(Value::as_str)
        && let Some(line) = lines.iter_mut().find(|line| line.starts_with("md5:"))
    {
        *line = with_value(line, "md5", sum)?;
    }
    let mut patched = lines.join("\n");
    patched.push('\n');
    reads_as(&patched, wanted).then_some(patched)
}

fn reads_as(text: &str, wanted: &Mapping) -> bool {
    let read: Result<Value, _> = serde_yaml_ng::from_str(text);
    // Key by key, in order: an order that we chose is part of what is wanted.
    read.is_ok_and(|read| read.as_mapping().is_some_and(|read| read.iter().eq(wanted.iter())))
}

fn patch_list(lines: &mut Vec<String>, list: &str, items: &[Value]) -> Option<()> {
    let head = lines.iter().position(|line| line.trim_end() == format!("{list}:"))?;
    let mut at = head + 1;
    for item in items {
        let item = item.as_mapping()?;
        while lines.get(at).is_some_and(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            at += 1;
        }
        let indent = lines.get(at)?.find('-')?;
        if !lines[at][..indent].trim().is_empty() {
            return None;
        }
        let inner = " ".repeat(indent + 2);
        let is_of_item = |line: &String| line.starts_with(&inner) || line.trim().is_empty();
        let mut end = at + 1;
        while lines.get(end).is_some_and(is_of_item) {
            end += 1;
        }
        while end > at + 1 && lines[end - 1].trim().is_empty() {
            end -= 1;
        }
        let mut entry: Vec<String> = lines[at..end].to_vec();
        entry[0].replace_range(indent..=indent, " ");
        patch_entry(&mut entry, item, indent + 2)?;
        entry[0].replace_range(indent..=indent, "-");
        let length = entry.len();
        lines.splice(at..end, entry);
        at += length;
    }
    Some(())
}

fn patch_entry(entry: &mut Vec<String>, item: &Mapping, indent: usize) -> Option<()> {
    let key_of = |line: &str| -> Option<String> {
        let body = line.get(indent..)?;
        (!body.starts_with([' ', '#'])).then(|| body.split_once(':').map(|(key, _)| key.to_owned()))?
    };
    entry.retain(|line| {
        let key = key_of(line);
        !key.is_some_and(|key| {
            ["md5", "size", "nfiles", "isexec", "hash", "etag", "checksum"].contains(&key.as_str()) && !item.contains_key(key.as_str())
        })
    });
    for (key, value) in item {
        let key = key.as_str()?;
        let value = match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => yaml::write(value).trim_end().to_owned(),
            _ => continue,
        };
        match entry.iter_mut().find(|line| key_of(line).as_deref() == Some(key)) {
            // What others wrote, and how they quoted it, is theirs.
            Some(line) if ["md5", "size", "nfiles", "isexec", "hash", "etag", "checksum"].contains(&key) => {
                *line = with_value(line, key, &value)?;
            }
            Some(_) => {}
            None => entry.push(format!("{}{key}: {value}", " ".repeat(indent))),
        }
    }
    (!entry.is_empty()).then_some(())
}

/// Puts a new value behind the key; a comment behind the old one stays.
fn with_value(line: &str, key: &str, value: &str) -> Option<String> {
    let start = line.find(&format!("{key}:"))? + key.len() + 1;
    let comment = line[start..].find(" #").map_or("", |at| &line[start + at..]);
    Some(format!("{} {value}{comment}", &line[..start]))
}
