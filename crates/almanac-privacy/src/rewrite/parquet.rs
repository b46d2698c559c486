//! Parquet: rows of the subject go, texts that name it get a mark; schema, notes of the file and compression stay.
//!
//! Not here: files that are cut short; they are told as such, and searched as bytes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::ChunkReader;

use super::{Fate, Tally};
use crate::cell::Cells;
use crate::error::EraseError;
use crate::needles::{Naming, Needles, is_telling};

/// Note of the file that Arrow writes itself.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// Where the bytes are.
pub(super) enum Source<'a> {
    File(&'a Path),
    Memory(bytes::Bytes),
}

/// Where the table without the subject goes, if anywhere.
type Out<'a> = Option<&'a mut (dyn Write + Send)>;

/// Writes the table without the subject.
pub(super) fn rewrite(source: Source<'_>, out: &mut (dyn Write + Send), needles: &Needles, path: &Path) -> Result<Fate, EraseError> {
    match source {
        Source::File(file) => from(File::open(file).map_err(|error| EraseError::io(path, error))?, Some(out), needles, path),
        Source::Memory(bytes) => from(bytes, Some(out), needles, path),
    }
}

/// Counts what would go.
pub(crate) fn look(path: &Path, needles: &Needles) -> Result<Fate, EraseError> {
    from(File::open(path).map_err(|error| EraseError::io(path, error))?, None, needles, path)
}

fn from<R: ChunkReader + 'static>(input: R, out: Out<'_>, needles: &Needles, path: &Path) -> Result<Fate, EraseError> {
    // The decoder is given bytes from anywhere; a panic in it means that they are damaged.
    let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let metadata = ArrowReaderMetadata::load(&input, ArrowReaderOptions::new())?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata);
        let metadata = Arc::clone(builder.metadata());
        Ok::<_, parquet::errors::ParquetError>((builder.schema().clone(), metadata, builder.with_batch_size(16_384).build()?))
    }));
    let (schema, metadata, reader) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return Ok(Fate::Hopeless(format!("it is no sound Parquet file: {error}"))),
        Err(_) => return Ok(Fate::Hopeless("it is no sound Parquet file".into())),
    };
    copy(reader, schema, &metadata, out, needles, path)
}

fn copy(
    mut reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    metadata: &ParquetMetaData,
    out: Out<'_>,
    needles: &Needles,
    path: &Path,
) -> Result<Fate, EraseError> {
    let failed = |error: &dyn std::fmt::Display| EraseError::table(path, error.to_string());
    let mut tally = Tally { rows_left: Some(0), ..Tally::default() };
    let properties = properties(metadata, needles, &mut tally);
    let writer = out.map(|out| ArrowWriter::try_new(out, schema.clone(), Some(properties))).transpose();
    let mut writer = writer.map_err(|error| failed(&error))?;
    loop {
        let next = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.next().transpose()));
        let batch = match next {
            Ok(Ok(None)) => break,
            Ok(Ok(Some(batch))) => batch,
            Ok(Err(error)) => return Ok(Fate::Hopeless(format!("it is no sound Parquet file: {error}"))),
            Err(_) => return Ok(Fate::Hopeless("it is no sound Parquet file".into())),
        };
        let kept = without(&batch, needles, &mut tally).map_err(|error| failed(&error))?;
        tally.rows_left = tally.rows_left.map(|rows| rows + kept.num_rows() as u64);
        if let Some(writer) = &mut writer {
            writer.write(&kept).map_err(|error| failed(&error))?;
        }
    }
    if let Some(writer) = writer {
        writer.close().map_err(|error| failed(&error))?;
    }
    tally.telling.retain(|value| is_telling(value));
    Ok(Fate::Written(tally))
}

/// As the file was written, as far as one choice for all columns goes.
fn properties(metadata: &ParquetMetaData, needles: &Needles, tally: &mut Tally) -> WriterProperties {
    let mut notes: Vec<KeyValue> = Vec::new();
    for note in metadata.file_metadata().key_value_metadata().into_iter().flatten().filter(|note| note.key != ARROW_SCHEMA) {
        let mut kept = note.clone();
        for text in std::iter::once(&mut kept.key).chain(kept.value.as_mut()) {
            if let Some((bytes, mentions)) = needles.without(text.as_bytes()) {
                tally.mentions += mentions;
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        notes.push(kept);
    }
    let mut builder = WriterProperties::builder().set_key_value_metadata((!notes.is_empty()).then_some(notes));
    if let Some(group) = metadata.row_groups().first() {
        builder = builder.set_max_row_group_row_count(Some(group.num_rows().clamp(1, 1 << 20) as usize));
        if let Some(column) = group.columns().first() {
            builder = builder.set_compression(column.compression());
        }
    }
    builder.build()
}

fn without(batch: &RecordBatch, needles: &Needles, tally: &mut Tally) -> Result<RecordBatch, arrow::error::ArrowError> {
    let schema = batch.schema();
    let mut keep = vec![true; batch.num_rows()];
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let naming = needles.naming(field.name());
        if matches!(naming, Naming::Key | Naming::Parts) {
            mark(array, &mut keep, |text| needles.is_subject(naming, text));
        } else if array.data_type().is_nested() && array.as_any_dictionary_opt().is_none() {
            // Several values in one cell: the row goes with them.
            mark(array, &mut keep, |text| needles.mentions(text) > 0);
        }
    }
    let gone = keep.iter().filter(|keep| !**keep).count() as u64;
    if gone > 0 {
        tally.rows += gone;
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            if needles.naming(field.name()).may_tell()
                && let Some(cells) = Cells::of(array)
            {
                let of_subject = keep.iter().enumerate().filter(|(_, keep)| !**keep).filter_map(|(row, _)| cells.get(row));
                tally.telling.extend(of_subject.map(|text| text.trim().to_owned()));
            }
        }
    }
    let kept = if gone > 0 { filter_record_batch(batch, &BooleanArray::from(keep))? } else { batch.clone() };
    let columns = kept.columns().iter().map(|array| cleaned(array, needles, tally)).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new_with_options(schema, columns, &arrow::array::RecordBatchOptions::new().with_row_count(Some(kept.num_rows())))
}

