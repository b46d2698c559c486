//! The files of one table read as one stream of typed batches.
//!
//! [`OpenTable::open`] looks at everything once and settles formats, names and types; [`OpenTable::read`] then streams it. Columns of
//! several files are matched by name and promoted to a type that holds them all; a column that a file lacks is null there.
//!
//! Splitting records, building columns and consuming batches run side by side; the order of rows is that of the files.
//!
//! Not here: where the batches go (`write`, `sketch`).

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use almanac_privacy::{Policy, Redaction};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;

use super::columns;
use super::error::IngestError;
use super::parquet_source::ParquetTable;
use super::profile::{self, ColumnPlan, Evidence, NullMarkers, TableStyle};
use super::records::{self, Pass, RawBatch};
use super::source::{self, Body, Origin, SourceFormat};
use super::{ColumnKind, ColumnReport, CsvOptions, FileReport, Quarantined, TableSpec};

/// Batches on their way between two threads.
const IN_FLIGHT: usize = 2;

/// A table whose files were looked at and whose types are settled.
#[derive(Debug)]
pub(crate) struct OpenTable {
    pub(crate) files: Vec<FileReport>,
    /// As the batches have them: dropped ones are not among them.
    pub(crate) columns: Vec<ColumnReport>,
    pub(crate) notes: Vec<String>,
    /// Personal columns that the files have.
    pub(crate) personal: BTreeMap<String, Policy>,
    redaction: Redaction,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(TextTable),
    Parquet(ParquetTable),
}

#[derive(Debug)]
pub(crate) struct TextTable {
    /// Columns of the table; kinds hold for all files.
    pub(crate) plans: Vec<ColumnPlan>,
    /// The same columns for each file, which may differ in how it writes numbers and dates.
    by_file: Vec<Vec<ColumnPlan>>,
    files: Vec<(Origin, Pass)>,
    options: CsvOptions,
}

impl OpenTable {
    /// Looks at all files. `guess_order`: see [`profile::settle`].
    pub(crate) fn open(spec: &TableSpec, guess_order: bool) -> Result<Self, IngestError> {
        let table = Self::open_any(spec, guess_order)?;
        let has = |name: &str| table.columns.iter().any(|column| column.name == name);
        if let Some(missing) = spec.types.keys().find(|name| !has(name)) {
            let near = nearest(missing, table.columns.iter().map(|column| column.name.as_str()));
            return Err(IngestError::NoColumn { table: spec.name.clone(), column: missing.clone(), near });
        }
        // A name that fits no column would let a personal one through.
        let is_there = |name: &str| table.personal.contains_key(name);
        if let Some(missing) = spec.redaction.required().find(|name| !is_there(name)) {
            let near = nearest(missing, table.columns.iter().map(|column| column.name.as_str()));
            return Err(IngestError::NoColumn { table: spec.name.clone(), column: missing.to_owned(), near });
        }
        Ok(table)
    }

    /// As [`Self::open`], but columns that only `types` names do no harm.
    pub(crate) fn open_any(spec: &TableSpec, guess_order: bool) -> Result<Self, IngestError> {
        let mut texts = Vec::new();
        let mut parquets: Vec<PathBuf> = Vec::new();
        let mut first: Option<SourceFormat> = None;
        let mut notes = Vec::new();
        // What was hidden where it landed was written there as UTF-8.
        let encoding = spec.csv.encoding.as_deref().filter(|_| !spec.redaction.is_done());
        for path in &spec.paths {
            let mut examined = match source::examine(path, encoding) {
                Ok(examined) => examined,
                Err(IngestError::Empty { path }) if spec.paths.len() > 1 => {
                    notes.push(format!("`{}` is empty", path.display()));
                    continue;
                }
                Err(error) => return Err(error),
            };
            notes.append(&mut examined.notes);
            for origin in examined.origins {
                let known = *first.get_or_insert(origin.format);
                if !known.goes_with(origin.format) {
                    return Err(IngestError::MixedFormats { table: spec.name.clone(), first: known.name(), second: origin.format.name() });
                }
                match origin.body {
                    Body::Parquet => parquets.push(origin.path),
                    Body::Text(_) | Body::Sheet(_) => texts.push(origin),
                }
            }
        }
        let mut table = match first {
            None => return Err(IngestError::Empty { path: spec.paths.first().cloned().unwrap_or_default() }),
            Some(SourceFormat::Parquet) => Self::open_parquet(spec, &parquets)?,
            Some(_) => Self::open_text(spec, texts, guess_order)?,
        };
        notes.append(&mut table.notes);
        table.notes = notes;
        table.hide(&spec.redaction);
        Ok(table)
    }

