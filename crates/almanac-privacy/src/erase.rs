//! The erasure of one subject: a plan of what holds it, then the steps in a fixed order, then the proof.
//!
//! ```text
//! look at every file ─► plan ─► journal ─► derived layers ─► databases, artifacts, logs ─► versions and pointers ─► sources ─► look again ─► proof
//! ```
//!
//! Each step is in the journal, synced, before a file is touched, and each looks for the subject anew: an erasure that was
//! stopped anywhere is finished by the same call, to the same end. Sources come last, because they tell what else named the subject.
//!
//! Not here: where a project keeps its things, what a run is (`almanac-pipeline`).

mod ground;
mod plan;
mod steps;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

pub use ground::Ground;
pub use plan::{Action, Found, Plan, plan_erasure};

use crate::beyond::Finder;
use crate::error::EraseError;
use crate::journal::{Head, Journal};
use crate::key::PrivacyKey;
use crate::needles::{Needles, Subject};
use crate::proof::{FORMAT, FileProof, ModelNote, Proof, SubjectProof, file_proof, read_all};
use steps::Worker;

/// Hears of steps and may stop the erasure between them, as a kill would.
pub trait EraseObserver {
    /// A step is about to be done, or was done.
    fn on(&self, path: &Path, done: usize, total: usize) -> ControlFlow<()>;
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl EraseObserver for Quiet {
    fn on(&self, _path: &Path, _done: usize, _total: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What is asked for, and by whom.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who is to be erased.
    pub subject: &'a Subject,
    /// The key of the project's hashes.
    pub key: &'a PrivacyKey,
    /// Who asks.
    pub who: &'a str,
    /// Program and version.
    pub program: &'a str,
    /// The time, in UTC as text.
    pub now: &'a str,
    /// Models that learnt from the subject's rows, if it has any.
    pub models: Vec<ModelNote>,
    /// Places that are not searched, and why.
    pub elsewhere: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The proof, or nothing where the subject was nowhere.
    pub proof: Option<Proof>,
}

/// Takes the subject out of everything and writes the proof. An erasure that was begun before is finished.
///
/// The caller holds the lock of the project.
///
/// # Errors
/// [`EraseError`]; what was done is kept, and the next call goes on.
pub fn erase(ground: &Ground, request: &Request<'_>, observer: &dyn EraseObserver) -> Result<Outcome, EraseError> {
    let hash = request.key.subject(&request.subject.key);
    let folder = &ground.proofs;
    let pending = crate::journal::pending(folder)?;
    if let Some(head) = pending.as_ref().filter(|head| head.subject != hash) {
        return Err(EraseError::OtherPending { started: head.begun_at.clone() });
    }
    // A kill after the proof and before the end of the journal.
    if let Some(head) = &pending
        && let Some((_, proof, _)) = read_all(folder)?.into_iter().next_back()
        && proof.subject.hash == hash
        && proof.begun_at == head.begun_at
    {
        Journal::open(folder, || head.clone())?.finish()?;
        return Ok(Outcome { proof: Some(proof) });
    }
    let known = pending.as_ref().map(|head| head.telling(&request.subject.key)).unwrap_or_default();
    let (plan, telling) = plan::look_everywhere(ground, request.subject, request.key, &known, &BTreeSet::new())?;
    if plan.is_empty() && pending.is_none() {
        return Ok(Outcome { proof: None });
    }
    let needles = Needles::new(request.subject, request.key, &telling);
    let models = if plan.has_rows() { request.models.clone() } else { Vec::new() };
    let fresh = || Head::new(hash.clone(), request.now.to_owned(), models, &telling, &request.subject.key);
    let mut journal = Journal::open(folder, fresh)?;

    let worker = Worker { ground, subject: request.subject, key: request.key, telling: &telling, observer };
    worker.carry_out(&plan, &mut journal)?;

    let mut left = worker.carry_out_beyond(&plan, &mut journal)?;
    let gone = Finder::new(&needles, journal.steps()).gone;
    let (after, _) = plan::look_everywhere(ground, request.subject, request.key, &telling, &gone)?;
    let named: BTreeSet<String> = left.iter().map(|(place, _)| place.clone()).collect();
    left.retain(|(place, _)| !after.missed.iter().any(|(missed, _)| missed == place));
    left.extend(after.found.iter().map(|found| (found.shown.clone(), found.reason())).filter(|(place, _)| !named.contains(place)));
    left.extend(after.missed.iter().cloned());
    left.extend(request.elsewhere.iter().map(|(place, why)| (needles.shown(place), needles.shown(why))));
    let files: Vec<FileProof> = journal.steps().filter(|step| is_true(ground, step)).cloned().collect();
    let proof = Proof {
        format: FORMAT,
        number: 0,
        erased_at: request.now.to_owned(),
        begun_at: journal.head.begun_at.clone(),
        who: needles.shown(request.who),
        program: request.program.to_owned(),
        subject: SubjectProof { hash, key_id: request.key.id().to_owned(), columns: request.subject.columns.clone() },
        rows: files.iter().map(|file| file.rows).sum(),
        files,
        models: journal.head.models.clone(),
        left,
        inside_words: after.inside_words,
        previous: None,
        seal: String::new(),
    };
    let proof = file_proof(folder, proof, request.key)?;
    journal.finish()?;
    Ok(Outcome { proof: Some(proof) })
}

/// Whether a step of the journal was really taken: a kill may have come between the two.
fn is_true(ground: &Ground, step: &FileProof) -> bool {
    // Names with a mark in them cannot be looked up; such files are deleted, and the look afterwards would have found them.
    step.path.contains(crate::needles::ERASED)
        || step.after == crate::beyond::CHANGED
        || crate::files::hash_of(&ground.path_of(&step.path)).is_ok_and(|now| now.as_deref().unwrap_or(crate::proof::DELETED) == step.after)
}
