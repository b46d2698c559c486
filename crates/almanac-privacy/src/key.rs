//! The secret behind the hashes of personal values: where it is, that it is long enough, what is derived from it.
//!
//! One key makes several keys, one for each use, so that a hash in a proof never equals a hash in a table. A key that is lost
//! makes hashes that never join with the old ones; a key that leaks lets everyone test guesses. It is therefore never in the
//! configuration, in the lake, in a message or in `Debug`.
//!
//! Not here: what is hashed (`redaction`, `proof`).

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use almanac_series::Hint;
use unicode_normalization::UnicodeNormalization;

use crate::files::hex;

/// Name of the key file in a project.
pub const KEY_FILE: &str = "privacy.key";
/// Fewest bytes of a key.
const SHORTEST: usize = 32;

const COLUMNS: &str = "almanac 2026-11 personal values in tables";
const PROOF: &str = "almanac 2026-11 subjects in proofs of erasure";
const SEAL: &str = "almanac 2026-11 seals of proofs of erasure";
const NAME: &str = "almanac 2026-11 names of keys";

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a variable of the environment.
    Environment(String),
    /// In a file.
    File(PathBuf),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No key is named.
    #[error("a personal column is to be hashed, and no key is named")]
    NotNamed,
    /// The variable is not set.
    #[error("the privacy key should be in the environment variable `{variable}`, which is not set")]
    NotSet {
        /// The variable.
        variable: String,
    },
    /// The file is not there or cannot be read.
    #[error("failed to read the privacy key `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("the privacy key `{}` can be read by others (mode {mode:03o})", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The key can be guessed.
    #[error("the privacy key has {bytes} bytes; at least 32 are needed")]
    TooShort {
        /// Its bytes.
        bytes: usize,
    },
    /// The key is one letter over and over, or the like.
    #[error("the privacy key can be guessed: it is made of {distinct} different characters")]
    Guessable {
        /// Different bytes in it.
        distinct: usize,
    },
    /// A key is there already.
    #[error("`{}` exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("failed to write `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Hint for KeyError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotNamed => {
                "run `almanac privacy key new` and write `key_file = \"privacy.key\"` under `[privacy]`, or name a variable: `key = \"${env:ALMANAC_PRIVACY_KEY}\"`".into()
            }
            Self::NotSet { variable } => format!("set `{variable}` to at least 32 random characters, the same in every run"),
            Self::Unreadable { .. } => "make one with `almanac privacy key new`, or put the old one back: another key gives other hashes".into(),
            Self::Open { path, .. } => format!("run `chmod 600 {}`", path.display()),
            Self::TooShort { .. } | Self::Guessable { .. } => "`almanac privacy key new` makes one of 64 random characters".into(),
            Self::Exists { .. } => "hashes made with it would no longer join; move it away if you mean to begin anew".into(),
            Self::Unwritable { .. } => "make the folder writable for you".into(),
        })
    }
}

/// A secret key. `Debug` shows its public name only.
#[derive(Clone)]
pub struct PrivacyKey {
    columns: [u8; 32],
    proof: [u8; 32],
    seal: [u8; 32],
    id: String,
}

impl PrivacyKey {
    /// Takes the secret itself: at least 32 bytes; blanks around it do not count.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] and [`KeyError::Guessable`].
    pub fn new(secret: &str) -> Result<Self, KeyError> {
        let secret = secret.trim().as_bytes();
        if secret.len() < SHORTEST {
            return Err(KeyError::TooShort { bytes: secret.len() });
        }
        let mut seen = [false; 256];
        secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        let distinct = seen.iter().filter(|seen| **seen).count();
        if distinct < 8 {
            return Err(KeyError::Guessable { distinct });
        }
        let name = blake3::derive_key(NAME, secret);
        Ok(Self {
            columns: blake3::derive_key(COLUMNS, secret),
            proof: blake3::derive_key(PROOF, secret),
            seal: blake3::derive_key(SEAL, secret),
            id: hex(&name[..8]),
        })
    }

