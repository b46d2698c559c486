//! Where the XGBoost library may lie on this machine: in the Python packages of the environments that a user is likely to mean.
//!
//! Not here: loading it, which `almanac-trees` does when the model is trained.

use std::env::{self, consts};
use std::path::{Path, PathBuf};

use crate::environment::XGBOOST_LIB;

/// Returns the file that the environment names.
pub(crate) fn named() -> Option<PathBuf> {
    env::var_os(XGBOOST_LIB).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Returns the libraries of installed Python packages, the likeliest first.
pub(crate) fn installed() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in roots() {
        for library in libraries_below(&root) {
            if !found.contains(&library) {
                found.push(library);
            }
        }
    }
    found
}

/// Folders that hold a `lib` of Python packages: the active environment, that of each `python3` on the path, the user's, the system's.
/// None below the current folder: a project that somebody else made must not bring code of its own.
fn roots() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().filter_map(env::var_os).map(PathBuf::from).collect();
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        if folder.is_absolute() && ["python3", "python", "python.exe"].iter().any(|name| folder.join(name).is_file()) {
            // On Windows the program lies in the root itself.
            roots.extend(folder.parent().map(Path::to_owned));
            roots.push(folder);
        }
    }
    if let Some(home) = env::home_dir() {
        roots.push(home.join(".local"));
        roots.extend(folders(&home.join(".pyenv/versions")));
        roots.extend(folders(&home.join("Library/Python")));
    }
    roots.extend(["/usr/local", "/usr", "/opt/conda", "/opt/homebrew"].map(PathBuf::from));
    roots
}

/// The library in every set of Python packages below a root, newest Python first.
fn libraries_below(root: &Path) -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = folders(&root.join("lib")).into_iter().filter(|folder| is_python(folder)).collect();
    homes.sort_by_key(|home| std::cmp::Reverse(version(home)));
    homes.push(root.join("Lib"));
    let file = format!("xgboost/lib/{}xgboost{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    let places = homes.iter().flat_map(|home| ["site-packages", "dist-packages"].map(|packages| home.join(packages).join(&file)));
    places.filter(|path| path.is_file()).collect()
}

fn is_python(folder: &Path) -> bool {
    folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python3"))
}

/// The numbers of `python3.12`, so that 3.12 comes after 3.9.
fn version(folder: &Path) -> Vec<u32> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.trim_start_matches("python").split('.').filter_map(|part| part.parse().ok()).collect()
}

/// Folders in a folder, in order; none if it cannot be read.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_python_of_a_root_comes_first() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let file = format!("{}xgboost{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
        let mut wanted = Vec::new();
        for home in ["lib/python3.12/site-packages", "lib/python3.9/site-packages", "lib/python3/dist-packages", "lib/ruby/site-packages"] {
            let folder = root.path().join(home).join("xgboost/lib");
            std::fs::create_dir_all(&folder).expect("the folder is new");
            std::fs::write(folder.join(&file), "").expect("the folder is ours");
            wanted.push(folder.join(&file));
        }
        // What is not Python's is none of ours.
        assert_eq!(libraries_below(root.path()), wanted[..3]);
        assert!(libraries_below(&root.path().join("nowhere")).is_empty());
    }
}
