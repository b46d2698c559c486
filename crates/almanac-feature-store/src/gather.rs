//! Rows of a view from its source into memory: only those that an answer can be made of.
//!
//! Parts of the source are read side by side and put together in their order. Rows of entities that nobody asks for, rows after the
//! last time asked for, and columns that no feature needs are never kept, so that memory holds what the answers need and one batch a
//! thread. More than is allowed is an error before it is a problem.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, UInt32Array};
use rayon::prelude::*;

use crate::FeatureError;
use crate::clock::Micros;
use crate::column::Column;
use crate::declaration::View;
use crate::keys::{KeyColumns, KeyIndex};
use crate::plan::Plan;
use crate::rows::Rows;
use crate::source::{Source, times_of};
use crate::table::EventTable;

/// What is known of a source from last time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    /// Rows up to this time were seen.
    pub(crate) time: Micros,
    /// The greatest `created` among them; that of rows without one is the smallest there is.
    pub(crate) created: Micros,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Only those of these entities; `None` wants all.
    pub(crate) entities: Option<&'a KeyIndex>,
    /// None before; `Micros::MIN` wants all.
    pub(crate) from: Micros,
    /// None after.
    pub(crate) until: Micros,
    /// None that were seen before.
    pub(crate) before: Option<Before>,
    /// Of each part only those that an answer from `until` on can be made of.
    pub(crate) only_lasting: bool,
    /// Most bytes to keep.
    pub(crate) memory: usize,
}

/// What became of the rows of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the source.
    pub rows: u64,
    /// Rows after the time asked for.
    pub future: u64,
    /// Rows that were not seen last time.
    pub fresh: u64,
    /// Rows without a key or a time: they belong to nobody.
    pub nameless: u64,
    /// Rows kept.
    pub kept: u64,
}

/// The rows that were kept.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) counts: Counts,
    /// Number of each row's entity, where entities were given.
    entities: Vec<u32>,
    /// The rows, without keys where entities were given.
    pub(crate) rows: Rows,
    /// The greatest `created` of all rows that are not after the time asked for.
    pub(crate) newest_created: Micros,
}

#[derive(Default)]
struct Part {
    counts: Counts,
    entities: Vec<u32>,
    batches: Vec<Rows>,
    newest_created: Option<Micros>,
}

/// Reads the rows of a view that are wanted.
///
/// # Errors
/// [`FeatureError`] for a source that cannot be read, columns that are not there or of another type, and too little memory.
pub(crate) fn gather(view: &View, plan: &Plan, source: &dyn Source, wanted: Wanted<'_>) -> Result<Gathered, FeatureError> {
    let mut names: Vec<String> = view.keys.iter().map(|key| key.column.clone()).collect();
    names.push(view.time.clone());
    names.extend(view.created.clone());
    names.extend(plan.columns.iter().map(|(name, _)| name.clone()));
    let there = source.columns();
    if let Some(missing) = names.iter().find(|name| !there.contains(name)) {
        return Err(FeatureError::no_column(source.place(), missing, there.iter().map(String::as_str)));
    }
    let used = AtomicUsize::new(0);
    let read = |part: usize| read_part(view, plan, source, part, &names, wanted, &used);
    let parts = (0..source.parts()).into_par_iter().map(read).collect::<Result<Vec<Part>, _>>()?;
    put_together(view, plan, source, parts)
}

