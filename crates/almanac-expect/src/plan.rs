//! Which pieces of work a suite needs: one for each thing to gather, however many expectations ask for it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::column::Shape;
use crate::error::CheckError;
use crate::field::{FieldRule, FieldWork, KeyShare};
use crate::judge;
use crate::metric::Kind;
use crate::outcome::ResultFormat;
use crate::rule::{Class, Divergence, Partition, Rule, Stat, Test};
use crate::run::{ALL, Plan, Scan};
use crate::source::Table;
use crate::suite::{Dialect, Expectation, Severity};
use crate::value::Value;
use crate::work::Task;
use crate::work::counts::Counts;
use crate::work::keys::Keys;
use crate::work::moments::Moments;
use crate::work::numbers::{Bins, Numbers};
use crate::work::rows::{Keep, Question, Rows};

impl Scan<'_> {
    pub(crate) fn keep(&self, expectation: &Expectation) -> Keep {
        let rows = match self.options.format {
            ResultFormat::BooleanOnly => 0,
            ResultFormat::Basic | ResultFormat::Summary => self.options.shown,
            ResultFormat::Complete => ALL,
        };
        Keep { rows, places: expectation.severity == Severity::Quarantine }
    }

    pub(crate) fn plan(&mut self, expectation: &Expectation) -> Result<Plan, CheckError> {
        for column in expectation.columns() {
            if !matches!(expectation.rule, Rule::Exists { .. }) {
                self.shape(&column)?;
            }
        }
        let mut plan = Plan::default();
        match &expectation.rule {
            Rule::ColumnCount(_) | Rule::ColumnCountEquals(_) | Rule::ColumnsInOrder(_) | Rule::ColumnSet { .. } | Rule::Exists { .. } => {}
            Rule::RowCount(_) | Rule::RowCountEquals(_) | Rule::RowCountAs(_) => {
                plan.works.push(self.add(expectation, "count", || Task::Count(0)));
            }
            Rule::NotNull(column) => plan.works.push(self.rows(expectation, Question::NotNull(column.clone()))),
            Rule::Null(column) => plan.works.push(self.rows(expectation, Question::Null(column.clone()))),
            Rule::Column { column, test } => {
                self.fits(expectation, column, test)?;
                let mut test = test.clone();
                // To Python a date is never a text.
                if let Test::InSet { set, .. } = &mut test
                    && self.dialect != Dialect::Own
                    && self.shape(column)? == Shape::Date
                {
                    set.retain(|value| !matches!(value, Value::Text(_)));
                }
                plan.works.push(self.rows(expectation, Question::Test { column: column.clone(), test }));
            }
            Rule::OfType { column, classes, .. } => {
                plan.works.push(self.moments(expectation, column)?);
                if self.is_decimal(column) {
                    let decimals = classes.iter().filter(|class| **class == Class::Python("Decimal".into()));
                    let test = Test::OfClass(decimals.map(|_| Class::Python("float".into())).collect());
                    plan.works.push(self.rows(expectation, Question::Test { column: column.clone(), test }));
                } else if judge::is_object(self.shape(column)?) || self.shape(column)? == Shape::Bool {
                    let test = Test::OfClass(classes.clone());
                    plan.works.push(self.rows(expectation, Question::Test { column: column.clone(), test }));
                }
            }
            Rule::TypeIs { column, .. } => plan.works.push(self.moments(expectation, column)?),
            Rule::Unique { columns, ignore, .. } => {
                let shapes = columns.iter().map(|column| self.shape(column)).collect::<Result<Vec<_>, _>>()?;
                if let Some(place) = shapes.iter().position(|shape| *shape == Shape::Other) {
                    return Err(self.wrong_type(expectation, &columns[place]));
                }
                let key = format!("keys {columns:?} {ignore:?}");
                plan.works.push(self.add(expectation, &key, || Task::Keys(Keys::new(columns, &shapes, *ignore))));
            }
            Rule::Order { column, rising, strict } => {
                if self.shape(column)? == Shape::Other {
                    return Err(self.wrong_type(expectation, column));
                }
                plan.works.push(self.rows(expectation, Question::Order { column: column.clone(), rising: *rising, strict: *strict }));
            }
            Rule::ZScore { column, .. } => {
                self.needs_numbers(expectation, column)?;
                plan.works.push(self.moments(expectation, column)?);
            }
            Rule::Outliers { column, iqr, .. } => {
                self.needs_numbers(expectation, column)?;
                plan.works.push(self.moments(expectation, column)?);
                if *iqr {
                    plan.works.push(self.numbers(expectation, column));
                }
            }
            Rule::Distinct { column, .. } | Rule::MostCommon { column, .. } => plan.works.push(self.counts(expectation, column)?),
            Rule::Stat { column, stat, .. } => match stat {
                Stat::Distinct | Stat::DistinctShare => plan.works.push(self.counts(expectation, column)?),
                Stat::Median => {
                    self.needs_numbers(expectation, column)?;
                    plan.works.push(self.numbers(expectation, column));
                }
                Stat::Min | Stat::Max | Stat::NonNullShare => plan.works.push(self.moments(expectation, column)?),
                Stat::Mean | Stat::Stdev | Stat::Sum => {
                    self.needs_numbers(expectation, column)?;
                    plan.works.push(self.moments(expectation, column)?);
                }
            },
            Rule::Quantiles { column, .. } => {
                self.needs_numbers(expectation, column)?;
                plan.works.push(self.numbers(expectation, column));
            }
            Rule::Divergence(rule) => plan.works.push(self.divergence(expectation, rule)?),
            Rule::Pair { a, b, test, ignore } => {
                let question = Question::Pair { a: a.clone(), b: b.clone(), test: test.clone(), ignore: *ignore };
                plan.works.push(self.rows(expectation, question));
            }
            Rule::Row { columns, test, ignore } => {
                if matches!(test, crate::rule::RowTest::Sum(_)) {
                    for column in columns {
                        self.needs_numbers(expectation, column)?;
                    }
                }
                let question = Question::Row { columns: columns.clone(), test: *test, ignore: *ignore };
                plan.works.push(self.rows(expectation, question));
            }
            Rule::Field(rule) => self.field(expectation, rule, &mut plan)?,
            Rule::Fact(_) | Rule::NoRows(_) => {}
            Rule::Metric(rule) => {
                plan.works.push(self.add(expectation, "count", || Task::Count(0)));
                if let Kind::Failing(question) = &rule.kind {
                    plan.works.push(self.rows(expectation, question.as_ref().clone()));
                }
            }
        }
        Ok(plan)
    }

    fn field(&mut self, expectation: &Expectation, rule: &FieldRule, plan: &mut Plan) -> Result<(), CheckError> {
        let place = self.works.len();
        let work = match rule {
            FieldRule::NoGaps { id, time, freq } => FieldWork::Gaps {
                id: id.clone(),
                time: time.clone(),
                freq: *freq,
                series: HashMap::default(),
                refused: None,
                budget: u64::MAX,
            },
            FieldRule::NotFuture { column } => {
                let Some(now) = self.options.now else {
                    return Err(CheckError::Value { problem: "the present time was not given".into() });
                };
                let question = Question::Test { column: column.clone(), test: Test::NotAfter(i128::from(now) * 1000) };
                plan.works.push(self.rows(expectation, question));
                return Ok(());
            }
            FieldRule::Fresh { column, .. } => {
                plan.works.push(self.moments(expectation, column)?);
                return Ok(());
            }
            FieldRule::Seasonal { time, value, .. } | FieldRule::LevelShift { time, value, .. } => {
                self.needs_numbers(expectation, value)?;
                plan.works.push(self.add(expectation, &format!("totals {time} {value}"), || {
                    Task::Field(Box::new(FieldWork::Totals { time: time.clone(), value: value.clone(), totals: BTreeMap::new() }))
                }));
                return Ok(());
            }
            FieldRule::ZeroShare { column, .. } => {
                self.needs_numbers(expectation, column)?;
                FieldWork::Share { column: column.clone(), wanted: 0.0, hits: 0, judged: 0 }
            }
            FieldRule::StockoutShare { column, in_stock, .. } => {
                self.needs_numbers(expectation, column)?;
                FieldWork::Share { column: column.clone(), wanted: if *in_stock { 0.0 } else { 1.0 }, hits: 0, judged: 0 }
            }
            FieldRule::Joined { columns, table, others } => {
                let other = self.other(table)?;
                for (own, theirs) in columns.iter().zip(others) {
                    let theirs =
                        other.schema.field_with_name(theirs).map_err(|_| CheckError::NoColumn { column: format!("{table}.{theirs}") })?;
                    if std::mem::discriminant(&self.shape(own)?) != std::mem::discriminant(&Shape::of(theirs.data_type())) {
                        let problem = format!("`{own}` and `{table}.{}` are of different types, so that nothing would join", theirs.name());
                        return Err(CheckError::Value { problem });
                    }
                }
                // More keys than memory holds are looked up share by share once the first scan is done.
                if self.key_shares(&other) > 1 {
                    plan.works.push(self.add(expectation, "count", || Task::Count(0)));
                    return Ok(());
                }
                let set = Arc::new(keys_of(&other, others, KeyShare::ALL)?);
                FieldWork::Missing { columns: columns.clone(), share: KeyShare::ALL, set, places: Vec::new() }
            }
            FieldRule::AddsUp { keys, value, table, other_keys, other_value, .. } => {
                self.needs_numbers(expectation, value)?;
                let other = self.other(table)?;
                let budget = self.options.memory / 4;
                let start = FieldWork::Sums { keys: other_keys.clone(), value: other_value.clone(), sums: HashMap::default(), budget };
                plan.other = Some(gather_other(&other, start)?);
                FieldWork::Sums { keys: keys.clone(), value: value.clone(), sums: HashMap::default(), budget }
            }
        };
        plan.works.push(self.add(expectation, &format!("field {place}"), || Task::Field(Box::new(work))));
        plan.works.push(self.add(expectation, "count", || Task::Count(0)));
        Ok(())
    }

    /// Returns in how many shares the keys of another table are looked up, so that each fits into memory.
    pub(crate) fn key_shares(&self, other: &Table) -> u64 {
        // A set that grows holds its sixteen bytes a key three times.
        (other.rows * 48).div_ceil(self.options.memory.max(1 << 16)).max(1)
    }

    pub(crate) fn other(&self, name: &str) -> Result<Table, CheckError> {
        self.options.tables.get(name).cloned().ok_or_else(|| CheckError::NoTable { table: name.to_owned() })
    }

    fn divergence(&mut self, expectation: &Expectation, rule: &Divergence) -> Result<usize, CheckError> {
        match &rule.partition {
            Some(Partition::Bins { bins, .. }) => {
                self.needs_numbers(expectation, &rule.column)?;
                let key = format!("bins {} {bins:?}", rule.column);
                Ok(self.add(expectation, &key, || Task::Bins(Bins::new(&rule.column, bins.clone()))))
            }
            None if rule.bucketize => {
                self.needs_numbers(expectation, &rule.column)?;
                Ok(self.numbers(expectation, &rule.column))
            }
            _ => self.counts(expectation, &rule.column),
        }
    }

    /// Returns whether a column holds decimals, which pandas holds as objects.
    pub(crate) fn is_decimal(&self, column: &str) -> bool {
        self.table.schema.field_with_name(column).is_ok_and(|field| field.data_type().is_decimal())
    }

    pub(crate) fn rows(&mut self, expectation: &Expectation, question: Question) -> usize {
        let keep = self.keep(expectation);
        let key = format!("rows {} {:?}", self.works.len(), keep.rows);
        self.add(expectation, &key, || Task::Rows(Box::new(Rows::new(question, keep))))
    }

    fn moments(&mut self, expectation: &Expectation, column: &str) -> Result<usize, CheckError> {
        let shape = self.shape(column)?;
        Ok(self.add(expectation, &format!("moments {column}"), || Task::Moments(Moments::new(column, shape))))
    }

    fn counts(&mut self, expectation: &Expectation, column: &str) -> Result<usize, CheckError> {
        let shape = self.shape(column)?;
        if shape == Shape::Other {
            return Err(self.wrong_type(expectation, column));
        }
        Ok(self.add(expectation, &format!("counts {column}"), || Task::Counts(Counts::new(column, shape))))
    }

    fn numbers(&mut self, expectation: &Expectation, column: &str) -> usize {
        self.add(expectation, &format!("numbers {column}"), || Task::Numbers(Numbers::new(column)))
    }

    fn needs_numbers(&self, expectation: &Expectation, column: &str) -> Result<(), CheckError> {
        match self.shape(column)? {
            Shape::Int | Shape::Float | Shape::Bool => Ok(()),
            _ => Err(self.wrong_type(expectation, column)),
        }
    }

    fn fits(&self, expectation: &Expectation, column: &str, test: &Test) -> Result<(), CheckError> {
        let shape = self.shape(column)?;
        let empty = self.table.schema.field_with_name(column).is_ok_and(|field| field.data_type() == &arrow::datatypes::DataType::Null);
        if empty {
            return Ok(());
        }
        let text_only = matches!(test, Test::Strptime(_) | Test::DateParseable | Test::JsonSchema(_));
        if shape == Shape::Other || (text_only && shape != Shape::Text) {
            return Err(self.wrong_type(expectation, column));
        }
        Ok(())
    }

    fn wrong_type(&self, expectation: &Expectation, column: &str) -> CheckError {
        let found = self.table.schema.field_with_name(column).map(|field| field.data_type().to_string()).unwrap_or_default();
        CheckError::Type { expectation: expectation.kind.clone(), column: column.to_owned(), found }
    }
}

/// Returns the hashes of the keys of a table that are of a share.
pub(crate) fn keys_of(table: &Table, columns: &[String], share: KeyShare) -> Result<HashSet<u128>, CheckError> {
    let start = FieldWork::Set { columns: columns.to_vec(), share, keys: HashSet::new() };
    let FieldWork::Set { keys, .. } = gather_other(table, start)? else { return Ok(HashSet::new()) };
    Ok(keys)
}

fn gather_other(table: &Table, start: FieldWork) -> Result<FieldWork, CheckError> {
    let mut columns = Vec::new();
    start.columns(&mut columns);
    table.fold(&columns, &start, |work, view| work.update(view, None), FieldWork::merge)
}
