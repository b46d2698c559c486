//! Paths of artifacts, checked once where they come in, so that none leads out of its root.
//!
//! A path is also refused if it only becomes dangerous when something behind us decodes it once more.
//!
//! Not here: where a path lies (`local`, `bucket`).

use crate::InvalidName;

/// Start of the names of files and folders that are being written; never listed, never named by a client.
pub(super) const UNFINISHED: &str = ".unfinished-";
/// Longest path, in bytes.
const LONGEST: usize = 4096;
/// Longest part between two `/`, in bytes: what file systems take.
const LONGEST_PART: usize = 255;
/// How often a path may be encoded before it is refused for that alone.
const MOST_ENCODINGS: usize = 8;

/// Relative path of a file or folder of artifacts: `model/card.md`. Parts are never empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// # Errors
    /// [`InvalidName`] for absolute paths, `..`, backslashes, `#`, control characters, drive letters, overlong parts, and for
    /// what would be one of these after decoding.
    pub fn new(path: impl Into<String>) -> Result<Self, InvalidName> {
        let given = path.into();
        let is_safe = |part: &str| !matches!(part, "" | ".") && part.len() <= LONGEST_PART && !part.starts_with(UNFINISHED);
        // MLflow's clients cut a path at `#`.
        if given.len() <= LONGEST && !given.contains('#') && given.split('/').all(is_safe) && stays_inside(&given) {
            Ok(Self(given))
        } else {
            Err(InvalidName { what: "artifact path", given, rule: "it is relative, with `/` between parts, and stays inside its root" })
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Returns the folder that it lies in.
    pub fn parent(&self) -> ArtifactFolder {
        ArtifactFolder(self.0.rsplit_once('/').map(|(folder, _)| Self(folder.to_owned())))
    }
}

/// A folder of artifacts: the root of a store, or a path below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactFolder(Option<ArtifactPath>);

impl ArtifactFolder {
    /// The root of a store.
    pub const ROOT: Self = Self(None);

    /// Reads a folder; an empty text is the root, and a `/` at its end is allowed.
    ///
    /// # Errors
    /// [`InvalidName`], as [`ArtifactPath::new`].
    pub fn new(path: &str) -> Result<Self, InvalidName> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() { Ok(Self::ROOT) } else { ArtifactPath::new(path).map(|path| Self(Some(path))) }
    }

    /// Returns its path, `None` for the root.
    pub fn path(&self) -> Option<&ArtifactPath> {
        self.0.as_ref()
    }

    /// Returns what lies in the folder under that path.
    ///
    /// # Errors
    /// [`InvalidName`] if both together are too long.
    pub fn join(&self, path: &ArtifactPath) -> Result<ArtifactPath, InvalidName> {
        match &self.0 {
            Some(folder) => ArtifactPath::new(format!("{}/{}", folder.0, path.0)),
            None => Ok(path.clone()),
        }
    }

    /// Returns a folder in the folder.
    ///
    /// # Errors
    /// [`InvalidName`] if both together are too long.
    pub fn folder(&self, folder: &Self) -> Result<Self, InvalidName> {
        match &folder.0 {
            Some(path) => self.join(path).map(|path| Self(Some(path))),
            None => Ok(self.clone()),
        }
    }
}

impl From<ArtifactPath> for ArtifactFolder {
    fn from(path: ArtifactPath) -> Self {
        Self(Some(path))
    }
}

/// Whether a path leads nowhere else, as it is and however often it is decoded.
fn stays_inside(path: &str) -> bool {
    let mut form = path.to_owned();
    for _ in 0..MOST_ENCODINGS {
        let is_drive = form.as_bytes().get(1) == Some(&b':') && form.as_bytes()[0].is_ascii_alphabetic();
        let is_plain = !form.chars().any(|c| c.is_control() || c == '\\');
        if is_drive || !is_plain || form.starts_with('/') || form.split('/').any(|part| part == "..") {
            return false;
        }
        match decoded(&form) {
            Some(next) => form = next,
            None => return true,
        }
    }
    false
}

/// Takes one level of percent encoding away; `None` if there is none, or nothing readable under it.
fn decoded(text: &str) -> Option<String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut read = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        match (bytes[place], digit(bytes.get(place + 1)), digit(bytes.get(place + 2))) {
            (b'%', Some(high), Some(low)) => {
                read.push((high * 16 + low) as u8);
                place += 3;
            }
            (byte, _, _) => {
                read.push(byte);
                place += 1;
            }
        }
    }
    if read.len() == bytes.len() { None } else { String::from_utf8(read).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_its_root() {
        let bad = [
            "",
            ".",
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "a/./b",
            "a/",
            "a\\..\\b",
            "C:x",
            "c:/x",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            "%2e%2e/x",
            "a/%2E%2e/b",
            "..%2fx",
            "a/..%2Fb",
            "%252e%252e%252fx",
            "%2fetc/passwd",
            "%5c%5cserver",
            "a%00b",
            "a%0ab",
            "x#y",
            ".unfinished-1",
            "a/.unfinished-b/c",
            "C%3a/x",
        ];
        for bad in bad {
            assert!(ArtifactPath::new(bad).is_err(), "`{bad}`");
        }
        assert!(ArtifactPath::new("a".repeat(256)).is_err());
        assert!(ArtifactPath::new(format!("{}a", "a/".repeat(3000))).is_err());
        assert!(ArtifactPath::new(format!("%{}2e", "25".repeat(20))).is_err());
    }

    #[test]
    fn odd_names_are_names() {
        for good in
            ["größe 100%.json", "a+b &=;@.txt", "%41", "50%", "...", "a..b", "12:30:00.log", "模型/日本.bin", " ", "-rf", "~", "a%ff"]
        {
            assert_eq!(ArtifactPath::new(good).as_ref().map(ArtifactPath::as_str), Ok(good));
        }
    }

    #[test]
    fn folders_are_joined() {
        let path = |text: &str| ArtifactPath::new(text).expect("valid");
        let folder = ArtifactFolder::new("a/b/").expect("valid");
        assert_eq!(folder.join(&path("c/d")).expect("short"), path("a/b/c/d"));
        assert_eq!(ArtifactFolder::new("").expect("the root").join(&path("c")).expect("short"), path("c"));
        assert_eq!((path("a/b/c").name(), path("a/b/c").parent()), ("c", folder));
        assert_eq!(path("c").parent(), ArtifactFolder::ROOT);
    }
}
