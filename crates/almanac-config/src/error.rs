//! What can be wrong with a configuration, worded for the person who wrote it.
//!
//! Not here: exit codes (the binary maps every one of these to the code for configuration).

use std::path::PathBuf;

use almanac_series::{FreqError, Hint, OutOfRange};

use crate::Place;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum ConfigError {
    #[error("there is no `almanac.toml` in `{}`", project.display())]
    NotFound { project: PathBuf },
    #[error("failed to read `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{at}: not valid TOML: {message}")]
    Syntax { at: Place, message: String },
    #[error("{at}: unknown section `[{key}]`")]
    UnknownSection { at: Place, key: String, suggestion: Option<String> },
    #[error("{at}: unknown key `{key}` in `[{section}]`")]
    UnknownKey { at: Place, section: String, key: String, suggestion: Option<String> },
    #[error("{at}: `{key}` should be {expected}, got {got}")]
    WrongType { at: Place, key: String, expected: String, got: String },
    #[error("{at}: `{key}` {problem}")]
    Invalid { at: Place, key: String, problem: Box<Problem> },
    /// In the order of the file; what is missing comes last.
    #[error("the configuration has {} errors{}", errors.len(), one_a_line(errors))]
    Several { errors: Vec<ConfigError> },
}

impl ConfigError {
    /// Returns the one error, or all of them as one, in the order of the file.
    pub(crate) fn of(mut errors: Vec<Self>) -> Option<Self> {
        errors.sort_by_key(|error| match error.place() {
            Some(Place::File { line, .. }) => line.unwrap_or(usize::MAX),
            _ => 0,
        });
        if errors.len() > 1 { Some(Self::Several { errors }) } else { errors.pop() }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { at, .. }
            | Self::UnknownSection { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::WrongType { at, .. }
            | Self::Invalid { at, .. } => Some(at),
            Self::NotFound { .. } | Self::Unreadable { .. } | Self::Several { .. } => None,
        }
    }

    /// Whether this error says already that `key`, or a section that holds it, is wrong.
    pub(crate) fn is_about(&self, key: &str) -> bool {
        let is_or_holds = |wrong: &str| key == wrong || key.strip_prefix(wrong).is_some_and(|rest| rest.starts_with('.'));
        match self {
            Self::WrongType { key: wrong, .. } | Self::Invalid { key: wrong, .. } => is_or_holds(wrong),
            _ => false,
        }
    }

    /// Whether this error says that a key of the section is not known: what the section then lacks is explained by it.
    pub(crate) fn is_unknown_in(&self, wanted: &str) -> bool {
        matches!(self, Self::UnknownKey { section, .. } if section == wanted)
    }

    /// Whether this error explains that `key` has no value: it was misspelt.
    pub(crate) fn is_misspelling_of(&self, key: &str) -> bool {
        match self {
            Self::UnknownSection { suggestion: Some(near), .. } => {
                key.split_once('.').is_some_and(|(section, _)| near.contains(&format!("`[{section}]`")))
            }
            Self::UnknownKey { section, suggestion: Some(near), .. } => {
                key.rsplit_once('.').is_some_and(|(own, name)| own == section && near.contains(&format!("mean `{name}`")))
            }
            _ => false,
        }
    }
}

/// Each error on a line of its own, with what to do about it in brackets.
fn one_a_line(errors: &[ConfigError]) -> String {
    let line = |error: &ConfigError| match error.hint() {
        Some(hint) => format!("\n  {error} ({hint})"),
        None => format!("\n  {error}"),
    };
    errors.iter().map(line).collect()
}

