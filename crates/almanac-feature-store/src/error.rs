//! What can go wrong between a declaration and a value, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use almanac_series::Hint;

/// Why features could not be declared, computed, kept or looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A file or folder could not be read or written.
    #[error("`{}` could not be {did}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        did: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is not sound Parquet.
    #[error("`{}` could not be read as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: parquet::errors::ParquetError,
    },
    /// Arrow refused an operation.
    #[error("{what} failed")]
    Arrow {
        /// What was done.
        what: &'static str,
        /// What Arrow says.
        source: arrow::error::ArrowError,
    },
    /// The file of declarations is not YAML of the right form.
    #[error("`{}` is not a file of feature declarations: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A declaration that cannot be meant.
    #[error("{place}: {message}")]
    Declared {
        /// The entity, view, field or service.
        place: String,
        /// What is wrong.
        message: String,
        /// How to mend it.
        mend: Option<String>,
    },
    /// A name that nothing has.
    #[error("{what} `{name}` does not exist")]
    Unknown {
        /// `feature view`, `feature`, `feature service`.
        what: &'static str,
        /// The name.
        name: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// A column that a table lacks.
    #[error("{place} has no column `{column}`")]
    NoColumn {
        /// The table.
        place: String,
        /// The column.
        column: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// A column or value of another type than is needed.
    #[error("{place}: `{column}` is {found}, but {wanted} is needed")]
    WrongType {
        /// The table or request.
        place: String,
        /// The column or key.
        column: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// A request without one of the keys of a view.
    #[error("`{key}` is missing: `{view}` is looked up by it")]
    NoKey {
        /// The view.
        view: String,
        /// The key.
        key: String,
    },
    /// Columns of a request that have different numbers of values.
    #[error("`{key}` has {found} values, but `{other}` has {wanted}")]
    Uneven {
        /// One key.
        key: String,
        /// Its number of values.
        found: usize,
        /// Another key.
        other: String,
        /// Its number of values.
        wanted: usize,
    },
    /// More than is allowed.
    #[error("{what}: {found} are asked for, {most} is the most")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// Two features that would have the same name in the answer.
    #[error("two columns of the answer would be named `{name}`")]
    Clash {
        /// The name.
        name: String,
    },
    /// Rows that do not fit into memory.
    #[error("{place} holds more than fits: {needed} MiB are needed, {allowed} MiB are allowed")]
    Memory {
        /// The view or table.
        place: String,
        /// MiB needed.
        needed: u64,
        /// MiB allowed.
        allowed: u64,
    },
    /// A view of the place that declarations were taken over from, which has no counterpart here.
    #[error("feature view `{view}` is not here: {why}")]
    LeftOut {
        /// The view.
        view: String,
        /// Why it was left out.
        why: String,
    },
    /// A view whose newest values were never written, or for another declaration.
    #[error("feature view `{view}` is not served: {reason}")]
    NotServed {
        /// The view.
        view: String,
        /// Why.
        reason: String,
    },
    /// A view that is not kept for lookups.
    #[error("feature view `{view}` is not for lookups: it is declared with `online: false`")]
    Offline {
        /// The view.
        view: String,
    },
    /// A time before that of the newest values.
    #[error("`at` is {asked}, but the newest values of `{view}` are those at {until}")]
    TooEarly {
        /// The view.
        view: String,
        /// The time asked for.
        asked: String,
        /// The time of the values.
        until: String,
    },
    /// Another process is materialising the view.
    #[error("feature view `{view}` is being materialised by another process")]
    Busy {
        /// The view.
        view: String,
    },
    /// The time asked for lies before what is materialised.
    #[error("feature view `{view}` is materialised until {until}, which is after {asked}")]
    Backwards {
        /// The view.
        view: String,
        /// Until when it is materialised.
        until: String,
        /// The time asked for.
        asked: String,
    },
    /// A file of the online store that does not hold what its manifest says.
    #[error("`{}` is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A Feast repository that cannot be read.
    #[error("`{}` cannot be imported: {why}", path.display())]
    Feast {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A source that only the caller can read failed.
    #[error("the source of {view} could not be read")]
    Source {
        /// The view.
        view: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FeatureError {
    /// Wraps a failed read.
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), did: "read", source }
    }

    /// Wraps a failed write.
    pub(crate) fn written(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), did: "written", source }
    }

    /// Builds the error of a declaration.
    pub(crate) fn declared(place: impl Into<String>, message: impl Into<String>, mend: impl Into<Option<String>>) -> Self {
        Self::Declared { place: place.into(), message: message.into(), mend: mend.into() }
    }

    /// Builds the error of a name, with the nearest of those there are.
    pub(crate) fn unknown<'a>(what: &'static str, name: &str, there: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Unknown { what, name: name.to_owned(), near: nearest(name, there) }
    }

    /// Builds the error of a column, with the nearest of those there are.
    pub(crate) fn no_column<'a>(place: impl Into<String>, column: &str, there: impl IntoIterator<Item = &'a str>) -> Self {
        Self::NoColumn { place: place.into(), column: column.to_owned(), near: nearest(column, there) }
    }
}

/// Returns the name that is most alike, if one is alike at all.
fn nearest<'a>(name: &str, there: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Names from outside may be long; what is compared is not.
    if name.len() > 200 {
        return None;
    }
    let score = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let best = there.into_iter().map(|other| (score(other), other)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then(|| best.1.to_owned())
}

impl Hint for FeatureError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Declared { mend, .. } => return mend.clone(),
            Self::Unknown { near: Some(near), .. } | Self::NoColumn { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Unknown { .. } => "`almanac features list` shows what is declared".into(),
            Self::Form { .. } => "docs/feature-store.md describes the file".into(),
            Self::WrongType { .. } => {
                "the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared".into()
            }
            Self::LeftOut { view, .. } => format!("declare `{view}` in `features.yaml`, and take it out of `left_out`"),
            Self::NoKey { key, .. } => format!("give `{key}` for each entity"),
            Self::Uneven { .. } => "give one value of each key for each entity".into(),
            Self::TooMany { .. } => "ask in several requests".into(),
            Self::Clash { .. } => "ask for full names (`view__feature`), or rename the column of the entity table".into(),
            Self::Memory { .. } => "ask for fewer entities or columns at a time, or raise `[run] memory`".into(),
            Self::NotServed { view, reason } if reason.contains("damaged") => {
                format!("`almanac features materialise --view {view} --full` makes it anew")
            }
            Self::NotServed { view, .. } => format!("`almanac features materialise --view {view}` writes its newest values"),
            Self::Offline { .. } => "`almanac features get` gives its values; `online: true` keeps them for lookups".into(),
            Self::TooEarly { .. } => "values of the past are what `almanac features get` gives".into(),
            Self::Busy { .. } => "wait for it; nothing is lost, and readers go on".into(),
            Self::Backwards { view, .. } => format!("`almanac features materialise --view {view} --full` makes it anew until any time"),
            Self::Damaged { .. } => "`almanac features materialise --full` makes it anew".into(),
            Self::Parquet { .. } => "write the file again; a half-written one cannot be read".into(),
            _ => return None,
        })
    }
}
