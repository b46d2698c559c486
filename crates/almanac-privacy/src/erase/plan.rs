//! The plan of an erasure: every file that holds the subject, and what is to become of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::Ground;
use crate::beyond::Finder;
use crate::dvc;
use crate::error::EraseError;
use crate::files::{sweep, walk};
use crate::key::PrivacyKey;
use crate::needles::{Needles, Subject, is_plain};
use crate::rewrite::list;
use crate::search::{Sight, look};

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It goes whole, because the next run makes it again.
    Remove,
    /// A database changes in place.
    Database,
    /// Values are taken out of lists; all else stays.
    Edit,
    /// It is written anew without the subject.
    Rewrite,
    /// It goes, because it cannot be rewritten or its name is the subject's.
    Delete,
    /// An object of a version goes; where the workspace points to it, another takes its place.
    Object,
    /// A place that is no file changes, after all files.
    Beyond,
    /// It is left, and said.
    Leave,
}

/// A file that holds the subject.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
    /// Its name, without the subject.
    #[serde(rename = "path")]
    pub shown: String,
    /// What is to become of it.
    pub action: Action,
    /// Rows of the subject.
    pub rows: u64,
    /// Other places that name it.
    pub mentions: u64,
    /// Why it is deleted or left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip)]
    pub(super) is_source: bool,
}

impl Found {
    /// Why it is still there, for a proof.
    pub(super) fn reason(&self) -> String {
        let counts = format!("{} rows and {} other places name the subject", self.rows, self.mentions);
        self.why.clone().unwrap_or(counts)
    }
}

/// Everything that holds the subject.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// Files looked at.
    pub searched: usize,
    /// What holds the subject, in the order of the steps.
    pub found: Vec<Found>,
    /// Files and folders that could not be searched, and why.
    pub missed: Vec<(String, String)>,
    /// Places where the key stands inside longer words.
    pub inside_words: u64,
    /// Whether an erasure of this subject was begun before.
    pub is_resumed: bool,
}

impl Plan {
    /// Returns whether the subject is nowhere where something can be done about it.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns whether data, and not only words about it, go: what was made of the data is then not true any more.
    pub fn has_rows(&self) -> bool {
        self.found.iter().any(|found| found.rows > 0 || matches!(found.action, Action::Remove | Action::Object))
    }

    /// Returns the rows of the subject.
    pub fn rows(&self) -> u64 {
        self.found.iter().map(|found| found.rows).sum()
    }
}

/// Finds every file that holds the subject. Changes nothing.
///
/// # Errors
/// [`EraseError`] for a subject without a key, or a project that cannot be searched.
pub fn plan_erasure(ground: &Ground, subject: &Subject, key: &PrivacyKey) -> Result<Plan, EraseError> {
    let pending = crate::journal::pending(&ground.proofs)?;
    let head = pending.filter(|head| head.subject == key.subject(&subject.key));
    let known = head.as_ref().map(|head| head.telling(&subject.key)).unwrap_or_default();
    let (plan, _) = look_everywhere(ground, subject, key, &known, &BTreeSet::new())?;
    Ok(Plan { is_resumed: head.is_some(), ..plan })
}

/// The plan, and the values that named the subject beside its key.
pub(super) fn look_everywhere(
    ground: &Ground,
    subject: &Subject,
    key: &PrivacyKey,
    known: &[String],
    gone: &BTreeSet<String>,
) -> Result<(Plan, Vec<String>), EraseError> {
    if subject.key.trim().is_empty() {
        return Err(EraseError::NoSubject);
    }
    let plain = is_plain(&subject.key);
    if subject.columns.is_empty() {
        return Err(EraseError::NoColumn);
    }
    let mut plan = Plan::default();
    let mut files = Vec::new();
    for root in std::iter::once(&ground.root).chain(&ground.more) {
        let walked = walk(root, &ground.spared);
        files.extend(walked.files);
        plan.missed.extend(walked.missed.into_iter().map(|(path, why)| (ground.name_of(&path), why)));
    }
    files.sort();
    files.dedup();
    sweep(&mut files).map_err(|error| EraseError::io(&ground.root, error))?;
    let all: BTreeSet<PathBuf> = files.iter().cloned().collect();
    files.retain(|path| !is_companion(path, &all));
    plan.searched = files.len();

    let base = Needles::new(subject, key, &[]);
    let mut sights = sights(&files, &base, plain)?;
    let mut telling: BTreeSet<String> = known.iter().cloned().collect();
    for sight in &sights {
        if let Sight::Found(tally) | Sight::InDatabase(tally) = sight {
            telling.extend(tally.telling.iter().cloned());
        }
    }
    telling.remove(subject.key.trim());
    let telling: Vec<String> = telling.into_iter().collect();
    if !telling.is_empty() {
        // What named the subject beside its key is looked for where no rows of others lie.
        let wider = Needles::new(subject, key, &telling);
        let places: Vec<usize> = (0..files.len()).filter(|place| is_wide(ground, &files[*place])).collect();
        let again: Vec<PathBuf> = places.iter().map(|place| files[*place].clone()).collect();
        for (place, sight) in places.into_iter().zip(self::sights(&again, &wider, plain)?) {
            sights[place] = sight;
        }
    }
    for (path, sight) in files.iter().zip(sights) {
        judge(ground, &base, path, sight, &mut plan);
    }
    // What was made of rows that go is not true any more, named there or not.
    if plan.has_rows() {
        let known: BTreeSet<PathBuf> = plan.found.iter().map(|found| found.path.clone()).collect();
        for path in files.iter().filter(|path| ground.is_derived(path) && !known.contains(*path)) {
            plan.found.push(found(ground, &base, path, Action::Remove, None));
        }
    }
    plan.found.extend(beyond(ground, subject, key, &telling, gone, &mut plan.missed));
    plan.found.sort_by(|a, b| (order(a), &a.path).cmp(&(order(b), &b.path)));
    Ok((plan, telling))
}

