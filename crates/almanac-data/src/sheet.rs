//! A file that a user hands to a command, read whole by the same code as the sources: cells by row and column, and where each row stands.
//!
//! Not here: what the columns mean.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use almanac_series::{Freq, MICROS_PER_DAY};
use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;

use crate::ingest::{self, ColumnKind, CsvOptions, IngestError, OpenTable, Quarantined, ROW_COLUMN, TableSpec};
use crate::silver::{Utc, Zone, dated};
use crate::sketch::{Column, Values};

/// A value of a [`Sheet`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing stands there.
    Missing,
    /// A text.
    Text(&'a str),
    /// A number, or a flag as 0 or 1.
    Number(f64),
    /// A date or time, microseconds since 1970-01-01 as written.
    Time(i64),
}

impl Cell<'_> {
    /// Returns the value as a number: itself, or the days since 1970-01-01 of a date.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Time(at) => Some(at as f64 / MICROS_PER_DAY as f64),
            Self::Missing | Self::Text(_) => None,
        }
    }
}

/// A table in memory.
#[derive(Debug)]
pub struct Sheet {
    path: PathBuf,
    columns: Vec<Column>,
    /// Where each row stands in the file.
    places: Vec<u64>,
    misfits: Vec<Quarantined>,
}

impl Sheet {
    /// Reads a CSV, JSON lines or Parquet file. `wanted`: types of text columns that are not to be found out; columns the file lacks do no harm.
    ///
    /// # Errors
    /// [`IngestError`], also for a file without rows.
    pub fn read(path: &Path, csv: &CsvOptions, wanted: &BTreeMap<String, ColumnKind>) -> Result<Self, IngestError> {
        let types = if ingest::is_parquet(path)? { BTreeMap::new() } else { wanted.clone() };
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let spec = TableSpec { name, paths: vec![path.to_owned()], csv: csv.clone(), types, ..TableSpec::default() };
        let table = OpenTable::open_any(&spec, false)?;
        let mut columns: Vec<Column> = table.columns.iter().map(|report| Column::new(&report.name, report.kind, None)).collect();
        let mut places = Vec::new();
        let misfits = table.read(&mut |batch| {
            for column in &mut columns {
                column.extend(batch.column_by_name(&column.name).expect("the batch has the columns of the table"));
            }
            match batch.column_by_name(ROW_COLUMN).and_then(|rows| rows.as_primitive_opt::<UInt64Type>()) {
                Some(rows) => places.extend_from_slice(rows.values()),
                None => places.extend((places.len() as u64 + 1..).take(batch.num_rows())),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Self { path: path.to_owned(), columns, places, misfits })
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of rows that could be read.
    pub fn n_rows(&self) -> usize {
        self.places.len()
    }

    /// Returns the names of the columns in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Returns the position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Returns where a row stands in the file, from 1; the header of a CSV file is row 1.
    pub fn place(&self, row: usize) -> u64 {
        self.places[row]
    }

    /// Returns rows that could not be read, in the order of the file.
    pub fn misfits(&self) -> &[Quarantined] {
        &self.misfits
    }

    /// Returns a cell.
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        let column = &self.columns[column];
        match &column.values {
            Values::Whole(values) => match values[row] {
                None => Cell::Missing,
                Some(at) if column.is_time() => Cell::Time(at),
                Some(whole) => Cell::Number(whole as f64),
            },
            Values::Real(values) if values[row].is_nan() => Cell::Missing,
            Values::Real(values) => Cell::Number(values[row]),
            Values::Text { codes, labels, .. } => labels.get(codes[row] as usize).map_or(Cell::Missing, |text| Cell::Text(text)),
        }
    }

    /// Returns a cell as text, as it would stand in a key; `None` where nothing stands there.
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        self.columns[column].text(row)
    }

    /// Returns a column as timestamps of a panel; `None` where there is no time that can be read. Whole numbers are steps or, where the
    /// frequency has a calendar, dates like 20240131. `timezone`: where the times are local ones of a panel that counts in UTC; `None` if
    /// there is no such zone either.
    pub fn times(&self, column: usize, freq: Freq, timezone: Option<&str>) -> Vec<Option<i64>> {
        let read = |row| match self.cell(row, column) {
            Cell::Time(at) if freq.has_calendar() => Some(at),
            Cell::Number(number) if number == number.trunc() && number.abs() < 9e15 => dated(number as i64, freq.has_calendar()),
            _ => None,
        };
        let times: Vec<Option<i64>> = (0..self.n_rows()).map(read).collect();
        let Some(name) = timezone else { return times };
        let known = || times.iter().flatten().copied();
        let (Some(first), Some(last)) = (known().min(), known().max()) else { return times };
        let Some(zone) = Zone::new(name, first, last) else { return vec![None; times.len()] };
        let utc = |at: Option<i64>| match zone.utc(at?) {
            Utc::Once(at) | Utc::Twice(at, _) => Some(at),
            Utc::Never => None,
        };
        times.into_iter().map(utc).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(name: &str, text: &str, wanted: &[(&str, ColumnKind)]) -> Result<Sheet, IngestError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let wanted = wanted.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Sheet::read(&path, &CsvOptions::default(), &wanted)
    }

    #[test]
    fn cells_are_typed_and_know_their_row_of_the_file() {
        let sheet = sheet("a.csv", "unique_id,ds,price,event\n7,2024-01-31,1.5,\n8,2024-02-01,,fair\n", &[]).expect("a table");
        assert_eq!(sheet.names().collect::<Vec<_>>(), ["unique_id", "ds", "price", "event"]);
        assert_eq!((sheet.text(0, 0).as_deref(), sheet.place(1)), (Some("7"), 3));
        assert_eq!((sheet.cell(0, 2), sheet.cell(1, 2)), (Cell::Number(1.5), Cell::Missing));
        assert_eq!((sheet.cell(0, 3), sheet.cell(1, 3)), (Cell::Missing, Cell::Text("fair")));
        let label = |at: Option<i64>| at.map(|at| Freq::Day.label(Freq::Day.period(at)));
        assert_eq!(
            sheet.times(1, Freq::Day, None).into_iter().map(label).collect::<Vec<_>>(),
            [Some("2024-01-31".into()), Some("2024-02-01".into())]
        );
        assert_eq!(sheet.times(2, Freq::Day, None), [None, None]);
    }

    #[test]
    fn what_is_not_of_the_wanted_type_is_a_misfit_with_its_row() {
        let sheet =
            sheet("a.csv", "ds,price\n1,2\n2,cheap\n", &[("price", ColumnKind::Real), ("promo", ColumnKind::Real)]).expect("a table");
        let misfit = &sheet.misfits()[0];
        assert_eq!((sheet.n_rows(), misfit.row, misfit.column.as_str(), misfit.value.as_str()), (1, 3, "price", "cheap"));
    }

    #[test]
    fn local_times_become_utc_and_an_hour_that_never_was_is_none() {
        let sheet = sheet("a.csv", "at\n2024-03-31 01:00:00\n2024-03-31 02:30:00\n2024-03-31 03:00:00\n", &[]).expect("a table");
        let hours =
            |zone| sheet.times(0, Freq::Hour(1), zone).into_iter().map(|at| at.map(|at| at / 3_600_000_000 % 24)).collect::<Vec<_>>();
        assert_eq!(hours(None), [Some(1), Some(2), Some(3)]);
        assert_eq!(hours(Some("Europe/Berlin")), [Some(0), None, Some(1)]);
        assert_eq!(hours(Some("Europe/Atlantis")), [None; 3]);
    }

    #[test]
    fn a_file_without_rows_is_refused() {
        assert!(matches!(sheet("a.csv", "ds,price\n", &[]), Err(IngestError::NoRows { .. })));
        assert!(matches!(sheet("a.csv", "", &[]), Err(IngestError::Empty { .. })));
    }
}
