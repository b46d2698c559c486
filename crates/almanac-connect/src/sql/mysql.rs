//! MySQL and MariaDB: types, the snapshot, rows from the binary protocol.
//!
//! | there | here |
//! |---|---|
//! | tinyint … bigint, year | integer; an unsigned one beyond 2^63 is refused |
//! | tinyint(1), boolean | boolean, or integer if it holds more than 0 and 1 |
//! | bit(n) | integer |
//! | float, double, decimal | real; digits that a double does not hold are noted |
//! | date, datetime, timestamp (in UTC) | date, timestamp; zero dates are null and noted |
//! | blob, binary, geometry | refused |
//! | anything else (char, text, enum, set, json, time …) | text, as the database writes it |
//!
//! Not here: PostgreSQL, SQLite.

use std::ops::ControlFlow;
use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Executor, Row, SqlSafeStr, Statement, TypeInfo};

use super::{Fetched, Moment, Quotes, Request, Sink, close, time};
use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedKind, Mark, StagedFile};
use crate::rows::{Cell, Loss, parse_decimal, widen};

/// How a value comes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Integer,
    Unsigned,
    /// 0, 1, or more.
    Tiny,
    Real,
    Float,
    /// As text.
    Decimal,
    Text,
    Timestamp,
    Date,
}

async fn connect(request: Request<'_>) -> Result<MySqlConnection, ConnectError> {
    let url = request.url.text.expose().replacen("mariadb://", "mysql://", 1);
    let options = MySqlConnectOptions::from_str(&url).map_err(|error| request.failed(Moment::Connecting, &error))?;
    let options = options.statement_cache_capacity(0).disable_statement_logging();
    request.open(options.connect()).await
}

async fn begin(request: Request<'_>, connection: &mut MySqlConnection) -> Result<(), ConnectError> {
    // One at a time: several in one text need a right that not every server gives.
    for text in [
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION time_zone = '+00:00'",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ] {
        request.within(Moment::Asking, connection.execute(text)).await?;
    }
    Ok(())
}

pub(super) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let mut connection = connect(request).await?;
    begin(request, &mut connection).await?;
    look(request, &mut connection).await?;
    close(connection).await;
    Ok(())
}

async fn look(request: Request<'_>, connection: &mut MySqlConnection) -> Result<(Vec<LandedColumn>, Vec<Wire>), ConnectError> {
    let base = request.base(Quotes::Backtick);
    let statement = request.within(Moment::Asking, connection.prepare(AssertSqlSafe(base).into_sql_str())).await?;
    let (mut columns, mut wires) = (Vec::new(), Vec::new());
    let found: Vec<(String, String)> =
        statement.columns().iter().map(|column| (column.name().to_owned(), column.type_info().name().to_owned())).collect();
    for (name, from) in found {
        let (kind, wire) = match kind_of(&from) {
            Some(known) => known,
            None if from != "GEOMETRY" && is_text(request, connection, &name).await? => (LandedKind::Text, Wire::Text),
            None => return Err(ConnectError::Type { table: request.table.to_owned(), column: name, kind: from.to_lowercase() }),
        };
        columns.push(LandedColumn { name, kind, from: from.to_lowercase() });
        wires.push(wire);
    }
    request.check_columns(&columns)?;
    Ok((columns, wires))
}

/// Texts whose order is that of bytes, JSON of MariaDB among them, look like blobs on the wire; the character set tells.
async fn is_text(request: Request<'_>, connection: &mut MySqlConnection, name: &str) -> Result<bool, ConnectError> {
    let base = request.base(Quotes::Backtick);
    let ask = format!("SELECT CAST(CHARSET(q.{}) AS CHAR) FROM (\n{base}\n) AS q LIMIT 1", Quotes::Backtick.name(name));
    let asked = connection.fetch_optional(sqlx::query(AssertSqlSafe(ask)).persistent(false));
    let Some(row) = request.within(Moment::Asking, asked).await? else { return Ok(true) };
    let charset = row.try_get_unchecked::<Option<String>, _>(0).map_err(|error| request.failed(Moment::Asking, &error))?;
    Ok(charset.is_none_or(|charset| charset != "binary"))
}

fn kind_of(name: &str) -> Option<(LandedKind, Wire)> {
    Some(match name {
        "BOOLEAN" => (LandedKind::Boolean, Wire::Tiny),
        "BIT" => (LandedKind::Integer, Wire::Unsigned),
        "YEAR" => (LandedKind::Integer, Wire::Unsigned),
        name if name.ends_with("INT UNSIGNED") => (LandedKind::Integer, Wire::Unsigned),
        name if name.ends_with("INT") => (LandedKind::Integer, Wire::Integer),
        "FLOAT" => (LandedKind::Real, Wire::Float),
        "DOUBLE" => (LandedKind::Real, Wire::Real),
        "DECIMAL" => (LandedKind::Real, Wire::Decimal),
        "DATE" => (LandedKind::Date, Wire::Date),
        "DATETIME" | "TIMESTAMP" => (LandedKind::Timestamp, Wire::Timestamp),
        name if name.ends_with("BLOB") || name.ends_with("BINARY") || name == "GEOMETRY" => return None,
        _ => (LandedKind::Text, Wire::Text),
    })
}