fn read_part(
    view: &View,
    plan: &Plan,
    source: &dyn Source,
    number: usize,
    names: &[String],
    wanted: Wanted<'_>,
    used: &AtomicUsize,
) -> Result<Part, FeatureError> {
    let mut part = Part::default();
    if let Some(before) = wanted.before {
        let created = view.created.as_deref().map(|name| (name, before.created));
        if let Some(rows) = source.rows_not_after(number, (&view.time, before.time), created, &view.timezone) {
            part.counts.rows = rows;
            return Ok(part);
        }
    }
    let place = source.place();
    let mut key = Vec::new();
    let mut bytes_here = 0;
    source.read(number, names, &mut |batch| {
        let n_keys = view.keys.len();
        let keys = KeyColumns::new(&view.keys, &batch.columns()[..n_keys], &place)?;
        let times = times_of(&batch, n_keys, &view.timezone, &place, &view.time)?;
        let created = match &view.created {
            Some(name) => Some(times_of(&batch, n_keys + 1, &view.timezone, &place, name)?),
            None => None,
        };
        let mut rows: Vec<u32> = Vec::with_capacity(batch.num_rows());
        let mut kept = Rows { created: created.as_ref().map(|_| Vec::new()), ..Rows::default() };
        for row in 0..batch.num_rows() {
            part.counts.rows += 1;
            if times.is_null(row) {
                part.counts.nameless += 1;
                continue;
            }
            let time = times.value(row);
            if time > wanted.until {
                part.counts.future += 1;
                continue;
            }
            // A row that does not say when it became known was always known.
            let became_known =
                created.as_ref().map_or(Micros::MIN, |created| if created.is_valid(row) { created.value(row) } else { Micros::MIN });
            part.newest_created = part.newest_created.max(Some(became_known));
            if wanted.before.is_some_and(|before| time <= before.time && became_known <= before.created) {
                continue;
            }
            part.counts.fresh += 1;
            if time < wanted.from {
                continue;
            }
            if !keys.encode(row, &mut key) {
                part.counts.nameless += 1;
                continue;
            }
            if let Some(index) = wanted.entities {
                let Some(entity) = index.get(&key) else { continue };
                part.entities.push(entity);
            }
            rows.push(row as u32);
            kept.times.push(time);
            if let Some(created) = &mut kept.created {
                created.push(became_known);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        part.counts.kept += rows.len() as u64;
        let is_whole = rows.len() == batch.num_rows();
        let rows = UInt32Array::from(rows);
        let pick = |column: Column| if is_whole { Ok(column) } else { column.pick(&rows) };
        if wanted.entities.is_none() {
            kept.keys = keys.columns().into_iter().map(pick).collect::<Result<_, _>>()?;
        }
        let first = n_keys + 1 + usize::from(view.created.is_some());
        let arrays: &[ArrayRef] = &batch.columns()[first..];
        let column =
            |((name, kind), array): (&(String, Option<_>), &ArrayRef)| pick(Column::new(array, *kind, &view.timezone, &place, name)?);
        kept.columns = plan.columns.iter().zip(arrays).map(column).collect::<Result<_, _>>()?;
        let bytes = kept.bytes() + rows.len() * size_of::<u32>();
        bytes_here += bytes;
        part.batches.push(kept);
        // Putting the batches together holds them twice for a moment.
        let needed = 2 * (used.fetch_add(bytes, Ordering::Relaxed) + bytes);
        if needed > wanted.memory {
            let (needed, allowed) = (needed as u64 >> 20, wanted.memory as u64 >> 20);
            return Err(FeatureError::Memory { place: format!("feature view `{}`", view.name), needed, allowed });
        }
        Ok(())
    })?;
    if wanted.only_lasting && part.counts.kept > 0 {
        let rows = Rows::stack(std::mem::take(&mut part.batches), view, plan, &place)?.lasting(view, plan, wanted.until)?;
        used.fetch_add(rows.bytes(), Ordering::Relaxed);
        used.fetch_sub(bytes_here, Ordering::Relaxed);
        part.counts.kept = rows.len() as u64;
        part.batches.push(rows);
    }
    Ok(part)
}

fn put_together(view: &View, plan: &Plan, source: &dyn Source, parts: Vec<Part>) -> Result<Gathered, FeatureError> {
    let mut counts = Counts::default();
    let mut newest_created = Micros::MIN;
    for part in &parts {
        counts.rows += part.counts.rows;
        counts.future += part.counts.future;
        counts.fresh += part.counts.fresh;
        counts.nameless += part.counts.nameless;
        counts.kept += part.counts.kept;
        newest_created = newest_created.max(part.newest_created.unwrap_or(Micros::MIN));
    }
    if counts.kept >= u64::from(u32::MAX) {
        return Err(FeatureError::TooMany { what: "rows of one view", found: counts.kept as usize, most: u32::MAX as usize - 1 });
    }
    let mut entities = Vec::new();
    let mut batches = Vec::new();
    for part in parts {
        entities.extend(part.entities);
        batches.extend(part.batches);
    }
    let rows = Rows::stack(batches, view, plan, &source.place())?;
    Ok(Gathered { counts, entities, rows, newest_created })
}

impl Gathered {
    /// Puts the rows in order, for the entities that were asked for.
    pub(crate) fn into_table_of(self, entities: Arc<KeyIndex>) -> EventTable {
        let Rows { times, created, columns, .. } = self.rows;
        EventTable::new(entities, &self.entities, times, created, columns)
    }
}
