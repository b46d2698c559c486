//! How the other tables hang on the sales table: shared keys that are unique on their side.
//!
//! Not here: what the joined columns are for (`roles`), the SQL text (`sql`).

use std::collections::HashSet;

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame};

use super::keys::subsets;
use super::names;

/// Share of the keys on the left that must be found on the right.
const MIN_MATCHED: f64 = 0.5;
/// Share of the days from which a table of days is a calendar, not a list of events.
const COMPLETE: f64 = 0.9;
const MAX_SHARED: usize = 6;

/// One table joined to those before it.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Index of the frame.
    pub(crate) frame: usize,
    /// Pairs of (frame and column on the left, column on the right).
    pub(crate) on: Vec<((usize, String), String)>,
    /// Whether one of the pairs is the time.
    pub(crate) has_time: bool,
    /// The right side has several rows a day, which are counted.
    pub(crate) is_counted: bool,
    /// The right side has rows for some days only: the others are days without an event.
    pub(crate) is_sparse: bool,
}

/// What became of the tables beside the sales table.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    pub(crate) joined: Vec<Join>,
    /// Table of known-ahead rows: ids, times, no target.
    pub(crate) ahead: Option<usize>,
    /// Table and why it is left out.
    pub(crate) left_out: Vec<(usize, String)>,
}

/// The sales table and its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sales<'a> {
    pub(crate) frame: usize,
    pub(crate) id: &'a [String],
    pub(crate) time: &'a str,
    pub(crate) target: &'a str,
}

pub(crate) fn find(frames: &[Frame], sales: Sales<'_>) -> Joins {
    let mut joins = Joins::default();
    let left = &frames[sales.frame];
    let end = last_time(left, sales.time, Some(sales.target));
    let mut open: Vec<usize> = (0..frames.len()).filter(|index| *index != sales.frame).collect();
    open.retain(|index| {
        let frame = &frames[*index];
        let has = |name: &String| frame.column(name).is_some();
        let is_ahead = joins.ahead.is_none()
            && has(&sales.time.to_owned())
            && sales.id.iter().all(has)
            && frame.column(sales.target).is_none()
            && first_time(frame, sales.time) > end;
        if is_ahead {
            joins.ahead = Some(*index);
        }
        !is_ahead
    });
    // A join may bring the key of the next one, as a calendar brings the week of a price.
    loop {
        let mut is_done = true;
        open.retain(|index| {
            let Some(join) = join(frames, sales, &joins.joined, *index) else { return true };
            joins.joined.push(join);
            is_done = false;
            false
        });
        if is_done {
            break;
        }
    }
    for index in open {
        joins.left_out.push((index, reason(frames, sales, index)));
    }
    joins.joined.sort_by_key(|join| (join.on.iter().any(|((frame, _), _)| *frame != sales.frame), !join.has_time));
    joins
}

fn join(frames: &[Frame], sales: Sales<'_>, joined: &[Join], index: usize) -> Option<Join> {
    let right = &frames[index];
    let times: Vec<&Column> = right.columns.iter().filter(|column| column.is_time()).collect();
    let left_time = frames[sales.frame].column(sales.time)?;
    // Shared columns, the keys of the sales table first.
    let mut shared: Vec<((usize, &Column), &Column, bool)> = Vec::new();
    for column in &right.columns {
        let is_only_time = left_time.is_time() && column.is_time() && (times.len() == 1 || same(&column.name, sales.time));
        if is_only_time || (same(&column.name, sales.time) && column.kind == left_time.kind) {
            shared.push(((sales.frame, left_time), column, true));
            continue;
        }
        let lefts = std::iter::once(sales.frame).chain(joined.iter().filter(|join| !join.is_counted).map(|join| join.frame));
        let found = lefts.into_iter().find_map(|frame| {
            let left = frames[frame].columns.iter().find(|left| same(&left.name, &column.name) && left.kind == column.kind)?;
            Some((frame, left))
        });
        let is_key = matches!(column.kind, ColumnKind::Text | ColumnKind::Integer)
            && !names::is_known_ahead(&column.name)
            && !names::is_unknowable(&column.name)
            && !same(&column.name, sales.target);
        if let Some(left) = found
            && is_key
            && column.distinct() > 1
        {
            shared.push((left, column, false));
        }
    }
    let is_sales_key = |((frame, left), _, is_time): &((usize, &Column), &Column, bool)| {
        *is_time || (*frame == sales.frame && sales.id.contains(&left.name))
    };
    shared.sort_by_key(|pair| !is_sales_key(pair));
    shared.truncate(MAX_SHARED);
    for size in 1..=shared.len() {
        for set in subsets(shared.len(), size) {
            let pairs: Vec<_> = set.iter().map(|place| shared[*place]).collect();
            let has_time = pairs.iter().any(|pair| pair.2);
            if !is_unique(right, &pairs.iter().map(|pair| pair.1).collect::<Vec<_>>()) {
                continue;
            }
            let is_of_events = has_time && names::is_event_table(&right.name);
            let mut is_sparse = false;
            let matched = pairs.iter().all(|((_, left), column, is_time)| {
                let share = matched(left, column);
                is_sparse |= *is_time && is_of_events && share < COMPLETE;
                share >= MIN_MATCHED || (*is_time && (is_of_events || share > 0.0 && overlaps(left, column)))
            });
            if matched {
                let on = pairs.iter().map(|((frame, left), column, _)| ((*frame, left.name.clone()), column.name.clone())).collect();
                return Some(Join { frame: index, on, has_time, is_counted: false, is_sparse });
            }
        }
    }
    // Several events on one day: they are counted.
    let time = shared.iter().find(|pair| pair.2)?;
    let has_ids = shared.iter().any(|pair| !pair.2 && is_sales_key(pair));
    (names::is_event_table(&right.name) && !has_ids).then(|| Join {
        frame: index,
        on: vec![((sales.frame, sales.time.to_owned()), time.1.name.clone())],
        has_time: true,
        is_counted: true,
        is_sparse: true,
    })
}

