//! Each rule on a small workspace in a temporary folder, and all of them on the real one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::check;

const MAP: &str = "# Map\n\n### crates/almanac-series\n\n### crates/almanac-stats\n\n`almanac-data` and `crates/almanac-server`, `xtask`\n";

/// A workspace with one crate in each of the lower layers, all rules kept.
struct Workspace(TempDir);

impl Workspace {
    fn new() -> Self {
        let workspace = Self(tempfile::tempdir().expect("a temporary folder"));
        workspace.write("ARCHITECTURE.md", MAP);
        for (name, uses) in [("almanac-series", ""), ("almanac-stats", "almanac-series"), ("almanac-data", "almanac-series")] {
            workspace.manifest(name, &[uses]);
            workspace.write(&format!("crates/{name}/src/lib.rs"), "//! What it is.\n");
        }
        workspace
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn manifest(&self, name: &str, uses: &[&str]) {
        let uses: Vec<String> = uses.iter().filter(|name| !name.is_empty()).map(|name| format!("{name}.workspace = true\n")).collect();
        let text = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{}", uses.concat());
        self.write(&format!("crates/{name}/Cargo.toml"), &text);
    }

    /// The findings without their hints.
    fn findings(&self) -> Vec<String> {
        let report = check(self.0.path()).expect("the tree can be read");
        report.findings.iter().map(|finding| finding.to_string().lines().next().expect("a line").to_owned()).collect()
    }
}

#[test]
fn the_tree_of_this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let report = check(root).expect("the tree can be read");
    let text: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{}", text.join("\n"));
    assert!(report.files > 100, "the tree was looked at: {} files", report.files);
}

#[test]
fn a_tidy_workspace_has_no_findings() {
    assert_eq!(Workspace::new().findings(), Vec::<String>::new());
}

#[test]
fn an_arrow_that_points_up_or_sideways_is_found_at_its_line() {
    let workspace = Workspace::new();
    workspace.manifest("almanac-series", &["thiserror", "almanac-stats"]);
    workspace.manifest("almanac-stats", &["almanac-features"]);
    assert_eq!(
        workspace.findings(),
        [
            "crates/almanac-series/Cargo.toml:7: `almanac-series` must not use `almanac-stats`: it may use no other crate of Almanac",
            "crates/almanac-stats/Cargo.toml:6: `almanac-stats` must not use `almanac-features`: it may use the words layer",
        ]
    );
}

#[test]
fn an_arrow_for_tests_may_point_anywhere() {
    let workspace = Workspace::new();
    let path = workspace.0.path().join("crates/almanac-series/Cargo.toml");
    let text =
        fs::read_to_string(&path).expect("a manifest") + "[dev-dependencies]\nalmanac-stats.workspace = true\narrow.workspace = true\n";
    fs::write(path, text).expect("a file");
    assert_eq!(workspace.findings(), Vec::<String>::new());
}

#[test]
fn a_heavy_thing_is_found_outside_its_home_under_any_name_and_for_any_target() {
    let workspace = Workspace::new();
    workspace.manifest("almanac-data", &["datafusion", "arrow-schema", "parquet"]);
    let text = "[package]\nname = \"almanac-stats\"\n[lints]\nworkspace = true\n[dependencies]\nsql = { package = \"sqlx\", version = \"1\" }\n\
                [target.'cfg(unix)'.dependencies]\narrow-array = \"1\"\n[build-dependencies.clap]\nversion = \"1\"\n";
    workspace.write("crates/almanac-stats/Cargo.toml", text);
    assert_eq!(
        workspace.findings(),
        [
            "crates/almanac-stats/Cargo.toml:6: `almanac-stats` must not know `sqlx`: it lives in `almanac-tracking`, `almanac-connect`, `almanac-privacy` alone",
            "crates/almanac-stats/Cargo.toml:8: `almanac-stats` must not know `arrow-array`: it lives in `almanac-data`, `almanac-expect`, `almanac-profile`, `almanac-connect`, \
             `almanac-feature-store`, `almanac-privacy` alone",
            "crates/almanac-stats/Cargo.toml:9: `almanac-stats` must not know `clap`: it lives in `almanac` alone",
        ]
    );
}

