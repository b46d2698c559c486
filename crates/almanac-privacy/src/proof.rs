//! The proof of an erasure: what was done to which file, which models learnt from the subject, sealed and chained to the proof before.
//!
//! `NNNN.json` in the folder of proofs; never changed afterwards. The subject is there as a keyed hash only, and names of files that
//! held the key have a mark in its place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EraseError;
use crate::files::write_bytes;
use crate::key::PrivacyKey;

/// Name of the folder of proofs in `.almanac`.
pub const PROOFS: &str = "erasures";
pub(crate) const FORMAT: u32 = 1;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProof {
    /// Relative to the project.
    pub path: String,
    /// BLAKE3 before, or nothing where it is new.
    pub before: Option<String>,
    /// BLAKE3 after, or `deleted`.
    pub after: String,
    /// Rows of the subject that it held.
    pub rows: u64,
    /// Other places in it that named the subject.
    pub mentions: u64,
    /// Why it was deleted and not rewritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What stands in [`FileProof::after`] for a file that is gone.
pub(crate) const DELETED: &str = "deleted";

/// A model that learnt from the subject's rows. Not by the name of its run, which may be that of a person who is erased later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelNote {
    /// Run that made it.
    pub run_id: String,
    /// Registered model and version, where it was registered.
    pub registered: Option<(String, u32)>,
    /// Aliases that point to it.
    pub aliases: Vec<String>,
    /// When the run began, in UTC.
    pub made: String,
}

/// The subject, for those who know the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectProof {
    /// Keyed BLAKE3 of the key.
    pub hash: String,
    /// Public name of the privacy key.
    pub key_id: String,
    /// Columns in which the key names the subject.
    pub columns: Vec<String>,
}

/// Everything about one erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Version of this form.
    pub format: u32,
    /// Its place in the chain, from 1.
    pub number: u32,
    /// When it was finished, in UTC.
    pub erased_at: String,
    /// When it was begun, in UTC.
    pub begun_at: String,
    /// Who called.
    pub who: String,
    /// Program and version.
    pub program: String,
    /// Who was erased.
    pub subject: SubjectProof,
    /// Rows of sources and tables that went, files of derived layers not counted.
    pub rows: u64,
    /// What became of each file.
    pub files: Vec<FileProof>,
    /// Models that learnt from the subject's rows.
    pub models: Vec<ModelNote>,
    /// Places that still hold the subject or could not be searched, and why.
    pub left: Vec<(String, String)>,
    /// Places where the key stands inside longer words, which were taken for other things.
    pub inside_words: u64,
    /// BLAKE3 of the proof before.
    pub previous: Option<String>,
    /// Keyed BLAKE3 of all of the above.
    pub seal: String,
}

impl Proof {
    /// The seal that this content should have.
    pub(crate) fn sealed(&self, key: &PrivacyKey) -> String {
        let unsealed = Self { seal: String::new(), ..self.clone() };
        key.seal(&text_of(&unsealed))
    }
}

fn text_of(proof: &Proof) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(proof).expect("plain data");
    text.push(b'\n');
    text
}

/// A proof, its file, and the hash of the file.
pub(crate) type Filed = (PathBuf, Proof, String);

/// Reads all proofs of a folder, by number.
///
/// # Errors
/// [`EraseError::Damaged`] for one that cannot be read as a proof.
pub(crate) fn read_all(folder: &Path) -> Result<Vec<Filed>, EraseError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| EraseError::io(folder, error))?,
    };
    let mut proofs = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| EraseError::io(folder, error))?.path();
        let is_proof = path.extension().is_some_and(|extension| extension == "json")
            && path.file_stem().is_some_and(|stem| stem.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
        if !is_proof {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| EraseError::io(&path, error))?;
        let proof: Proof = serde_json::from_slice(&bytes).map_err(|error| EraseError::damaged(&path, error))?;
        if proof.format > FORMAT {
            return Err(EraseError::damaged(&path, format!("it has format {}, this program reads up to {FORMAT}", proof.format)));
        }
        proofs.push((path, proof, blake3::hash(&bytes).to_hex().to_string()));
    }
    proofs.sort_by_key(|(_, proof, _)| proof.number);
    Ok(proofs)
}

/// Returns the proofs of a folder, the oldest first.
///
/// # Errors
/// [`EraseError`] for one that cannot be read.
pub fn list_proofs(folder: &Path) -> Result<Vec<Proof>, EraseError> {
    Ok(read_all(folder)?.into_iter().map(|(_, proof, _)| proof).collect())
}

/// Numbers, chains, seals and writes a proof.
pub(crate) fn file_proof(folder: &Path, mut proof: Proof, key: &PrivacyKey) -> Result<Proof, EraseError> {
    let before = read_all(folder)?;
    let last = before.last();
    proof.number = last.map_or(0, |(_, last, _)| last.number) + 1;
    proof.previous = last.map(|(_, _, hash)| hash.clone());
    proof.seal = proof.sealed(key);
    let path = folder.join(format!("{:04}.json", proof.number));
    write_bytes(&path, &text_of(&proof)).map_err(|error| EraseError::io(&path, error))?;
    Ok(proof)
}
