//! A JSON document as a stream of rows, wherever in it they stand.
//!
//! Not here: what a row becomes (`record`), batches (`json`).

use std::fmt;
use std::io::BufReader;
use std::ops::ControlFlow;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use super::record::{Record, RecordSeed, scalars};
use super::{CsvOptions, Gather, IngestError, MAX_RECORD, Pass, RawBatch, TextSource};
use crate::ingest::nearest;
use crate::ingest::unpack::{Meter, Metered, fault};

/// Reads a document, or several one after the other.
pub(crate) fn read_document(
    source: &TextSource,
    options: &CsvOptions,
    take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>,
) -> Result<Pass, IngestError> {
    let (stream, meter) = Metered::new(source.open()?, MAX_RECORD);
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(256 * 1024, stream));
    let mut walk = Walk {
        gather: Gather::new(source, take),
        meter,
        seed: RecordSeed { has_comma: options.decimal == Some(',') },
        number: 0,
        rows_at: None,
        left: Vec::new(),
        end: None,
    };
    let tokens: Option<Vec<String>> = source.pointer.as_deref().map(|pointer| {
        pointer.split('/').skip(1).filter(|token| !token.is_empty()).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
    });
    while deserializer.end().is_err() {
        let done = match &tokens {
            Some(tokens) => Descend { walk: &mut walk, tokens }.deserialize(&mut deserializer),
            None => walk.root(&mut deserializer),
        };
        if let Err(error) = done {
            return match walk.end {
                Some(Ok(())) => walk.gather.finish(),
                Some(Err(stop)) => Err(stop),
                None => Err(bad_json(source, walk.number + 1, error)),
            };
        }
    }
    if let (Some(wanted), None) = (&source.pointer, &walk.rows_at) {
        let near = nearest(wanted, walk.left.iter().map(String::as_str));
        return Err(IngestError::NoPart { path: source.path.clone(), wanted: wanted.clone(), there: walk.left, near });
    }
    let Walk { mut gather, rows_at, left, .. } = walk;
    if let Some(at) = rows_at.filter(|at| !at.is_empty() && source.pointer.is_none()) {
        gather.pass.notes.push(if left.is_empty() {
            format!("the rows are those at `{at}`")
        } else {
            format!("the rows are those at `{at}`; what stands beside them is left out: `{}`", left.join("`, `"))
        });
    }
    gather.finish()
}

fn bad_json(source: &TextSource, row: u64, error: serde_json::Error) -> IngestError {
    let path = source.path.clone();
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Io => match fault(&path, error.into()) {
            IngestError::TooLong { path, limit, .. } => IngestError::TooLong { path, what: format!("row {row}"), limit },
            other => other,
        },
        Category::Eof => IngestError::BadJson { path, line, column, reason: "it ends in the middle".into() },
        Category::Syntax | Category::Data => {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
            IngestError::BadJson { path, line, column, reason }
        }
    }
}

/// A walk through a document.
struct Walk<'a> {
    gather: Gather<'a>,
    meter: Meter,
    seed: RecordSeed,
    /// Rows so far.
    number: u64,
    /// Pointer to the array of rows, once it was met.
    rows_at: Option<String>,
    /// What stands beside the rows.
    left: Vec<String>,
    /// Why the walk was broken off, if it was.
    end: Option<Result<(), IngestError>>,
}

impl Walk<'_> {
    fn stop<E: de::Error>(&mut self, end: Result<(), IngestError>) -> E {
        self.end = Some(end);
        E::custom("broken off")
    }

    fn row<E: de::Error>(&mut self, found: Result<Record, &'static str>) -> Result<(), E> {
        self.number += 1;
        self.meter.reset();
        match found {
            Ok(record) => match self.gather.push(self.number, record) {
                Ok(ControlFlow::Continue(())) => Ok(()),
                Ok(ControlFlow::Break(())) => Err(self.stop(Ok(()))),
                Err(error) => Err(self.stop(Err(error))),
            },
            Err(what) => match self.gather.put_aside(self.number, what, format!("the row is no JSON object but {what}")) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(self.stop(Ok(()))),
            },
        }
    }

    fn rows<'de, A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(found) = seq.next_element_seed(&self.seed)? {
            self.row(found)?;
        }
        Ok(())
    }

    /// Notes where the rows are; two places are too many.
    fn settle<E: de::Error>(&mut self, at: &str) -> Result<(), E> {
        match &self.rows_at {
            Some(first) if first != at => {
                let error =
                    IngestError::AmbiguousRows { path: self.gather.source.path.clone(), first: first.clone(), second: at.to_owned() };
                Err(self.stop(Err(error)))
            }
            Some(_) => Ok(()),
            None => {
                self.rows_at = Some(at.to_owned());
                Ok(())
            }
        }
    }

    /// Reads a top-level value whose rows may be anywhere.
    fn root<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let mut record = Record::default();
        let rows_before = self.number;
        let is_rows = Search { walk: &mut *self, record: &mut record, at: "", name: "" }.deserialize(deserializer)?;
        if is_rows {
            return Ok(());
        }
        if self.number == rows_before && self.rows_at.is_none() {
            return self.row(Ok(record));
        }
        for (name, _) in record.0 {
            if !self.left.contains(&name) && self.left.len() < 20 {
                self.left.push(name);
            }
        }
        Ok(())
    }
}

