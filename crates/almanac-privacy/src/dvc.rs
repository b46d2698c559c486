//! Objects named by their hash, as DVC keeps versions, and the pointers that name them.
//!
//! An object is never changed: the version without the subject is another object. Pointers in the workspace are turned to it line by
//! line, so that everything else in them stays; what older commits point to is deleted and gone.
//!
//! Not here: the cache itself (`almanac-versions`).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::error::EraseError;
use crate::files::{Staged, hex, parent};
use crate::proof::FileProof;

/// The ending of an object that lists a folder.
const FOLDER: &str = ".dir";

/// An object that was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renewed {
    pub(crate) old: String,
    pub(crate) new: String,
    old_size: u64,
    new_size: u64,
}

/// Returns the hash by which a path names its content, if it does: `…/ab/cdef…`, thirty-two digits in all.
pub(crate) fn object_hash(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent()?.file_name()?.to_str()?;
    let digits = name.strip_suffix(FOLDER).unwrap_or(name);
    let is_hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex(folder, 2) && is_hex(digits, 30)).then(|| format!("{folder}{name}"))
}

/// Returns the place of another object of the same store.
fn place_of(sibling: &Path, hash: &str) -> PathBuf {
    parent(parent(sibling)).join(&hash[..2]).join(&hash[2..])
}

/// Returns the files that may point to objects.
pub(crate) fn pointers(files: &[PathBuf]) -> Vec<PathBuf> {
    let is_pointer = |path: &&PathBuf| {
        path.extension().is_some_and(|extension| extension == "dvc") || path.file_name().is_some_and(|name| name == "dvc.lock")
    };
    files.iter().filter(is_pointer).cloned().collect()
}

fn md5_of(path: &Path) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Md5::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => break,
            got => hasher.update(&block[..got]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// Puts the new content of an object into its store.
pub(crate) fn renew(old: &Path, staged: Staged) -> Result<Renewed, EraseError> {
    let failed = |error| EraseError::io(old, error);
    let new = md5_of(staged.path()).map_err(failed)?;
    let old_size = fs::metadata(old).map_err(failed)?.len();
    let new_size = staged.size;
    staged.commit_to(&place_of(old, &new)).map_err(failed)?;
    Ok(Renewed { old: object_hash(old).unwrap_or_default(), new, old_size, new_size })
}

/// Makes the listings of folders anew that pointers name and that name renewed objects; returns the new listings.
pub(crate) fn renew_folders(files: &[PathBuf], pointers: &[PathBuf], renewed: &[Renewed]) -> Result<Vec<Renewed>, EraseError> {
    let texts = read_texts(pointers)?;
    let mut folders = Vec::new();
    for path in files {
        let Some(hash) = object_hash(path).filter(|hash| hash.ends_with(FOLDER)) else { continue };
        if !texts.iter().any(|text| text.contains(&hash)) {
            continue;
        }
        let failed = |error| EraseError::io(path, error);
        let Ok(mut text) = fs::read_to_string(path) else { continue };
        let before = text.clone();
        let (mut old_size, mut new_size) = (0, 0);
        for object in renewed {
            let times = text.matches(&object.old).count() as u64;
            old_size += times * object.old_size;
            new_size += times * object.new_size;
            text = text.replace(&object.old, &object.new);
        }
        if text == before {
            continue;
        }
        let (staged, ()) = Staged::write(path, |out| out.write_all(text.as_bytes())).map_err(failed)?;
        let made = renew(path, staged)?;
        let new = format!("{}{FOLDER}", made.new);
        // The listing carries the mark of a folder in its name.
        fs::rename(place_of(path, &made.new), place_of(path, &new)).map_err(failed)?;
        folders.push(Renewed { old: hash, new, old_size, new_size });
    }
    Ok(folders)
}

fn read_texts(pointers: &[PathBuf]) -> Result<Vec<String>, EraseError> {
    pointers
        .iter()
        .map(|path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| EraseError::io(path, error)))
        .collect()
}

