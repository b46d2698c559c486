//! A repository of Feast that was never applied: which definitions its Python files have, by a look at their text.
//!
//! Python is not run. What is found is only told, so that one sees that the right folder was named.

use std::fs;
use std::path::{Path, PathBuf};

/// Classes whose objects are told.
const CLASSES: [&str; 4] = ["FeatureView(", "Entity(", "FeatureService(", "on_demand_feature_view("];
/// Most bytes of a Python file that is looked at.
const LARGEST: u64 = 1 << 20;
/// Most names that are told.
const NAMES: usize = 8;
/// How far behind a class its name is looked for, in bytes.
const NEAR: usize = 200;

/// Returns why a repository without a registry cannot be read, and what its Python files define.
pub(super) fn why(folder: &Path, registry: &str) -> String {
    let mut files: Vec<PathBuf> = Vec::new();
    for place in [folder.to_owned(), folder.join("feature_repo")] {
        let entries = fs::read_dir(place).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "py")));
    }
    files.sort();
    let mut found: Vec<String> = Vec::new();
    for file in &files {
        if fs::metadata(file).is_ok_and(|file| file.len() <= LARGEST)
            && let Ok(text) = fs::read_to_string(file)
        {
            found.extend(definitions(&text));
        }
    }
    let shown = found.iter().take(NAMES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if found.len() > NAMES { format!(" and {} more", found.len() - NAMES) } else { String::new() };
    let defined = if found.is_empty() { String::new() } else { format!(" from its Python files, which define {shown}{more}") };
    format!("its registry `{registry}` is not there: `feast apply` writes it{defined}")
}

/// Names of what is defined in a Python file, as `name = FeatureView(name="…"`, in order.
fn definitions(text: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for class in CLASSES {
        for (at, _) in text.match_indices(class) {
            let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
            let is_part_of_a_name = line.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
            if line.trim_start().starts_with('#') || is_part_of_a_name {
                continue;
            }
            let mut end = (at + class.len() + NEAR).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let near = &text[at + class.len()..end];
            let name = near.find("name=").and_then(|start| {
                let rest = &near[start + 5..];
                let quote = rest.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
                rest[1..].split_once(quote).map(|(name, _)| name.to_owned())
            });
            found.extend(name.map(|name| (at, name)));
        }
    }
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_told_by_name_and_comments_are_not() {
        let text = "driver = Entity(name=\"driver\", join_keys=[\"id\"])\n# old = FeatureView(name=\"old\")\nfv = FeatureView(\n    name='trips',\n    entities=[driver])\nMyEntity(name=\"no\")\n";
        assert_eq!(definitions(text), ["driver", "trips"]);
    }
}