/// Marks the rows whose cell is meant. A dictionary's text is judged once.
fn mark(array: &ArrayRef, keep: &mut [bool], is_meant: impl Fn(&[u8]) -> bool) {
    if let Some(dictionary) = array.as_any_dictionary_opt()
        && !dictionary.values().is_empty()
    {
        let Some(cells) = Cells::of(dictionary.values()) else { return };
        let meant: Vec<bool> =
            (0..dictionary.values().len()).map(|value| cells.get(value).is_some_and(|text| is_meant(text.as_bytes()))).collect();
        for (row, value) in dictionary.normalized_keys().into_iter().enumerate() {
            keep[row] &= array.is_null(row) || !meant[value];
        }
        return;
    }
    let Some(cells) = Cells::of(array) else { return };
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep &= !cells.get(row).is_some_and(|text| is_meant(text.as_bytes()));
    }
}

/// Texts with a mark where the subject stood; other columns as they are.
fn cleaned(array: &ArrayRef, needles: &Needles, tally: &mut Tally) -> Result<ArrayRef, arrow::error::ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8 | DataType::LargeUtf8) => {
            let Some(dictionary) = array.as_any_dictionary_opt() else { return Ok(array.clone()) };
            // A dictionary keeps texts that no row uses any more, the subject's among them.
            let used = used(array);
            let texts = cast(dictionary.values(), &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            let mut is_changed = false;
            let clean: Vec<Option<String>> = (0..texts.len())
                .map(|place| {
                    let text = texts.is_valid(place).then(|| texts.value(place))?;
                    let (bytes, mentions) = needles.without(text.as_bytes())?;
                    is_changed = true;
                    tally.mentions += if used[place] { mentions } else { 0 };
                    Some(String::from_utf8_lossy(&bytes).into_owned())
                })
                .collect();
            if !is_changed {
                return Ok(array.clone());
            }
            let kept: StringArray = (0..texts.len())
                .map(|place| clean[place].clone().or_else(|| texts.is_valid(place).then(|| texts.value(place).to_owned())))
                .collect();
            let kept: ArrayRef = Arc::new(kept);
            Ok(dictionary.with_values(cast(&kept, values)?))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let texts = cast(array, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            if !needles.may_be_in(texts.value_data()) {
                return Ok(array.clone());
            }
            let mut mentions_here = 0;
            let kept: StringArray = texts
                .iter()
                .map(|text| {
                    text.map(|text| match needles.without(text.as_bytes()) {
                        None => text.to_owned(),
                        Some((bytes, mentions)) => {
                            mentions_here += mentions;
                            String::from_utf8_lossy(&bytes).into_owned()
                        }
                    })
                })
                .collect();
            tally.mentions += mentions_here;
            cast(&(Arc::new(kept) as ArrayRef), array.data_type())
        }
        _ => Ok(array.clone()),
    }
}

/// Which values of a dictionary have a row.
fn used(array: &ArrayRef) -> Vec<bool> {
    let Some(dictionary) = array.as_any_dictionary_opt() else { return Vec::new() };
    let mut used = vec![false; dictionary.values().len()];
    if used.is_empty() {
        return used;
    }
    for (row, value) in dictionary.normalized_keys().into_iter().enumerate() {
        used[value] |= array.is_valid(row);
    }
    used
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::needles::tests::needles;

    #[test]
    fn rows_of_the_subject_go_and_no_dictionary_remembers_them() {
        let series: DictionaryArray<Int32Type> = vec!["n/C17", "n/C18", "n/C17"].into_iter().collect();
        let notes: StringArray = vec![None, Some("for C17"), None].into_iter().collect();
        let batch = RecordBatch::try_from_iter([
            ("unique_id", Arc::new(series) as ArrayRef),
            ("y", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            ("note", Arc::new(notes)),
        ])
        .expect("three columns");
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![KeyValue::new("a".into(), "by C17".to_owned())]));
        let mut bytes: Vec<u8> = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("memory");
        writer.write(&batch).expect("memory");
        writer.close().expect("memory");

        let mut out: Vec<u8> = Vec::new();
        let fate = rewrite(Source::Memory(bytes.into()), &mut out, &needles("C17"), Path::new("t.parquet")).expect("sound");
        let Fate::Written(tally) = fate else { panic!("{fate:?}") };
        assert_eq!((tally.rows, tally.mentions, tally.rows_left), (2, 2, Some(1)));
        assert!(!needles("C17").may_be_in(&out), "the new file still holds the key");
        let again = rewrite(Source::Memory(out.into()), &mut std::io::sink(), &needles("C17"), Path::new("t.parquet")).expect("sound");
        assert!(matches!(again, Fate::Written(tally) if tally.is_clean()));
    }

    #[test]
    fn a_file_cut_short_is_told() {
        let fate = rewrite(Source::Memory(bytes::Bytes::from_static(b"PAR1 C17")), &mut std::io::sink(), &needles("C17"), Path::new("t"));
        assert!(matches!(fate.expect("told"), Fate::Hopeless(_)));
    }
}
