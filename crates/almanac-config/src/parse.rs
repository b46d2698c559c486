//! From the text of the file to what it says, with every unknown key and every wrong type at once.
//!
//! serde stops at the first wrong value, so that value is noted and taken out, and the rest is read again.
//!
//! Not here: whether values are right (`resolve`).

use serde::Deserialize;
use toml::de::{DeTable, Deserializer};

use crate::place::{KeyLines, line_at};
use crate::{ConfigError, PROJECT_FILE, Place, ProjectFile, keys};

/// What was read, and what had to be left out of it.
pub(crate) struct Parsed {
    pub(crate) file: ProjectFile,
    pub(crate) lines: KeyLines,
    pub(crate) errors: Vec<ConfigError>,
}

/// Parses the text; only a file that is not TOML fails as a whole.
pub(crate) fn parse(text: &str) -> Result<Parsed, ConfigError> {
    let at = |line| Place::File { file: PROJECT_FILE.to_owned(), line };
    let mut document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        at: at(error.span().map(|span| line_at(text, span.start))),
        message: error.message().replace('\n', ", "),
    })?;
    let lines = KeyLines::of(text, document.get_ref());
    let mut errors = Vec::new();
    for entry in lines.entries() {
        if let Some((section, key)) = keys::unknown(&entry.path) {
            let (at, key, suggestion) = (at(Some(entry.line)), key.to_owned(), keys::suggest(section, key));
            errors.push(if section.is_empty() {
                ConfigError::UnknownSection { at, key, suggestion }
            } else {
                ConfigError::UnknownKey { at, section: section.to_owned(), key, suggestion }
            });
            take_out(document.get_mut(), &entry.keys);
        }
    }
    loop {
        let error = match ProjectFile::deserialize(Deserializer::from(document.clone())) {
            Ok(file) => return Ok(Parsed { file, lines, errors }),
            Err(error) => error,
        };
        let span = error.span();
        let entry = span.as_ref().and_then(|span| lines.holding(span.start));
        let (expected, got) = plain_words(error.message());
        let line = span.map(|span| line_at(text, span.start));
        let key = entry.map_or_else(String::new, |entry| entry.path.clone());
        errors.push(ConfigError::WrongType { at: at(line), key, expected, got });
        if !entry.is_some_and(|entry| take_out(document.get_mut(), &entry.keys)) {
            return Ok(Parsed { file: ProjectFile::default(), lines, errors });
        }
    }
}

/// Removes a key, and says whether it was there.
fn take_out(table: &mut DeTable<'_>, keys: &[String]) -> bool {
    let Some((first, rest)) = keys.split_first() else { return false };
    if rest.is_empty() {
        return table.remove(first.as_str()).is_some();
    }
    let inner = table.get_mut(first.as_str()).map(toml::Spanned::get_mut);
    match inner {
        Some(toml::de::DeValue::Table(inner)) => take_out(inner, rest),
        _ => false,
    }
}

/// Rewrites serde's `invalid type: string "x", expected usize` as (what was expected, what was got).
fn plain_words(message: &str) -> (String, String) {
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, "something else"));
    let got = got.split_once(": ").map_or(got, |(_, got)| got);
    let expected = match expected {
        "usize" | "u64" | "u32" => "a whole number of 0 or more",
        "i64" => "a whole number",
        "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a table",
        "a boolean" => "`true` or `false`",
        "an array of length 2" => "a list of two numbers, [min, max]",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    (expected.to_owned(), got.to_owned())
}
