//! The rules of the house that the compiler does not know: one file a rule, all of them functions of one [`tree::Tree`].
//!
//! Not here: formatting and lints, which cargo checks.

mod arrows;
mod layers;
mod leftovers;
mod map;
mod purity;
mod rust;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use tree::Tree;

/// A broken rule: where, what, and what to do. Ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    hint: {}", self.path.display(), self.line, self.what, self.fix)
    }
}

/// What was found, and how much was looked at.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// Number of crates.
    pub(crate) crates: usize,
    /// Number of Rust files.
    pub(crate) files: usize,
}

/// Checks every rule on the workspace at `root`.
pub(crate) fn check(root: &Path) -> io::Result<Report> {
    let tree = Tree::read(root)?;
    let rules = [arrows::check, leftovers::check, map::check, purity::check];
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| rule(&tree)).collect();
    findings.sort();
    Ok(Report { findings, crates: tree.crates.len(), files: tree.files.len() })
}
