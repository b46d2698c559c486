//! Metrics of data contracts: counts of missing, invalid and repeated values, held against the operators of the standard.

use serde_json::Value as Json;

use crate::args::{Args, numbers};
use crate::pattern::Pattern;
use crate::rule::{Ignore, Test};
use crate::sql;
use crate::value::Value;
use crate::work::rows::Question;

#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) kind: Kind,
    pub(crate) percent: bool,
    demands: Vec<Demand>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Rows,
    /// The number that a query gives.
    Sql(String),
    /// Rows that fail a question.
    Failing(Box<Question>),
    /// Rows whose key has come before.
    Repeated(Vec<String>),
}

#[derive(Debug, Clone, Copy)]
enum Demand {
    Is(f64),
    IsNot(f64),
    Over(f64),
    AtLeast(f64),
    Under(f64),
    AtMost(f64),
    Within(f64, f64),
    Outside(f64, f64),
}

type Operator = (&'static str, fn(f64) -> Demand);

const OPERATORS: [Operator; 8] = [
    ("mustBe", Demand::Is),
    ("mustNotBe", Demand::IsNot),
    ("mustBeGreaterThan", Demand::Over),
    ("mustBeGreaterOrEqualTo", Demand::AtLeast),
    ("mustBeGreaterThanOrEqualTo", Demand::AtLeast),
    ("mustBeLessThan", Demand::Under),
    ("mustBeLessOrEqualTo", Demand::AtMost),
    ("mustBeLessThanOrEqualTo", Demand::AtMost),
];

impl Metric {
    pub(crate) fn take(args: &mut Args) -> Result<Self, String> {
        let name = args.text("metric")?;
        let column = args.maybe_text("column")?;
        let need = || column.clone().ok_or_else(|| format!("the metric `{name}` is about a column"));
        let kind = match name.as_str() {
            "rowCount" => Kind::Rows,
            "sql" => Kind::Sql(sql::filled(&args.text("query")?, column.as_deref())),
            "nullValues" => Kind::Failing(Box::new(Question::NotNull(need()?))),
            "missingValues" => {
                let values = args.json("missingValues").ok_or("`missingValues` is missing")?;
                let values: Option<Vec<Value>> = values.as_array().and_then(|items| items.iter().map(Value::of_json).collect());
                let values = values.ok_or("`missingValues` is a list of values")?;
                let nulls = values.iter().any(|value| matches!(value, Value::Null));
                let set = values.into_iter().filter(|value| !matches!(value, Value::Null)).collect();
                Kind::Failing(Box::new(Question::Missing { column: need()?, test: Test::InSet { set, negated: true }, nulls }))
            }
            "invalidValues" => {
                let patterns: Vec<Pattern> =
                    args.maybe_text("pattern")?.map(|pattern| Pattern::python(&pattern)).transpose()?.into_iter().collect();
                let test = match (args.values("validValues")?, patterns.is_empty()) {
                    (Some(values), true) => Test::InSet { set: values.into_iter().collect(), negated: false },
                    (None, false) => Test::Regex { patterns, all: true, negated: false },
                    _ => return Err("`invalidValues` takes `validValues` or a `pattern`".into()),
                };
                Kind::Failing(Box::new(Question::Test { column: need()?, test }))
            }
            "duplicateValues" => Kind::Repeated(match args.maybe_texts("properties")? {
                Some(columns) if !columns.is_empty() => columns,
                _ => vec![need()?],
            }),
            other => return Err(format!("there is no metric `{other}`")),
        };
        let percent = match args.maybe_text("unit")?.as_deref() {
            None | Some("rows") => false,
            Some("percent") => true,
            Some(other) => return Err(format!("`unit` is rows or percent, not {other}")),
        };
        let mut demands = Vec::new();
        for (operator, demand) in OPERATORS {
            if let Some(number) = args.maybe_number(operator)? {
                demands.push(demand(number));
            }
        }
        for (operator, inside) in [("mustBeBetween", true), ("mustNotBeBetween", false)] {
            if let Some(json) = args.json(operator) {
                let [low, high] = bounds(&json, operator)?;
                demands.push(if inside { Demand::Within(low, high) } else { Demand::Outside(low, high) });
            }
        }
        if demands.is_empty() {
            return Err("it says nothing that must be, such as `mustBe`".into());
        }
        Ok(Self { kind, percent, demands })
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        match &self.kind {
            Kind::Rows | Kind::Sql(_) => Vec::new(),
            Kind::Repeated(columns) => columns.clone(),
            Kind::Failing(question) => question.columns(),
        }
    }

    /// Which rows of a key are left out.
    pub(crate) const IGNORE: Ignore = Ignore::AllMissing;

    pub(crate) fn holds(&self, value: f64) -> bool {
        self.demands.iter().all(|demand| match *demand {
            Demand::Is(number) => value == number,
            Demand::IsNot(number) => value != number,
            Demand::Over(number) => value > number,
            Demand::AtLeast(number) => value >= number,
            Demand::Under(number) => value < number,
            Demand::AtMost(number) => value <= number,
            Demand::Within(low, high) => (low..=high).contains(&value),
            Demand::Outside(low, high) => !(low..=high).contains(&value),
        })
    }
}

fn bounds(json: &Json, name: &str) -> Result<[f64; 2], String> {
    <[f64; 2]>::try_from(numbers(json, name)?).map_err(|_| format!("`{name}` is a pair of numbers"))
}
