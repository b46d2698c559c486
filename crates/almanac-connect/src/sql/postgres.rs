//! PostgreSQL: types, the snapshot, rows from the binary protocol.
//!
//! | there | here |
//! |---|---|
//! | smallint, integer, bigint, oid | integer |
//! | real, double precision, numeric, money | real; digits that a double does not hold, NaN and infinity are noted |
//! | boolean | boolean |
//! | date | date; `infinity` is null and noted |
//! | timestamp, timestamptz (in UTC) | timestamp |
//! | bytea | refused |
//! | anything else (uuid, json, arrays, enums, intervals …) | text, as the database writes it |
//!
//! Not here: MySQL, SQLite.

use std::ops::ControlFlow;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgTypeInfo, PgTypeKind, PgValueRef};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef};

use super::{Fetched, Moment, Quotes, Request, Sink, close, time};
use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedKind, Mark, StagedFile};
use crate::rows::{Cell, Loss, parse_decimal, widen};

/// How a value comes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Integer,
    Real,
    Float,
    /// As text.
    Decimal,
    Boolean,
    Text,
    Timestamp,
    Date,
}

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const MICROS_TO_2000: i64 = 946_684_800_000_000;
const DAYS_TO_2000: i32 = 10_957;

async fn connect(request: Request<'_>) -> Result<PgConnection, ConnectError> {
    let options = PgConnectOptions::from_str(request.url.text.expose()).map_err(|error| request.failed(Moment::Connecting, &error))?;
    let options = options.application_name("almanac").statement_cache_capacity(0).disable_statement_logging();
    request.open(options.connect()).await
}

/// Begins a snapshot in which texts of times do not depend on the server's settings.
async fn begin(request: Request<'_>, connection: &mut PgConnection) -> Result<(), ConnectError> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; \
                 SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'";
    request.within(Moment::Asking, connection.execute(begin)).await.map(|_| ())
}

pub(super) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let mut connection = connect(request).await?;
    begin(request, &mut connection).await?;
    look(request, &mut connection).await?;
    close(connection).await;
    Ok(())
}

/// The columns of what is asked for.
async fn look(request: Request<'_>, connection: &mut PgConnection) -> Result<(Vec<LandedColumn>, Vec<Wire>), ConnectError> {
    let base = request.base(Quotes::Double);
    let statement = request.within(Moment::Asking, connection.prepare(AssertSqlSafe(base).into_sql_str())).await?;
    let mut columns = Vec::new();
    let mut wires = Vec::new();
    for column in statement.columns() {
        let from = column.type_info().to_string();
        let Some((kind, wire)) = kind_of(column.type_info()) else {
            return Err(ConnectError::Type {
                table: request.table.to_owned(),
                column: column.name().to_owned(),
                kind: from.to_lowercase(),
            });
        };
        columns.push(LandedColumn { name: column.name().to_owned(), kind, from: from.to_lowercase() });
        wires.push(wire);
    }
    request.check_columns(&columns)?;
    Ok((columns, wires))
}

fn kind_of(found: &PgTypeInfo) -> Option<(LandedKind, Wire)> {
    if let PgTypeKind::Domain(inner) = found.kind() {
        return kind_of(inner);
    }
    Some(match found.name() {
        "INT2" | "INT4" | "INT8" | "OID" => (LandedKind::Integer, Wire::Integer),
        "FLOAT8" => (LandedKind::Real, Wire::Real),
        "FLOAT4" => (LandedKind::Real, Wire::Float),
        "NUMERIC" | "MONEY" => (LandedKind::Real, Wire::Decimal),
        "BOOL" => (LandedKind::Boolean, Wire::Boolean),
        "TIMESTAMP" | "TIMESTAMPTZ" => (LandedKind::Timestamp, Wire::Timestamp),
        "DATE" => (LandedKind::Date, Wire::Date),
        "BYTEA" | "BYTEA[]" => return None,
        _ => (LandedKind::Text, Wire::Text),
    })
}