    /// Reads the key from where it is. `lookup` gives variables of the environment.
    ///
    /// # Errors
    /// [`KeyError`], also where other users can read the file.
    pub fn load(source: &KeySource, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, KeyError> {
        match source {
            KeySource::Environment(variable) => {
                let secret = lookup(variable).filter(|secret| !secret.trim().is_empty());
                Self::new(&secret.ok_or_else(|| KeyError::NotSet { variable: variable.clone() })?)
            }
            KeySource::File(path) => {
                let unreadable = |source| KeyError::Unreadable { path: path.clone(), source };
                let secret = fs::read_to_string(path).map_err(unreadable)?;
                only_ours(path).map_err(unreadable)?.map_or(Ok(()), |mode| Err(KeyError::Open { path: path.clone(), mode }))?;
                Self::new(&secret)
            }
        }
    }

    /// Makes a new key in a file that only its owner can read, and adds its name to the `.gitignore` beside it.
    ///
    /// # Errors
    /// [`KeyError::Exists`] where there is a file: a key is never written over.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let unwritable = |source| KeyError::Unwritable { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut random = [0_u8; 32];
        random_bytes(&mut random).map_err(unwritable)?;
        let secret = hex(&random);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        ignore_in_git(folder, path).map_err(unwritable)?;
        let mut file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(KeyError::Exists { path: path.to_owned() }),
            other => other.map_err(unwritable)?,
        };
        file.write_all(format!("{secret}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
        crate::files::sync_dir(folder).map_err(unwritable)?;
        Self::new(&secret)
    }

    /// Makes a key that is kept nowhere, to look for a subject where nothing is hashed.
    ///
    /// # Errors
    /// [`KeyError::Unwritable`] where the system gives no random bytes.
    pub fn unsaved() -> Result<Self, KeyError> {
        let mut random = [0_u8; 32];
        random_bytes(&mut random).map_err(|source| KeyError::Unwritable { path: PathBuf::from("a random key"), source })?;
        Self::new(&hex(&random))
    }

    /// Returns the public name of the key: tells whether two hashes were made with the same one, and nothing else.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Hashes a value of a table as 24 letters and digits (120 bits). Blanks around the value do not count.
    pub fn value(&self, value: &str) -> String {
        base32(&blake3::keyed_hash(&self.columns, value.trim().as_bytes()).as_bytes()[..15])
    }

    /// Hashes the name of a subject for a proof.
    pub(crate) fn subject(&self, subject: &str) -> String {
        // As it is looked for: whether an accent is a sign of its own makes nobody else of it.
        let subject: String = subject.trim().nfc().collect();
        blake3::keyed_hash(&self.proof, subject.as_bytes()).to_hex().to_string()
    }

    /// Seals a text: nobody without the key makes the same seal.
    pub(crate) fn seal(&self, text: &[u8]) -> String {
        blake3::keyed_hash(&self.seal, text).to_hex().to_string()
    }
}

impl fmt::Debug for PrivacyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivacyKey({})", self.id)
    }
}

impl PartialEq for PrivacyKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for PrivacyKey {}

/// RFC 4648 in small letters: 15 bytes are 24 characters, none of them a sign that CSV, SQL or a path minds.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(LETTERS[(bits >> held & 31) as usize]));
        }
        bits &= (1 << held) - 1;
    }
    text
}

/// The mode of a file that others can read.
#[cfg(unix)]
fn only_ours(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

#[cfg(not(unix))]
fn only_ours(_path: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

/// From the operating system.
#[cfg(unix)]
fn random_bytes(bytes: &mut [u8]) -> io::Result<()> {
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, bytes)
}

#[cfg(not(unix))]
fn random_bytes(bytes: &mut [u8]) -> io::Result<()> {
    // The names of temporary files are random too; each carries a few bytes.
    let mut hasher = blake3::Hasher::new();
    for _ in 0..64 {
        let file = tempfile::NamedTempFile::new()?;
        hasher.update(file.path().to_string_lossy().as_bytes());
        hasher.update(format!("{:?}", std::time::Instant::now()).as_bytes());
    }
    hasher.finalize_xof().fill(bytes);
    Ok(())
}

/// Written before the key is: a key is never there without it.
fn ignore_in_git(folder: &Path, key: &Path) -> io::Result<()> {
    let Some(name) = key.file_name() else { return Ok(()) };
    let line = format!("/{}", name.to_string_lossy());
    let path = folder.join(".gitignore");
    let mut text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    if text.lines().any(|known| known.trim() == line) {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&line);
    text.push('\n');
    crate::files::write_bytes(&path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn the_same_value_has_the_same_hash_and_blanks_around_it_do_not_count() {
        let key = PrivacyKey::new(SECRET).expect("long enough");
        assert_eq!(key.value("anna@example.org"), key.value(" anna@example.org\n"));
        assert_ne!(key.value("anna@example.org"), key.value("Anna@example.org"), "only blanks are taken off");
        assert_eq!(key.value("1").len(), 24);
        assert_ne!(key.subject("C17"), key.seal(b"C17"));
        let other = PrivacyKey::new("fedcba9876543210fedcba9876543210").expect("long enough");
        assert_ne!(key.value("1"), other.value("1"));
    }

    #[test]
    fn a_key_never_shows_itself() {
        let shown = format!("{:?}", PrivacyKey::new(SECRET).expect("long enough"));
        assert!(!shown.contains(&SECRET[..8]), "{shown}");
        let said = PrivacyKey::new("short secret").expect_err("too short").to_string();
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn a_short_or_plain_key_is_refused() {
        assert!(matches!(PrivacyKey::new("short"), Err(KeyError::TooShort { bytes: 5 })));
        assert!(matches!(PrivacyKey::new(&"a".repeat(64)), Err(KeyError::Guessable { distinct: 1 })));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_key_is_for_its_owner_only_and_ignored_by_git() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(KEY_FILE);
        let made = PrivacyKey::create(&path).expect("made");
        assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).expect("written"), "/privacy.key\n");
        let source = KeySource::File(path.clone());
        assert_eq!(PrivacyKey::load(&source, |_| None).expect("read"), made);
        assert!(matches!(PrivacyKey::create(&path), Err(KeyError::Exists { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(matches!(PrivacyKey::load(&source, |_| None), Err(KeyError::Open { mode: 0o644, .. })));
    }
}
