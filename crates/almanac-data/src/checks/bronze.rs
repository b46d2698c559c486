//! Checks of a registered table: one aggregate query over everything, one more per key, and samples of what fails.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use super::{CheckContext, CheckError, CheckReport, CheckResult, CheckSpec, SAMPLE_ROWS, TypeClass, fresh, percent, row_change, share};

/// Checks the table `table` of `session`; the name as it was registered, without quotes.
///
/// # Errors
/// [`CheckError::Query`] if a query cannot be run; a check that does not hold is in the report.
pub async fn check_bronze(
    session: &SessionContext,
    table: &str,
    specs: &[CheckSpec],
    context: CheckContext,
) -> Result<CheckReport, CheckError> {
    let failed = |source: DataFusionError| CheckError::Query { table: table.to_owned(), source: Box::new(source) };
    let schema: SchemaRef = session.table(TableReference::bare(table)).await.map_err(failed)?.schema().inner().clone();
    let has = |column: &str| schema.index_of(column).is_ok();

    let mut measures = vec!["count(*)".to_owned()];
    let mut measured: Vec<Option<usize>> = Vec::new();
    for spec in specs {
        let measure = match spec {
            CheckSpec::Nulls { column, .. } | CheckSpec::Range { column, .. } | CheckSpec::Allowed { column, .. } if has(column) => {
                Some(format!("sum(CASE WHEN {} THEN 1 ELSE 0 END)", offence(spec, &schema).expect("such a check has offenders")))
            }
            CheckSpec::Fresh { column, .. } if has(column) => Some(format!("max({})", quoted(column))),
            _ => None,
        };
        measured.push(measure.map(|measure| {
            measures.push(measure);
            measures.len() - 1
        }));
    }
    let columns: Vec<String> = measures.iter().enumerate().map(|(number, measure)| format!("{measure} AS m{number}")).collect();
    let sums = one_batch(session, &format!("SELECT {} FROM {}", columns.join(", "), quoted(table))).await.map_err(failed)?;
    let rows = count(sums.column(0));

    let mut results = Vec::with_capacity(specs.len());
    for (spec, measure) in specs.iter().zip(measured) {
        let measure = measure.map(|number| sums.column(number));
        let mut result = judge(spec, measure, rows, &schema, context);
        if let CheckSpec::Unique { columns } = spec
            && columns.iter().all(|column| has(column))
        {
            result = unique(session, table, spec, columns).await.map_err(failed)?;
        }
        if let (false, Some(offence)) = (result.passed, offence(spec, &schema)) {
            let sample = one_batch(session, &format!("SELECT * FROM {} WHERE {offence} LIMIT {SAMPLE_ROWS}", quoted(table)))
                .await
                .map_err(failed)?;
            result.sample_rows = texts(&sample);
        }
        results.push(result);
    }
    Ok(CheckReport { layer: "bronze".into(), table: Some(table.to_owned()), results })
}

fn judge(spec: &CheckSpec, measure: Option<&ArrayRef>, rows: u64, schema: &SchemaRef, context: CheckContext) -> CheckResult {
    match spec {
        CheckSpec::Columns { columns } => {
            let missing: Vec<&str> = columns.iter().map(String::as_str).filter(|column| schema.index_of(column).is_err()).collect();
            let observed = if missing.is_empty() { "all there".into() } else { format!("missing {}", missing.join(", ")) };
            spec.result(missing.is_empty(), observed)
        }
        CheckSpec::Type { column, is } => match schema.field_with_name(column) {
            Ok(field) => spec.result(class_of(field.data_type()) == Some(*is), field.data_type().to_string()),
            Err(_) => spec.no_column(column),
        },
        CheckSpec::Unique { columns } => {
            let missing = columns.iter().find(|column| schema.index_of(column).is_err());
            missing.map_or_else(|| spec.result(false, "not counted"), |column| spec.no_column(column))
        }
        CheckSpec::Nulls { column, max_share } => match measure.map(count) {
            Some(missing) => {
                spec.result(share(missing, rows) <= *max_share, format!("{missing} of {rows} missing ({})", percent(share(missing, rows))))
            }
            None => spec.no_column(column),
        },
        CheckSpec::Range { column, .. } | CheckSpec::Allowed { column, .. } => match measure.map(count) {
            Some(offenders) => spec.result(offenders == 0, format!("{offenders} of {rows} rows outside")),
            None => spec.no_column(column),
        },
        CheckSpec::Fresh { column, max_age_days } => match measure {
            Some(newest) => fresh(spec, micros(newest), context.now, *max_age_days),
            None => spec.no_column(column),
        },
        CheckSpec::RowChange { max_drop, max_growth } => row_change(spec, rows, context.previous_rows, *max_drop, *max_growth),
        CheckSpec::MinRows { rows: needed } => spec.result(rows >= *needed, format!("{rows} rows")),
        CheckSpec::Quarantine { max_share } => {
            let part = share(context.quarantined_rows, rows + context.quarantined_rows);
            spec.result(part <= *max_share, format!("{} rows ({})", context.quarantined_rows, percent(part)))
        }
        CheckSpec::MinSeries { .. } | CheckSpec::Regular => spec.result(false, "a table of the bronze layer has no series"),
    }
}

