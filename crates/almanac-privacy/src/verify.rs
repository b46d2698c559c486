//! A proof read again: is the chain whole, are the files as they were left, is the subject still nowhere.

use std::path::Path;

use serde::Serialize;

use crate::beyond::CHANGED;
use crate::erase::{Found, Ground, plan_erasure};
use crate::error::EraseError;
use crate::files::hash_of;
use crate::key::PrivacyKey;
use crate::needles::{ERASED, Subject};
use crate::proof::{DELETED, Filed, read_all};

/// How a file is now, beside what its proof says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// As the erasure left it.
    AsLeft,
    /// Changed since, by a run or by hand.
    ChangedSince,
    /// Gone since.
    GoneSince,
    /// It was deleted, and there is a file of this name again.
    MadeAgain,
}

/// What a verification found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// Numbers of the proofs that were checked.
    pub proofs: Vec<u32>,
    /// What is wrong with the chain or the seals; nothing if all is well.
    pub broken: Vec<String>,
    /// Whether seals were checked: that needs the key with which they were made.
    pub seals_checked: usize,
    /// Files by how they are.
    pub files: Vec<(u32, String, FileState)>,
    /// Whether the subject that was named is the one of a proof; `None` if none was named.
    pub is_subject: Option<bool>,
    /// Where the subject still is, if it was named.
    pub found: Vec<Found>,
    /// What could not be searched, and why.
    pub missed: Vec<(String, String)>,
    /// Files that were searched.
    pub searched: usize,
}

impl Verdict {
    /// Returns whether the chain is whole and the subject, if it was named, is nowhere.
    pub fn is_good(&self) -> bool {
        self.broken.is_empty() && self.found.is_empty() && self.is_subject != Some(false)
    }

    /// Returns how many files are in a state.
    pub fn count(&self, state: FileState) -> usize {
        self.files.iter().filter(|(_, _, known)| *known == state).count()
    }
}

/// Checks one proof, or all. With a subject, everything is searched for it.
///
/// # Errors
/// [`EraseError::NoProof`] if there is none, [`EraseError`] if something cannot be read.
pub fn verify(ground: &Ground, number: Option<u32>, subject: Option<&Subject>, key: Option<&PrivacyKey>) -> Result<Verdict, EraseError> {
    let all = read_all(&ground.proofs)?;
    let is_meant = |filed: &&Filed| number.is_none_or(|number| filed.1.number == number);
    if !all.iter().any(|filed| is_meant(&filed)) {
        return Err(EraseError::NoProof { folder: ground.proofs.clone(), number: number.unwrap_or(1) });
    }
    let mut verdict = Verdict { proofs: all.iter().filter(is_meant).map(|(_, proof, _)| proof.number).collect(), ..Verdict::default() };
    check_chain(&all, key, &mut verdict);
    for (_, proof, _) in all.iter().filter(is_meant) {
        // Names with a mark in them were the subject's: what they were cannot be looked up.
        for file in proof.files.iter().filter(|file| !file.path.contains(ERASED) && file.after != CHANGED) {
            let now = hash_of(&ground.path_of(&file.path)).map_err(|error| EraseError::io(Path::new(&file.path), error))?;
            let state = match (&now, file.after.as_str()) {
                (None, DELETED) => FileState::AsLeft,
                (Some(_), DELETED) => FileState::MadeAgain,
                (None, _) => FileState::GoneSince,
                (Some(now), after) if now == after => FileState::AsLeft,
                (Some(_), _) => FileState::ChangedSince,
            };
            verdict.files.push((proof.number, file.path.clone(), state));
        }
    }
    if let (Some(subject), Some(key)) = (subject, key) {
        let hash = key.subject(&subject.key);
        let mut subject = subject.clone();
        if subject.columns.is_empty() {
            // Where nothing else is said, what was said at the erasure.
            subject.columns = all.iter().filter(is_meant).flat_map(|(_, proof, _)| proof.subject.columns.clone()).collect();
        }
        verdict.is_subject = Some(all.iter().filter(is_meant).any(|(_, proof, _)| proof.subject.hash == hash));
        let plan = plan_erasure(ground, &subject, key)?;
        (verdict.found, verdict.missed, verdict.searched) = (plan.found, plan.missed, plan.searched);
    }
    Ok(verdict)
}

fn check_chain(all: &[Filed], key: Option<&PrivacyKey>, verdict: &mut Verdict) {
    let mut last: Option<&Filed> = None;
    for filed in all {
        let (path, proof, _) = filed;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if proof.number != last.map_or(0, |(_, last, _)| last.number) + 1 {
            verdict.broken.push(format!("`{name}` is number {}: one before it is missing or twice there", proof.number));
        }
        if proof.previous.as_ref() != last.map(|(_, _, hash)| hash) {
            verdict.broken.push(format!("`{name}` does not follow the proof before it, which was changed or replaced"));
        }
        if let Some(key) = key.filter(|key| key.id() == proof.subject.key_id) {
            verdict.seals_checked += 1;
            if proof.seal != proof.sealed(key) {
                verdict.broken.push(format!("`{name}` was changed: its seal does not fit"));
            }
        }
        last = Some(filed);
    }
}
