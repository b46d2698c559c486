//! Versions in JSON lines.
//!
//! Not here: which rows are wanted (`versions`).

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::{LOAD_COLUMN, LOADED_AT_COLUMN, Part, Row, Wanted, unwritten};
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
    take: &mut dyn FnMut(Row),
) -> Result<(), ConnectError> {
    for line in lines(part.path)? {
        let (text, row) = line?;
        let mut bytes = Vec::new();
        let Some(row) = row else {
            let hash = short_hash(&text);
            take(Row { key: hash, content: hash, mark: None });
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
        take(Row { key: short_hash(&bytes), content: short_hash(&text), mark });
    }
    Ok(())
}

pub(super) fn write(parts: &[Part<'_>], wanted: &Wanted<'_>, to: &Path) -> Result<(), ConnectError> {
    let failed = |source| unwritten(to, source);
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let mut place = 0;
    for part in parts {
        for line in lines(part.path)? {
            let (text, row) = line?;
            place += 1;
            if !wanted.rows.has(place - 1) {
                continue;
            }
            if let (true, Some(mut row)) = (wanted.with_load, row) {
                row.insert(LOAD_COLUMN.into(), part.load.number.into());
                row.insert(LOADED_AT_COLUMN.into(), part.load.loaded_at.clone().into());
                serde_json::to_writer(&mut out, &row).map_err(|error| failed(error.into()))?;
            } else {
                out.write_all(&text).map_err(failed)?;
            }
            out.write_all(b"\n").map_err(failed)?;
        }
    }
    out.flush().map_err(failed)
}
