//! Which rows an expectation looks at: conditions of pandas' `query`, of Great Expectations' own parser and of its 1.x objects.
//!
//! A comparison with a missing value does not hold, save `!=` and `not in`, as in pandas.

mod parse;

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::Array;
use arrow::buffer::BooleanBuffer;
use serde_json::Value as Json;

use crate::column::{Column, View};
use crate::error::CheckError;
use crate::value::Value;

/// A condition on rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Compare(Term, Op, Term),
    In { term: Term, set: HashSet<Value>, negated: bool },
    Null { term: Term, is_null: bool },
    Truth(Term),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Column(String),
    Literal(Value),
    Arithmetic(Box<Term>, char, Box<Term>),
}

impl Condition {
    /// Reads a condition: a text, or an object of Great Expectations 1.x.
    pub(crate) fn of_json(json: &Json, parser: Option<&str>) -> Result<Self, String> {
        match json {
            Json::String(text) => match parser {
                None | Some("pandas" | "python" | "great_expectations" | "great_expectations__experimental__") => Self::parse(text),
                Some(other) => Err(format!("row conditions of the parser `{other}` are not supported; write it for pandas")),
            },
            Json::Object(_) => object(json).map(Self),
            other => Err(format!("a row condition is a text or an object, not {other}")),
        }
    }

    /// Reads a condition as pandas' `query` writes it.
    ///
    /// # Errors
    /// One sentence that says where it stops being understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::node(text).map(Self).map_err(|problem| format!("the row condition `{text}` is not supported: {problem}"))
    }

    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        self.0.columns(into);
    }

    /// Returns for each row of a batch whether it holds.
    pub(crate) fn holds(&self, view: &View) -> Result<BooleanBuffer, CheckError> {
        self.0.holds(view)
    }
}

fn object(json: &Json) -> Result<Node, String> {
    let column = || {
        let name = json.pointer("/column/name").or_else(|| json.get("column")).and_then(Json::as_str);
        name.map(|name| Term::Column(name.to_owned())).ok_or_else(|| format!("a row condition names its column, which {json} does not"))
    };
    match json.get("type").and_then(Json::as_str) {
        Some("nullity") => Ok(Node::Null { term: column()?, is_null: json.get("is_null") == Some(&Json::Bool(true)) }),
        Some("pass_through") => {
            let text = json.get("pass_through_filter").and_then(Json::as_str).ok_or("a row condition without its text")?;
            Ok(Condition::parse(text)?.0)
        }
        Some(kind @ ("and" | "or")) => {
            let parts = json.get("conditions").and_then(Json::as_array).ok_or("a row condition without its parts")?;
            let parts = parts.iter().map(object).collect::<Result<_, _>>()?;
            Ok(if kind == "and" { Node::And(parts) } else { Node::Or(parts) })
        }
        Some("comparison") => {
            let operator = json.get("operator").and_then(Json::as_str).unwrap_or_default();
            let parameter = json.get("parameter").unwrap_or(&Json::Null);
            if let "IN" | "NOT_IN" = operator {
                let values: Option<HashSet<Value>> = parameter.as_array().and_then(|items| items.iter().map(Value::of_json).collect());
                let set = values.ok_or_else(|| format!("`{operator}` takes a list, not {parameter}"))?;
                return Ok(Node::In { term: column()?, set, negated: operator == "NOT_IN" });
            }
            let op = Op::of(operator)
                .ok_or_else(|| format!("a row condition compares by ==, !=, <, <=, >, >=, IN or NOT_IN, not `{operator}`"))?;
            let value = Value::of_json(parameter).ok_or_else(|| format!("a row condition compares with a value, not {parameter}"))?;
            Ok(Node::Compare(column()?, op, Term::Literal(value)))
        }
        _ => Err(format!("the row condition {json} is of no known type")),
    }
}

impl Op {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::Unequal => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Term {
    fn columns(&self, into: &mut Vec<String>) {
        match self {
            Self::Column(name) => into.push(name.clone()),
            Self::Literal(_) => {}
            Self::Arithmetic(a, _, b) => {
                a.columns(into);
                b.columns(into);
            }
        }
    }

