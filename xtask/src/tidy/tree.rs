//! What the rules look at: the manifests, the Rust files and the map of one workspace, read once.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Finding;
use super::rust;

/// A workspace, read into memory. All paths are relative to its root.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) crates: Vec<Crate>,
    pub(crate) files: Vec<RustFile>,
    /// Text of `ARCHITECTURE.md`, if there is one.
    pub(crate) map: Option<String>,
}

/// One crate and its manifest.
#[derive(Debug)]
pub(crate) struct Crate {
    /// Name of its folder.
    pub(crate) folder: String,
    /// Path of its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    pub(crate) text: String,
    pub(crate) table: Table,
}

/// One `.rs` file.
#[derive(Debug)]
pub(crate) struct RustFile {
    pub(crate) path: PathBuf,
    /// Folder name of its crate.
    pub(crate) krate: String,
    pub(crate) text: String,
    /// The text with comments, strings and characters blanked; same lines, same columns.
    pub(crate) code: String,
    /// Whether it is compiled only for tests, benches or examples.
    pub(crate) is_test: bool,
}

impl Tree {
    /// Reads `crates/*` and `xtask` below `root`.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut folders: Vec<PathBuf> = Vec::new();
        if root.join("crates").is_dir() {
            folders.extend(sorted_entries(&root.join("crates"))?.into_iter().filter(|path| path.join("Cargo.toml").is_file()));
        }
        folders.extend([root.join("xtask")].into_iter().filter(|path| path.join("Cargo.toml").is_file()));
        let mut tree = Self { crates: Vec::new(), files: Vec::new(), map: read_if_there(&root.join("ARCHITECTURE.md"))? };
        for folder in folders {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let manifest = folder.join("Cargo.toml");
            let text = fs::read_to_string(&manifest)?;
            let table = text.parse().map_err(|error| io::Error::other(format!("`{}` is not valid TOML: {error}", manifest.display())))?;
            let mut paths = Vec::new();
            collect_rust(&folder, &mut paths)?;
            for path in paths {
                let text = fs::read_to_string(&path).map_err(|error| io::Error::other(format!("`{}`: {error}", path.display())))?;
                let code = rust::code_only(&text);
                let relative = path.strip_prefix(&folder).expect("found below it");
                let is_test =
                    relative.iter().next().is_some_and(|first| ["tests", "benches", "examples"].iter().any(|name| first == *name));
                tree.files.push(RustFile { path: below(root, &path), krate: name.clone(), text, code, is_test });
            }
            tree.crates.push(Crate { folder: name, manifest: below(root, &manifest), text, table });
        }
        tree.mark_test_modules();
        Ok(tree)
    }

    /// Marks the files of modules that are declared for tests only.
    fn mark_test_modules(&mut self) {
        let mut roots: BTreeSet<PathBuf> = BTreeSet::new();
        for file in &self.files {
            let stem = file.path.file_stem().unwrap_or_default();
            let parent = file.path.parent().unwrap_or(Path::new(""));
            let is_root = ["lib", "main", "mod"].iter().any(|name| stem == *name);
            let children = if is_root { parent.to_owned() } else { parent.join(stem) };
            roots.extend(rust::test_modules(&file.code).into_iter().map(|name| children.join(name)));
        }
        for file in &mut self.files {
            let whole_file = rust::is_test_file(&file.code);
            file.is_test |= whole_file || roots.iter().any(|root| file.path.starts_with(root) || file.path == root.with_extension("rs"));
        }
    }
}

impl Crate {
    /// Returns every dependency that ships: its package name and the line that names it. Those of tests are left out.
    pub(crate) fn dependencies(&self) -> Vec<(String, usize)> {
        let mut tables = vec![&self.table];
        if let Some(Value::Table(targets)) = self.table.get("target") {
            tables.extend(targets.values().filter_map(Value::as_table));
        }
        let sections =
            tables.iter().flat_map(|table| ["dependencies", "build-dependencies"].map(|name| table.get(name).and_then(Value::as_table)));
        let mut all = Vec::new();
        for (key, value) in sections.flatten().flatten() {
            let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
            all.push((package.to_owned(), self.line_of(key)));
        }
        all
    }

    /// Returns the line of a dependency: `key = …`, `key.workspace = …` or `[dependencies.key]`; those of tests do not count.
    fn line_of(&self, key: &str) -> usize {
        let mut for_tests = false;
        for (index, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[') {
                for_tests = section.contains("dev-dependencies");
                if !for_tests && section.trim_end_matches(']').ends_with(&format!("dependencies.{key}")) {
                    return index + 1;
                }
            }
            let rest = line.trim_start_matches('"').strip_prefix(key);
            if !for_tests && rest.is_some_and(|rest| rest.starts_with(['.', '=', ' ', '"'])) {
                return index + 1;
            }
        }
        1
    }

    /// Makes a finding in the manifest.
    pub(crate) fn finding(&self, line: usize, what: String, fix: String) -> Finding {
        Finding { path: self.manifest.clone(), line, what, fix }
    }
}

impl RustFile {
    /// Makes a finding in the file.
    pub(crate) fn finding(&self, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into(), fix: fix.into() }
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

fn read_if_there(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn collect_rust(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in sorted_entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect_rust(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}
