//! Judging a table: one scan for all expectations of a suite, and a second look only where the first cannot tell.
//!
//! ```text
//! suite ──plan──► pieces of work, shared ──scan──► gathered ──judge──► outcomes
//!                                             └─ z-scores, outliers, keys out of order, unexpected wealth of values: look again
//! ```
//!
//! Not here: what is gathered (`work`), what it means (`judge`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::column::Shape;
use crate::condition::Condition;
use crate::divergence::auto_edges;
use crate::error::CheckError;
use crate::field::FieldWork;
use crate::judge;
use crate::metric::{Kind, Metric};
use crate::outcome::{ResultFormat, Validation};
use crate::rule::{Between, Ignore, Rule, Test};
use crate::source::Table;
use crate::suite::{Expectation, Suite};
use crate::work::keys::Hashes;
use crate::work::numbers::Bins;
use crate::work::rows::Question;
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
}

impl Default for Options {
    fn default() -> Self {
        Self { format: ResultFormat::Summary, shown: 20, now: None, memory: 1 << 30, tables: BTreeMap::new(), personal: Vec::new() }
    }
}

/// Failing rows kept for the format that shows them all.
pub(crate) const ALL: usize = 1_000_000;

/// Judges a table by a suite.
///
/// # Errors
/// If the table cannot be read. An expectation that cannot be judged has failed, and its outcome says why.
pub fn check(table: &Table, suite: &Suite, options: &Options) -> Result<Validation, CheckError> {
    let mut scan = Scan::new(table, suite, options);
    let plans: Vec<Result<Plan, CheckError>> = suite.expectations.iter().map(|expectation| scan.plan(expectation)).collect();
    scan.run()?;
    let mut again = Vec::new();
    for (expectation, plan) in suite.expectations.iter().zip(&plans) {
        again.push(match plan {
            Ok(plan) => scan.look_again(expectation, plan)?,
            Err(_) => None,
        });
    }
    scan.run()?;
    let mut outcomes = Vec::new();
    for ((expectation, plan), again) in suite.expectations.iter().zip(plans).zip(again) {
        outcomes.push(match plan {
            Ok(plan) => judge::judge(&mut scan, expectation, &plan, again)?,
            Err(problem @ (CheckError::Read { .. } | CheckError::Parquet { .. })) => return Err(problem),
            Err(problem) => judge::refused(expectation, &problem.to_string()),
        });
    }
    let mut validation =
        Validation { suite: suite.name.clone(), layer: suite.layer.clone(), table: suite.table.clone(), rows: table.rows, outcomes };
    let personal: Vec<String> = options.personal.iter().chain(&suite.personal).cloned().collect();
    if !personal.is_empty() {
        validation.hide(&personal, suite);
    }
    Ok(validation)
}

/// Which pieces of work an expectation is judged by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) works: Vec<usize>,
    /// Gathered on another table.
    pub(crate) other: Option<FieldWork>,
}

pub(crate) struct Scan<'a> {
    pub(crate) table: &'a Table,
    pub(crate) suite: &'a Suite,
    pub(crate) options: &'a Options,
    conditions: Vec<Condition>,
    pub(crate) works: Vec<Work>,
    /// Works that have their rows.
    done: usize,
    shared: HashMap<String, usize>,
}

