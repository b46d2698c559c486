//! Traces of what an application did, their spans, and assessments of them.

use super::{ExperimentId, Millis, Tag};

/// How a trace ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum TraceState {
    Unspecified,
    Ok,
    Error,
    InProgress,
}

impl TraceState {
    const ALL: [Self; 4] = [Self::Unspecified, Self::Ok, Self::Error, Self::InProgress];

    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "STATE_UNSPECIFIED",
            Self::Ok => "OK",
            Self::Error => "ERROR",
            Self::InProgress => "IN_PROGRESS",
        }
    }

    /// Reads MLflow's word, also that of the second version of its interface.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "TRACE_STATUS_UNSPECIFIED" {
            return Some(Self::Unspecified);
        }
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Reads MLflow's number, as requests may carry it.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }
}

/// A trace without its spans.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TraceInfo {
    /// Chosen by the caller, mostly `tr-` and 32 hex digits.
    pub id: String,
    pub experiment: ExperimentId,
    pub request_time: Millis,
    /// In milliseconds; `None` while it runs.
    pub execution_duration: Option<i64>,
    pub state: TraceState,
    pub client_request_id: Option<String>,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
    /// Does not change; sorted by key.
    pub metadata: Vec<Tag>,
    /// Sorted by key.
    pub tags: Vec<Tag>,
    /// Oldest first.
    pub assessments: Vec<Assessment>,
}

/// A trace with its spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// All but the spans.
    pub info: TraceInfo,
    /// Each as JSON, the root first and then by start.
    pub spans: Vec<String>,
}

/// Whether the work of a span succeeded, in the words of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "OpenTelemetry's words")]
pub enum SpanStatus {
    Unset,
    Ok,
    Error,
}

impl SpanStatus {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Ok => "OK",
            Self::Error => "ERROR",
        }
    }
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Span {
    /// Unique in its trace.
    pub id: String,
    /// `None` for the root.
    pub parent: Option<String>,
    pub name: String,
    /// Such as `LLM`.
    pub kind: Option<String>,
    pub status: SpanStatus,
    /// Nanoseconds since 1970.
    pub started: i64,
    /// Nanoseconds since 1970.
    pub ended: Option<i64>,
    /// Tokens that it used, as a JSON object of counts.
    pub usage: Option<String>,
    /// Dollars that it cost, as a JSON object of amounts.
    pub cost: Option<String>,
    /// All of it, as JSON.
    pub content: String,
}

/// Spans of one trace, which may be all or some, and what they say about the trace.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in `TraceInfo`")]
pub struct TraceSpans {
    /// The trace; made if it is not there.
    pub trace: String,
    pub spans: Vec<Span>,
    /// Set.
    pub tags: Vec<Tag>,
    /// Set where there is none yet.
    pub metadata: Vec<Tag>,
    pub request_preview: Option<String>,
    pub response_preview: Option<String>,
}

/// Which traces are searched for, and how many at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TraceSearch {
    pub experiments: Vec<ExperimentId>,
    /// In MLflow's search language.
    pub filter: String,
    /// Terms such as `timestamp DESC`; the newest first where there are none.
    pub order_by: Vec<String>,
    /// From 1 to 500.
    pub max_results: i64,
    pub page_token: Option<String>,
}

/// Which traces of an experiment to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceSelection {
    /// These.
    Ids(Vec<String>),
    /// Those that started at `until` or before, at most `most` of them, the oldest first.
    Until {
        /// Milliseconds since 1970.
        until: Millis,
        /// `None`: all.
        most: Option<i64>,
    },
}

/// What an assessment says. Values are JSON.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AssessmentValue {
    /// How good it was.
    Feedback { value: serde_json::Value, error: Option<serde_json::Value> },
    /// What would have been right.
    Expectation { value: serde_json::Value },
    /// An issue that it belongs to.
    Issue { name: String },
}

impl AssessmentValue {
    /// Returns MLflow's word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Feedback { .. } => "feedback",
            Self::Expectation { .. } => "expectation",
            Self::Issue { .. } => "issue",
        }
    }
}

/// What a person, a program or a model says about a trace.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Assessment {
    /// Empty for a new one: one is made up.
    pub id: String,
    pub trace: String,
    pub name: String,
    pub value: AssessmentValue,
    /// `HUMAN`, `LLM_JUDGE`, `CODE` or `SOURCE_TYPE_UNSPECIFIED`.
    pub source_type: String,
    pub source_id: Option<String>,
    pub span: Option<String>,
    pub rationale: Option<String>,
    pub metadata: Vec<Tag>,
    /// The assessment that it takes the place of.
    pub overrides: Option<String>,
    /// Whether no other has taken its place.
    pub is_valid: bool,
    pub created: Millis,
    pub updated: Millis,
}

/// What of an assessment is to change; `None` stays.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "as in `Assessment`")]
pub struct AssessmentUpdate {
    pub name: Option<String>,
    /// Of the kind that the assessment has.
    pub value: Option<AssessmentValue>,
    pub rationale: Option<String>,
    /// Added to what there is.
    pub metadata: Vec<Tag>,
}