    /// Takes note of what becomes of personal columns.
    fn hide(&mut self, redaction: &Redaction) {
        let before = redaction.before().map(|(column, _)| column.to_owned());
        for column in self.columns.iter().map(|column| column.name.clone()).chain(before) {
            let Some((said, policy)) = redaction.named(&column) else { continue };
            self.personal.insert(said.to_owned(), policy);
            self.personal.insert(column, policy);
        }
        for column in &mut self.columns {
            let Some(policy) = redaction.policy(&column.name) else { continue };
            column.kind = ColumnKind::Text;
            column.note = Some("it is personal: only a keyed hash of it is kept".into()).filter(|_| policy == Policy::Hash);
            if policy == Policy::Mask {
                column.note = Some("it is personal: only the shape of its values is kept".into());
            }
        }
        self.columns.retain(|column| redaction.policy(&column.name) != Some(Policy::Drop));
        self.redaction = redaction.clone();
    }

    fn open_parquet(spec: &TableSpec, paths: &[PathBuf]) -> Result<Self, IngestError> {
        let mut notes = Vec::new();
        let table = ParquetTable::open(spec, paths, &mut notes)?;
        let columns = table.columns();
        let files = table.files();
        Ok(Self::new(files, columns, notes, Content::Parquet(table)))
    }

    fn new(files: Vec<FileReport>, columns: Vec<ColumnReport>, notes: Vec<String>, content: Content) -> Self {
        Self { files, columns, notes, content, personal: BTreeMap::new(), redaction: Redaction::default() }
    }

    fn open_text(spec: &TableSpec, texts: Vec<Origin>, guess_order: bool) -> Result<Self, IngestError> {
        let nulls = NullMarkers::new(&spec.csv);
        let patterns = spec.csv.date_formats.clone().unwrap_or_default();
        let mut notes = Vec::new();
        let mut seen_by_file: Vec<Vec<Evidence>> = Vec::new();
        let mut files = Vec::new();
        let is_alone = texts.len() == 1;
        for origin in texts {
            let mut found: Vec<Evidence> = Vec::new();
            let pass = pump(&origin, &spec.csv, &mut |batch: RawBatch| {
                found.resize_with(batch.columns().max(found.len()), Evidence::default);
                found.par_iter_mut().enumerate().for_each(|(column, seen)| seen.add(&batch, column, &nulls, &patterns));
                ControlFlow::Continue(())
            })?;
            let sound = pass.rows - pass.ragged.len() as u64;
            if sound == 0 {
                if is_alone {
                    return Err(IngestError::NoRows { path: origin.path });
                }
                notes.push(format!("`{}` has no rows", origin.path.display()));
            }
            found.resize_with(pass.header.len(), Evidence::default);
            for seen in &mut found {
                seen.pad(sound);
            }
            notes.extend(pass.notes.iter().map(|note| format!("`{}`: {note}", origin.path.display())));
            seen_by_file.push(found);
            files.push((origin, pass));
        }
        let total: u64 = files.iter().map(|(_, pass)| pass.rows - pass.ragged.len() as u64).sum();
        if total == 0 {
            return Err(IngestError::NoRows { path: spec.paths.first().cloned().unwrap_or_default() });
        }
        let (plans, evidence) = settle_files(spec, &files, &seen_by_file, total, guess_order, &mut notes)?;
        let by_file = plans.by_file;
        let plans = plans.table;
        let columns = plans
            .iter()
            .zip(&evidence)
            .map(|(plan, seen)| ColumnReport { name: plan.name.clone(), kind: plan.kind, nulls: seen.nulls, note: plan.note.clone() })
            .collect();
        let reports = files.iter().map(|(origin, pass)| FileReport {
            path: origin.path.clone(),
            format: origin.format,
            rows: pass.rows,
            bytes: origin.bytes,
            encoding: match &origin.body {
                Body::Text(text) => Some(text.encoding.name().to_owned()),
                Body::Sheet(_) | Body::Parquet => None,
            },
            delimiter: pass.delimiter.map(char::from),
        });
        let reports = reports.collect();
        Ok(Self::new(reports, columns, notes, Content::Text(TextTable { plans, by_file, files, options: spec.csv.clone() })))
    }

    /// Streams all rows in typed batches until `take` breaks off; returns the rows put aside.
    pub(crate) fn read(
        &self,
        take: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>, IngestError>,
    ) -> Result<Vec<Quarantined>, IngestError> {
        let mut hiding = |batch: RecordBatch| take(self.redaction.batch(&batch)?);
        match &self.content {
            Content::Text(table) => Ok(table.read(&mut hiding)?.into_iter().map(|row| row.hidden(&self.redaction)).collect()),
            Content::Parquet(table) => table.read(&mut hiding).map(|()| Vec::new()),
        }
    }

    /// Schema of the batches.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.redaction.schema(&match &self.content {
            Content::Text(table) => columns::schema(&table.plans),
            Content::Parquet(table) => table.schema(),
        })
    }
}

