//! Studies of Optuna and their trials.

use std::collections::BTreeMap;
use std::fmt;

/// Microseconds since 1970-01-01 UTC, given by the caller: Optuna's clock is finer than MLflow's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

/// Number of a study; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub i64);

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a trial among those of all studies; never used again, and greater than those of older trials of its study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub i64);

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which way an objective is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Optuna's words")]
pub enum StudyDirection {
    Minimize,
    Maximize,
}

impl StudyDirection {
    /// Returns Optuna's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minimize => "MINIMIZE",
            Self::Maximize => "MAXIMIZE",
        }
    }

    /// Reads what the tables hold.
    pub(crate) fn read(word: &str) -> Self {
        if word == "MAXIMIZE" { Self::Maximize } else { Self::Minimize }
    }
}

/// State of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Optuna's words")]
pub enum TrialState {
    Running,
    Complete,
    Pruned,
    Fail,
    Waiting,
}

impl TrialState {
    const ALL: [Self; 5] = [Self::Running, Self::Complete, Self::Pruned, Self::Fail, Self::Waiting];

    /// Returns Optuna's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Pruned => "PRUNED",
            Self::Fail => "FAIL",
            Self::Waiting => "WAITING",
        }
    }

    /// Returns Optuna's number, as its messages carry it: `RUNNING` is 0.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// Reads Optuna's number.
    pub fn from_number(number: i32) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// Says whether nothing of the trial can change any more.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }

    /// Reads what the tables hold, which check it.
    pub(crate) fn read(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Fail)
    }
}

/// Whose an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeKind {
    /// Of the person who runs the study.
    User,
    /// Of Optuna itself, such as the constraints of a sampler.
    System,
}

/// A search for the best params.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Its number.
    pub id: StudyId,
    /// Unique.
    pub name: String,
    /// One for each objective.
    pub directions: Vec<StudyDirection>,
    /// By key; each value is JSON as Python writes it.
    pub user_attributes: BTreeMap<String, String>,
    /// By key; each value is JSON as Python writes it.
    pub system_attributes: BTreeMap<String, String>,
}

/// A param of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialParam {
    /// The number, or the place among the choices of a categorical one.
    pub value: f64,
    /// What it was drawn from: JSON as Optuna writes it.
    pub distribution: String,
}

/// What a trial consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialContent {
    /// How it stands.
    pub state: TrialState,
    /// One for each objective; empty where there are none yet. May be infinite, but not NaN.
    pub values: Vec<f64>,
    /// When a worker began it.
    pub started: Option<Micros>,
    /// When it was finished.
    pub completed: Option<Micros>,
    /// By name.
    pub params: BTreeMap<String, TrialParam>,
    /// By key; each value is JSON as Python writes it.
    pub user_attributes: BTreeMap<String, String>,
    /// By key; each value is JSON as Python writes it.
    pub system_attributes: BTreeMap<String, String>,
    /// By step; may be infinite or NaN.
    pub intermediate_values: BTreeMap<i64, f64>,
}

impl TrialContent {
    /// An empty trial in that state.
    pub fn new(state: TrialState) -> Self {
        Self {
            state,
            values: Vec::new(),
            started: None,
            completed: None,
            params: BTreeMap::new(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
            intermediate_values: BTreeMap::new(),
        }
    }

    /// A trial that a worker begins.
    pub fn running(now: Micros) -> Self {
        Self { started: Some(now), ..Self::new(TrialState::Running) }
    }
}

/// One try of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its number among all trials.
    pub id: TrialId,
    /// Counts from 0 in its study, without gaps.
    pub number: i64,
    /// The rest.
    pub content: TrialContent,
}
