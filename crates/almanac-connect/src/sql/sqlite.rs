//! SQLite: values have types, columns only wishes. What a column is, is counted over its values first, in the same snapshot.
//!
//! | all values of the column | here |
//! |---|---|
//! | integers | integer; boolean if it is declared so and holds 0 and 1 only; real if it is declared so |
//! | integers and reals | real |
//! | texts, declared DATE, DATETIME or TIMESTAMP, all of them dates | date, timestamp |
//! | texts, or texts and numbers | text, and noted if they are mixed |
//! | blobs among them | refused |
//!
//! Not here: PostgreSQL, MySQL.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};

use super::{Fetched, Quotes, Request, Sink, time};
use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedKind, Mark, StagedFile};
use crate::rows::{Cell, Loss};

/// Who else holds the file is waited for so long.
const BUSY: Duration = Duration::from_secs(10);

fn open(request: Request<'_>) -> Result<Connection, ConnectError> {
    let url = request.url.text.expose();
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(request.bad_url("it names no file: write sqlite:shop.db or sqlite:///var/shop.db"));
    }
    let path: PathBuf = request.root.join(path);
    if !path.is_file() {
        let reason = format!("`{}` is no file", path.display());
        return Err(ConnectError::Missing { url: request.shown(), what: "database".into(), reason });
    }
    let opened = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(|error| failed(request, 0, &error))?;
    connection.busy_timeout(BUSY.min(request.spec.timeout)).map_err(|error| failed(request, 0, &error))?;
    Ok(connection)
}

fn failed(request: Request<'_>, rows: u64, error: &rusqlite::Error) -> ConnectError {
    let url = request.shown();
    let reason = request.scrubber.scrub(&error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) if rows > 0 => ConnectError::Lost { url, rows, reason },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen) => ConnectError::Unreachable { url, reason },
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => ConnectError::Denied { url, reason },
        _ if reason.contains("no such table") || reason.contains("no such column") => {
            ConnectError::Missing { url, what: "what is asked for".into(), reason }
        }
        _ => ConnectError::Refused { url, reason: request.without_values(&reason) },
    }
}

pub(super) fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let connection = open(request)?;
    connection.prepare(&request.base(Quotes::Double)).map(|_| ()).map_err(|error| failed(request, 0, &error))
}

/// What the values of a column are.
#[derive(Debug, Default)]
struct Census {
    integers: i64,
    reals: i64,
    texts: i64,
    blobs: i64,
    /// Whether the integers are 0 and 1 only.
    is_binary: bool,
}

/// The types that the columns are declared with, as a view of the SELECT passes them on; empty for what is computed.
fn declared(request: Request<'_>, connection: &Connection, base: &str) -> Result<Vec<(String, String)>, ConnectError> {
    let bad = |error: rusqlite::Error| failed(request, 0, &error);
    let names: Vec<String> = connection.prepare(base).map_err(bad)?.column_names().into_iter().map(str::to_owned).collect();
    // A view would give the second one another name.
    if let Some((_, twice)) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
        return Err(ConnectError::TwiceNamed { table: request.table.to_owned(), column: twice.clone() });
    }
    connection.execute_batch(&format!("CREATE TEMP VIEW almanac_source AS\n{base}\n")).map_err(bad)?;
    let mut statement = connection.prepare("PRAGMA temp.table_xinfo('almanac_source')").map_err(bad)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(1)?, row.get::<_, String>(2)?))).map_err(bad)?;
    rows.collect::<Result<_, _>>().map_err(bad)
}

