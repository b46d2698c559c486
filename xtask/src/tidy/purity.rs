//! The words and knowing layers touch nothing outside: no files, network, clock, waiting or logging.
//!
//! So that the same panel, configuration and seed give the same numbers everywhere. Tests, benches and examples may do more.

use super::Finding;
use super::layers::{self, Layer};
use super::rust::{find_word, line_at, without_tests};
use super::tree::{RustFile, Tree};

/// Modules of the standard library that reach outside.
const MODULES: [(&str, &str); 4] = [("fs", "files"), ("net", "the network"), ("env", "the environment"), ("process", "other programs")];

/// Names that reach outside, wherever they come from.
const NAMES: [(&str, &str); 6] = [
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("Timestamp::now", "the clock"),
    ("Zoned::now", "the clock"),
    ("tokio", "waiting"),
    ("tracing", "logging"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let is_pure = |file: &&RustFile| {
        let layer = layers::find(&file.krate).map(|place| place.layer);
        !file.is_test && matches!(layer, Some(Layer::Words | Layer::Knowing))
    };
    tree.files.iter().filter(is_pure).flat_map(check_file).collect()
}

fn check_file(file: &RustFile) -> Vec<Finding> {
    let code = without_tests(&file.code);
    let mut found: Vec<(usize, String, &str)> = Vec::new();
    for (name, what) in NAMES {
        found.extend(find_word(&code, name).map(|at| (at, name.to_owned(), what)));
    }
    for (at, module) in std_modules(&code) {
        if let Some((name, what)) = MODULES.iter().find(|(name, _)| *name == module) {
            found.push((at, format!("std::{name}"), what));
        }
    }
    let finding = |(at, name, what): (usize, String, &str)| {
        let fix = "let the caller do it and hand in the result: `almanac-pipeline` and the layers above may";
        file.finding(line_at(&code, at), format!("`{name}`: `{}` must not know {what}", file.krate), fix)
    };
    found.into_iter().map(finding).collect()
}

/// The modules named right after `std::`, alone or in a group such as `std::{fmt, fs::File}`.
fn std_modules(code: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    for at in find_word(code, "std") {
        let Some(rest) = code[at + 3..].strip_prefix("::") else { continue };
        let Some(group) = rest.strip_prefix('{') else {
            all.push((at, first_name(rest)));
            continue;
        };
        let mut depth = 0_i32;
        let mut is_start = true;
        for (offset, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_start = true,
                c if is_start && !c.is_whitespace() => {
                    is_start = false;
                    all.push((at + "std::{".len() + offset, first_name(&group[offset..])));
                }
                _ => {}
            }
        }
    }
    all
}

fn first_name(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}