impl TextTable {
    fn read(&self, take: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>, IngestError>) -> Result<Vec<Quarantined>, IngestError> {
        let nulls = NullMarkers::new(&self.options);
        let schema = columns::schema(&self.plans);
        let mut quarantine = Vec::new();
        for (index, (origin, pass)) in self.files.iter().enumerate() {
            let places: HashMap<&str, usize> = pass.header.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
            let positions: Vec<Option<usize>> = self.plans.iter().map(|plan| places.get(plan.name.as_str()).copied()).collect();
            let mut misfits = pass.ragged.clone();
            let mut stopped: Result<bool, IngestError> = Ok(false);
            let file: (u32, &Path) = (index as u32, &origin.path);
            pump(origin, &self.options, &mut |batch: RawBatch| {
                let rows = columns::build(&batch, &self.by_file[index], &positions, &schema, &nulls, file, &mut misfits);
                match take(rows) {
                    Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                    Ok(ControlFlow::Break(())) => {
                        stopped = Ok(true);
                        ControlFlow::Break(())
                    }
                    Err(error) => {
                        stopped = Err(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            misfits.sort_by_key(|misfit| misfit.row);
            quarantine.append(&mut misfits);
            if stopped? {
                break;
            }
        }
        Ok(quarantine)
    }
}

struct Plans {
    table: Vec<ColumnPlan>,
    by_file: Vec<Vec<ColumnPlan>>,
}

/// Settles every column of every file, then the kind that holds for all files.
fn settle_files(
    spec: &TableSpec,
    files: &[(Origin, Pass)],
    seen_by_file: &[Vec<Evidence>],
    total: u64,
    guess_order: bool,
    notes: &mut Vec<String>,
) -> Result<(Plans, Vec<Evidence>), IngestError> {
    let mut positions: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    let mut evidence: Vec<Evidence> = Vec::new();
    for ((_, pass), found) in files.iter().zip(seen_by_file) {
        for (name, seen) in pass.header.iter().zip(found) {
            let position = *positions.entry(name).or_insert_with(|| {
                names.push(name);
                evidence.push(Evidence::default());
                names.len() - 1
            });
            evidence[position].merge(seen);
        }
    }
    for (name, seen) in names.iter().zip(&mut evidence) {
        for (origin, pass) in files {
            if !pass.header.iter().any(|known| known == name) {
                notes.push(format!("column `{name}` is missing in `{}`; it is null there", origin.path.display()));
            }
        }
        seen.pad(total);
    }
    let delimiter = files.first().and_then(|(_, pass)| pass.delimiter);
    let of_table = profile::table_style(evidence.iter(), &spec.csv, delimiter);
    let mut by_file: Vec<Vec<Option<ColumnPlan>>> = Vec::new();
    for ((_, pass), found) in files.iter().zip(seen_by_file) {
        let mut style: TableStyle = profile::table_style(found.iter(), &spec.csv, pass.delimiter);
        if !style.is_sure && of_table.is_sure && pass.delimiter == delimiter {
            (style.mark, style.is_sure) = (of_table.mark, true);
        }
        style.order = style.order.or(of_table.order);
        let mut plans: Vec<Option<ColumnPlan>> = vec![None; names.len()];
        for (name, seen) in pass.header.iter().zip(found) {
            if seen.rows > seen.nulls {
                let wanted = spec.kind(name);
                plans[positions[name.as_str()]] = Some(profile::settle(&spec.name, name, seen, wanted, &spec.csv, &style, guess_order)?);
            }
        }
        by_file.push(plans);
    }
    let mut table = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        let known: Vec<&ColumnPlan> = by_file.iter().filter_map(|plans| plans[position].as_ref()).collect();
        let kind = known.iter().map(|plan| plan.kind).reduce(profile::promote);
        let mut plan = match known.first() {
            Some(plan) => (*plan).clone(),
            None => profile::settle(&spec.name, name, &evidence[position], spec.kind(name), &spec.csv, &of_table, guess_order)?,
        };
        plan.kind = kind.unwrap_or(plan.kind);
        table.push(plan);
    }
    let complete = |plans: Vec<Option<ColumnPlan>>| -> Vec<ColumnPlan> {
        let merged = plans
            .into_iter()
            .zip(&table)
            .map(|(plan, of_table)| ColumnPlan { kind: of_table.kind, ..plan.unwrap_or_else(|| of_table.clone()) });
        merged.collect()
    };
    let by_file = by_file.into_iter().map(complete).collect();
    Ok((Plans { table, by_file }, evidence))
}

/// Splits records on a thread of its own while `take` works on the batch before.
fn pump(origin: &Origin, options: &CsvOptions, take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Result<Pass, IngestError> {
    let (sender, receiver) = sync_channel(IN_FLIGHT);
    std::thread::scope(|scope| {
        let splitter = scope.spawn(move || {
            records::read(origin, options, &mut |batch| match sender.send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                // The receiver has gone: it wants no more.
                Err(_) => ControlFlow::Break(()),
            })
        });
        for batch in &receiver {
            if take(batch).is_break() {
                break;
            }
        }
        drop(receiver);
        match splitter.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Returns the name nearest to the one given, if one is near.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = given.to_lowercase();
    let near = names.map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name));
    // As clap's suggestions: below this two words have little in common.
    near.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name.to_owned())
}