fn census(request: Request<'_>, connection: &Connection, names: &[(String, String)]) -> Result<Vec<Census>, ConnectError> {
    let bad = |error: rusqlite::Error| failed(request, 0, &error);
    let mut found = Vec::new();
    // A SELECT has a limited number of columns.
    for some in names.chunks(100) {
        let counts: Vec<String> = some
            .iter()
            .map(|(name, _)| {
                let name = Quotes::Double.name(name);
                format!(
                    "total(typeof({name})='integer'), total(typeof({name})='real'), total(typeof({name})='text'), \
                     total(typeof({name})='blob'), total({name} NOT IN (0, 1))"
                )
            })
            .collect();
        let text = format!("SELECT {} FROM temp.almanac_source", counts.join(", "));
        let of_row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Census>> {
            (0..some.len())
                .map(|place| {
                    let count = |offset: usize| row.get::<_, f64>(place * 5 + offset).map(|count| count as i64);
                    let is_binary = count(4)? == 0;
                    Ok(Census { integers: count(0)?, reals: count(1)?, texts: count(2)?, blobs: count(3)?, is_binary })
                })
                .collect()
        };
        found.extend(connection.query_row(&text, [], of_row).map_err(bad)?);
    }
    Ok(found)
}

/// Settles a column; with a note if its values are mixed.
fn settle(declared: &str, seen: &Census) -> (LandedKind, bool) {
    let declared = declared.to_ascii_uppercase();
    let says = |part: &str| declared.contains(part);
    let is_real = says("REAL") || says("FLOA") || says("DOUB") || says("NUMERIC") || says("DECIMAL");
    let is_instant = says("DATETIME") || says("TIMESTAMP");
    if seen.texts > 0 {
        let is_mixed = seen.integers + seen.reals > 0;
        let kind = match () {
            () if is_mixed => LandedKind::Text,
            () if is_instant => LandedKind::Timestamp,
            () if says("DATE") => LandedKind::Date,
            () => LandedKind::Text,
        };
        return (kind, is_mixed);
    }
    let kind = match () {
        () if seen.reals > 0 || seen.integers > 0 && is_real => LandedKind::Real,
        () if seen.integers > 0 && says("BOOL") && seen.is_binary => LandedKind::Boolean,
        () if seen.integers > 0 => LandedKind::Integer,
        () if is_real => LandedKind::Real,
        () if says("BOOL") => LandedKind::Boolean,
        () if is_instant => LandedKind::Timestamp,
        () if says("DATE") => LandedKind::Date,
        () if says("INT") && !says("POINT") => LandedKind::Integer,
        () => LandedKind::Text,
    };
    (kind, false)
}

pub(super) fn fetch(request: Request<'_>, file: &StagedFile) -> Result<Fetched, ConnectError> {
    let connection = open(request)?;
    let bad = |error: rusqlite::Error| failed(request, 0, &error);
    connection.execute_batch("BEGIN").map_err(bad)?;
    let base = request.base(Quotes::Double);
    let names = declared(request, &connection, &base)?;
    let mut columns = Vec::new();
    let mut notes = Vec::new();
    for ((name, declared), seen) in names.iter().zip(census(request, &connection, &names)?) {
        if seen.blobs > 0 {
            return Err(ConnectError::Type { table: request.table.to_owned(), column: name.clone(), kind: "blob".into() });
        }
        let (kind, is_mixed) = settle(declared, &seen);
        if is_mixed {
            let numbers = seen.integers + seen.reals;
            notes.push(format!("column `{name}` holds {numbers} numbers and {} texts; all are read as text", seen.texts));
        }
        let from = if declared.is_empty() { "no declared type".to_owned() } else { declared.to_lowercase() };
        columns.push(LandedColumn { name: name.clone(), kind, from });
    }
    loop {
        request.check_columns(&columns)?;
        match read(request, &connection, file, &columns)? {
            Read::All(mut fetched) => {
                fetched.written.notes.append(&mut notes);
                return Ok(*fetched);
            }
            Read::NoTime(column, text) => {
                let found = &mut columns[column];
                let text = request.redaction.value(&found.name, &text);
                notes.push(format!("column `{}` is declared {} and holds `{text}`; it is read as text", found.name, found.from));
                found.kind = LandedKind::Text;
            }
        }
    }
}

enum Read {
    All(Box<Fetched>),
    NoTime(usize, String),
}