impl<'a> Scan<'a> {
    fn new(table: &'a Table, suite: &'a Suite, options: &'a Options) -> Self {
        Self { table, suite, options, conditions: Vec::new(), works: Vec::new(), done: 0, shared: HashMap::new() }
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

    /// Scans the table for the works that have no rows yet, with only the columns they need.
    fn run(&mut self) -> Result<(), CheckError> {
        let start = self.done;
        self.done = self.works.len();
        if start == self.works.len() {
            return Ok(());
        }
        let works = self.gather(self.works[start..].to_vec())?;
        self.works.splice(start.., works);
        Ok(())
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

    /// Adds what can only be asked now that the first scan is done, or returns `None` where nothing is left to ask.
    fn look_again(&mut self, expectation: &Expectation, plan: &Plan) -> Result<Option<usize>, CheckError> {
        Ok(match &expectation.rule {
            Rule::ZScore { column, threshold, both } => {
                let Task::Moments(moments) = &self.works[plan.works[0]].task else { return Ok(None) };
                let spread = moments.stdev().filter(|spread| *spread != 0.0).unwrap_or(f64::NAN);
                let test = Test::Near { center: moments.mean().unwrap_or(f64::NAN), spread, threshold: *threshold, both: *both };
                Some(self.rows(expectation, Question::Test { column: column.clone(), test }))
            }
            Rule::Outliers { column, iqr, multiplier } => {
                let Task::Moments(moments) = &self.works[plan.works[0]].task else { return Ok(None) };
                let (mean, stdev) = (moments.mean(), moments.stdev());
                let test = if *iqr {
                    let Task::Numbers(numbers) = &mut self.works[plan.works[1]].task else { return Ok(None) };
                    let quartiles = numbers.quantiles(&[0.25, 0.75], Between::Linear);
                    Test::Window(match quartiles[..] {
                        [Some(first), Some(third)] => Some((first - multiplier * (third - first), third + multiplier * (third - first))),
                        _ => None,
                    })
                } else {
                    match (mean, stdev) {
                        (Some(center), Some(stdev)) => Test::Within { center, distance: multiplier * stdev },
                        _ => Test::Window(None),
                    }
                };
                Some(self.rows(expectation, Question::Test { column: column.clone(), test }))
            }
            Rule::Divergence(rule) if rule.partition.is_none() && rule.bucketize => {
                let Task::Numbers(numbers) = &mut self.works[plan.works[0]].task else { return Ok(None) };
                let count = numbers.values.len() as u64;
                let edges = auto_edges(count, &numbers.quantiles(&[0.0, 0.25, 0.75, 1.0], Between::Nearest));
                let key = format!("auto bins {}", rule.column);
                Some(self.add(expectation, &key, || Task::Bins(Bins::new(&rule.column, edges))))
            }
            Rule::Unique { columns, ignore, compound } => {
                let work = &self.works[plan.works[0]];
                let condition = work.condition;
                let Task::Keys(keys) = &work.task else { return Ok(None) };
                if !keys.unsure {
                    return Ok(None);
                }
                let judged = keys.judged;
                let (_, repeated) = self.repeated(columns, *ignore, condition, judged)?;
                if repeated.is_empty() {
                    return Ok(None);
                }
                let question =
                    Question::Once { columns: columns.clone(), ignore: *ignore, repeated: Arc::new(repeated), compound: *compound };
                Some(self.rows(expectation, question))
            }
            _ => None,
        })
    }

    /// Returns how many rows have a key, how many keys are distinct, and the hashes of those that occur more than once.
    fn repeated(
        &self,
        columns: &[String],
        ignore: Ignore,
        condition: Option<usize>,
        rows: u64,
    ) -> Result<((u64, u64), HashSet<u128>), CheckError> {
        let shares = (rows * 16).div_ceil(self.options.memory.max(1 << 16)).max(1);
        let (mut keyed, mut distinct, mut repeated) = (0, 0, HashSet::new());
        for share in 0..shares {
            let task = Task::Hashes(Hashes::new(columns, ignore, share, shares));
            let mut works = self.gather(vec![Work { condition, task }])?;
            if let Some(Work { task: Task::Hashes(hashes), .. }) = works.first_mut() {
                let (own, twice) = hashes.repeated();
                keyed += hashes.rows.len() as u64;
                distinct += own;
                repeated.extend(twice);
            }
        }
        Ok(((keyed, distinct), repeated))
    }

    /// Returns the value of a contract's metric: rows, or percent of the rows.
    pub(crate) fn metric(&self, metric: &Metric, plan: &Plan) -> Result<f64, CheckError> {
        let Task::Count(rows) = self.works[plan.works[0]].task else { return Ok(f64::NAN) };
        let count = match &metric.kind {
            Kind::Rows => rows,
            Kind::Failing(_) => match plan.works.get(1).map(|place| &self.works[*place].task) {
                Some(Task::Rows(work)) => work.failed,
                _ => return Ok(f64::NAN),
            },
            Kind::Repeated(columns) => {
                let condition = self.works[plan.works[0]].condition;
                let ((keyed, distinct), _) = self.repeated(columns, Metric::IGNORE, condition, rows)?;
                keyed - distinct
            }
        };
        let count = count as f64;
        Ok(if !metric.percent {
            count
        } else if rows == 0 {
            0.0
        } else {
            count / rows as f64 * 100.0
        })
    }

    /// Visits every value of a column with how often it occurs; where there are too many at once, share by share.
    pub(crate) fn each_value(&self, place: usize, mut visit: impl FnMut(crate::value::Value, u64)) -> Result<(), CheckError> {
        let Work { task: Task::Counts(counts), condition } = &self.works[place] else { return Ok(()) };
        if !counts.full {
            counts.each().for_each(|(value, count)| visit(value, count));
            return Ok(());
        }
        let mut shares: Vec<(u64, u64)> = (0..8).map(|share| (share, 8)).collect();
        while let Some((share, parts)) = shares.pop() {
            let works = self.gather(vec![Work { condition: *condition, task: Task::Counts(counts.share(share, parts)) }])?;
            let Some(Work { task: Task::Counts(counts), .. }) = works.first() else { continue };
            if counts.full {
                shares.extend((0..8).map(|part| (share + part * parts, parts * 8)));
            } else {
                counts.each().for_each(|(value, count)| visit(value, count));
            }
        }
        Ok(())
    }
}