fn select(request: Request<'_>, columns: &[LandedColumn], wires: &[Wire]) -> String {
    let expression = |place: usize, name: &str| {
        let cast = match (wires[place], columns[place].from.as_str()) {
            (Wire::Integer, _) => "::int8",
            (Wire::Decimal, "money") => "::numeric::text",
            (Wire::Decimal | Wire::Text, _) => "::text",
            _ => "",
        };
        format!("q.{name}{cast} AS {name}")
    };
    let literal = |from: Mark, column: &LandedColumn| match (from, column.from.as_str()) {
        (Mark::Integer(value), _) => value.to_string(),
        (Mark::Date(_), _) => format!("DATE '{}'", time::mark(from, ' ')),
        (Mark::Timestamp(_), "timestamptz") => format!("TIMESTAMPTZ '{}+00'", time::mark(from, ' ')),
        (Mark::Timestamp(_), _) => format!("TIMESTAMP '{}'", time::mark(from, ' ')),
    };
    request.select(Quotes::Double, columns, expression, literal)
}

pub(super) async fn fetch(request: Request<'_>, file: &StagedFile) -> Result<Fetched, ConnectError> {
    let mut connection = connect(request).await?;
    begin(request, &mut connection).await?;
    let (columns, wires) = look(request, &mut connection).await?;
    let select = select(request, &columns, &wires);
    let mut sink = Sink::new(request, file, columns)?;
    let rows = sqlx::query(AssertSqlSafe(select)).persistent(false).fetch(&mut connection);
    request.each_row(&mut sink, rows, |sink, row| take(sink, row, &wires).map(ControlFlow::<()>::Continue)).await?;
    close(connection).await;
    sink.finish()
}

fn take(sink: &mut Sink<'_>, row: &PgRow, wires: &[Wire]) -> Result<(), ConnectError> {
    for (column, wire) in wires.iter().enumerate() {
        let raw = row.try_get_raw(column).map_err(|error| sink.misfit(column, error.to_string()))?;
        if raw.is_null() {
            sink.value(column, Cell::Null)?;
            continue;
        }
        take_value(sink, column, *wire, &raw)?;
    }
    sink.rows.end_row()
}

fn take_value(sink: &mut Sink<'_>, column: usize, wire: Wire, raw: &PgValueRef<'_>) -> Result<(), ConnectError> {
    let bytes = raw.as_bytes().map_err(|error| sink.misfit(column, error.to_string()))?;
    let short = |sink: &Sink<'_>| sink.misfit(column, format!("{} bytes came for a value of another size", bytes.len()));
    macro_rules! number {
        ($type:ty) => {
            <$type>::from_be_bytes(bytes.try_into().map_err(|_| short(sink))?)
        };
    }
    let cell = match wire {
        Wire::Integer => Cell::Integer(number!(i64)),
        Wire::Real => Cell::Real(number!(f64)),
        Wire::Float => Cell::Real(widen(number!(f32))),
        Wire::Boolean => Cell::Boolean(bytes.first().is_some_and(|byte| *byte != 0)),
        Wire::Text | Wire::Decimal => {
            let text = std::str::from_utf8(bytes).map_err(|error| sink.misfit(column, error.to_string()))?;
            if wire == Wire::Text {
                return sink.value(column, Cell::Text(text));
            }
            let (value, is_lossy) = parse_decimal(text).ok_or_else(|| sink.misfit(column, format!("`{text}` is no number")))?;
            if is_lossy {
                sink.rows.lost(column, Loss::Digits);
            }
            Cell::Real(value)
        }
        Wire::Timestamp => match number!(i64) {
            i64::MAX | i64::MIN => Cell::Null,
            micros => micros.checked_add(MICROS_TO_2000).map_or(Cell::Null, Cell::Timestamp),
        },
        Wire::Date => match number!(i32) {
            i32::MAX | i32::MIN => Cell::Null,
            days => days.checked_add(DAYS_TO_2000).map_or(Cell::Null, Cell::Date),
        },
    };
    if cell == Cell::Null {
        sink.rows.lost(column, Loss::NoDate);
    }
    sink.value(column, cell)
}