/// SQL that holds for a row that breaks the check.
fn offence(spec: &CheckSpec, schema: &SchemaRef) -> Option<String> {
    let known = |column: &str| schema.field_with_name(column).ok();
    match spec {
        CheckSpec::Nulls { column, .. } => known(column).map(|_| format!("{} IS NULL", quoted(column))),
        CheckSpec::Range { column, min, max } => {
            let field = known(column)?;
            let number = format!("CAST({} AS DOUBLE)", quoted(column));
            let mut bounds = Vec::new();
            if matches!(field.data_type(), DataType::Float32 | DataType::Float64) {
                bounds.push(format!("isnan({number}) OR abs({number}) = 'Infinity'::DOUBLE"));
            }
            bounds.extend(min.map(|min| format!("{number} < {min:e}")));
            bounds.extend(max.map(|max| format!("{number} > {max:e}")));
            let bounds = if bounds.is_empty() { "false".into() } else { bounds.join(" OR ") };
            Some(format!("{} IS NOT NULL AND ({bounds})", quoted(column)))
        }
        CheckSpec::Allowed { column, values } => {
            known(column)?;
            let texts: Vec<String> = values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
            let among =
                if texts.is_empty() { "true".into() } else { format!("CAST({} AS VARCHAR) NOT IN ({})", quoted(column), texts.join(", ")) };
            Some(format!("{} IS NOT NULL AND {among}", quoted(column)))
        }
        _ => None,
    }
}

async fn unique(session: &SessionContext, table: &str, spec: &CheckSpec, columns: &[String]) -> Result<CheckResult, DataFusionError> {
    let keys = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    let groups = format!("SELECT {keys}, count(*) AS \"rows\" FROM {} GROUP BY {keys} HAVING count(*) > 1", quoted(table));
    let total = one_batch(session, &format!("SELECT count(*) FROM ({groups})")).await?;
    let repeated = count(total.column(0));
    let mut result = spec.result(repeated == 0, format!("{repeated} keys more than once"));
    if repeated > 0 {
        result.sample_rows = texts(&one_batch(session, &format!("{groups} ORDER BY {keys} LIMIT {SAMPLE_ROWS}")).await?);
    }
    Ok(result)
}

async fn one_batch(session: &SessionContext, sql: &str) -> Result<RecordBatch, DataFusionError> {
    let frame = session.sql(sql).await?;
    let schema: SchemaRef = frame.schema().inner().clone();
    let batches = frame.collect().await?;
    // The plan's idea of nullability may differ from the batches'.
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(concat_batches(&schema, &batches)?)
}

fn count(array: &ArrayRef) -> u64 {
    let counted = cast(array, &DataType::Int64).ok().filter(|counted| !counted.is_empty() && counted.is_valid(0));
    counted.map_or(0, |counted| counted.as_primitive::<Int64Type>().value(0).max(0) as u64)
}

fn micros(array: &ArrayRef) -> Option<i64> {
    let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None)).ok()?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    (!times.is_empty() && times.is_valid(0)).then(|| times.value(0))
}

fn texts(batch: &RecordBatch) -> Vec<BTreeMap<String, String>> {
    let schema = batch.schema();
    let cell = |column: usize, row: usize| {
        (schema.field(column).name().clone(), array_value_to_string(batch.column(column), row).unwrap_or_default())
    };
    (0..batch.num_rows()).map(|row| (0..batch.num_columns()).map(|column| cell(column, row)).collect()).collect()
}

fn class_of(data_type: &DataType) -> Option<TypeClass> {
    Some(match data_type {
        DataType::Boolean => TypeClass::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TypeClass::Text,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => TypeClass::Time,
        DataType::Dictionary(_, values) => return class_of(values),
        number if number.is_numeric() => TypeClass::Number,
        _ => return None,
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
