//! Files of any format without their personal columns, for objects that land: nothing else of them changes.
//!
//! CSV stays CSV with its delimiter, as UTF-8; JSON and spreadsheets become JSON lines of texts, Parquet stays Parquet. Types are found
//! out later, over the whole table, from the same texts. A row without a sound shape may hold anything: one that says so takes its
//! place, at the end of the file.
//!
//! Not here: what becomes of a value (`almanac-privacy`), tables (`table`).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use almanac_privacy::{Policy, Redaction};
use serde_json::Value;

use super::error::IngestError;
use super::profile::NullMarkers;
use super::records::{self, Pass, RawBatch};
use super::source::{self, Body, Origin, SourceFormat};
use super::table::OpenTable;
use super::{CsvOptions, TableSpec, write};

/// Writes what is in a file to the paths that `next` gives for an extension, and returns the personal columns that there were.
///
/// # Errors
/// [`IngestError`] for a file that cannot be read; an empty one is one.
pub fn hide_file(
    path: &Path,
    csv: &CsvOptions,
    redaction: &Redaction,
    next: &mut dyn FnMut(&str) -> PathBuf,
) -> Result<BTreeSet<String>, IngestError> {
    let mut found = BTreeSet::new();
    for origin in source::examine(path, csv.encoding.as_deref())?.origins {
        match (&origin.body, origin.format) {
            (Body::Parquet, _) => parquet(&origin, csv, redaction, next, &mut found)?,
            (Body::Text(_), SourceFormat::Csv) => {
                let pass = look(&origin, csv)?;
                let to = next("csv");
                copy_csv(&origin, csv, redaction, &pass, &to)?;
                found.extend(personal(&pass, redaction));
            }
            _ => {
                let pass = look(&origin, csv)?;
                let to = next("jsonl");
                copy_lines(&origin, csv, redaction, &pass, &to)?;
                found.extend(personal(&pass, redaction));
            }
        }
    }
    Ok(found)
}

fn personal<'a>(pass: &'a Pass, redaction: &'a Redaction) -> impl Iterator<Item = String> + 'a {
    pass.header.iter().filter(|name| redaction.policy(name).is_some()).cloned()
}

/// Columns that come later in a file are columns of its first row too.
fn look(origin: &Origin, csv: &CsvOptions) -> Result<Pass, IngestError> {
    records::read(origin, csv, &mut |_| ControlFlow::Continue(()))
}

fn parquet(
    origin: &Origin,
    csv: &CsvOptions,
    redaction: &Redaction,
    next: &mut dyn FnMut(&str) -> PathBuf,
    found: &mut BTreeSet<String>,
) -> Result<(), IngestError> {
    let spec = TableSpec { name: "object".into(), paths: vec![origin.path.clone()], csv: csv.clone(), ..TableSpec::default() };
    let plain = OpenTable::open_any(&spec, false)?;
    found.extend(plain.columns.into_iter().map(|column| column.name).filter(|name| redaction.policy(name).is_some()));
    let table = OpenTable::open_any(&TableSpec { redaction: redaction.of_part(), ..spec }, false)?;
    write::write_file(&next("parquet"), table.schema(), |send| {
        table.read(&mut |batch| Ok(if send(batch) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }))
    })?;
    Ok(())
}

/// The cells of a row with the names of their columns; `None` where one cannot be read.
type Row<'a> = Option<Vec<(&'a str, String)>>;

/// Hands out the cells of every row, without columns that are dropped; `None` for a row with a cell that cannot be read.
fn each_row(
    origin: &Origin,
    csv: &CsvOptions,
    redaction: &Redaction,
    header: &[String],
    to: &Path,
    take: &mut dyn FnMut(Row<'_>) -> io::Result<()>,
) -> Result<(), IngestError> {
    let mut failed = None;
    let nulls = NullMarkers::new(csv);
    records::read(origin, csv, &mut |batch: RawBatch| {
        for row in 0..batch.len() {
            if let Err(error) = take(cells(&batch, row, header, redaction, &nulls)) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or(Ok(()), |source| Err(IngestError::Write { path: to.to_owned(), source }))
}

fn cells<'a>(batch: &RawBatch, row: usize, header: &'a [String], redaction: &Redaction, nulls: &NullMarkers) -> Row<'a> {
    let mut cells = Vec::with_capacity(header.len());
    for (column, name) in header.iter().enumerate() {
        let value = batch.cell(row, column).ok()?;
        match redaction.policy(name) {
            Some(Policy::Drop) => {}
            Some(_) if nulls.is_null(value, true) => cells.push((name.as_str(), String::new())),
            Some(_) => cells.push((name.as_str(), redaction.cell(name, value).unwrap_or_default())),
            None => cells.push((name.as_str(), redaction.document(value).into_owned())),
        }
    }
    Some(cells)
}

fn kept(header: &[String], redaction: &Redaction) -> Vec<String> {
    header.iter().filter(|name| redaction.policy(name) != Some(Policy::Drop)).cloned().collect()
}

fn copy_csv(origin: &Origin, options: &CsvOptions, redaction: &Redaction, pass: &Pass, to: &Path) -> Result<(), IngestError> {
    let failed = |source| IngestError::Write { path: to.to_owned(), source };
    let out = BufWriter::new(File::create(to).map_err(failed)?);
    let mut out = csv::WriterBuilder::new().flexible(true).delimiter(pass.delimiter.unwrap_or(b',')).from_writer(out);
    let kept = kept(&pass.header, redaction);
    let plain = |error: csv::Error| io::Error::other(error);
    out.write_record(&kept).map_err(plain).map_err(failed)?;
    // One cell too many, so that the row is put aside again.
    let stands_for = vec![redaction.line("").into_owned(); kept.len() + 1];
    let mut aside = pass.ragged.len();
    each_row(origin, options, redaction, &pass.header, to, &mut |row| {
        let Some(row) = row else {
            aside += 1;
            return Ok(());
        };
        out.write_record(row.iter().map(|(_, value)| value)).map_err(plain)
    })?;
    for _ in 0..aside {
        out.write_record(&stands_for).map_err(plain).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

fn copy_lines(origin: &Origin, options: &CsvOptions, redaction: &Redaction, pass: &Pass, to: &Path) -> Result<(), IngestError> {
    let failed = |source| IngestError::Write { path: to.to_owned(), source };
    let mut out = BufWriter::new(File::create(to).map_err(failed)?);
    let mut aside = pass.ragged.len();
    each_row(origin, options, redaction, &pass.header, to, &mut |row| {
        let Some(row) = row else {
            aside += 1;
            return Ok(());
        };
        // Member by member, because a map would not keep the order of the columns.
        out.write_all(b"{")?;
        for (place, (name, value)) in row.into_iter().enumerate() {
            let text = if value.is_empty() { Value::Null } else { Value::String(value) };
            write!(out, "{}{}:{text}", if place == 0 { "" } else { "," }, Value::from(name))?;
        }
        out.write_all(b"}\n")
    })?;
    for _ in 0..aside {
        serde_json::to_writer(&mut out, &redaction.line("")).map_err(|error| failed(error.into()))?;
        out.write_all(b"\n").map_err(failed)?;
    }
    out.flush().map_err(failed)
}