/// Returns whether any pointer names the object, by itself or through the listing of a folder.
pub(crate) fn is_pointed_to(hash: &str, files: &[PathBuf], pointers: &[PathBuf]) -> Result<bool, EraseError> {
    let texts = read_texts(pointers)?;
    if texts.iter().any(|text| text.contains(hash)) {
        return Ok(true);
    }
    for path in files {
        let Some(listing) = object_hash(path).filter(|listing| listing.ends_with(FOLDER)) else { continue };
        if texts.iter().any(|text| text.contains(&listing)) && fs::read_to_string(path).is_ok_and(|text| text.contains(hash)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Turns one pointer to the renewed objects; tells what changes before it does. Returns whether anything did.
pub(crate) fn repoint(
    path: &Path,
    name: &str,
    renewed: &[Renewed],
    before_commit: &mut dyn FnMut(FileProof) -> Result<(), EraseError>,
) -> Result<bool, EraseError> {
    let failed = |error| EraseError::io(path, error);
    let Ok(old) = fs::read_to_string(path) else { return Ok(false) };
    let new = renewed.iter().fold(old.clone(), |text, object| pointed(&text, object));
    if new == old {
        return Ok(false);
    }
    let (staged, ()) = Staged::write(path, |out| out.write_all(new.as_bytes())).map_err(failed)?;
    let before = blake3::hash(old.as_bytes()).to_hex().to_string();
    before_commit(FileProof { path: name.to_owned(), before: Some(before), after: staged.hash.clone(), rows: 0, mentions: 0, why: None })?;
    staged.commit().map_err(failed)?;
    Ok(true)
}

/// The text with the new hash, and the new size in the same item of YAML.
fn pointed(text: &str, object: &Renewed) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for place in 0..lines.len() {
        // A folder's hash begins as that of a file might.
        let is_meant = lines[place].trim_end().trim_end_matches(['"', '\'']).ends_with(&object.old) && lines[place].contains("md5:");
        if !is_meant {
            continue;
        }
        let depth = indent(&lines[place]);
        lines[place] = lines[place].replace(&object.old, &object.new);
        let starts_item = |line: &str| line.trim_start().starts_with("- ");
        let ahead = (place + 1..lines.len()).take_while(|at| indent(&lines[*at]) == depth && !starts_item(&lines[*at]));
        let behind = (0..place).rev().take_while(|at| indent(&lines[*at]) == depth && !starts_item(&lines[at + 1]));
        let sizes: Vec<usize> = ahead.chain(behind).filter(|at| lines[*at].trim_start_matches([' ', '-']).starts_with("size:")).collect();
        for at in sizes {
            let Some((key, value)) = lines[at].split_once(':') else { continue };
            let Ok(size) = value.trim().parse::<u64>() else { continue };
            let size = (size + object.new_size).saturating_sub(object.old_size);
            let end = &lines[at][lines[at].trim_end().len()..];
            lines[at] = format!("{key}: {size}{end}");
        }
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_gets_the_new_hash_and_size_and_keeps_all_else() {
        let object = Renewed { old: "a".repeat(32), new: "b".repeat(32), old_size: 100, new_size: 60 };
        let text = format!(
            "# mine\nouts:\n- md5: {0}\n  size: 100\n  hash: md5\n  path: sales.csv\n- size: 100\n  md5: {1}\n  path: other\nmeta: {{x: 1}}\n",
            object.old,
            "c".repeat(32)
        );
        let expected = text.replace(&object.old, &object.new).replacen("size: 100", "size: 60", 1);
        assert_eq!(pointed(&text, &object), expected);
        let reverse = format!("  - size: 100\n    md5: {}\n    path: x\n", object.old);
        assert_eq!(pointed(&reverse, &object), reverse.replace(&object.old, &object.new).replace("100", "60"));
        let folder = format!("- md5: {}.dir\n  size: 100\n", object.old);
        assert_eq!(pointed(&folder, &object), folder, "a folder is another object");
    }

    #[test]
    fn objects_are_told_by_their_place() {
        let hash = "0123456789abcdef0123456789abcdef";
        assert_eq!(object_hash(Path::new(&format!("c/files/md5/01/{}", &hash[2..]))).as_deref(), Some(hash));
        assert_eq!(object_hash(Path::new(&format!("c/01/{}.dir", &hash[2..]))), Some(format!("{hash}.dir")));
        assert_eq!(object_hash(Path::new("c/01/23.csv")), None);
    }
}
