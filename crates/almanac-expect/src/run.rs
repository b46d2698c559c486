//! Judging a table: one scan for all expectations of a suite, and a second look only where the first cannot tell.
//!
//! ```text
//! suite ──plan──► pieces of work, shared ──scan──► gathered ──judge──► outcomes
//!                                             └─ z-scores, outliers, keys out of order, unexpected wealth of values: look again
//! ```
//!
//! Not here: what is gathered (`work`), second looks (`again`), what it means (`judge`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::column::Shape;
use crate::condition::Condition;
use crate::error::CheckError;
use crate::facts::Facts;
use crate::judge;
use crate::outcome::{Outcome, ResultFormat, Validation};
use crate::rule::Rule;
use crate::source::Table;
use crate::sql::AskSql;
use crate::suite::{Dialect, Expectation, Suite};
use crate::work::{Task, Work};

/// How to judge.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much of each result is kept.
    pub format: ResultFormat,
    /// Failing rows shown for each expectation.
    pub shown: usize,
    /// The present, in microseconds since 1970-01-01 UTC. Without it nothing is fresh, and nothing can be from the future.
    pub now: Option<i64>,
    /// Bytes that keys, numbers and counts may take; beyond, the table is looked at again in shares.
    pub memory: u64,
    /// Other tables, by name.
    pub tables: BTreeMap<String, Table>,
    /// Columns whose values no result may show, beside those the suite names.
    pub personal: Vec<String>,
    /// Columns that name a failing row, such as the series and the time; those that a table has are shown.
    pub labels: Vec<String>,
    /// What is known of the table beyond its rows.
    pub facts: Facts,
    /// What answers questions in SQL; without it such an expectation fails.
    pub sql: Option<Arc<dyn AskSql>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: ResultFormat::Summary,
            shown: 20,
            now: None,
            memory: 1 << 30,
            tables: BTreeMap::new(),
            personal: Vec::new(),
            labels: Vec::new(),
            facts: Facts::default(),
            sql: None,
        }
    }
}

/// Failing rows kept for the format that shows them all.
pub(crate) const ALL: usize = 1_000_000;

/// Judges a table by a suite.
///
/// # Errors
/// If the table cannot be read. An expectation that cannot be judged has failed, and its outcome says why.
pub fn check(table: &Table, suite: &Suite, options: &Options) -> Result<Validation, CheckError> {
    Ok(check_all(table, &[suite], options)?.swap_remove(0))
}

/// Judges a table by several suites in the same scan, and returns a validation for each.
///
/// # Errors
/// As [`check`].
pub fn check_all(table: &Table, suites: &[&Suite], options: &Options) -> Result<Vec<Validation>, CheckError> {
    let mut scan = Scan::new(table, options);
    let personal = |suite: &Suite| options.personal.iter().chain(&suite.personal).cloned().collect::<Vec<_>>();
    scan.has_personal = suites.iter().any(|suite| !personal(suite).is_empty());
    scan.labels.clone_from(&options.labels);
    scan.labels.retain(|label| table.has(label) && !suites.iter().any(|suite| personal(suite).contains(label)));
    let all: Vec<(&Expectation, Dialect)> =
        suites.iter().flat_map(|suite| suite.expectations.iter().map(|expectation| (expectation, suite.dialect))).collect();
    let mut plans: Vec<Option<Result<Plan, CheckError>>> = Vec::new();
    for (expectation, dialect) in &all {
        scan.dialect = *dialect;
        plans.push(Some(scan.plan(expectation)));
    }
    scan.share_memory();
    scan.run()?;
    let mut again = Vec::new();
    for ((expectation, dialect), plan) in all.iter().zip(&plans) {
        scan.dialect = *dialect;
        again.push(match plan {
            Some(Ok(plan)) => scan.look_again(expectation, plan)?,
            _ => None,
        });
    }
    scan.run()?;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; all.len()];
    // What is known of the table beyond its rows goes last: rows that are to be taken out belong to it.
    for of_facts in [false, true] {
        for (place, (expectation, dialect)) in all.iter().enumerate() {
            if matches!(expectation.rule, Rule::Fact(_)) != of_facts {
                continue;
            }
            scan.dialect = *dialect;
            outcomes[place] = Some(match plans[place].take() {
                Some(Ok(plan)) => judge::judge(&mut scan, expectation, &plan, again[place])?,
                Some(Err(problem @ (CheckError::Read { .. } | CheckError::Parquet { .. }))) => return Err(problem),
                Some(Err(problem)) => judge::refused(expectation, &problem.to_string()),
                None => continue,
            });
        }
        let rows: HashSet<u64> =
            outcomes.iter().flatten().filter(|outcome| outcome.takes_out()).flat_map(|outcome| &outcome.places).copied().collect();
        scan.taken = rows.len() as u64;
    }
    let mut outcomes = outcomes.into_iter().flatten();
    let validation = |suite: &&Suite| {
        let mut validation = Validation {
            suite: suite.name.clone(),
            layer: suite.layer.clone(),
            table: suite.table.clone(),
            rows: table.rows,
            outcomes: outcomes.by_ref().take(suite.expectations.len()).collect(),
        };
        let personal = personal(suite);
        if !personal.is_empty() {
            validation.hide(&personal, suite);
        }
        validation
    };
    Ok(suites.iter().map(validation).collect())
}

