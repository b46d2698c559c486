//! What a column beside id, time and target is for.
//!
//! Static: one value a series. Known ahead: promised by a file that goes beyond the last target, or by the name (a promotion, a
//! price, a holiday). Some things (weather, oil, customers) are never known ahead in life, whatever a file holds.

use std::collections::HashMap;

use almanac_series::Freq;

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame, NULL_CODE};

use super::names;
use super::spacing::SeriesRows;

/// Distinct texts beyond which a column is prose, not a category.
const MAX_CATEGORIES: usize = 500;

/// What a column is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Static(String),
    Historic(String),
    Future(String),
    InStock(String),
    Unused(String),
}

/// How far the table of a column reaches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Newest time with a target.
    pub(crate) end: Option<i64>,
    /// Newest time at which the column has a value.
    pub(crate) known_until: Option<i64>,
    /// The column is also in the table of known-ahead rows.
    pub(crate) is_promised: bool,
}

/// Role of a column of the sales table.
pub(crate) fn of_sales(frame: &Frame, column: &Column, time: &Column, series: &SeriesRows, freq: Freq, reach: Reach) -> Role {
    if let Some(role) = unusable(frame, column) {
        return role;
    }
    if names::is_in_stock(&column.name) && matches!(column.kind, ColumnKind::Boolean | ColumnKind::Integer) && column.distinct() <= 2 {
        return Role::InStock("its name says that it marks stock-outs".into());
    }
    if is_row_number(frame, column) {
        return Role::Unused("it numbers the rows".into());
    }
    if series.rows.len() > 1 && !reach.is_promised && is_constant_within(column, series) {
        return Role::Static("it has one value a series".into());
    }
    if freq.has_calendar() && names::is_date_part(&column.name) && is_function_of(frame, column, time) {
        return Role::Unused("it follows from the time, which features are made of anyway".into());
    }
    timed(column, reach)
}

/// Role of a column that a join with a time key brings.
pub(crate) fn of_timed_join(frame: &Frame, column: &Column, time: &Column, reach: Reach) -> Role {
    if let Some(role) = unusable(frame, column) {
        return role;
    }
    if column.is_time() || names::is_date_part(&column.name) && is_function_of(frame, column, time) {
        return Role::Unused("it follows from the time, which features are made of anyway".into());
    }
    timed(column, reach)
}

/// Role of a column that a join without a time key brings.
pub(crate) fn of_static_join(frame: &Frame, column: &Column) -> Role {
    match unusable(frame, column) {
        Some(role) => role,
        None if column.is_time() => Role::Unused("a date is no attribute".into()),
        None => Role::Static(format!("`{}` has one row for each of its keys", frame.name)),
    }
}

fn unusable(frame: &Frame, column: &Column) -> Option<Role> {
    let distinct = column.distinct();
    if distinct == 0 {
        Some(Role::Unused("it is empty".into()))
    } else if distinct == 1 && column.nulls() == 0 && frame.rows > 1 {
        Some(Role::Unused("it has a single value".into()))
    } else if column.kind == ColumnKind::Text && distinct > MAX_CATEGORIES && distinct * 20 > frame.rows {
        Some(Role::Unused(format!("it is free text ({distinct} different ones)")))
    } else {
        None
    }
}

fn timed(column: &Column, reach: Reach) -> Role {
    if column.is_time() {
        return Role::Unused("it is another time".into());
    }
    let is_beyond = reach.known_until > reach.end;
    if names::is_unknowable(&column.name) {
        let why = if is_beyond || reach.is_promised {
            "the files go beyond the last target, but nobody knows this ahead in life"
        } else {
            "it is not known ahead"
        };
        return Role::Historic(why.into());
    }
    if reach.is_promised {
        return Role::Future("the rows after the history have it".into());
    }
    if is_beyond {
        return Role::Future("its table goes beyond the last target".into());
    }
    if names::is_known_ahead(&column.name) {
        return Role::Future("its name is that of something planned; move it to `historic` if it is not".into());
    }
    Role::Historic("nothing says that it is known ahead".into())
}

fn is_row_number(frame: &Frame, column: &Column) -> bool {
    column.kind == ColumnKind::Integer
        && frame.rows > 10
        && column.distinct() == frame.rows
        && (names::is_id(&column.name) || column.name.starts_with("column_"))
}

fn is_constant_within(column: &Column, series: &SeriesRows) -> bool {
    let (codes, _) = column.codes();
    series.rows.iter().all(|rows| {
        let mut known = rows.iter().map(|row| codes[*row as usize]).filter(|code| *code != NULL_CODE);
        let first = known.next();
        known.all(|code| Some(code) == first)
    })
}

fn is_function_of(frame: &Frame, column: &Column, time: &Column) -> bool {
    let ((mine, _), (theirs, _)) = (column.codes(), time.codes());
    let mut seen: HashMap<u32, u32> = HashMap::new();
    (0..frame.rows).all(|row| *seen.entry(theirs[row]).or_insert(mine[row]) == mine[row])
}