/// Looks for the array of objects; what is none is added to the record. Gives whether the value was the rows.
struct Search<'a, 'w> {
    walk: &'a mut Walk<'w>,
    record: &'a mut Record,
    /// Pointer to the value.
    at: &'a str,
    /// Name of its column.
    name: &'a str,
}

impl Search<'_, '_> {
    fn scalar(self, value: Value) -> bool {
        self.record.add(self.name, value, self.walk.seed.has_comma);
        false
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_, '_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let at = format!("{}/{}", self.at, key.replace('~', "~0").replace('/', "~1"));
            let name = if self.name.is_empty() { key } else { format!("{}.{key}", self.name) };
            map.next_value_seed(Search { walk: &mut *self.walk, record: &mut *self.record, at: &at, name: &name })?;
        }
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        if self.at.is_empty() {
            self.walk.settle("")?;
            self.walk.rows(seq)?;
            return Ok(true);
        }
        let mut values = Vec::new();
        while let Some(first) = seq.next_element_seed(First { seed: &self.walk.seed, values: &mut values })? {
            let Some(record) = first else { continue };
            if !values.is_empty() {
                // Objects among other things: text, as the others.
                let members = record.0.into_iter().map(|(name, text)| (name, Value::String(text)));
                values.push(Value::Object(members.collect()));
                continue;
            }
            self.walk.settle(self.at)?;
            self.walk.row(Ok(record))?;
            self.walk.rows(seq)?;
            return Ok(true);
        }
        Ok(self.scalar(Value::Array(values)))
    }

    scalars!();
}

/// The first element of an array: a row, or a value among others.
struct First<'a> {
    seed: &'a RecordSeed,
    values: &'a mut Vec<Value>,
}

impl First<'_> {
    fn scalar(self, value: Value) -> Option<Record> {
        self.values.push(value);
        None
    }
}

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = Option<Record>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Record>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = Option<Record>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Record>, A::Error> {
        self.seed.visit_map(map).map(Result::ok)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Record>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(self.scalar(Value::Array(values)))
    }

    scalars!();
}

/// Goes down to where the user says that the rows are.
struct Descend<'a, 'w> {
    walk: &'a mut Walk<'w>,
    tokens: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Descend<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descend<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array or an object on the way to the rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((token, rest)) = self.tokens.split_first() else {
            self.walk.settle("")?;
            let found = self.walk.seed.visit_map(map)?;
            return self.walk.row(found);
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == *token {
                map.next_value_seed(Descend { walk: &mut *self.walk, tokens: rest })?;
            } else {
                self.walk.meter.suspend();
                map.next_value::<IgnoredAny>()?;
                self.walk.meter.reset();
                let name = format!("/{key}");
                if self.walk.left.len() < 20 && !self.walk.left.contains(&name) {
                    self.walk.left.push(name);
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((token, rest)) = self.tokens.split_first() else {
            self.walk.settle("")?;
            return self.walk.rows(seq);
        };
        let mut index = 0_u64;
        loop {
            let is_end = if token.parse() == Ok(index) {
                seq.next_element_seed(Descend { walk: &mut *self.walk, tokens: rest })?.is_none()
            } else {
                self.walk.meter.suspend();
                let is_end = seq.next_element::<IgnoredAny>()?.is_none();
                self.walk.meter.reset();
                is_end
            };
            if is_end {
                return Ok(());
            }
            index += 1;
        }
    }
}
