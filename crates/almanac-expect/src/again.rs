//! The second look: what can only be asked once the first scan is done, and what did not fit into memory.
//!
//! Bounds of outliers, keys that may have come twice, values too many to be counted at once, ranks among numbers too many to be kept. Each
//! look reads only the columns in question; results are exact, whatever the memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::divergence::auto_edges;
use crate::error::CheckError;
use crate::field::{FieldRule, FieldWork, KeyShare};
use crate::metric::{Kind, Metric};
use crate::plan::keys_of;
use crate::rule::{Between, Ignore, Rule, Test};
use crate::run::{Plan, Scan};
use crate::sql::{self, Answer};
use crate::suite::{Dialect, Expectation};
use crate::value::Value;
use crate::work::keys::Hashes;
use crate::work::numbers::{Bins, Quantile};
use crate::work::ranks::{FIRST, Ranks, Target, known};
use crate::work::rows::{Question, Rows};
use crate::work::{Task, Work};

impl Scan<'_> {
    /// Adds what can only be asked now that the first scan is done, or returns `None` where nothing is left to ask.
    pub(crate) fn look_again(&mut self, expectation: &Expectation, plan: &Plan) -> Result<Option<usize>, CheckError> {
        Ok(match &expectation.rule {
            Rule::ZScore { column, threshold, both } => {
                let Task::Moments(moments) = &self.works[plan.works[0]].task else { return Ok(None) };
                // Infinite numbers leave no deviation to measure by: to version 1 of Great Expectations, all is well then.
                let passes = |spread: f64| spread == 0.0 || (spread.is_nan() && self.dialect == Dialect::Gx1);
                let spread = moments.stdev().filter(|spread| !passes(*spread));
                let test = Test::Near { center: moments.mean().unwrap_or(f64::NAN), spread, threshold: *threshold, both: *both };
                Some(self.rows(expectation, Question::Test { column: column.clone(), test }))
            }
            Rule::Outliers { column, iqr, multiplier } => {
                let Task::Moments(moments) = &self.works[plan.works[0]].task else { return Ok(None) };
                let (mean, stdev) = (moments.mean(), moments.stdev());
                let test = if *iqr {
                    let quartiles = self.quantiles(plan.works[1], &[0.25, 0.75], Between::Linear)?;
                    Test::Window(match quartiles[..] {
                        [Some(first), Some(third)] => Some((first - multiplier * (third - first), third + multiplier * (third - first))),
                        _ => None,
                    })
                } else {
                    match (mean, stdev) {
                        (Some(_), Some(stdev)) if stdev.is_nan() && self.dialect == Dialect::Gx1 => Test::Window(None),
                        (Some(center), Some(stdev)) => Test::Within { center, distance: multiplier * stdev },
                        _ => Test::Window(None),
                    }
                };
                Some(self.rows(expectation, Question::Test { column: column.clone(), test }))
            }
            Rule::Divergence(rule) if rule.partition.is_none() && rule.bucketize => {
                let Task::Numbers(numbers) = &self.works[plan.works[0]].task else { return Ok(None) };
                let count = numbers.count;
                let edges = auto_edges(count, &self.quantiles(plan.works[0], &[0.0, 0.25, 0.75, 1.0], Between::Nearest)?);
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
                let question = |repeated| Question::Once { columns: columns.clone(), ignore: *ignore, repeated, compound: *compound };
                let judged = keys.judged;
                // Keys that occur more than once may themselves be more than memory holds: then rows are judged share by share.
                let askers = self.works.iter().filter(|work| matches!(work.task, Task::Keys(_))).count() as u64;
                let most = (self.options.memory / 96 / askers).max(1024) as usize;
                let (mut repeated, mut partial) = (HashSet::new(), None);
                for hashes in self.shares_of_hashes(columns, *ignore, condition, judged) {
                    repeated.extend(hashes?.repeated().1);
                    if repeated.len() > most {
                        self.judge_share(expectation, condition, question(Arc::new(std::mem::take(&mut repeated))), &mut partial)?;
                    }
                }
                match partial {
                    None if repeated.is_empty() => None,
                    None => Some(self.rows(expectation, question(Arc::new(repeated)))),
                    Some(_) => {
                        self.judge_share(expectation, condition, question(Arc::new(repeated)), &mut partial)?;
                        partial.map(|rows| self.add_done(Work { condition, task: Task::Rows(rows) }))
                    }
                }
            }
            Rule::Field(FieldRule::Joined { columns, table, others }) => {
                let other = self.other(table)?;
                let shares = self.key_shares(&other);
                if shares == 1 {
                    return Ok(None);
                }
                let condition = self.works[plan.works[0]].condition;
                let mut all = Vec::new();
                for number in 0..shares {
                    let share = KeyShare { number, of: shares };
                    let set = Arc::new(keys_of(&other, others, share)?);
                    let start = FieldWork::Missing { columns: columns.clone(), share, set, places: Vec::new() };
                    let works = self.gather(vec![Work { condition, task: Task::Field(Box::new(start)) }])?;
                    for work in works {
                        if let Task::Field(field) = work.task
                            && let FieldWork::Missing { places, .. } = *field
                        {
                            all.extend(places);
                        }
                    }
                }
                all.sort_unstable();
                let found = FieldWork::Missing { columns: columns.clone(), share: KeyShare::ALL, set: Arc::default(), places: all };
                Some(self.add_done(Work { condition, task: Task::Field(Box::new(found)) }))
            }
            _ => None,
        })
    }

    /// Gives the hashes of keys, share by share, so that each share fits into memory: a look at the table for each.
    fn shares_of_hashes<'b>(
        &'b self,
        columns: &'b [String],
        ignore: Ignore,
        condition: Option<usize>,
        rows: u64,
    ) -> impl Iterator<Item = Result<Hashes, CheckError>> + use<'b> {
        // A list that grows holds its sixteen bytes a row three times.
        let shares = (rows * 48).div_ceil(self.options.memory.max(1 << 16)).max(1);
        (0..shares).map(move |share| {
            let task = Task::Hashes(Hashes::new(columns, ignore, share, shares));
            match self.gather(vec![Work { condition, task }])?.pop() {
                Some(Work { task: Task::Hashes(hashes), .. }) => Ok(hashes),
                _ => Ok(Hashes::new(columns, ignore, share, shares)),
            }
        })
    }

    /// Judges rows by one share of a question, and adds what came of it to the other shares.
    fn judge_share(
        &self,
        expectation: &Expectation,
        condition: Option<usize>,
        question: Question,
        sum: &mut Option<Box<Rows>>,
    ) -> Result<(), CheckError> {
        let task = Task::Rows(Box::new(Rows::new(question, self.keep(expectation))));
        if let Some(Work { task: Task::Rows(rows), .. }) = self.gather(vec![Work { condition, task }])?.pop() {
            match sum {
                None => *sum = Some(rows),
                Some(sum) => sum.join(*rows),
            }
        }
        Ok(())
    }

    /// Returns how many rows have a key, and how many keys are distinct.
    fn distinct_keys(&self, columns: &[String], ignore: Ignore, condition: Option<usize>, rows: u64) -> Result<(u64, u64), CheckError> {
        let (mut keyed, mut distinct) = (0, 0);
        for hashes in self.shares_of_hashes(columns, ignore, condition, rows) {
            let mut hashes = hashes?;
            keyed += hashes.rows.len() as u64;
            distinct += hashes.repeated().0;
        }
        Ok((keyed, distinct))
    }

    /// Returns quantiles of numbers that were gathered; `None` where there are none.
    pub(crate) fn quantiles(&mut self, place: usize, shares: &[f64], between: Between) -> Result<Vec<Option<f64>>, CheckError> {
        let Task::Numbers(numbers) = &self.works[place].task else { return Ok(vec![None; shares.len()]) };
        let count = numbers.count;
        let asked: Vec<Option<Quantile>> = shares.iter().map(|share| Quantile::new(count, *share, between)).collect();
        let ranks: Vec<u64> = asked.iter().flatten().flat_map(|quantile| quantile.ranks()).collect();
        let found = self.ranked(place, &ranks)?;
        let value = |quantile: Quantile| {
            let [low, high] = quantile.ranks().map(|rank| found.get(&rank).copied());
            Some(quantile.value([low?, high?]))
        };
        Ok(asked.into_iter().map(|quantile| quantile.and_then(value)).collect())
    }

    /// Returns the middle of numbers that were gathered, or `None` where there are none.
    pub(crate) fn median(&mut self, place: usize) -> Result<Option<f64>, CheckError> {
        let Task::Numbers(numbers) = &self.works[place].task else { return Ok(None) };
        let Some(last) = numbers.count.checked_sub(1) else { return Ok(None) };
        let (low, high) = (last / 2, last - last / 2);
        let found = self.ranked(place, &[low, high])?;
        Ok(found.get(&low).zip(found.get(&high)).map(|(low, high)| if low == high { *low } else { f64::midpoint(*low, *high) }))
    }

    /// Returns the numbers at some ranks: from those that were kept, or by looking again, each time at fewer.
    fn ranked(&mut self, place: usize, ranks: &[u64]) -> Result<BTreeMap<u64, f64>, CheckError> {
        let condition = self.works[place].condition;
        let Task::Numbers(numbers) = &mut self.works[place].task else { return Ok(BTreeMap::new()) };
        let Some(crowded) = &numbers.crowded else { return Ok(numbers.ranked(ranks)) };
        let column = numbers.column.clone();
        let mut targets: Vec<Target> = ranks.iter().map(|rank| Target::start(*rank)).collect();
        targets.iter_mut().for_each(|target| target.narrow(crowded));
        let mut bits = FIRST;
        let look = |task: Ranks| match self.gather(vec![Work { condition, task: Task::Ranks(task) }])?.pop() {
            Some(Work { task: Task::Ranks(ranks), .. }) => Ok(ranks),
            _ => Err(CheckError::Value { problem: "nothing was gathered".into() }),
        };
        while bits < 64 {
            let in_question: BTreeMap<u64, u64> = targets.iter().map(|target| (target.prefix, target.size)).collect();
            if in_question.values().sum::<u64>() <= self.options.memory / 32 {
                return Ok(look(Ranks::taking(&column, bits, &targets))?.found(&targets).into_iter().collect());
            }
            bits = look(Ranks::counting(&column, bits, &targets))?.narrow(&mut targets);
        }
        Ok(known(&targets).into_iter().collect())
    }

    /// Answers a question in SQL over the table and the others.
    pub(crate) fn ask(&self, query: &str) -> Result<Answer, String> {
        let engine = self.options.sql.as_ref().ok_or("it asks by SQL, and there is nothing here that answers it")?;
        let tables = sql::tables(self.table, self.options.tables.iter());
        engine.ask(&tables, query, self.options.shown.max(1))
    }

    /// Returns the value of a contract's metric: rows, or percent of the rows.
    pub(crate) fn metric(&self, metric: &Metric, plan: &Plan) -> Result<f64, CheckError> {
        let Task::Count(rows) = self.works[plan.works[0]].task else { return Ok(f64::NAN) };
        let count = match &metric.kind {
            Kind::Rows => rows,
            Kind::Sql(_) => return Ok(f64::NAN),
            Kind::Failing(_) => match plan.works.get(1).map(|place| &self.works[*place].task) {
                Some(Task::Rows(work)) => work.failed,
                _ => return Ok(f64::NAN),
            },
            Kind::Repeated(columns) => {
                let condition = self.works[plan.works[0]].condition;
                let (keyed, distinct) = self.distinct_keys(columns, Metric::IGNORE, condition, rows)?;
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
    pub(crate) fn each_value(&self, place: usize, mut visit: impl FnMut(Value, u64)) -> Result<(), CheckError> {
        let Work { task: Task::Counts(counts), condition } = &self.works[place] else { return Ok(()) };
        if !counts.full {
            counts.each().for_each(|(value, count)| visit(value, count));
            return Ok(());
        }
        let mut shares: Vec<(u64, u64)> = (0..8).map(|share| (share, 8)).collect();
        while let Some((share, parts)) = shares.pop() {
            let mut work = Work { condition: *condition, task: Task::Counts(counts.share(share, parts)) };
            // It has all the memory for itself now.
            let whole = (self.options.memory / 2).max(1 << 16);
            work.limit(whole, whole / (rayon::current_num_threads() as u64 * 2));
            let works = self.gather(vec![work])?;
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
