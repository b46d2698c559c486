//! Typed rows, one by one, into a Parquet file with bounded memory; and a hash of them that does not depend on their order.
//!
//! A batch goes to the file when it has many rows or many bytes, a row group when it is large: a table of any size, and rows of
//! any size, need the memory of one row group.
//!
//! Personal columns are hidden as each value comes: nothing of them is in the file, nor in the hash.
//!
//! Not here: what the values mean in the source (`sql`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use almanac_privacy::{Policy, Redaction};
use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedKind};

const BATCH_ROWS: usize = 16_384;
const BATCH_BYTES: usize = 16 << 20;
/// Bytes of a row group being encoded beyond which it is closed.
const GROUP_BYTES: usize = 64 << 20;

/// One value on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Boolean(bool),
    Text(&'a str),
    /// Microseconds since 1970.
    Timestamp(i64),
    /// Days since 1970.
    Date(i32),
}

#[derive(Debug)]
enum Builder {
    Integer(Int64Builder),
    Real(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl Builder {
    fn new(kind: LandedKind) -> Self {
        match kind {
            LandedKind::Integer => Self::Integer(Int64Builder::new()),
            LandedKind::Real => Self::Real(Float64Builder::new()),
            LandedKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            LandedKind::Text => Self::Text(StringBuilder::new()),
            LandedKind::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            LandedKind::Date => Self::Date(Date32Builder::new()),
        }
    }

    /// Appends a value; false if it is of another kind.
    fn push(&mut self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Integer(column), Cell::Integer(value)) => column.append_value(value),
            (Self::Real(column), Cell::Real(value)) => column.append_value(value),
            (Self::Boolean(column), Cell::Boolean(value)) => column.append_value(value),
            (Self::Text(column), Cell::Text(value)) => column.append_value(value),
            (Self::Timestamp(column), Cell::Timestamp(value)) => column.append_value(value),
            (Self::Date(column), Cell::Date(value)) => column.append_value(value),
            (column, other) => {
                column.push_null();
                return other == Cell::Null;
            }
        }
        true
    }

    fn push_null(&mut self) {
        match self {
            Self::Integer(column) => column.append_null(),
            Self::Real(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Text(column) => column.append_null(),
            Self::Timestamp(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
        }
    }
}

/// The type that a landed column has in a file.
pub(crate) fn arrow_type(kind: LandedKind) -> DataType {
    match kind {
        LandedKind::Integer => DataType::Int64,
        LandedKind::Real => DataType::Float64,
        LandedKind::Boolean => DataType::Boolean,
        LandedKind::Text => DataType::Utf8,
        LandedKind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        LandedKind::Date => DataType::Date32,
    }
}

/// Properties of all files written here.
pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::SNAPPY).set_max_row_group_row_count(Some(1 << 20)).build()
}

/// What happened to values on their way, by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Has more digits than a double.
    Digits,
    /// NaN or infinite.
    NoNumber,
    /// A date that is none: `0000-00-00`, `infinity`, out of range.
    NoDate,
    /// Bytes that are no UTF-8.
    Encoding,
}

impl Loss {
    fn words(self, count: u64, column: &str) -> String {
        let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
        match self {
            Self::Digits => format!("column `{column}`: {values} with more digits than a double holds, rounded to the nearest one"),
            Self::NoNumber => format!("column `{column}`: {values} NaN or infinite, read as null"),
            Self::NoDate => format!("column `{column}`: {values} no date (zero, infinite or out of range), read as null"),
            Self::Encoding => format!("column `{column}`: {values} with bytes that are no UTF-8, replaced by U+FFFD"),
        }
    }
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// Hash of names, types and rows, without the order of the rows.
    pub(crate) content: String,
    pub(crate) notes: Vec<String>,
}

/// Writes rows.
#[derive(Debug)]
pub(crate) struct RowWriter {
    writer: ArrowWriter<File>,
    file: String,
    schema: SchemaRef,
    /// Of the source.
    columns: Vec<LandedColumn>,
    /// What becomes of each.
    policies: Vec<Option<Policy>>,
    redaction: Redaction,
    builders: Vec<Builder>,
    rows: u64,
    pending: usize,
    pending_bytes: usize,
    row: Vec<u8>,
    sum: u128,
    losses: BTreeMap<(usize, Loss), u64>,
}