/// What is wrong with one value. Reads on after the name of the key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum Problem {
    #[error("is required and missing")]
    Missing { example: &'static str },
    #[error("is empty")]
    Empty,
    #[error("should be {expected}, got `{given}`")]
    NotA { expected: &'static str, given: String },
    #[error("does not know `{given}`")]
    UnknownName { given: String, near: Option<String>, known: Vec<String> },
    #[error("does not know the time zone `{given}`")]
    UnknownTimezone { given: String, near: Option<String> },
    #[error("does not know the holidays of `{given}`")]
    UnknownCountry { given: String, near: Option<String> },
    #[error("asks for `{given}`, which is not there yet")]
    NotYet { given: String, instead: &'static str },
    #[error("is not right: {reason}")]
    Source { reason: String, hint: Option<String> },
    #[error("cannot stand beside `{other}`")]
    Exclusive { other: &'static str },
    #[error("needs `{other}`")]
    Needs { other: &'static str, example: &'static str },
    #[error("is not right: {0}")]
    OutOfRange(OutOfRange),
    #[error("is not right: {0}")]
    Freq(FreqError),
    #[error("must ascend, but {later} follows {earlier}")]
    NotAscending { earlier: f64, later: f64 },
    #[error("names the column `{column}`, which is already `{other}`")]
    TwoRoles { column: String, other: String },
    #[error("names the column `{column}` twice")]
    Twice { column: String },
    #[error("names the column `{column}`, which is neither an id nor a static column")]
    NotInHierarchy { column: String, known: Vec<String> },
    #[error("asks for {min_folds} folds, but `forecast.folds` is {folds}")]
    TooFewFolds { min_folds: usize, folds: usize },
    #[error("names the column `{column}`, which is personal{}", if *is_target { "" } else { " and not hashed" })]
    Personal { column: String, is_target: bool },
    #[error("names the column `{column}` as `watermark`, which is personal")]
    PersonalWatermark { column: String },
    #[error("holds a secret itself")]
    LiteralSecret,
    #[error("names `ensemble`, which needs at least two other models")]
    LonelyEnsemble,
}

impl Hint for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => {
                Some("run `almanac init SOURCE` to write one, or name the project with `-C DIR`; `almanac demo` makes an example".into())
            }
            Self::Unreadable { .. } => Some("check that the file is readable by you and is UTF-8".into()),
            Self::UnknownSection { suggestion, .. } | Self::UnknownKey { suggestion, .. } => suggestion.clone(),
            Self::Invalid { problem, .. } => problem.hint(),
            Self::Syntax { .. } | Self::WrongType { .. } | Self::Several { .. } => None,
        }
    }
}

impl Hint for Problem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { example } => Some(format!("write, for example, `{example}`")),
            Self::UnknownName { near: Some(near), .. }
            | Self::UnknownTimezone { near: Some(near), .. }
            | Self::UnknownCountry { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::UnknownName { near: None, known, .. } => Some(format!("known are {}", quoted(known))),
            Self::UnknownTimezone { near: None, .. } => Some("use an IANA name, such as `Europe/Berlin`".into()),
            Self::UnknownCountry { near: None, .. } => Some("use an ISO 3166 code of two letters, such as `DE`".into()),
            Self::NotYet { instead, .. } => Some((*instead).to_owned()),
            Self::Source { hint, .. } => hint.clone(),
            Self::Exclusive { .. } => Some("keep one of the two".into()),
            Self::Needs { example, .. } => Some(format!("write, for example, `{example}`")),
            Self::Freq(error) => error.hint(),
            Self::TwoRoles { .. } => Some("a column has one role; take it out of one of the two".into()),
            Self::NotInHierarchy { column, known } => {
                let known = if known.is_empty() { "there are none".to_owned() } else { format!("known are {}", quoted(known)) };
                Some(format!("add `{column}` to `static` if it has one value a series; {known}"))
            }
            Self::TooFewFolds { min_folds, .. } => {
                Some(format!("raise `[forecast] folds` to {min_folds}, or lower `min_folds` if the history is too short"))
            }
            Self::Personal { is_target: true, .. } => {
                Some("what is forecast, and when, must be readable; take it out of `[privacy.personal]`".into())
            }
            Self::Personal { column, .. } => {
                Some(format!("write `\"{column}\" = \"hash\"` under `[privacy.personal]`, or take the column out here"))
            }
            Self::PersonalWatermark { .. } => Some(
                "from where the next load goes on is kept as it is: take another column, or leave `watermark` out, so that the table is loaded whole"
                    .into(),
            ),
            Self::LiteralSecret => Some("name where it is: `key = \"${env:ALMANAC_PRIVACY_KEY}\"`, or `key_file = \"privacy.key\"`".into()),
            Self::LonelyEnsemble => Some("list the models to combine, or write `models = [\"auto\"]`".into()),
            Self::Empty | Self::NotA { .. } | Self::OutOfRange(_) | Self::NotAscending { .. } | Self::Twice { .. } => None,
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
