//! Columns that only number the rows, as pandas writes its index: they say nothing about sales and are put aside first.
//!
//! A column that the user named is never one of them, and neither is an index of dates.

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame, Values};

use super::{Answers, Reason};

/// Takes the row numbers out of the table, and says so.
pub(super) fn put_aside(frame: &mut Frame, answers: &Answers, reasons: &mut Vec<Reason>) {
    frame.columns.retain(|column| {
        if answers.names(&column.name) || !is_row_number(column) {
            return true;
        }
        reasons.push(Reason {
            key: "unused",
            value: column.name.clone(),
            why: "it only numbers the rows, as the index of a pandas frame does".into(),
        });
        false
    });
}

fn is_row_number(column: &Column) -> bool {
    if column.kind != ColumnKind::Integer {
        return false;
    }
    let level = column.name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    if level.is_some_and(|number| number.parse::<u32>().is_ok()) {
        return true;
    }
    // A header without a name is called by its position; pandas calls it so when it reads its own index back.
    let is_unnamed = column.name == "column_1" || column.name.starts_with("Unnamed: ");
    is_unnamed && counts_rows(column)
}

/// Whether it rises from row to row, or starts again at 0 where frames were put one behind the other.
fn counts_rows(column: &Column) -> bool {
    let Values::Whole(values) = &column.values else { return false };
    values.len() > 1
        && values[0].is_some()
        && values.windows(2).all(|pair| matches!((pair[0], pair[1]), (Some(before), Some(after)) if after > before || after == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, values: &[i64]) -> Column {
        let mut column = Column::new(name, ColumnKind::Integer, None);
        column.values = Values::Whole(values.iter().copied().map(Some).collect());
        column
    }

    #[test]
    fn an_index_is_told_by_its_name_and_its_values() {
        assert!(is_row_number(&column("__index_level_0__", &[4, 2, 9])));
        assert!(is_row_number(&column("Unnamed: 0", &[0, 1, 2])) && is_row_number(&column("Unnamed: 0.1", &[0, 3, 7])));
        assert!(is_row_number(&column("column_1", &[0, 1, 0, 1, 2])), "two frames one behind the other");
        assert!(!is_row_number(&column("Unnamed: 0", &[3, 3, 5])), "no two rows have one number");
        assert!(!is_row_number(&column("week", &[0, 1, 2])), "a name says what it is");
    }
}
