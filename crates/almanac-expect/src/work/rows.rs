//! Questions asked of each row: how many rows were judged, which failed, and what they held.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

use crate::column::{Column, View};
use crate::error::CheckError;
use crate::rule::{Ignore, PairTest, RowTest, Test};
use crate::value::Value;
use crate::work::counts::same;
use crate::work::keys::{Hasher, domain};
use crate::work::present;

#[derive(Debug, Clone)]
pub(crate) enum Question {
    NotNull(String),
    Null(String),
    Test {
        column: String,
        test: Test,
    },
    /// As a test, but missing cells are judged too: they fail or hold.
    Missing {
        column: String,
        test: Test,
        nulls: bool,
    },
    Order {
        column: String,
        rising: bool,
        strict: bool,
    },
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
    /// Fails where the key is among these.
    Once {
        columns: Vec<String>,
        ignore: Ignore,
        repeated: Arc<HashSet<u128>>,
        compound: bool,
    },
}

impl Question {
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Self::NotNull(column)
            | Self::Null(column)
            | Self::Test { column, .. }
            | Self::Missing { column, .. }
            | Self::Order { column, .. } => vec![column.clone()],
            Self::Pair { a, b, .. } => vec![a.clone(), b.clone()],
            Self::Row { columns, .. } | Self::Once { columns, .. } => columns.clone(),
        }
    }
}

/// What is kept of rows that fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Rows shown, at most.
    pub(crate) rows: usize,
    /// Whether to keep the places of all failing rows.
    pub(crate) places: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) question: Question,
    keep: Keep,
    /// Rows for which the condition holds.
    pub(crate) elements: u64,
    /// Those that are judged: not missing.
    pub(crate) judged: u64,
    pub(crate) failed: u64,
    /// The first rows that fail, with their place in the table.
    pub(crate) sample: Vec<(u64, Value)>,
    pub(crate) places: Vec<u64>,
    /// A value that could not be judged at all.
    pub(crate) refused: Option<String>,
    /// First and last value, for questions of order.
    ends: Option<((u64, Value), Value)>,
    judged_texts: Option<(StringArray, Vec<bool>)>,
}

