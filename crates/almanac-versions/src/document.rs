//! Reading YAML that someone else wrote, within bounds: a file of any size or depth is refused and not tried.
//!
//! Not here: what stands in it (`pointer.rs`, `lock_file.rs`).

use std::fs;
use std::path::Path;

use serde_yaml_ng::Value;

use crate::error::{Doing, Result, VersionsError};

/// Bytes of a pointer or lock file at most: some hundred thousand outputs.
const LARGEST: usize = 32 << 20;
/// Lists and mappings in one line inside each other. The time that the parser takes grows with the square of it.
const DEEPEST: usize = 200;

/// Reads a document. `name`, `what`: for messages.
///
/// # Errors
/// If it is too large, nested too deeply, or not YAML. Aliases that multiply are refused by the parser.
pub(crate) fn parse(text: &str, name: &str, what: &'static str) -> Result<Value> {
    if text.len() > LARGEST {
        return Err(VersionsError::malformed(name, what, format!("it has more than {} MB", LARGEST >> 20)));
    }
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(VersionsError::malformed(name, what, "it is nested too deeply"));
        }
    }
    serde_yaml_ng::from_str(text).map_err(|error| VersionsError::malformed(name, what, error))
}

/// Reads the text of a pointer or lock file.
///
/// # Errors
/// If it cannot be read, is too large, or is not text.
pub(crate) fn read(path: &Path, name: &str, what: &'static str) -> Result<String> {
    let length = fs::metadata(path).doing("read", path)?.len();
    if length > LARGEST as u64 {
        return Err(VersionsError::malformed(name, what, format!("it has more than {} MB", LARGEST >> 20)));
    }
    let bytes = fs::read(path).doing("read", path)?;
    String::from_utf8(bytes).map_err(|_| VersionsError::malformed(name, what, "it is not text in UTF-8"))
}
