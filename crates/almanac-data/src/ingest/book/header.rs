//! Where the table of a sheet starts.
//!
//! The header is the first row that is about as full as the fullest near the top. A row of texts just above it that is nearly as
//! full is taken instead where the full row has numbers in it: a table whose first column has no name.
//!
//! Not here: names that are missing or repeated (`records`).

use super::cells::Row;

/// Rows from the top within which the header is looked for.
pub(super) const HEADER_WITHIN: usize = 60;

/// Where the table is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Index of the header among the rows.
    pub(super) at: usize,
    /// The sheet's column of the table's first.
    pub(super) first: u32,
    /// Columns of the table.
    pub(super) width: usize,
}

/// Finds the header among the first rows, of which there is one at least.
pub(super) fn find(rows: &[Row]) -> Found {
    let fill = |row: &Row| row.cells.len();
    let fullest = rows.iter().map(fill).max().unwrap_or(0);
    let mut at = rows.iter().position(|row| fill(row) * 5 >= fullest * 4).unwrap_or(0);
    if at > 0 && !rows[at].is_text() {
        let above = &rows[at - 1];
        if above.number + 1 == rows[at].number && above.is_text() && fill(above) * 2 >= fullest {
            at -= 1;
        }
    }
    let columns = || rows[at..].iter().flat_map(|row| row.cells.iter().map(|(column, _)| *column));
    let first = columns().min().unwrap_or(0);
    let last = columns().max().unwrap_or(0);
    Found { at, first, width: (last - first) as usize + 1 }
}

/// Returns a column as spreadsheets write it: `A`, `AB`.
pub(super) fn letters(column: u32) -> String {
    let mut text = String::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        left -= 1;
        text.insert(0, char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::cells::Cell;
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Row> {
        let cell = |text: &str| if text.parse::<f64>().is_ok() { Cell::Value(text.into()) } else { Cell::Text(text.into()) };
        let row = |(index, line): (usize, &&str)| Row {
            number: index as u64 + 1,
            cells: line
                .split(',')
                .enumerate()
                .filter(|(_, text)| !text.is_empty())
                .map(|(place, text)| (place as u32, cell(text)))
                .collect(),
        };
        texts.iter().enumerate().map(row).filter(|row| !row.cells.is_empty()).collect()
    }

    #[test]
    fn titles_above_a_table_are_no_header() {
        for (texts, expected) in [
            (&["a,b,c", "1,2,3"][..], 0),
            (&["Report", "made by,Ann", "", "a,b,c", "1,2,3", "4,5,6"], 2),
            (&[",a,b", "x,1,2", "y,3,4"], 0),
            (&["store,2023,2024", "x,1,2"], 0),
            (&["only", "1", "2"], 0),
        ] {
            assert_eq!(find(&rows(texts)).at, expected, "{texts:?}");
        }
    }

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let found: Vec<String> = [0, 25, 26, 701, 702].into_iter().map(letters).collect();
        assert_eq!(found, ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
