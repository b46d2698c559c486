//! The values of a view for an entity at a time, knowing only what was known: written here once.
//!
//! Training, batch and online lookups differ in where the rows come from and how many answers are wanted. What an answer is, they all
//! take from [`EventTable::find`] and [`EventTable::value`].
//!
//! Rows lie in groups, one for each entity, from the oldest to the newest; rows of one time in the order of `created`, and rows of one
//! `created` in the order of the source. An answer for time T, known at K:
//!
//! - The newest row is the last with time ≤ T and created ≤ K. Is it older than the ttl, everything is missing.
//! - A window holds the rows with T − window < time ≤ T and created ≤ K. Of rows of one time those count that were created last, unless
//!   the view says that all do. Values are taken from the oldest to the newest, so that sums have one order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::UInt32Array;
use rayon::prelude::*;

use crate::FeatureError;
use crate::clock::Micros;
use crate::column::{Column, Value};
use crate::declaration::{Compute, Corrections, Function, Kind};
use crate::keys::KeyIndex;
use crate::plan::{Output, Plan};

/// When, and knowing what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    /// Rows after it do not count.
    pub(crate) time: Micros,
    /// Rows created after it are not known.
    pub(crate) known: Micros,
}

/// How an entity stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No row of it is known.
    Absent,
    /// Its newest row is older than the ttl.
    Expired,
    /// It has values.
    Present,
}

/// The rows of an entity that an answer is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) standing: Standing,
    /// Place of the newest row.
    newest: usize,
    /// Place of the entity's first row.
    first: usize,
    /// Place after its last row that is not after the time.
    end: usize,
}

const ABSENT: Found = Found { standing: Standing::Absent, newest: 0, first: 0, end: 0 };

/// The rows of a view, in memory.
#[derive(Debug)]
pub(crate) struct EventTable {
    /// The entities.
    pub(crate) keys: Arc<KeyIndex>,
    /// Where the group of each entity begins; one more than entities.
    starts: Vec<u32>,
    times: Vec<Micros>,
    created: Option<Vec<Micros>>,
    /// Row of the columns at each place; `None` where they are in order already.
    rows: Option<Vec<u32>>,
    columns: Vec<Column>,
}

impl EventTable {
    /// Puts rows in order. `entities`, `times`, `created` and `columns` have one value a row.
    pub(crate) fn new(
        keys: Arc<KeyIndex>,
        entities: &[u32],
        times: Vec<Micros>,
        created: Option<Vec<Micros>>,
        columns: Vec<Column>,
    ) -> Self {
        let mut starts = vec![0_u32; keys.len() + 1];
        for entity in entities {
            starts[*entity as usize + 1] += 1;
        }
        for entity in 0..keys.len() {
            starts[entity + 1] += starts[entity];
        }
        let at = |row: usize| (entities[row], times[row], created.as_ref().map_or(0, |created| created[row]));
        if (1..entities.len()).all(|row| at(row - 1) <= at(row)) {
            return Self { keys, starts, times, created, rows: None, columns };
        }
        let mut next = starts.clone();
        let mut rows = vec![0_u32; entities.len()];
        for (row, entity) in entities.iter().enumerate() {
            let place = &mut next[*entity as usize];
            rows[*place as usize] = row as u32;
            *place += 1;
        }
        let mut groups: Vec<&mut [u32]> = Vec::with_capacity(keys.len());
        let mut rest = rows.as_mut_slice();
        for bounds in starts.windows(2) {
            let (group, others) = rest.split_at_mut((bounds[1] - bounds[0]) as usize);
            groups.push(group);
            rest = others;
        }
        groups.into_par_iter().with_min_len(256).for_each(|group| {
            if !group.is_sorted_by_key(|row| at(*row as usize)) {
                group.sort_by_key(|row| at(*row as usize));
            }
        });
        let ordered = |values: &[Micros]| rows.par_iter().with_min_len(4096).map(|row| values[*row as usize]).collect();
        Self { keys, starts, times: ordered(&times), created: created.as_deref().map(ordered), rows: Some(rows), columns }
    }