/// Which pieces of work an expectation is judged by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) works: Vec<usize>,
    /// Gathered on another table.
    pub(crate) other: Option<crate::field::FieldWork>,
}

pub(crate) struct Scan<'a> {
    pub(crate) table: &'a Table,
    pub(crate) options: &'a Options,
    /// Whose words the results at hand are given in.
    pub(crate) dialect: Dialect,
    /// Rows that are to be taken out, once that is known.
    pub(crate) taken: u64,
    /// Columns that name a failing row.
    pub(crate) labels: Vec<String>,
    /// Whether some column is personal.
    pub(crate) has_personal: bool,
    conditions: Vec<Condition>,
    pub(crate) works: Vec<Work>,
    /// Works that have their rows, by place.
    done: Vec<bool>,
    shared: HashMap<String, usize>,
}

impl<'a> Scan<'a> {
    fn new(table: &'a Table, options: &'a Options) -> Self {
        Self {
            table,
            options,
            dialect: Dialect::default(),
            taken: 0,
            labels: Vec::new(),
            has_personal: false,
            conditions: Vec::new(),
            works: Vec::new(),
            done: Vec::new(),
            shared: HashMap::new(),
        }
    }

    pub(crate) fn shape(&self, column: &str) -> Result<Shape, CheckError> {
        let field = self.table.schema.field_with_name(column).map_err(|_| CheckError::NoColumn { column: column.to_owned() })?;
        Ok(Shape::of(field.data_type()))
    }

    /// Adds a piece of work, or finds the same one.
    pub(crate) fn add(&mut self, expectation: &Expectation, key: &str, task: impl FnOnce() -> Task) -> usize {
        let condition = expectation.condition.as_ref().map(|condition| {
            self.conditions.iter().position(|other| other == condition).unwrap_or_else(|| {
                self.conditions.push(condition.clone());
                self.conditions.len() - 1
            })
        });
        let key = format!("{condition:?} {key}");
        if let Some(place) = self.shared.get(&key) {
            return *place;
        }
        self.works.push(Work { condition, task: task() });
        self.shared.insert(key, self.works.len() - 1);
        self.works.len() - 1
    }

    /// Shares the memory among the works that grow with the table: each on its own, and while parts are read side by side.
    fn share_memory(&mut self) {
        let growing = self.works.iter().filter(|work| work.grows()).count().max(1) as u64;
        let whole = self.options.memory / growing / 2;
        let part = whole / (rayon::current_num_threads() as u64 * 2);
        self.works.iter_mut().for_each(|work| work.limit(whole, part));
    }

    /// Scans the table for the works that have no rows yet, with only the columns they need.
    fn run(&mut self) -> Result<(), CheckError> {
        self.done.resize(self.works.len(), false);
        let places: Vec<usize> = (0..self.works.len()).filter(|place| !self.done[*place]).collect();
        if places.is_empty() {
            return Ok(());
        }
        let works = self.gather(places.iter().map(|place| self.works[*place].clone()).collect())?;
        for (place, work) in places.into_iter().zip(works) {
            self.works[place] = work;
            self.done[place] = true;
        }
        Ok(())
    }

    /// Adds a piece of work that has its rows already.
    pub(crate) fn add_done(&mut self, work: Work) -> usize {
        self.works.push(work);
        self.done.resize(self.works.len(), false);
        self.done[self.works.len() - 1] = true;
        self.works.len() - 1
    }

    pub(crate) fn gather(&self, works: Vec<Work>) -> Result<Vec<Work>, CheckError> {
        let mut columns = Vec::new();
        works.iter().for_each(|work| work.columns(&mut columns));
        let used: HashSet<usize> = works.iter().filter_map(|work| work.condition).collect();
        for place in &used {
            self.conditions[*place].columns(&mut columns);
        }
        columns.sort();
        columns.dedup();
        self.table.fold(
            &columns,
            &works,
            |works, view| {
                let masks = self
                    .conditions
                    .iter()
                    .enumerate()
                    .map(
                        |(place, condition)| {
                            if used.contains(&place) { condition.holds(view) } else { Ok(arrow::buffer::BooleanBuffer::new_unset(0)) }
                        },
                    )
                    .collect::<Result<Vec<_>, _>>()?;
                works.iter_mut().try_for_each(|work| work.update(view, &masks))
            },
            |works, next| works.iter_mut().zip(next).for_each(|(work, next)| work.merge(next)),
        )
    }
}
