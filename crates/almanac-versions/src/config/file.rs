//! One configuration file in git's form, with the quotes that DVC's writer uses.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::OptionName;
use crate::error::{Doing, Result, VersionsError};
use crate::files;

/// A file, line by line.
#[derive(Debug, Clone)]
pub(super) struct ConfigFile {
    path: PathBuf,
    lines: Vec<Line>,
}

#[derive(Clone)]
enum Line {
    Section(String),
    Pair { key: String, value: String, raw: Option<String> },
    Other(String),
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Section(name) => write!(f, "[{name}]"),
            // Values may be secrets.
            Self::Pair { key, .. } => write!(f, "{key} = …"),
            Self::Other(_) => f.write_str("#"),
        }
    }
}

impl ConfigFile {
    /// Reads a file; one that is not there is empty.
    pub(super) fn load(path: PathBuf) -> Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => String::new(),
            Err(error) => return Err(error).doing("read", &path),
        };
        let mut lines = Vec::new();
        for (at, raw) in text.lines().enumerate() {
            let refused = |problem: &str| VersionsError::Config { path: path.clone(), line: at + 1, problem: problem.to_owned() };
            let trimmed = raw.trim();
            lines.push(if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                Line::Other(raw.to_owned())
            } else if let Some(rest) = trimmed.strip_prefix('[') {
                let name = rest.rsplit_once(']').ok_or_else(|| refused("a section without `]`"))?.0;
                Line::Section(unquoted(name.trim()).to_lowercase())
            } else {
                let (key, value) = trimmed.split_once('=').ok_or_else(|| refused("neither a section nor `key = value`"))?;
                let value = parse_value(value.trim()).ok_or_else(|| refused("a quote without its end"))?;
                Line::Pair { key: unquoted(key.trim()).to_lowercase(), value, raw: Some(raw.to_owned()) }
            });
        }
        Ok(Self { path, lines })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn save(&self) -> Result<()> {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Section(name) => text.push_str(&format!("[{}]", quoted(name))),
                Line::Pair { raw: Some(raw), .. } | Line::Other(raw) => text.push_str(raw),
                Line::Pair { key, value, raw: None } => text.push_str(&format!("    {key} = {}", quoted(value))),
            }
            text.push('\n');
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).doing("make the folder", folder)?;
        }
        if self.holds_secrets() {
            files::write_private(&self.path, text.as_bytes())
        } else {
            files::write_atomic(&self.path, text.as_bytes())
        }
    }

    /// Tells whether a key or password stands in it, other than in the file that git shares with everyone.
    fn holds_secrets(&self) -> bool {
        let is_shared = self.path.file_name().is_some_and(|name| name == "config")
            && self.path.parent().and_then(Path::file_name).is_some_and(|at| at == ".dvc");
        !is_shared && self.pairs().into_iter().any(|(section, key, _)| OptionName { section, key }.is_secret())
    }

    pub(super) fn sections(&self) -> Vec<String> {
        self.lines.iter().filter_map(|line| if let Line::Section(name) = line { Some(name.clone()) } else { None }).collect()
    }

    /// Section, key, value.
    pub(super) fn pairs(&self) -> Vec<(String, String, String)> {
        let mut section = String::new();
        let mut pairs = Vec::new();
        for line in &self.lines {
            match line {
                Line::Section(name) => section.clone_from(name),
                Line::Pair { key, value, .. } => pairs.push((section.clone(), key.clone(), value.clone())),
                Line::Other(_) => {}
            }
        }
        pairs
    }

    pub(super) fn get(&self, section: &str, key: &str) -> Option<String> {
        self.pairs().into_iter().rev().find(|(at, name, _)| at == section && name == key).map(|(_, _, value)| value)
    }

    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        let pair = Line::Pair { key: key.to_owned(), value: value.to_owned(), raw: None };
        if let Some(at) = self.position(section, key) {
            self.lines[at] = pair;
            return;
        }
        let Some(head) = self.lines.iter().position(|line| matches!(line, Line::Section(name) if name == section)) else {
            self.lines.extend([Line::Section(section.to_owned()), pair]);
            return;
        };
        let end = self.end_of(head);
        self.lines.insert(end, pair);
    }

    /// Removes an option, and its section if nothing is left in it. False if it was not there.
    pub(super) fn remove(&mut self, section: &str, key: &str) -> bool {
        let Some(at) = self.position(section, key) else { return false };
        self.lines.remove(at);
        if !self.pairs().iter().any(|(name, _, _)| name == section) {
            self.remove_section(section);
        }
        true
    }

    pub(super) fn remove_section(&mut self, section: &str) -> bool {
        let Some(head) = self.lines.iter().position(|line| matches!(line, Line::Section(name) if name == section)) else { return false };
        let end = self.end_of(head);
        self.lines.drain(head..end);
        true
    }

    /// Behind the last option of the section that begins at `head`.
    fn end_of(&self, head: usize) -> usize {
        let next = self.lines[head + 1..]
            .iter()
            .position(|line| matches!(line, Line::Section(_)))
            .map_or(self.lines.len(), |more| head + 1 + more);
        let last = self.lines[head..next].iter().rposition(|line| !matches!(line, Line::Other(_))).unwrap_or(0);
        head + last + 1
    }

    fn position(&self, section: &str, key: &str) -> Option<usize> {
        let mut current = "";
        let mut found = None;
        for (at, line) in self.lines.iter().enumerate() {
            match line {
                Line::Section(name) => current = name,
                Line::Pair { key: name, .. } if current == section && name == key => found = Some(at),
                _ => {}
            }
        }
        found
    }
}

fn unquoted(text: &str) -> &str {
    let is_quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('\'') || is_quoted('"') { &text[1..text.len() - 1] } else { text }
}

fn parse_value(text: &str) -> Option<String> {
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.find(quote).map(|end| rest[..end].to_owned());
        }
    }
    Some(text.split('#').next().unwrap_or_default().trim().to_owned())
}

fn quoted(value: &str) -> String {
    const EDGES: &[char] = &[' ', '\r', '\n', '\u{b}', '\t', '\'', '"'];
    if !value.is_empty() && !value.starts_with(EDGES) && !value.ends_with(EDGES) && !value.contains([',', '#']) {
        return value.to_owned();
    }
    let quote = if value.contains('"') { '\'' } else { '"' };
    format!("{quote}{value}{quote}")
}
