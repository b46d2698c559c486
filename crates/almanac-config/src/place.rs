//! Where a setting came from: a line of the file, an environment variable or a flag; and finding that line again.
//!
//! Not here: deciding which of the three wins (`resolve`).

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the file, at a line counted from 1 where there is one.
    File {
        /// Name of the file as shown.
        file: String,
        /// The line, or `None` for what is missing.
        line: Option<usize>,
    },
    /// In this environment variable.
    Environment(&'static str),
    /// In this command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line: Some(line) } => write!(f, "{file}:{line}"),
            Self::File { file, line: None } => f.write_str(file),
            Self::Environment(name) => write!(f, "environment variable `{name}`"),
            Self::Flag(name) => write!(f, "flag `{name}`"),
        }
    }
}

/// One key of the file.
#[derive(Debug)]
pub(crate) struct KeyEntry {
    /// Dotted, for messages.
    pub(crate) path: String,
    /// The same, key by key.
    pub(crate) keys: Vec<String>,
    pub(crate) line: usize,
    /// Bytes from the beginning of the key to the end of its value.
    bytes: std::ops::Range<usize>,
}

/// Every key of a file, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct KeyLines {
    entries: Vec<KeyEntry>,
}

impl KeyLines {
    pub(crate) fn of(text: &str, table: &DeTable<'_>) -> Self {
        let mut found = Self::default();
        found.walk(&mut Vec::new(), table);
        found.entries.sort_by_key(|entry| (entry.bytes.start, entry.keys.len()));
        // One pass over the text, however many keys there are.
        let (mut line, mut from) = (1, 0);
        for entry in &mut found.entries {
            line += text[from..entry.bytes.start].matches('\n').count();
            from = entry.bytes.start;
            entry.line = line;
        }
        found
    }

    pub(crate) fn line(&self, path: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.path == path).map(|entry| entry.line)
    }

    pub(crate) fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }

    /// The innermost key whose value holds the byte.
    pub(crate) fn holding(&self, byte: usize) -> Option<&KeyEntry> {
        let before = self.entries.iter().filter(|entry| entry.bytes.contains(&byte));
        before.max_by_key(|entry| (entry.keys.len(), entry.bytes.start))
    }

    fn walk(&mut self, parents: &mut Vec<String>, table: &DeTable<'_>) {
        for (key, value) in table {
            parents.push(key.get_ref().clone().into_owned());
            let bytes = key.span().start..value.span().end.max(key.span().end);
            self.entries.push(KeyEntry { path: parents.join("."), keys: parents.clone(), line: 0, bytes });
            if let DeValue::Table(inner) = Spanned::get_ref(value) {
                self.walk(parents, inner);
            }
            parents.pop();
        }
    }
}

/// Returns the line, counted from 1, that holds the byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).filter(|(_, c)| *c == '\n').count() + 1
}