impl Rows {
    pub(crate) fn new(question: Question, keep: Keep) -> Self {
        Self {
            question,
            keep,
            elements: 0,
            judged: 0,
            failed: 0,
            sample: Vec::new(),
            places: Vec::new(),
            refused: None,
            ends: None,
            judged_texts: None,
        }
    }

    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        into.extend(self.question.columns());
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let chosen = mask.map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        self.elements += chosen;
        // The question is taken out and put back, so that the work is free to change.
        let question = std::mem::replace(&mut self.question, Question::Null(String::new()));
        let outcome = self.ask(&question, view, mask, chosen);
        self.question = question;
        outcome
    }

    fn ask(&mut self, question: &Question, view: &View, mask: Option<&BooleanBuffer>, chosen: u64) -> Result<(), CheckError> {
        let rows = view.rows;
        match question {
            Question::NotNull(name) | Question::Null(name) => {
                let column = view.column(name)?;
                self.judged += chosen;
                let wants_null = matches!(question, Question::Null(_));
                let bad = match (column.nulls(), wants_null) {
                    (None, false) => return Ok(()),
                    (None, true) => BooleanBuffer::new_set(rows),
                    (Some(nulls), false) => !nulls.inner(),
                    (Some(nulls), true) => nulls.inner().clone(),
                };
                self.fail(view, &bad, mask, |row| column.value(row));
            }
            Question::Test { column: name, test } => {
                let column = view.column(name)?;
                let present = present(view, column.nulls(), mask);
                self.judged += present.as_ref().map_or(rows, BooleanBuffer::count_set_bits) as u64;
                let bad = match column {
                    Column::Text { codes, texts, .. } => {
                        self.judge_texts(test, texts);
                        let Some((_, good)) = &self.judged_texts else { return Ok(()) };
                        if good.iter().all(|good| *good) {
                            return Ok(());
                        }
                        let codes = codes.values();
                        // Where a row is missing its code means nothing.
                        BooleanBuffer::collect_bool(rows, |row| good.get(codes[row] as usize).is_some_and(|good| !good))
                    }
                    _ => {
                        if let Some(bad) = test.numbers(column, rows) {
                            bad
                        } else {
                            let mut bits = vec![false; rows];
                            let judged =
                                present.as_ref().map_or_else(|| (0..rows).collect::<Vec<_>>(), |rows| rows.set_indices().collect());
                            for row in judged {
                                bits[row] = !self.judge(test, &column.value(row));
                            }
                            BooleanBuffer::from(bits)
                        }
                    }
                };
                if self.refused.is_none() && matches!(column, Column::Text { .. }) && test.may_refuse() {
                    let rows = present.as_ref().map_or_else(|| bad.clone(), |present| &bad & present);
                    self.refused = rows.set_indices().find_map(|row| test.holds(&column.value(row)).err());
                }
                self.fail(view, &bad, present.as_ref(), |row| column.value(row));
            }
            Question::Missing { column: name, test, nulls } => {
                let column = view.column(name)?;
                self.judged += chosen;
                let bad = BooleanBuffer::collect_bool(rows, |row| {
                    if column.is_null(row) { *nulls } else { !test.holds(&column.value(row)).unwrap_or(false) }
                });
                self.fail(view, &bad, mask, |row| column.value(row));
            }
            Question::Order { column: name, rising, strict } => {
                let column = view.column(name)?;
                let present = present(view, column.nulls(), mask);
                self.order(view, column, present.as_ref(), *rising, *strict);
            }
            Question::Pair { a, b, test, ignore } => {
                let columns = [view.column(a)?, view.column(b)?];
                let domain = domain(view, &columns, *ignore, mask);
                self.judged += domain.as_ref().map_or(rows, BooleanBuffer::count_set_bits) as u64;
                let bad = BooleanBuffer::collect_bool(rows, |row| !pair(test, &columns[0].value(row), &columns[1].value(row)));
                let names = [a, b];
                self.fail(view, &bad, domain.as_ref(), |row| {
                    Value::Row(names.iter().zip(columns).map(|(name, column)| ((*name).clone(), column.value(row))).collect())
                });
            }
            Question::Row { columns: names, test, ignore } => {
                let columns = names.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>()?;
                let domain = domain(view, &columns, *ignore, mask);
                self.judged += domain.as_ref().map_or(rows, BooleanBuffer::count_set_bits) as u64;
                let bad = BooleanBuffer::collect_bool(rows, |row| !across(*test, &columns, row));
                self.fail(view, &bad, domain.as_ref(), |row| cells(names, &columns, row));
            }
            Question::Once { columns: names, ignore, repeated, compound } => {
                let columns = names.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>()?;
                let domain = domain(view, &columns, *ignore, mask);
                self.judged += domain.as_ref().map_or(rows, BooleanBuffer::count_set_bits) as u64;
                if repeated.is_empty() {
                    return Ok(());
                }
                let hasher = Hasher::new(&columns);
                let bad = BooleanBuffer::collect_bool(rows, |row| repeated.contains(&hasher.row(row)));
                self.fail(view, &bad, domain.as_ref(), |row| if *compound { cells(names, &columns, row) } else { columns[0].value(row) });
            }
        }
        Ok(())
    }

    fn judge(&mut self, test: &Test, value: &Value) -> bool {
        match test.holds(value) {
            Ok(holds) => holds,
            Err(problem) => {
                self.refused.get_or_insert(problem);
                false
            }
        }
    }

    fn judge_texts(&mut self, test: &Test, texts: &StringArray) {
        if self.judged_texts.as_ref().is_some_and(|(open, _)| same(open, texts)) {
            return;
        }
        // A text that cannot be judged fails; that it could not is said only if a row in question holds it.
        let good = (0..texts.len())
            .map(|code| !texts.is_valid(code) || test.holds(&Value::Text(texts.value(code).to_owned())).unwrap_or(false))
            .collect();
        self.judged_texts = Some((texts.clone(), good));
    }

    fn order(&mut self, view: &View, column: &Column, present: Option<&BooleanBuffer>, rising: bool, strict: bool) {
        if let (Column::Int(array), None) = (column, present) {
            // The usual case by far: a whole batch in order.
            let values = array.values();
            let fine = |a: &i64, b: &i64| {
                if rising {
                    if strict { a < b } else { a <= b }
                } else if strict {
                    a > b
                } else {
                    a >= b
                }
            };
            let follows = match &self.ends {
                Some((_, Value::Int(last))) => values.first().is_none_or(|first| fine(last, first)),
                Some(_) => false,
                None => true,
            };
            if follows && values.windows(2).all(|pair| fine(&pair[0], &pair[1])) {
                self.judged += values.len() as u64;
                if let (Some(first), Some(last)) = (values.first(), values.last()) {
                    let first = self.ends.take().map_or((view.offset, Value::Int(*first)), |(first, _)| first);
                    self.ends = Some((first, Value::Int(*last)));
                }
                return;
            }
        }
        let mut bits = vec![false; view.rows];
        let mut visit = |row: usize| {
            let value = column.value(row);
            self.judged += 1;
            match &mut self.ends {
                None => self.ends = Some(((view.offset + row as u64, value.clone()), value)),
                Some((_, last)) => {
                    bits[row] = !in_order(last, &value, rising, strict);
                    *last = value;
                }
            }
        };
        match present {
            None => (0..view.rows).for_each(&mut visit),
            Some(rows) => rows.set_indices().for_each(&mut visit),
        }
        self.fail(view, &BooleanBuffer::from(bits), None, |row| column.value(row));
    }

    fn fail(&mut self, view: &View, bad: &BooleanBuffer, domain: Option<&BooleanBuffer>, value: impl Fn(usize) -> Value) {
        let bad = domain.map_or_else(|| bad.clone(), |domain| bad & domain);
        let failed = bad.count_set_bits();
        if failed == 0 {
            return;
        }
        self.failed += failed as u64;
        for row in bad.set_indices() {
            let place = view.offset + row as u64;
            if self.keep.places {
                self.places.push(place);
            }
            if self.sample.len() < self.keep.rows {
                self.sample.push((place, value(row)));
            } else if !self.keep.places {
                break;
            }
        }
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        if let (Question::Order { rising, strict, .. }, Some((_, last)), Some(((place, first), _))) =
            (&self.question, &self.ends, &next.ends)
            && !in_order(last, first, *rising, *strict)
        {
            let (place, first) = (*place, first.clone());
            next.failed += 1;
            if next.keep.places {
                next.places.insert(0, place);
            }
            next.sample.insert(0, (place, first));
        }
        self.elements += next.elements;
        self.judged += next.judged;
        self.failed += next.failed;
        let room = self.keep.rows.saturating_sub(self.sample.len());
        self.sample.extend(next.sample.into_iter().take(room));
        self.places.append(&mut next.places);
        if self.refused.is_none() {
            self.refused = next.refused;
        }
        self.ends = match (self.ends.take(), next.ends) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (own, None) => own,
            (None, next) => next,
        };
    }
}

