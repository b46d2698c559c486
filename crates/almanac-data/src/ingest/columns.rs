//! Batches of cells into typed Arrow columns; rows with a cell that does not fit are put aside with the reason.
//!
//! Columns of a batch are built in parallel; the result does not depend on the number of threads.
//!
//! Not here: which type a column has (`profile`).

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
    UInt32Array, UInt64Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use rayon::prelude::*;

use super::profile::{ColumnPlan, NullMarkers, parse_boolean};
use super::records::RawBatch;
use super::{ColumnKind, FILE_COLUMN, Quarantined, ROW_COLUMN, number};

/// Returns the Arrow type of a kind.
pub(crate) fn arrow_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Integer => DataType::Int64,
        ColumnKind::Real => DataType::Float64,
        ColumnKind::Boolean => DataType::Boolean,
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Timestamp | ColumnKind::Date => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// Schema of a table of these columns, with where each row came from.
pub(crate) fn schema(plans: &[ColumnPlan]) -> SchemaRef {
    let mut fields: Vec<Field> = plans.iter().map(|plan| Field::new(&plan.name, arrow_type(plan.kind), true)).collect();
    fields.push(Field::new(FILE_COLUMN, DataType::UInt32, false));
    fields.push(Field::new(ROW_COLUMN, DataType::UInt64, false));
    Arc::new(Schema::new(fields))
}

struct Misfit {
    row: usize,
    column: usize,
    value: String,
    reason: &'static str,
}

/// Builds the rows of one batch. `positions[c]` is where column `c` of the table stands in the file, if it is there.
pub(crate) fn build(
    batch: &RawBatch,
    plans: &[ColumnPlan],
    positions: &[Option<usize>],
    schema: &SchemaRef,
    nulls: &NullMarkers,
    file: (u32, &Path),
    quarantine: &mut Vec<Quarantined>,
) -> RecordBatch {
    let built: Vec<(ArrayRef, Vec<Misfit>)> = plans
        .par_iter()
        .zip(positions)
        .enumerate()
        .map(|(column, (plan, position))| {
            let mut misfits = Vec::new();
            let array =
                build_column(batch, plan, *position, nulls, |row, value, reason| misfits.push(Misfit { row, column, value, reason }));
            (array, misfits)
        })
        .collect();
    let mut arrays = Vec::with_capacity(built.len() + 2);
    let mut misfits: Vec<Misfit> = Vec::new();
    for (array, found) in built {
        arrays.push(array);
        misfits.extend(found);
    }
    arrays.push(Arc::new(UInt32Array::from(vec![file.0; batch.len()])));
    arrays.push(Arc::new(UInt64Array::from(batch.rows.clone())));
    let rows =
        RecordBatch::try_new(schema.clone(), arrays).expect("every column was built with the type of the schema and one value per row");
    if misfits.is_empty() {
        return rows;
    }
    misfits.sort_by_key(|misfit| (misfit.row, misfit.column));
    let mut keep = vec![true; batch.len()];
    for misfit in misfits {
        keep[misfit.row] = false;
        quarantine.push(Quarantined::new(
            file.1,
            batch.rows[misfit.row],
            &plans[misfit.column].name,
            &misfit.value,
            misfit.reason.to_owned(),
        ));
    }
    filter_record_batch(&rows, &BooleanArray::from(keep)).expect("the mask has one value per row")
}

fn build_column(
    batch: &RawBatch,
    plan: &ColumnPlan,
    position: Option<usize>,
    nulls: &NullMarkers,
    mut misfit: impl FnMut(usize, String, &'static str),
) -> ArrayRef {
    let rows = batch.len();
    let Some(column) = position else { return arrow::array::new_null_array(&arrow_type(plan.kind), rows) };
    let is_text = plan.kind == ColumnKind::Text;
    // Gives each row's value, or `None` for a null and for a misfit, which is reported.
    macro_rules! fill {
        ($builder:expr, $reason:literal, |$cell:ident| $parse:expr) => {{
            let mut builder = $builder;
            for row in 0..rows {
                match batch.cell(row, column) {
                    Ok(raw) if nulls.is_null(raw, is_text) => builder.append_null(),
                    Ok(raw) => {
                        let $cell = raw.trim();
                        match $parse {
                            Some(value) => builder.append_value(value),
                            None => {
                                misfit(row, raw.to_owned(), $reason);
                                builder.append_null();
                            }
                        }
                    }
                    Err(lossy) => {
                        misfit(row, lossy, "not readable in the encoding of the file");
                        builder.append_null();
                    }
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    match plan.kind {
        ColumnKind::Integer => {
            fill!(Int64Builder::with_capacity(rows), "not a whole number", |cell| number::parse_integer(cell, plan.mark))
        }
        ColumnKind::Real => fill!(Float64Builder::with_capacity(rows), "not a number", |cell| number::parse(cell, plan.mark)),
        ColumnKind::Boolean => fill!(BooleanBuilder::with_capacity(rows), "neither true nor false", |cell| parse_boolean(cell)),
        ColumnKind::Timestamp | ColumnKind::Date => {
            fill!(TimestampMicrosecondBuilder::with_capacity(rows), "not a date", |cell| plan.dates.parse(cell))
        }
        ColumnKind::Text => {
            let mut builder = StringBuilder::with_capacity(rows, rows * 8);
            for row in 0..rows {
                match batch.cell(row, column) {
                    Ok(raw) if nulls.is_null(raw, true) => builder.append_null(),
                    Ok(raw) => builder.append_value(raw),
                    Err(lossy) => {
                        misfit(row, lossy, "not readable in the encoding of the file");
                        builder.append_null();
                    }
                }
            }
            Arc::new(builder.finish())
        }
    }
}