impl RowWriter {
    pub(crate) fn new(path: &Path, columns: Vec<LandedColumn>, redaction: &Redaction) -> Result<Self, ConnectError> {
        let policies: Vec<Option<Policy>> = columns.iter().map(|column| redaction.policy(&column.name)).collect();
        let kept = hidden_columns(&columns, redaction);
        if kept.is_empty() {
            return Err(ConnectError::Hide { place: path.display().to_string(), source: "no column is left, all are dropped".into() });
        }
        let fields: Vec<Field> = kept.iter().map(|column| Field::new(&column.name, arrow_type(column.kind), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let name = path.display().to_string();
        let opened = File::create(path).map_err(|source| ConnectError::Write { file: name.clone(), source })?;
        let writer = ArrowWriter::try_new(opened, schema.clone(), Some(properties())).map_err(|error| unwritten(&name, error))?;
        let kind = |(column, policy): (&LandedColumn, &Option<Policy>)| if policy.is_some() { LandedKind::Text } else { column.kind };
        let builders = columns.iter().zip(&policies).map(|both| Builder::new(kind(both))).collect();
        Ok(Self {
            writer,
            file: name,
            schema,
            columns,
            policies,
            redaction: redaction.clone(),
            builders,
            rows: 0,
            pending: 0,
            pending_bytes: 0,
            row: Vec::new(),
            sum: 0,
            losses: BTreeMap::new(),
        })
    }

    /// Columns of the file: of the source, without those that are dropped.
    pub(crate) fn kept(&self) -> Vec<LandedColumn> {
        hidden_columns(&self.columns, &self.redaction)
    }

    /// Personal columns of the source.
    pub(crate) fn found(&self) -> BTreeSet<String> {
        let personal = self.columns.iter().zip(&self.policies).filter(|(_, policy)| policy.is_some());
        personal.map(|(column, _)| column.name.clone()).collect()
    }

    /// Whether values of a column may be told.
    pub(crate) fn is_open(&self, column: usize) -> bool {
        self.policies[column].is_none()
    }

    /// Rows that were finished.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Notes that a value was not taken as it was.
    pub(crate) fn lost(&mut self, column: usize, loss: Loss) {
        *self.losses.entry((column, loss)).or_default() += 1;
    }

    /// Appends the value of a column of the row; columns come in their order. False: it is of another kind than the column.
    #[must_use]
    pub(crate) fn push(&mut self, column: usize, cell: Cell<'_>) -> bool {
        let cell = match cell {
            Cell::Real(value) if !value.is_finite() => {
                self.lost(column, Loss::NoNumber);
                Cell::Null
            }
            // Two zeros that compare equal are one value.
            Cell::Real(value) => Cell::Real(value + 0.0),
            other => other,
        };
        let text;
        let cell = match (self.policies[column], cell) {
            (None, cell) => cell,
            (Some(Policy::Drop), _) => return true,
            (Some(_), Cell::Null) => Cell::Null,
            (Some(_), cell) => {
                text = self.redaction.cell(&self.columns[column].name, &cell_text(cell));
                text.as_deref().map_or(Cell::Null, Cell::Text)
            }
        };
        let row = &mut self.row;
        match cell {
            Cell::Null => row.push(0),
            Cell::Integer(value) | Cell::Timestamp(value) => {
                row.push(1);
                row.extend_from_slice(&value.to_le_bytes());
            }
            Cell::Real(value) => {
                row.push(2);
                row.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Cell::Boolean(value) => row.extend_from_slice(&[3, u8::from(value)]),
            Cell::Text(value) => {
                row.push(4);
                row.extend_from_slice(&(value.len() as u64).to_le_bytes());
                row.extend_from_slice(value.as_bytes());
            }
            Cell::Date(value) => {
                row.push(5);
                row.extend_from_slice(&value.to_le_bytes());
            }
        }
        self.builders[column].push(cell)
    }

    /// Ends a row.
    pub(crate) fn end_row(&mut self) -> Result<(), ConnectError> {
        self.sum = self.sum.wrapping_add(short_hash(&self.row));
        self.pending_bytes += self.row.len();
        self.row.clear();
        self.rows += 1;
        self.pending += 1;
        if self.pending >= BATCH_ROWS || self.pending_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectError> {
        if self.pending == 0 {
            return Ok(());
        }
        let kept = self.builders.iter_mut().zip(&self.policies).filter(|(_, policy)| **policy != Some(Policy::Drop));
        let arrays = kept.map(|(builder, _)| builder.finish()).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).expect("one value per column and row, of the column's type");
        (self.pending, self.pending_bytes) = (0, 0);
        self.writer.write(&batch).map_err(|error| unwritten(&self.file, error))?;
        if self.writer.in_progress_size() > GROUP_BYTES {
            self.writer.flush().map_err(|error| unwritten(&self.file, error))?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<Written, ConnectError> {
        self.flush()?;
        self.writer.finish().map_err(|error| unwritten(&self.file, error))?;
        let mut hasher = blake3::Hasher::new();
        for column in &self.kept() {
            hasher.update(&(column.name.len() as u64).to_le_bytes());
            hasher.update(column.name.as_bytes());
            hasher.update(column.kind.name().as_bytes());
        }
        hasher.update(&self.rows.to_le_bytes());
        hasher.update(&self.sum.to_le_bytes());
        let notes = self.losses.iter().map(|((column, loss), count)| loss.words(*count, &self.columns[*column].name)).collect();
        Ok(Written { rows: self.rows, content: hasher.finalize().to_hex().to_string(), notes })
    }
}

/// Columns as they are once personal ones are hidden.
pub(crate) fn hidden_columns(columns: &[LandedColumn], redaction: &Redaction) -> Vec<LandedColumn> {
    let hide = |column: &LandedColumn| match redaction.policy(&column.name) {
        Some(Policy::Drop) => None,
        Some(_) => Some(LandedColumn { kind: LandedKind::Text, ..column.clone() }),
        None => Some(column.clone()),
    };
    columns.iter().filter_map(hide).collect()
}

/// The one text of a value that is hashed, whatever type it has: as Arrow writes it, whole numbers without a point.
fn cell_text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) if value.fract() == 0.0 && value.abs() < 9e15 => format!("{}", value as i64),
        Cell::Real(value) => value.to_string(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Text(value) => value.to_owned(),
        Cell::Timestamp(micros) => {
            let Ok(time) = jiff::Timestamp::from_microsecond(micros) else { return micros.to_string() };
            let time = time.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            let text = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            match micros.rem_euclid(1_000_000) {
                0 => text,
                part if part % 1000 == 0 => format!("{text}.{:03}", part / 1000),
                part => format!("{text}.{part:06}"),
            }
        }
        Cell::Date(days) => {
            let epoch = jiff::civil::date(1970, 1, 1);
            epoch.checked_add(jiff::Span::new().days(i64::from(days))).map_or_else(|_| days.to_string(), |date| date.to_string())
        }
    }
}

/// The first half of a row's hash.
pub(crate) fn short_hash(row: &[u8]) -> u128 {
    let hash = blake3::hash(row);
    let (half, _) = hash.as_bytes().split_at(16);
    u128::from_le_bytes(half.try_into().expect("16 bytes"))
}

pub(crate) fn unwritten(file: &str, error: ParquetError) -> ConnectError {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    };
    ConnectError::Write { file: file.to_owned(), source }
}

/// Reads a decimal number as the nearest double, and tells whether digits were lost.
pub(crate) fn parse_decimal(text: &str) -> Option<(f64, bool)> {
    let text = text.trim();
    let value: f64 = text.parse().ok()?;
    let digits = significant(text);
    if digits.len() <= 15 || !value.is_finite() {
        return Some((value, false));
    }
    Some((value, digits.len() > 17 || significant(&format!("{value:e}")) != digits))
}

/// The digits that count, without sign, point, exponent and the zeros around them.
fn significant(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    // Zeros at the end count for nothing either: 1200 and 1.2e3 are one number.
    digits.trim_end_matches('0').to_owned()
}

/// A float as the shortest text that names it says: 0.1f32 is 0.1, not 0.10000000149.
pub(crate) fn widen(value: f32) -> f64 {
    if value.is_finite() { value.to_string().parse().unwrap_or(f64::from(value)) } else { f64::from(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_value_has_the_text_that_tables_have() {
        let text = |array: ArrayRef| {
            let text = arrow::compute::cast(&array, &DataType::Utf8).expect("it has a text");
            arrow::array::AsArray::as_string::<i32>(&text).value(0).to_owned()
        };
        for micros in [0, 1_705_314_615_000_000, 1_705_314_615_120_000, 1_705_314_615_120_001, -1, 86_399_999_999] {
            let array = arrow::array::TimestampMicrosecondArray::from(vec![micros]);
            assert_eq!(cell_text(Cell::Timestamp(micros)), text(Arc::new(array)), "{micros}");
        }
        for days in [0, 19_737, -1, -25_567, 60_000] {
            assert_eq!(cell_text(Cell::Date(days)), text(Arc::new(arrow::array::Date32Array::from(vec![days]))), "{days}");
        }
        assert_eq!(cell_text(Cell::Boolean(true)), text(Arc::new(arrow::array::BooleanArray::from(vec![true]))));
        assert_eq!((cell_text(Cell::Real(1017.0)), cell_text(Cell::Integer(1017))), ("1017".into(), "1017".into()));
    }

    #[test]
    fn digits_that_a_double_does_not_hold_are_seen() {
        for (text, value, lost) in [
            ("12.50", 12.5, false),
            ("0.1", 0.1, false),
            ("-123456789012345.00", -123456789012345.0, false),
            ("12345678901234567890", 12345678901234567890.0, true),
            ("0.1234567890123456789", 0.123_456_789_012_345_68, true),
            ("9007199254740993", 9007199254740992.0, true),
            ("9007199254740992", 9007199254740992.0, false),
            ("100000000000000000000", 1e20, false),
            ("0", 0.0, false),
        ] {
            assert_eq!(parse_decimal(text), Some((value, lost)), "{text}");
        }
        assert_eq!(parse_decimal("x"), None);
        assert_eq!(widen(0.1), 0.1);
        assert_eq!(widen(16777216.0), 16777216.0);
    }
}