impl Rows {
    /// Takes in what another share of the same question found in the same rows.
    pub(crate) fn join(&mut self, other: Self) {
        self.failed += other.failed;
        self.sample.extend(other.sample);
        self.sample.sort_by_key(|row| row.0);
        self.sample.truncate(self.keep.rows);
        self.places.extend(other.places);
        self.places.sort_unstable();
    }
}

fn in_order(last: &Value, value: &Value, rising: bool, strict: bool) -> bool {
    let Some(order) = last.compare(value) else { return true };
    let order = if rising { order } else { order.reverse() };
    if strict { order.is_lt() } else { order.is_le() }
}

fn cells(names: &[String], columns: &[&Column], row: usize) -> Value {
    Value::Row(names.iter().zip(columns).map(|(name, column)| (name.clone(), column.value(row))).collect())
}

fn pair(test: &PairTest, a: &Value, b: &Value) -> bool {
    if let PairTest::InSet(set) = test {
        return set.as_ref().is_none_or(|set| set.contains(&(a.clone(), b.clone())));
    }
    if matches!(a, Value::Null) || matches!(b, Value::Null) {
        return false;
    }
    match (test, a.compare(b)) {
        (PairTest::Equal, order) => order == Some(std::cmp::Ordering::Equal),
        (PairTest::Greater { or_equal }, Some(order)) => order.is_gt() || (*or_equal && order.is_eq()),
        _ => false,
    }
}

fn across(test: RowTest, columns: &[&Column], row: usize) -> bool {
    match test {
        RowTest::Sum(total) => columns.iter().map(|column| column.number(row)).sum::<f64>() == total,
        RowTest::Equal => {
            let first = columns[0].value(row);
            columns[1..].iter().all(|column| column.value(row) == first)
        }
        RowTest::Distinct => {
            let values: Vec<Value> = columns.iter().map(|column| column.value(row)).collect();
            values.iter().enumerate().all(|(place, value)| !values[..place].contains(value))
        }
    }
}
