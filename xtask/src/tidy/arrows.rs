//! Arrows between crates point down, each heavy thing from outside has its home, and every crate has a layer and our lints.
//!
//! Only what ships is looked at: a test may use any crate.

use toml::Value;

use super::Finding;
use super::layers::{self, Layer, Place};
use super::tree::{Crate, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.crates.iter().flat_map(|krate| check_manifest(krate).into_iter().chain(check_arrows(krate))).collect()
}

/// Folder, lints and layer.
fn check_manifest(krate: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = krate.table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str).unwrap_or_default();
    if name != krate.folder {
        let what = format!("the crate `{name}` lies in the folder `{}`", krate.folder);
        findings.push(krate.finding(1, what, "give both the same name".to_owned()));
    }
    let has_lints = krate.table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true);
    if !has_lints {
        let what = format!("`{}` does not have the lints of the workspace", krate.folder);
        findings.push(krate.finding(1, what, "add `[lints]` with `workspace = true`".to_owned()));
    }
    if layers::find(&krate.folder).is_none() {
        let fix = "give it a place in `xtask/src/tidy/layers.rs` and in the picture of `ARCHITECTURE.md`";
        findings.push(krate.finding(1, format!("`{}` is in no layer", krate.folder), fix.to_owned()));
    }
    findings
}

fn check_arrows(krate: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = layers::find(&krate.folder);
    // What does not ship may take what it likes from outside.
    let ships = place.is_none_or(|place| place.layer != Layer::Beside);
    for (package, line) in krate.dependencies() {
        if let Some(homes) = layers::homes_of(&package).filter(|homes| ships && !homes.contains(&krate.folder.as_str())) {
            let homes = homes.iter().map(|home| format!("`{home}`")).collect::<Vec<_>>().join(", ");
            let what = format!("`{}` must not know `{package}`: it lives in {homes} alone", krate.folder);
            findings.push(krate.finding(line, what, format!("let {homes} do it, and use what it offers")));
        } else if let Some(place) = place.filter(|place| is_ours(&package) && !may_use(place, &package)) {
            let what = format!("`{}` must not use `{package}`: it may use {}", krate.folder, place.allowed());
            let fix = "put the trait that both need into a crate below; the crate on top wires them";
            findings.push(krate.finding(line, what, fix.to_owned()));
        }
    }
    findings
}

fn is_ours(package: &str) -> bool {
    package == "almanac" || package == "xtask" || package.starts_with("almanac-")
}

fn may_use(place: &Place, package: &str) -> bool {
    layers::find(package).is_some_and(|other| place.may_use(other))
}