fn read(request: Request<'_>, connection: &Connection, file: &StagedFile, columns: &[LandedColumn]) -> Result<Read, ConnectError> {
    let names: Vec<String> = columns.iter().map(|column| Quotes::Double.name(&column.name)).collect();
    let mut text = format!("SELECT {} FROM temp.almanac_source", names.join(", "));
    let watermark = request.watermark_column(columns);
    if let (Some(column), Some(Mark::Integer(from))) = (watermark, request.from()) {
        let name = &names[column];
        let condition = if request.has_key() { format!(">= {from} OR {name} IS NULL") } else { format!("> {from}") };
        text.push_str(&format!(" WHERE {name} {condition}"));
    }
    let mut statement: Statement<'_> = connection.prepare(&text).map_err(|error| failed(request, 0, &error))?;
    let mut sink = Sink::new(request, file, columns.to_vec())?;
    let mut rows = statement.query([]).map_err(|error| failed(request, 0, &error))?;
    while let Some(row) = rows.next().map_err(|error| failed(request, sink.rows.rows(), &error))? {
        // Times are texts of several forms: they are compared once they are read.
        if let Some(column) = watermark
            && let (Some(from @ (Mark::Timestamp(_) | Mark::Date(_))), Ok(ValueRef::Text(text))) = (request.from(), row.get_ref(column))
            && let Ok(text) = std::str::from_utf8(text)
        {
            let mark = match from {
                Mark::Date(_) => time::date(text).map(Mark::Date),
                _ => time::timestamp(text).map(Mark::Timestamp),
            };
            if mark.is_some_and(|mark| mark < from || mark == from && !request.has_key()) {
                continue;
            }
        }
        for (place, column) in columns.iter().enumerate() {
            let value = row.get_ref(place).map_err(|error| sink.misfit(place, error.to_string()))?;
            let shown;
            let cell = match (value, column.kind) {
                (ValueRef::Null, _) => Cell::Null,
                (ValueRef::Integer(value), LandedKind::Integer) => Cell::Integer(value),
                (ValueRef::Integer(value), LandedKind::Boolean) => Cell::Boolean(value != 0),
                (ValueRef::Integer(value), LandedKind::Real) => {
                    if (value as f64) as i64 != value {
                        sink.rows.lost(place, Loss::Digits);
                    }
                    Cell::Real(value as f64)
                }
                (ValueRef::Real(value), LandedKind::Real) => Cell::Real(value),
                (ValueRef::Integer(value), LandedKind::Text) => {
                    shown = value.to_string();
                    Cell::Text(&shown)
                }
                (ValueRef::Real(value), LandedKind::Text) => {
                    shown = value.to_string();
                    Cell::Text(&shown)
                }
                (ValueRef::Text(bytes), kind) => {
                    let text = String::from_utf8_lossy(bytes);
                    match kind {
                        LandedKind::Text => {
                            if let std::borrow::Cow::Owned(_) = text {
                                sink.rows.lost(place, Loss::Encoding);
                            }
                            shown = text.into_owned();
                            Cell::Text(&shown)
                        }
                        LandedKind::Date => match time::date(&text) {
                            Some(days) => Cell::Date(days),
                            None => return Ok(Read::NoTime(place, text.chars().take(40).collect())),
                        },
                        LandedKind::Timestamp => match time::timestamp(&text) {
                            Some(micros) => Cell::Timestamp(micros),
                            None => return Ok(Read::NoTime(place, text.chars().take(40).collect())),
                        },
                        kind => return Err(sink.misfit(place, format!("`{text}` is no {}", kind.name()))),
                    }
                }
                (other, kind) => return Err(sink.misfit(place, format!("a value of type {} is no {}", other.data_type(), kind.name()))),
            };
            sink.value(place, cell)?;
        }
        sink.rows.end_row()?;
    }
    drop(rows);
    sink.finish().map(|fetched| Read::All(Box::new(fetched)))
}