/// Looks at the places that are no files. What cannot be reached is said.
fn beyond(
    ground: &Ground,
    subject: &Subject,
    key: &PrivacyKey,
    telling: &[String],
    gone: &BTreeSet<String>,
    missed: &mut Vec<(String, String)>,
) -> Vec<Found> {
    let wide = Needles::new(subject, key, telling);
    let finder = Finder { needles: &wide, gone: gone.clone() };
    let mut all = Vec::new();
    for (at, place) in ground.beyond.iter().enumerate() {
        let shown = wide.shown(&place.name());
        match place.look(&finder) {
            Ok(0) => {}
            Ok(mentions) => all.push(Found {
                path: PathBuf::from(at.to_string()),
                shown,
                action: Action::Beyond,
                rows: 0,
                mentions,
                why: None,
                is_source: true,
            }),
            Err(why) => missed.push((shown, wide.shown(&why))),
        }
    }
    all
}

/// Sources last; the rest in the order of the actions.
fn order(found: &Found) -> (bool, Action) {
    (found.is_source && found.action != Action::Object, found.action)
}

/// Whether the values that named the subject are looked for in a file too.
pub(super) fn is_wide(ground: &Ground, path: &std::path::Path) -> bool {
    ground.is_owned(path) && !ground.is_source(path) && dvc::object_hash(path).is_none()
}

fn sights(files: &[PathBuf], needles: &Needles, plain: bool) -> Result<Vec<Sight>, EraseError> {
    files.par_iter().map(|path| look(path, needles, plain)).collect()
}

/// Whether a file is what SQLite keeps beside a database that is there too.
fn is_companion(path: &std::path::Path, files: &BTreeSet<PathBuf>) -> bool {
    let name = path.to_string_lossy();
    ["-wal", "-shm", "-journal"].iter().any(|ending| name.strip_suffix(ending).is_some_and(|base| files.contains(&PathBuf::from(base))))
}

fn found(ground: &Ground, needles: &Needles, path: &std::path::Path, action: Action, why: Option<String>) -> Found {
    let name = ground.name_of(path);
    let shown = needles.shown(&name);
    let is_source = !ground.is_owned(path) || ground.is_source(path);
    Found { path: path.to_owned(), shown, action, rows: 0, mentions: 0, why, is_source }
}

fn judge(ground: &Ground, needles: &Needles, path: &std::path::Path, sight: Sight, plan: &mut Plan) {
    let is_named = needles.mentions(ground.name_of(path).as_bytes()) > 0;
    let owned = ground.is_owned(path);
    let may_delete = owned || ground.is_source(path);
    let is_object = dvc::object_hash(path).is_some();
    let make = |action, why: Option<&str>| found(ground, needles, path, action, why.map(str::to_owned));
    let item = match sight {
        Sight::Clean { .. } if path.starts_with(&ground.proofs) => return,
        _ if path.starts_with(&ground.proofs) => make(Action::Leave, Some("it is a proof, which is never changed")),
        _ if ground.is_derived(path) && (is_named || !matches!(sight, Sight::Clean { .. } | Sight::Hopeless { is_seen: false, .. })) => {
            make(Action::Remove, None)
        }
        _ if is_named && may_delete => make(Action::Delete, Some("its name is the subject's")),
        _ if is_named => make(Action::Leave, Some("its name is the subject's, and it is no source: it is yours to remove")),
        Sight::Clean { inside_words } => {
            plan.inside_words += inside_words;
            return;
        }
        Sight::Found(tally) => {
            let (action, why) = if is_object {
                (Action::Object, None)
            } else if tally.rows_left == Some(0) && owned && !ground.is_source(path) {
                (Action::Delete, Some("no row is left"))
            } else if ground.is_list(path) && tally.rows == 0 && list::is_enough(path, needles) {
                (Action::Edit, None)
            } else if may_delete || tally.rows > 0 {
                (Action::Rewrite, None)
            } else {
                (Action::Leave, Some("it names the subject, and it is no source: it is yours to change"))
            };
            Found { rows: tally.rows, mentions: tally.mentions, ..make(action, why) }
        }
        Sight::InDatabase(_) if is_object => make(Action::Object, None),
        Sight::InDatabase(tally) => Found { rows: tally.rows, mentions: tally.mentions, ..make(Action::Database, None) },
        Sight::Hopeless { why, is_seen } if is_object && is_seen => make(Action::Object, Some(&why)),
        Sight::Hopeless { why, is_seen: true } if owned && !ground.is_source(path) => make(Action::Delete, Some(&why)),
        Sight::Hopeless { why, is_seen: true } => make(Action::Leave, Some(&format!("it names the subject, but {why}"))),
        Sight::Hopeless { why, is_seen: false } => {
            // A file that cannot be decoded and shows nothing: said, because it may hold the subject.
            plan.missed.push((found(ground, needles, path, Action::Leave, None).shown, why));
            return;
        }
    };
    plan.found.push(item);
}
