//! Every crate is on the map: `ARCHITECTURE.md` names it in a heading (`### crates/almanac-x`) or in backticks.

use std::path::PathBuf;

use super::Finding;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(map) = &tree.map else {
        let fix = "write it: a heading `### crates/NAME` for each crate, what it does, and its invariants";
        return vec![Finding { path: PathBuf::from(MAP), line: 1, what: "there is no code map".to_owned(), fix: fix.to_owned() }];
    };
    let missing = tree.crates.iter().filter(|krate| !is_named(map, &krate.folder));
    missing
        .map(|krate| Finding {
            path: PathBuf::from(MAP),
            line: 1,
            what: format!("`{}` is not on the map", krate.folder),
            fix: format!("add a heading `### crates/{}`, what it does, and its invariants", krate.folder),
        })
        .collect()
}

fn is_named(map: &str, name: &str) -> bool {
    let in_heading = |line: &str| line.starts_with('#') && line.split([' ', '/', '`']).any(|word| word == name);
    map.contains(&format!("`{name}`")) || map.contains(&format!("`crates/{name}`")) || map.lines().any(in_heading)
}