#[test]
fn a_crate_without_layer_lints_or_place_on_the_map_is_found() {
    let workspace = Workspace::new();
    workspace.write("crates/almanac-new/Cargo.toml", "[package]\nname = \"almanac-other\"\n");
    assert_eq!(
        workspace.findings(),
        [
            "ARCHITECTURE.md:1: `almanac-new` is not on the map",
            "crates/almanac-new/Cargo.toml:1: `almanac-new` does not have the lints of the workspace",
            "crates/almanac-new/Cargo.toml:1: `almanac-new` is in no layer",
            "crates/almanac-new/Cargo.toml:1: the crate `almanac-other` lies in the folder `almanac-new`",
        ]
    );
}

#[test]
fn a_name_inside_a_longer_name_is_not_on_the_map() {
    let workspace = Workspace::new();
    workspace.write("ARCHITECTURE.md", "### crates/almanac-series-and-more\n`almanac-stats`, `almanac-data`\n");
    assert_eq!(workspace.findings(), ["ARCHITECTURE.md:1: `almanac-series` is not on the map"]);
}

#[test]
fn headers_length_and_leftovers_are_found_at_their_line() {
    let workspace = Workspace::new();
    workspace
        .write("crates/almanac-data/src/bare.rs", "// No header.\nfn f() {\n    todo!()\n}\n#[test]\n#[ignore = \"slow\"]\nfn g() {}\n");
    workspace.write("crates/almanac-data/tests/it/main.rs", &format!("//! Long.\n{}", "\n".repeat(800)));
    assert_eq!(
        workspace.findings(),
        [
            "crates/almanac-data/src/bare.rs:1: there is no header",
            "crates/almanac-data/src/bare.rs:3: `todo!` is left over",
            "crates/almanac-data/src/bare.rs:6: a test is marked `ignore`",
            "crates/almanac-data/tests/it/main.rs:801: 801 lines are too many, 800 are allowed",
        ]
    );
}

#[test]
fn leftovers_in_comments_strings_and_comparisons_are_none() {
    let workspace = Workspace::new();
    let text = "//! `todo!()`\n/// dbg!(x)\nfn f(todo: u8) -> bool {\n    g(\"unimplemented!()\"); todo!=1\n}\n";
    workspace.write("crates/almanac-data/src/lib.rs", text);
    assert_eq!(workspace.findings(), Vec::<String>::new());
}

#[test]
fn files_clock_and_waiting_are_found_in_the_pure_layers_only() {
    let workspace = Workspace::new();
    let text = "//! Impure.\nuse std::{collections::{BTreeMap}, fmt,\n    fs::File};\nuse std::time::Instant;\nfn f() { tokio::spawn(g()); std::net::x(); }\n";
    workspace.write("crates/almanac-stats/src/lib.rs", text);
    workspace.write("crates/almanac-data/src/lib.rs", text);
    assert_eq!(
        workspace.findings(),
        [
            "crates/almanac-stats/src/lib.rs:3: `std::fs`: `almanac-stats` must not know files",
            "crates/almanac-stats/src/lib.rs:4: `Instant`: `almanac-stats` must not know the clock",
            "crates/almanac-stats/src/lib.rs:5: `std::net`: `almanac-stats` must not know the network",
            "crates/almanac-stats/src/lib.rs:5: `tokio`: `almanac-stats` must not know waiting",
        ]
    );
}

#[test]
fn tests_of_the_pure_layers_may_read_files() {
    let workspace = Workspace::new();
    let reads = "//! Reads.\nuse std::fs;\n";
    workspace.write("crates/almanac-stats/src/lib.rs", "//! Pure, not `std::fs`.\nmod ets;\n#[cfg(test)]\nmod inner { use std::fs; }\n");
    workspace.write("crates/almanac-stats/src/ets.rs", "//! Pure.\n#[cfg(test)]\nmod tests;\n");
    workspace.write("crates/almanac-stats/src/ets/tests.rs", reads);
    workspace.write("crates/almanac-stats/src/ets/tests/deep.rs", reads);
    for folder in ["tests/it", "benches", "examples"] {
        workspace.write(&format!("crates/almanac-stats/{folder}/main.rs"), reads);
    }
    assert_eq!(workspace.findings(), Vec::<String>::new());
}

#[test]
fn a_finding_says_where_what_and_what_to_do() {
    let workspace = Workspace::new();
    workspace.write("crates/almanac-data/src/lib.rs", "\n");
    let report = check(workspace.0.path()).expect("the tree can be read");
    let expected =
        "crates/almanac-data/src/lib.rs:1: there is no header\n    hint: begin with `//!`: what it is, why it is so, what it does not do";
    assert_eq!(report.findings[0].to_string(), expected);
}
