//! The journal of an erasure in progress: what was done to which file, so that a kill at any moment costs nothing of the proof.
//!
//! Lines of JSON in `pending.jsonl` beside the proofs: a head, then one line a file, synced before the file is touched. The subject
//! is there as a keyed hash; values that named it are enciphered with the key that the caller gives again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EraseError;
use crate::files::{hex, sync_dir, write_bytes};
use crate::proof::{FileProof, ModelNote};

const NAME: &str = "pending.jsonl";
const CIPHER: &str = "almanac 2026-11 values in the journal of an erasure";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Keyed hash of the subject.
    pub(crate) subject: String,
    pub(crate) begun_at: String,
    pub(crate) models: Vec<ModelNote>,
    /// Telling values, enciphered, as hexadecimal text.
    telling: String,
}

/// The journal, open at its end.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    pub(crate) head: Head,
    file: File,
    /// By path: the first `before`, the last of all else.
    steps: BTreeMap<String, FileProof>,
}

/// Tells whether an erasure was begun and not finished, and of whom.
pub(crate) fn pending(folder: &Path) -> Result<Option<Head>, EraseError> {
    let path = folder.join(NAME);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EraseError::io(&path, error)),
        Ok(text) => {
            let line = text.lines().next().unwrap_or_default();
            serde_json::from_str(line).map(Some).map_err(|error| EraseError::damaged(&path, error))
        }
    }
}

impl Journal {
    /// Goes on with the journal of this subject, or begins one.
    pub(crate) fn open(folder: &Path, fresh: impl FnOnce() -> Head) -> Result<Self, EraseError> {
        let path = folder.join(NAME);
        let failed = |error| EraseError::io(&path, error);
        let head = if let Some(head) = pending(folder)? {
            head
        } else {
            let head = fresh();
            let mut line = serde_json::to_vec(&head).expect("plain data");
            line.push(b'\n');
            write_bytes(&path, &line).map_err(failed)?;
            head
        };
        let text = fs::read_to_string(&path).map_err(failed)?;
        let mut steps = BTreeMap::new();
        // A last line that was cut short was not synced, so its file was not touched.
        text.lines().skip(1).filter_map(|line| serde_json::from_str(line).ok()).for_each(|step| note(&mut steps, step));
        let mut file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        if !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { path, head, file, steps })
    }

    /// Makes the steps durable.
    pub(crate) fn add(&mut self, steps: &[FileProof]) -> Result<(), EraseError> {
        let mut text = Vec::new();
        for step in steps {
            serde_json::to_writer(&mut text, step).expect("plain data");
            text.push(b'\n');
            note(&mut self.steps, step.clone());
        }
        self.file.write_all(&text).and_then(|()| self.file.sync_data()).map_err(|error| EraseError::io(&self.path, error))
    }

    /// Returns what was done so far.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &FileProof> {
        self.steps.values()
    }

    /// Removes the journal: the proof is written.
    pub(crate) fn finish(self) -> Result<(), EraseError> {
        let failed = |error| EraseError::io(&self.path, error);
        fs::remove_file(&self.path).map_err(failed)?;
        sync_dir(crate::files::parent(&self.path)).map_err(failed)
    }
}

fn note(steps: &mut BTreeMap<String, FileProof>, step: FileProof) {
    match steps.get_mut(&step.path) {
        None => {
            steps.insert(step.path.clone(), step);
        }
        Some(known) => {
            let before = known.before.take().or_else(|| step.before.clone());
            let (rows, mentions) = (known.rows.max(step.rows), known.mentions.max(step.mentions));
            *known = FileProof { before, rows, mentions, ..step };
        }
    }
}

impl Head {
    pub(crate) fn new(subject: String, begun_at: String, models: Vec<ModelNote>, telling: &[String], secret: &str) -> Self {
        let text = serde_json::to_vec(telling).expect("plain data");
        let telling = hex(&cipher(&text, secret, &begun_at));
        Self { subject, begun_at, models, telling }
    }

    /// Returns the telling values, given the key again.
    pub(crate) fn telling(&self, secret: &str) -> Vec<String> {
        let digits = self.telling.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> =
            digits.map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
        bytes.and_then(|bytes| serde_json::from_slice(&cipher(&bytes, secret, &self.begun_at)).ok()).unwrap_or_default()
    }
}

/// Enciphers and deciphers: the key stream is BLAKE3's, of the secret and the time, which no other journal shares.
fn cipher(bytes: &[u8], secret: &str, nonce: &str) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key(CIPHER);
    hasher.update(nonce.as_bytes()).update(b"\0").update(secret.trim().as_bytes());
    let mut stream = vec![0_u8; bytes.len()];
    hasher.finalize_xof().fill(&mut stream);
    bytes.iter().zip(stream).map(|(byte, pad)| byte ^ pad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str, before: &str, after: &str, rows: u64) -> FileProof {
        FileProof { path: path.into(), before: Some(before.into()), after: after.into(), rows, mentions: 0, why: None }
    }

    #[test]
    fn a_journal_goes_on_after_a_kill_and_a_line_cut_short_is_no_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let head = || Head::new("hash".into(), "2026-01-01".into(), vec![], &["anna@example.org".to_owned()], "C17");
        let mut journal = Journal::open(folder.path(), head).expect("begun");
        journal.add(&[step("a", "1", "2", 3)]).expect("written");
        drop(journal);
        let path = folder.path().join(NAME);
        let mut text = fs::read_to_string(&path).expect("there");
        assert!(!text.contains("anna") && !text.contains("C17"), "{text}");
        text.push_str("{\"path\": \"b\", \"bef");
        fs::write(&path, text).expect("written");

        let mut journal = Journal::open(folder.path(), head).expect("goes on");
        assert_eq!(journal.head.telling("C17"), ["anna@example.org"]);
        assert!(journal.head.telling("C18").is_empty());
        journal.add(&[step("a", "2", "4", 0), step("c", "5", DELETED_FOR_TEST, 0)]).expect("written");
        drop(journal);
        let journal = Journal::open(folder.path(), head).expect("goes on");
        assert_eq!(journal.steps().cloned().collect::<Vec<_>>(), [step("a", "1", "4", 3), step("c", "5", DELETED_FOR_TEST, 0)]);
        journal.finish().expect("removed");
        assert!(pending(folder.path()).expect("looked").is_none());
    }

    const DELETED_FOR_TEST: &str = crate::proof::DELETED;
}
