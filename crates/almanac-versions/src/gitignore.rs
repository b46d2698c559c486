//! The line in `.gitignore` that keeps data out of git.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};
use crate::files;
use crate::git::Git;

/// Makes git ignore a path, unless it does. Returns the file that was changed.
pub(crate) fn ignore(git: &Git, path: &Path) -> Result<Option<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return Ok(None) };
    let file = folder.join(".gitignore");
    let mut text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).doing("read", file),
    };
    let line = format!("/{}", escaped(name));
    // The usual case costs no other process; a later line may take the entry back, so git is asked if there is any.
    let is_listed = text.lines().any(|known| known == line);
    if is_listed && !text.contains('!') || git.is_ignored(path) {
        return Ok(None);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&line);
    text.push('\n');
    files::write_atomic(&file, text.as_bytes())?;
    Ok(Some(file))
}

/// A name as a pattern that means itself.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for char in name.chars() {
        if "[]!*#?\\".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    // Blanks at the end count only with a backslash before them.
    if let Some(kept) = pattern.strip_suffix(' ') {
        pattern = format!("{kept}\\ ");
    }
    pattern
}
