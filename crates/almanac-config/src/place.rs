//! Where a setting came from: a line of the file, an environment variable or a flag; and finding that line again.
//!
//! Not here: deciding which of the three wins (`resolve`).

use std::collections::HashMap;
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

/// The line of every key of a file, by dotted path.
#[derive(Debug, Default)]
pub(crate) struct KeyLines {
    lines: HashMap<String, usize>,
}

impl KeyLines {
    pub(crate) fn read(text: &str) -> Result<Self, toml::de::Error> {
        let table = DeTable::parse(text)?;
        let mut found = Self::default();
        found.walk(text, "", table.get_ref());
        Ok(found)
    }

    pub(crate) fn line(&self, path: &str) -> Option<usize> {
        self.lines.get(path).copied()
    }

    /// Every dotted path with its line, in the order of the file.
    pub(crate) fn paths(&self) -> Vec<(&str, usize)> {
        let mut paths: Vec<_> = self.lines.iter().map(|(path, line)| (path.as_str(), *line)).collect();
        paths.sort_by_key(|(path, line)| (*line, *path));
        paths
    }

    fn walk(&mut self, text: &str, parent: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
            self.lines.insert(path.clone(), line_at(text, key.span().start));
            if let DeValue::Table(inner) = Spanned::get_ref(value) {
                self.walk(text, &path, inner);
            }
        }
    }
}

/// Returns the line, counted from 1, that holds the byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).filter(|(_, c)| *c == '\n').count() + 1
}