    /// Returns what the values of the columns are.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(Column::kind).collect()
    }

    /// Returns its size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let rows = self.rows.as_ref().map_or(0, Vec::len) * 4 + (self.times.len() + self.created.as_ref().map_or(0, Vec::len)) * 8;
        self.keys.bytes() + self.starts.len() * 4 + rows + self.columns.iter().map(Column::bytes).sum::<usize>()
    }

    /// Finds what an answer is made of. `None` is an entity that nobody has heard of.
    pub(crate) fn find(&self, plan: &Plan, entity: Option<u32>, at: At) -> Found {
        let Some(entity) = entity else { return ABSENT };
        let (first, last) = (self.starts[entity as usize] as usize, self.starts[entity as usize + 1] as usize);
        let end = first + self.times[first..last].partition_point(|time| *time <= at.time);
        let newest = match &self.created {
            None => (first < end).then(|| end - 1),
            Some(created) => (first..end).rev().find(|place| created[*place] <= at.known),
        };
        let Some(newest) = newest else { return ABSENT };
        let is_expired = plan.ttl.is_some_and(|ttl| self.times[newest] < at.time.saturating_sub(ttl));
        let standing = if is_expired { Standing::Expired } else { Standing::Present };
        Found { standing, newest, first, end }
    }

    /// Returns the time of the newest row; `None` where there is none.
    pub(crate) fn time(&self, found: &Found) -> Option<Micros> {
        (found.standing != Standing::Absent).then(|| self.times[found.newest])
    }

    /// Returns the value of a field.
    pub(crate) fn value(&self, plan: &Plan, field: usize, found: &Found, at: At) -> Option<Value> {
        if found.standing != Standing::Present {
            return None;
        }
        let planned = &plan.fields[field];
        match (&planned.compute, planned.column) {
            (Compute::Latest, Some(column)) => self.columns[column].value(self.row(found.newest)),
            (Compute::Latest, None) => None,
            (Compute::Window { function, window }, column) => {
                self.aggregate(plan.corrections, *function, column.map(|column| &self.columns[column]), *window, found, at)
            }
        }
    }

    /// Returns the value of an output: a field, or a calculation over fields.
    pub(crate) fn output(&self, plan: &Plan, output: usize, found: &Found, at: At) -> Option<Value> {
        match &plan.outputs[output] {
            Output::Field(field) => self.value(plan, *field, found, at),
            Output::Derived { expression, .. } => {
                if found.standing != Standing::Present {
                    return None;
                }
                let number = |name: &str| self.value(plan, plan.position(name)?, found, at)?.number();
                expression.evaluate(&number).filter(|number| !number.is_nan()).map(Value::Real)
            }
        }
    }

    /// Returns one output for many entities, in order: the same values that [`Self::output`] gives one by one.
    pub(crate) fn output_of_all(&self, plan: &Plan, output: usize, found: &[Found], at: &[At]) -> Result<Column, FeatureError> {
        if let Output::Field(field) = plan.outputs[output]
            && let (Compute::Latest, Some(column)) = (&plan.fields[field].compute, plan.fields[field].column)
        {
            let row = |found: &Found| (found.standing == Standing::Present).then(|| self.row(found.newest) as u32);
            return self.columns[column].pick(&found.iter().map(row).collect::<UInt32Array>());
        }
        let kind = match plan.outputs[output] {
            Output::Field(field) => plan.kind(field, &self.kinds()),
            Output::Derived { .. } => Kind::Real,
        };
        let one = |(found, at): (&Found, &At)| self.output(plan, output, found, *at);
        let values: Vec<Option<Value>> = found.par_iter().zip(at).with_min_len(1024).map(one).collect();
        Ok(Column::of_values(kind, values.into_iter()))
    }

    fn row(&self, place: usize) -> usize {
        self.rows.as_ref().map_or(place, |rows| rows[place] as usize)
    }

    fn aggregate(
        &self,
        corrections: Corrections,
        function: Function,
        column: Option<&Column>,
        window: Micros,
        found: &Found,
        at: At,
    ) -> Option<Value> {
        let after = at.time.saturating_sub(window);
        let begin = found.first + self.times[found.first..found.end].partition_point(|time| *time <= after);
        let mut rows: Vec<usize> = Vec::with_capacity(found.end - begin);
        self.events(corrections, begin, found.end, at.known, &mut rows);
        let Some(column) = column else { return Some(Value::Int(rows.len() as i64)) };
        rows.retain(|row| !column.is_missing(*row));
        let sum = || rows.iter().filter_map(|row| column.number(*row)).fold(0.0, |sum, value| sum + value);
        // Inf − Inf is no number; it is missing, as everywhere.
        let real = |value: f64| (!value.is_nan()).then_some(Value::Real(value));
        match function {
            Function::Count => Some(Value::Int(rows.len() as i64)),
            Function::Distinct => Some(Value::Int(distinct(column, rows) as i64)),
            Function::Sum if rows.is_empty() => None,
            Function::Sum => real(sum()),
            Function::Mean if rows.is_empty() => None,
            Function::Mean => real(sum() / rows.len() as f64),
            Function::Min => rows.into_iter().min_by(|a, b| compare(column, *a, *b)).and_then(|row| column.value(row)),
            // The first of equals, as the smallest is.
            Function::Max => rows.into_iter().rev().max_by(|a, b| compare(column, *a, *b)).and_then(|row| column.value(row)),
            Function::Last => rows.last().and_then(|row| column.value(*row)),
        }
    }

    /// Collects the rows at the places `begin..end` that are known and not corrected, from the oldest to the newest.
    fn events(&self, corrections: Corrections, begin: usize, end: usize, known: Micros, rows: &mut Vec<usize>) {
        let Some(created) = &self.created else {
            rows.extend((begin..end).map(|place| self.row(place)));
            return;
        };
        let mut place = begin;
        while place < end {
            let after = (place + 1..end).find(|next| self.times[*next] != self.times[place]).unwrap_or(end);
            let versions = &created[place..after];
            let upto = versions.partition_point(|created| *created <= known);
            if upto > 0 {
                let from = match corrections {
                    Corrections::Add => 0,
                    Corrections::Replace => versions.partition_point(|created| *created < versions[upto - 1]),
                };
                rows.extend((place + from..place + upto).map(|place| self.row(place)));
            }
            place = after;
        }
    }

    /// Returns the rows that answers at `until` or later can be made of, in the order of the source: the newest of each entity, and
    /// those in its longest window that are not corrected.
    pub(crate) fn lasting_rows(&self, plan: &Plan, until: Micros) -> Vec<u32> {
        let after = until.saturating_sub(plan.longest_window);
        let of_entity = |entity: usize| {
            let (first, last) = (self.starts[entity] as usize, self.starts[entity + 1] as usize);
            let mut rows = Vec::new();
            let begin = first + self.times[first..last].partition_point(|time| *time <= after);
            if plan.longest_window > 0 {
                self.events(plan.corrections, begin, last, Micros::MAX, &mut rows);
            }
            let newest = self.row(last - 1);
            if rows.last() != Some(&newest) {
                rows.insert(0, newest);
            }
            rows
        };
        let entities =
            (0..self.keys.len()).into_par_iter().with_min_len(1024).filter(|entity| self.starts[*entity] < self.starts[entity + 1]);
        let mut rows: Vec<u32> = entities.flat_map_iter(of_entity).map(|row| row as u32).collect();
        rows.par_sort_unstable();
        rows
    }
}

fn compare(column: &Column, left: usize, right: usize) -> Ordering {
    match column {
        Column::Int(array) => array.value(left).cmp(&array.value(right)),
        Column::Real(array) => array.value(left).total_cmp(&array.value(right)),
        Column::Real32(array) => array.value(left).total_cmp(&array.value(right)),
        Column::Bool(array) => array.value(left).cmp(&array.value(right)),
        Column::Text(array) => array.value(left).cmp(array.value(right)),
        Column::Time(array) => array.value(left).cmp(&array.value(right)),
        Column::Bytes(array) => array.value(left).cmp(array.value(right)),
        // Not asked: `Plan::check` refuses functions that compare lists.
        Column::List(..) => Ordering::Equal,
    }
}

fn distinct(column: &Column, mut rows: Vec<usize>) -> usize {
    rows.sort_unstable_by(|a, b| compare(column, *a, *b));
    // Zero has two signs and is one value.
    let zero = |row: usize| column.number(row) == Some(0.0);
    let is_same = |a: usize, b: usize| compare(column, a, b) == Ordering::Equal || (zero(a) && zero(b));
    rows.dedup_by(|a, b| is_same(*a, *b));
    rows.len()
}
