//! Every file says what it is, is short enough to answer one question, and holds nothing half-done.

use super::Finding;
use super::rust::{find_word, line_at};
use super::tree::{RustFile, Tree};

/// Lines a file may have.
const LONGEST: usize = 800;

/// Macros that stand for work not done, and what to do instead.
const MACROS: [(&str, &str); 3] = [
    ("todo", "do it, or return an error that says what is missing"),
    ("unimplemented", "do it, or return an error that says what is missing"),
    ("dbg", "take it out"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(check_file).collect()
}

fn check_file(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(file.finding(1, "there is no header", "begin with `//!`: what it is, why it is so, what it does not do"));
    }
    let lines = file.text.lines().count();
    if lines > LONGEST {
        findings.push(file.finding(LONGEST + 1, format!("{lines} lines are too many, {LONGEST} are allowed"), "split it by noun"));
    }
    for (name, fix) in MACROS {
        for at in find_word(&file.code, name).filter(|at| is_called(&file.code[at + name.len()..])) {
            findings.push(file.finding(line_at(&file.code, at), format!("`{name}!` is left over"), fix));
        }
    }
    for at in find_word(&file.code, "ignore").filter(|at| file.code[..*at].trim_end().ends_with("#[")) {
        let fix = "take the mark or the test out; assert today's wrong answer and say why it is wrong, or skip with a printed reason";
        findings.push(file.finding(line_at(&file.code, at), "a test is marked `ignore`", fix));
    }
    findings
}

/// Tells whether what follows a name makes it the call of a macro, and not a comparison.
fn is_called(rest: &str) -> bool {
    rest.strip_prefix('!').is_some_and(|rest| !rest.starts_with('='))
}