fn select(request: Request<'_>, columns: &[LandedColumn], wires: &[Wire]) -> String {
    let expression = |place: usize, name: &str| match wires[place] {
        Wire::Decimal | Wire::Date | Wire::Timestamp | Wire::Text => format!("CAST(q.{name} AS CHAR) AS {name}"),
        Wire::Unsigned => format!("CAST(q.{name} AS UNSIGNED) AS {name}"),
        Wire::Integer | Wire::Tiny => format!("CAST(q.{name} AS SIGNED) AS {name}"),
        Wire::Real | Wire::Float => format!("q.{name}"),
    };
    let literal = |from: Mark, _: &LandedColumn| match from {
        Mark::Integer(value) => value.to_string(),
        Mark::Date(_) => format!("DATE '{}'", time::mark(from, ' ')),
        Mark::Timestamp(_) => format!("TIMESTAMP '{}'", time::mark(from, ' ')),
    };
    request.select(Quotes::Backtick, columns, expression, literal)
}

/// A column that holds more than its declaration says: no boolean.
#[derive(Debug, Clone, Copy)]
struct NoBoolean(usize);

pub(super) async fn fetch(request: Request<'_>, file: &StagedFile) -> Result<Fetched, ConnectError> {
    let mut connection = connect(request).await?;
    begin(request, &mut connection).await?;
    let (mut columns, mut wires) = look(request, &mut connection).await?;
    let select = select(request, &columns, &wires);
    // Each round reads the same snapshot; one more for each column that is no boolean after all.
    loop {
        let mut sink = Sink::new(request, file, columns.clone())?;
        let rows = sqlx::query(AssertSqlSafe(select.clone())).persistent(false).fetch(&mut connection);
        let wrong = request.each_row(&mut sink, rows, |sink, row| take(sink, row, &wires)).await?;
        let Some(NoBoolean(column)) = wrong else {
            close(connection).await;
            return sink.finish();
        };
        columns[column].kind = LandedKind::Integer;
        wires[column] = Wire::Integer;
    }
}

fn take(sink: &mut Sink<'_>, row: &MySqlRow, wires: &[Wire]) -> Result<ControlFlow<NoBoolean>, ConnectError> {
    for (column, wire) in wires.iter().enumerate() {
        macro_rules! get {
            ($type:ty) => {
                row.try_get_unchecked::<Option<$type>, _>(column).map_err(|error| sink.misfit(column, error.to_string()))?
            };
        }
        let cell = match wire {
            Wire::Integer => get!(i64).map_or(Cell::Null, Cell::Integer),
            Wire::Tiny => match get!(i64) {
                None => Cell::Null,
                Some(value @ (0 | 1)) => Cell::Boolean(value == 1),
                Some(_) => return Ok(ControlFlow::Break(NoBoolean(column))),
            },
            Wire::Unsigned => match get!(u64) {
                None => Cell::Null,
                Some(value) => {
                    let fits = i64::try_from(value);
                    Cell::Integer(fits.map_err(|_| sink.misfit(column, format!("{value} is larger than {}", i64::MAX)))?)
                }
            },
            Wire::Real => get!(f64).map_or(Cell::Null, Cell::Real),
            Wire::Float => get!(f32).map_or(Cell::Null, |value| Cell::Real(widen(value))),
            Wire::Text => get!(&str).map_or(Cell::Null, Cell::Text),
            Wire::Decimal => match get!(&str) {
                None => Cell::Null,
                Some(text) => {
                    let (value, is_lossy) = parse_decimal(text).ok_or_else(|| sink.misfit(column, format!("`{text}` is no number")))?;
                    if is_lossy {
                        sink.rows.lost(column, Loss::Digits);
                    }
                    Cell::Real(value)
                }
            },
            Wire::Date | Wire::Timestamp => match get!(&str) {
                None => Cell::Null,
                Some(text) => {
                    let read =
                        if *wire == Wire::Date { time::date(text).map(Cell::Date) } else { time::timestamp(text).map(Cell::Timestamp) };
                    read.unwrap_or_else(|| {
                        sink.rows.lost(column, Loss::NoDate);
                        Cell::Null
                    })
                }
            },
        };
        sink.value(column, cell)?;
    }
    sink.rows.end_row()?;
    Ok(ControlFlow::Continue(()))
}