fn reason(frames: &[Frame], sales: Sales<'_>, index: usize) -> String {
    let right = &frames[index];
    let shared: Vec<&str> = right
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| frames[sales.frame].columns.iter().any(|left| same(&left.name, name)))
        .collect();
    if shared.is_empty() {
        format!("it shares no column with `{}`", frames[sales.frame].name)
    } else if right.column(sales.target).is_some() {
        format!("it holds `{}` too", sales.target)
    } else {
        format!("the columns it shares (`{}`) are not unique in it", shared.join("`, `"))
    }
}

fn same(a: &str, b: &str) -> bool {
    names::normal(a) == names::normal(b)
}

fn is_unique(frame: &Frame, columns: &[&Column]) -> bool {
    let codes: Vec<&[u32]> = columns.iter().map(|column| column.codes().0).collect();
    let mut seen = HashSet::with_capacity(frame.rows);
    (0..frame.rows).all(|row| seen.insert(codes.iter().map(|codes| codes[row]).collect::<Vec<u32>>()))
}

/// Share of the distinct values on the left that are on the right.
fn matched(left: &Column, right: &Column) -> f64 {
    let values = |column: &Column| -> HashSet<String> {
        let (codes, distinct) = column.codes();
        let mut seen = vec![false; distinct];
        let mut texts = HashSet::new();
        for (row, code) in codes.iter().enumerate() {
            if let Some(is_seen) = seen.get_mut(*code as usize)
                && !*is_seen
            {
                *is_seen = true;
                texts.extend(column.text(row));
            }
        }
        texts
    };
    let (left, right) = (values(left), values(right));
    if left.is_empty() { 0.0 } else { left.intersection(&right).count() as f64 / left.len() as f64 }
}

/// Whether the right side covers at least half of the span of the left one.
fn overlaps(left: &Column, right: &Column) -> bool {
    let (Some((a, b)), Some((c, d))) = (range(left), range(right)) else { return false };
    let common = b.min(d).saturating_sub(a.max(c));
    common.saturating_mul(2) >= b.saturating_sub(a)
}

fn range(column: &Column) -> Option<(i64, i64)> {
    let crate::sketch::Values::Whole(values) = &column.values else { return None };
    Some((*values.iter().flatten().min()?, *values.iter().flatten().max()?))
}

/// Returns the newest time, of rows where `filled` has a value.
pub(crate) fn last_time(frame: &Frame, time: &str, filled: Option<&str>) -> Option<i64> {
    let column = frame.column(time)?;
    let filled = filled.and_then(|name| frame.column(name));
    (0..frame.rows).filter(|row| filled.is_none_or(|filled| !filled.is_null(*row))).filter_map(|row| column.whole(row)).max()
}

fn first_time(frame: &Frame, time: &str) -> Option<i64> {
    let column = frame.column(time)?;
    (0..frame.rows).filter_map(|row| column.whole(row)).min()
}
