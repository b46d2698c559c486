//! What is gathered while a table is scanned: small pieces of work, shared by every expectation that asks for the same.
//!
//! Each piece can be cloned empty, takes batches in order, and merges with the piece that took the rows behind its own.

pub(crate) mod counts;
pub(crate) mod keys;
pub(crate) mod moments;
pub(crate) mod numbers;
pub(crate) mod ranks;
pub(crate) mod rows;

use arrow::buffer::BooleanBuffer;

use crate::column::View;
use crate::error::CheckError;
use crate::field::FieldWork;

/// A piece of work on some rows.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Which of the scan's row conditions applies.
    pub(crate) condition: Option<usize>,
    pub(crate) task: Task,
}

#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// Rows for which the condition holds.
    Count(u64),
    Moments(moments::Moments),
    Counts(counts::Counts),
    Numbers(numbers::Numbers),
    Bins(numbers::Bins),
    Ranks(ranks::Ranks),
    Rows(Box<rows::Rows>),
    Keys(keys::Keys),
    Hashes(keys::Hashes),
    Field(Box<FieldWork>),
}

impl Work {
    /// Returns whether it takes memory that grows with the table.
    pub(crate) fn grows(&self) -> bool {
        match &self.task {
            Task::Numbers(_) | Task::Counts(_) | Task::Keys(_) => true,
            Task::Field(task) => task.grows(),
            _ => false,
        }
    }

    /// Keeps to a budget of bytes, and to another one while a part of the table is read.
    pub(crate) fn limit(&mut self, whole: u64, part: u64) {
        match &mut self.task {
            Task::Numbers(task) => task.limit(whole, part),
            Task::Counts(task) => task.limit(whole, part),
            Task::Keys(task) => task.limit(whole),
            Task::Field(task) => task.limit(whole),
            _ => {}
        }
    }

    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        match &self.task {
            Task::Count(_) => {}
            Task::Moments(task) => into.push(task.column.clone()),
            Task::Counts(task) => into.push(task.column.clone()),
            Task::Numbers(task) => into.push(task.column.clone()),
            Task::Bins(task) => into.push(task.column.clone()),
            Task::Ranks(task) => into.push(task.column.clone()),
            Task::Rows(task) => task.columns(into),
            Task::Keys(task) => into.extend(task.columns.iter().cloned()),
            Task::Hashes(task) => into.extend(task.columns.iter().cloned()),
            Task::Field(task) => task.columns(into),
        }
    }

    pub(crate) fn update(&mut self, view: &View, masks: &[BooleanBuffer]) -> Result<(), CheckError> {
        let mask = self.condition.map(|place| &masks[place]);
        match &mut self.task {
            Task::Count(rows) => *rows += mask.map_or(view.rows, BooleanBuffer::count_set_bits) as u64,
            Task::Moments(task) => task.update(view, mask)?,
            Task::Counts(task) => task.update(view, mask)?,
            Task::Numbers(task) => task.update(view, mask)?,
            Task::Bins(task) => task.update(view, mask)?,
            Task::Ranks(task) => task.update(view, mask)?,
            Task::Rows(task) => task.update(view, mask)?,
            Task::Keys(task) => task.update(view, mask)?,
            Task::Hashes(task) => task.update(view, mask)?,
            Task::Field(task) => task.update(view, mask)?,
        }
        Ok(())
    }

    /// Takes in what was gathered on the rows that follow.
    pub(crate) fn merge(&mut self, next: Self) {
        match (&mut self.task, next.task) {
            (Task::Count(rows), Task::Count(more)) => *rows += more,
            (Task::Moments(task), Task::Moments(more)) => task.merge(more),
            (Task::Counts(task), Task::Counts(more)) => task.merge(more),
            (Task::Numbers(task), Task::Numbers(more)) => task.merge(more),
            (Task::Bins(task), Task::Bins(more)) => task.merge(&more),
            (Task::Ranks(task), Task::Ranks(more)) => task.merge(more),
            (Task::Rows(task), Task::Rows(more)) => task.merge(*more),
            (Task::Keys(task), Task::Keys(more)) => task.merge(more),
            (Task::Hashes(task), Task::Hashes(more)) => task.merge(more),
            (Task::Field(task), Task::Field(more)) => task.merge(*more),
            _ => unreachable!("pieces of one scan are of one kind"),
        }
    }
}

/// Returns the rows of a batch that are neither masked out nor missing, as bits.
pub(crate) fn present(view: &View, nulls: Option<&arrow::buffer::NullBuffer>, mask: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (nulls, mask) {
        (None, None) => None,
        (Some(nulls), None) => Some(nulls.inner().clone()),
        (None, Some(mask)) => Some(mask.clone()),
        (Some(nulls), Some(mask)) => {
            debug_assert_eq!(mask.len(), view.rows);
            Some(nulls.inner() & mask)
        }
    }
}
