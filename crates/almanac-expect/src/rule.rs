//! What each expectation means: its name and arguments as typed rules.
//!
//! Great Expectations' own names and arguments are kept, and the field's own expectations follow their form, so that there is one vocabulary.
//!
//! Not here: how a rule is read from its arguments (`read`), how it is judged (`run`).

mod read;

use std::collections::HashSet;

use crate::facts::FactRule;
use crate::field::FieldRule;
use crate::json_schema::JsonSchema;
use crate::metric::Metric;
use crate::pattern::Pattern;
use crate::strptime::Strptime;
use crate::value::Value;

pub(crate) use read::range;

/// Bounds; an absent one holds always.
#[derive(Debug, Clone, Default)]
pub(crate) struct Range {
    pub(crate) min: Option<Value>,
    pub(crate) max: Option<Value>,
    pub(crate) strict_min: bool,
    pub(crate) strict_max: bool,
}

/// A question about one value.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Between(Range),
    InSet {
        set: HashSet<Value>,
        negated: bool,
    },
    Anything,
    Regex {
        patterns: Vec<Pattern>,
        all: bool,
        negated: bool,
    },
    Strptime(Strptime),
    DateParseable,
    Json,
    JsonSchema(Box<JsonSchema>),
    Length(Range),
    NotAfter(i128),
    /// |value - center| under a threshold, or value - center under it, in units of the spread. Without a spread everything passes.
    Near {
        center: f64,
        spread: Option<f64>,
        threshold: f64,
        both: bool,
    },
    /// Inside a window, ends included; `None` passes everything.
    Window(Option<(f64, f64)>),
    /// Strictly nearer to the center than this.
    Within {
        center: f64,
        distance: f64,
    },
    OfClass(Vec<Class>),
}

/// Which rows with missing cells are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignore {
    AllMissing,
    AnyMissing,
    Never,
}

/// A question about two cells of a row.
#[derive(Debug, Clone)]
pub(crate) enum PairTest {
    Equal,
    Greater { or_equal: bool },
    InSet(Option<HashSet<(Value, Value)>>),
}

/// A question about several cells of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowTest {
    Sum(f64),
    Equal,
    Distinct,
}

/// A number that sums up a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stat {
    Min,
    Max,
    Mean,
    Median,
    Stdev,
    Sum,
    Distinct,
    DistinctShare,
    NonNullShare,
}

/// How a set of distinct values relates to a given one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetRelation {
    In,
    Contains,
    Equals,
}

/// A class of Python that a value may be an instance of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    /// Exactly one type of NumPy, such as `float64`.
    Numpy(String),
    /// A class of Python, such as `str`.
    Python(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Divergence {
    pub(crate) column: String,
    pub(crate) partition: Option<Partition>,
    pub(crate) threshold: Option<f64>,
    pub(crate) tail: f64,
    pub(crate) internal: f64,
    pub(crate) bucketize: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Partition {
    Values(Vec<Value>, Vec<f64>),
    Bins { bins: Vec<f64>, weights: Vec<f64>, tails: Option<[f64; 2]> },
}

/// How a quantile between two values is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Nearest,
    Linear,
    Lower,
    Higher,
    Midpoint,
}

#[derive(Debug, Clone)]
pub(crate) enum Rule {
    RowCount(Range),
    RowCountEquals(u64),
    RowCountAs(String),
    ColumnCount(Range),
    ColumnCountEquals(u64),
    ColumnsInOrder(Vec<String>),
    ColumnSet {
        columns: Vec<String>,
        exact: bool,
    },
    Exists {
        column: String,
        index: Option<u64>,
    },
    NotNull(String),
    Null(String),
    /// `listed`: one of several, asked of every value where pandas holds objects.
    OfType {
        column: String,
        classes: Vec<Class>,
        listed: bool,
    },
    TypeIs {
        column: String,
        name: String,
    },
    Column {
        column: String,
        test: Test,
    },
    Unique {
        columns: Vec<String>,
        ignore: Ignore,
        compound: bool,
    },
    Order {
        column: String,
        rising: bool,
        strict: bool,
    },
    ZScore {
        column: String,
        threshold: f64,
        both: bool,
    },
    Outliers {
        column: String,
        iqr: bool,
        multiplier: f64,
    },
    Distinct {
        column: String,
        set: Vec<Value>,
        relation: SetRelation,
    },
    MostCommon {
        column: String,
        set: Vec<Value>,
        ties: bool,
    },
    Stat {
        column: String,
        stat: Stat,
        range: Range,
    },
    Quantiles {
        column: String,
        quantiles: Vec<f64>,
        ranges: Vec<(f64, f64)>,
        between: Between,
    },
    Divergence(Divergence),
    Pair {
        a: String,
        b: String,
        test: PairTest,
        ignore: Ignore,
    },
    Row {
        columns: Vec<String>,
        test: RowTest,
        ignore: Ignore,
    },
    Field(FieldRule),
    Metric(Metric),
    Fact(FactRule),
    /// No row of a query may be there.
    NoRows(String),
}

impl Rule {
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Self::RowCount(_)
            | Self::RowCountEquals(_)
            | Self::RowCountAs(_)
            | Self::ColumnCount(_)
            | Self::ColumnCountEquals(_)
            | Self::ColumnsInOrder(_)
            | Self::ColumnSet { .. }
            | Self::Fact(_)
            | Self::NoRows(_) => Vec::new(),
            Self::NotNull(column)
            | Self::Null(column)
            | Self::Exists { column, .. }
            | Self::OfType { column, .. }
            | Self::TypeIs { column, .. }
            | Self::Column { column, .. }
            | Self::Order { column, .. }
            | Self::ZScore { column, .. }
            | Self::Outliers { column, .. }
            | Self::Distinct { column, .. }
            | Self::MostCommon { column, .. }
            | Self::Stat { column, .. }
            | Self::Quantiles { column, .. }
            | Self::Divergence(Divergence { column, .. }) => vec![column.clone()],
            Self::Unique { columns, .. } | Self::Row { columns, .. } => columns.clone(),
            Self::Pair { a, b, .. } => vec![a.clone(), b.clone()],
            Self::Field(rule) => rule.columns(),
            Self::Metric(rule) => rule.columns(),
        }
    }

    /// Returns whether single rows fail it.
    pub(crate) fn has_rows(&self) -> bool {
        match self {
            Self::NotNull(_)
            | Self::Null(_)
            | Self::OfType { .. }
            | Self::Column { .. }
            | Self::Unique { .. }
            | Self::Order { .. }
            | Self::ZScore { .. }
            | Self::Outliers { .. }
            | Self::Pair { .. }
            | Self::Row { .. } => true,
            Self::Field(rule) => rule.has_rows(),
            _ => false,
        }
    }

    /// Returns whether the verdict depends on the present.
    pub(crate) fn needs_now(&self) -> bool {
        matches!(self, Self::Field(FieldRule::NotFuture { .. } | FieldRule::Fresh { .. }))
    }
}
