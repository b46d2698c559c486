//! Versions in JSON lines.
//!
//! Not here: which rows are wanted (`versions`).

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::{LOAD_COLUMN, LOADED_AT_COLUMN, Part, Row, Stamp, Wanted, unwritten};
use crate::error::ConnectError;
use crate::landing::LandingError;
use crate::rows::short_hash;
use crate::sql::read_mark;

/// A line and the object it holds. A line that is a string stands for a message that could not be read, and is kept as it is.
pub(crate) type Line = (Vec<u8>, Option<serde_json::Map<String, Value>>);

pub(crate) fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Line, ConnectError>>, ConnectError> {
    let failed = |source| LandingError::Io { action: "read", path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    Ok(file.split(b'\n').map(move |line| {
        let line = line.map_err(failed)?;
        let damaged = |reason: String| LandingError::Damaged { path: path.to_owned(), reason };
        if line.starts_with(b"\"") {
            return Ok((line, None));
        }
        let row = serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))?;
        Ok((line, Some(row)))
    }))
}

pub(super) fn scan(
    table: &str,
    part: Part<'_>,
    key: &[String],
    watermark: Option<&str>,
    take: &mut dyn FnMut(u64, Row),
) -> Result<(), ConnectError> {
    let mut load = part.load.number;
    for line in lines(part.path)? {
        let (text, row) = unstamp(part, line?, &mut load);
        let mut bytes = Vec::new();
        let Some(row) = row else {
            let hash = short_hash(&text);
            take(load, Row { key: hash, content: hash, mark: None });
            continue;
        };
        for column in key {
            let Some(value) = row.get(column) else {
                let known: Vec<&str> = row.keys().map(String::as_str).take(40).collect();
                let (table, column) = (table.to_owned(), column.clone());
                return Err(ConnectError::NoColumn { table, key: "key", column, known: known.join(", ") });
            };
            let value = value.to_string();
            bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
        let mark = watermark.and_then(|column| read_mark(row.get(column)?));
        take(load, Row { key: short_hash(&bytes), content: short_hash(&text), mark });
    }
    Ok(())
}

/// What stands before the members of a row that says with which load it came.
fn stamp(load: u64) -> String {
    format!("{{\"{LOAD_COLUMN}\":{load}")
}

/// Takes the number of its load out of a row, so that it is as it landed.
fn unstamp(part: Part<'_>, line: Line, load: &mut u64) -> Line {
    let (text, Some(mut row)) = line else { return line };
    let Some(number) = row.get(LOAD_COLUMN).and_then(Value::as_u64).filter(|_| part.is_stamped()) else { return (text, Some(row)) };
    *load = number;
    row.remove(LOAD_COLUMN);
    let rest = text.strip_prefix(stamp(number).as_bytes());
    let text = match rest {
        Some(rest) if row.is_empty() => [b"{", rest].concat(),
        Some(rest) => [b"{", rest.strip_prefix(b",").unwrap_or(rest)].concat(),
        // Somebody wrote the line anew: its members stand in another order.
        None => Value::Object(row.clone()).to_string().into_bytes(),
    };
    (text, Some(row))
}

pub(super) fn write(table: &str, parts: &[Part<'_>], wanted: &Wanted<'_>, to: &Path) -> Result<(), ConnectError> {
    let failed = |source| unwritten(to, source);
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let mut place = 0;
    for part in parts {
        let mut load = part.load.number;
        for line in lines(part.path)? {
            let (text, row) =
                if wanted.stamp == Stamp::Nothing && wanted.rows.is_none() { line? } else { unstamp(*part, line?, &mut load) };
            place += 1;
            if !wanted.has(place - 1) {
                continue;
            }
            match (wanted.stamp, row) {
                (Stamp::LoadAndTime, Some(mut row)) => {
                    row.insert(LOAD_COLUMN.into(), load.into());
                    row.insert(LOADED_AT_COLUMN.into(), part.load.loaded_at(load).into());
                    serde_json::to_writer(&mut out, &row).map_err(|error| failed(error.into()))?;
                }
                (Stamp::Load, Some(row)) => {
                    if row.contains_key(LOAD_COLUMN) {
                        return Err(ConnectError::TwiceNamed { table: table.to_owned(), column: LOAD_COLUMN.to_owned() });
                    }
                    let comma: &[u8] = if row.is_empty() { b"" } else { b"," };
                    let members = text.trim_ascii().strip_prefix(b"{").unwrap_or(&text);
                    out.write_all(&[stamp(load).as_bytes(), comma, members].concat()).map_err(failed)?;
                }
                _ => out.write_all(&text).map_err(failed)?,
            }
            out.write_all(b"\n").map_err(failed)?;
        }
    }
    out.flush().map_err(failed)
}