    fn value(&self, view: &View, row: usize) -> Result<Value, CheckError> {
        Ok(match self {
            Self::Column(name) => view.column(name)?.value(row),
            Self::Literal(value) => value.clone(),
            Self::Arithmetic(a, op, b) => {
                let (a, b) = (a.value(view, row)?, b.value(view, row)?);
                arithmetic(&a, *op, &b)
            }
        })
    }
}

fn arithmetic(a: &Value, op: char, b: &Value) -> Value {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let whole = match op {
            '+' => a.checked_add(*b),
            '-' => a.checked_sub(*b),
            '*' => a.checked_mul(*b),
            // The remainder has the sign of the divisor, as in Python.
            '%' if *b != 0 => Some(a.wrapping_rem(*b).wrapping_add(*b).wrapping_rem(*b)),
            _ => None,
        };
        if let Some(whole) = whole {
            return Value::Int(whole);
        }
    }
    let (Some(x), Some(y)) = (a.number(), b.number()) else { return Value::Null };
    let number = match op {
        '+' => x + y,
        '-' => x - y,
        '*' => x * y,
        '/' => x / y,
        _ => x - y * (x / y).floor(),
    };
    if number.is_nan() { Value::Null } else { Value::Float(number) }
}

impl Node {
    fn columns(&self, into: &mut Vec<String>) {
        match self {
            Self::Compare(a, _, b) => {
                a.columns(into);
                b.columns(into);
            }
            Self::In { term, .. } | Self::Null { term, .. } | Self::Truth(term) => term.columns(into),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.columns(into)),
            Self::Not(part) => part.columns(into),
        }
    }

    fn holds(&self, view: &View) -> Result<BooleanBuffer, CheckError> {
        match self {
            Self::And(parts) => {
                let mut all = BooleanBuffer::new_set(view.rows);
                for part in parts {
                    all = &all & &part.holds(view)?;
                }
                Ok(all)
            }
            Self::Or(parts) => {
                let mut any = BooleanBuffer::new_unset(view.rows);
                for part in parts {
                    any = &any | &part.holds(view)?;
                }
                Ok(any)
            }
            Self::Not(part) => Ok(!&part.holds(view)?),
            Self::Null { term: Term::Column(name), is_null } => {
                let column = view.column(name)?;
                let valid = column.nulls().map_or_else(|| BooleanBuffer::new_set(view.rows), |nulls| nulls.inner().clone());
                Ok(if *is_null { !&valid } else { valid })
            }
            Self::Compare(Term::Column(name), op, Term::Literal(value)) => {
                let column = view.column(name)?;
                Ok(each(column, view.rows, |cell| compared(&cell, *op, value)))
            }
            Self::In { term: Term::Column(name), set, negated } => {
                let column = view.column(name)?;
                Ok(each(column, view.rows, |cell| contains(set, &cell) != *negated))
            }
            _ => {
                let mut bits = Vec::with_capacity(view.rows);
                for row in 0..view.rows {
                    bits.push(self.row(view, row)?);
                }
                Ok(BooleanBuffer::from(bits))
            }
        }
    }

    fn row(&self, view: &View, row: usize) -> Result<bool, CheckError> {
        Ok(match self {
            Self::Compare(a, op, b) => compared(&a.value(view, row)?, *op, &b.value(view, row)?),
            Self::In { term, set, negated } => contains(set, &term.value(view, row)?) != *negated,
            Self::Null { term, is_null } => matches!(term.value(view, row)?, Value::Null) == *is_null,
            Self::Truth(term) => match term.value(view, row)? {
                Value::Bool(value) => value,
                other => other.number().is_some_and(|number| number != 0.0),
            },
            Self::And(_) | Self::Or(_) | Self::Not(_) => false,
        })
    }
}

fn compared(cell: &Value, op: Op, value: &Value) -> bool {
    let order = if matches!(cell, Value::Null) || matches!(value, Value::Null) { None } else { cell.compare(value) };
    op.holds(order)
}

fn contains(set: &HashSet<Value>, cell: &Value) -> bool {
    if matches!(cell, Value::Null) {
        return false;
    }
    set.contains(cell)
        || (matches!(cell, Value::Time(_) | Value::Date(_)) && set.iter().any(|value| cell.compare(value) == Some(Ordering::Equal)))
}

/// Asks a question of each cell, of a dictionary's texts once only.
fn each(column: &Column, rows: usize, question: impl Fn(Value) -> bool) -> BooleanBuffer {
    if let Column::Text { codes, texts, nulls } = column {
        let missing = question(Value::Null);
        let answers: Vec<bool> =
            (0..texts.len()).map(|code| texts.is_valid(code) && question(Value::Text(texts.value(code).to_owned()))).collect();
        return BooleanBuffer::collect_bool(rows, |row| {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) { missing } else { answers[codes.value(row) as usize] }
        });
    }
    BooleanBuffer::collect_bool(rows, |row| question(column.value(row)))
}
