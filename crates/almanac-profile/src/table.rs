//! The profile of a table, and how batches become one.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use foldhash::fast::FixedState;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ProfileError;
use crate::column::{ColumnProfile, Groups, NULL, clipped};
use crate::options::ProfileOptions;
use crate::sketch::keys::Keys;

/// Version of the stored form. A reader refuses others.
pub(crate) const FORMAT: u32 = 1;
/// Rows that are looked at together.
pub(crate) const BATCH: usize = 65_536;

/// What is in a table. Serialises to at most some 40 KB a column, and the names of its series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableProfile {
    pub(crate) format: u32,
    /// Rows.
    pub rows: u64,
    /// Columns, in the order of the schema.
    pub columns: Vec<ColumnProfile>,
    /// The series, if a key was named.
    pub key: Option<KeyProfile>,
}

/// The series of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyProfile {
    /// Columns that together name a series.
    pub columns: Vec<String>,
    /// The keys: the columns' values as text, joined by `/`.
    pub keys: Keys,
    /// Rows without a value in one of the columns.
    pub null_rows: u64,
}

impl TableProfile {
    pub(crate) fn empty(schema: &Schema, options: &ProfileOptions) -> Result<Self, ProfileError> {
        let key = KeyProfile::new(schema, options)?;
        let columns = options.kept(schema).into_iter().map(|index| ColumnProfile::new(schema.field(index), options)).collect();
        Ok(Self { format: FORMAT, rows: 0, columns, key })
    }

    /// Returns a column by name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Adds the profile of another part of the same table.
    ///
    /// # Errors
    /// [`ProfileError::OtherColumns`] if its columns or types differ; `place` says where it is from.
    pub fn merge(&mut self, other: &Self, place: &str) -> Result<(), ProfileError> {
        let own: Vec<_> = self.columns.iter().map(|column| (&column.name, &column.data_type)).collect();
        let theirs: Vec<_> = other.columns.iter().map(|column| (&column.name, &column.data_type)).collect();
        if own != theirs {
            let only = |have: &[(&String, &String)], lack: &[(&String, &String)]| {
                let only = have.iter().filter(|column| !lack.contains(column));
                only.map(|(name, data_type)| format!("`{name}` ({data_type})")).collect::<Vec<_>>().join(", ")
            };
            let difference = match (only(&theirs, &own), only(&own, &theirs)) {
                (more, less) if more.is_empty() && less.is_empty() => "the same in another order".to_owned(),
                (more, less) if less.is_empty() => format!("also {more}"),
                (more, less) if more.is_empty() => format!("not {less}"),
                (more, less) => format!("{more} for {less}"),
            };
            return Err(ProfileError::OtherColumns { place: place.to_owned(), difference });
        }
        self.rows += other.rows;
        self.columns.iter_mut().zip(&other.columns).for_each(|(own, theirs)| own.merge(theirs));
        if let (Some(own), Some(theirs)) = (&mut self.key, &other.key) {
            own.keys.merge(&theirs.keys);
            own.null_rows += theirs.null_rows;
        }
        Ok(())
    }

    /// Forgets what may not be kept of personal columns.
    pub(crate) fn seal(mut self) -> Self {
        self.columns.iter_mut().for_each(ColumnProfile::seal);
        if let Some(key) = &mut self.key
            && key.columns.iter().any(|name| self.columns.iter().any(|column| column.name == *name && column.is_hidden()))
        {
            key.keys = Keys::Hidden { count: key.keys.len() };
        }
        self
    }
}

impl KeyProfile {
    pub(crate) fn new(schema: &Schema, options: &ProfileOptions) -> Result<Option<Self>, ProfileError> {
        if options.key.is_empty() {
            return Ok(None);
        }
        if let Some(column) = options.key.iter().find(|name| schema.column_with_name(name).is_none()) {
            let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
            return Err(ProfileError::NoColumn { column: column.clone(), columns });
        }
        Ok(Some(Self { columns: options.key.clone(), keys: Keys::new(options.key_names), null_rows: 0 }))
    }

    /// Adds the rows of the key's columns.
    pub(crate) fn update(&mut self, arrays: &[ArrayRef]) -> Result<(), ArrowError> {
        let groups = arrays.iter().map(|array| Groups::of(array.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let keys = &mut self.keys;
        let mut add = |key: &str, rows: u64| match clipped(key) {
            None => keys.add(key, rows),
            Some(short) => keys.add(&short, rows),
        };
        if let [single] = groups.as_slice() {
            single.each(&mut add);
            self.null_rows += single.codes.iter().filter(|code| **code == NULL).count() as u64;
            return Ok(());
        }
        let rows = groups.first().map_or(0, |group| group.codes.len());
        let mut counts: HashMap<Vec<u32>, u64, FixedState> = HashMap::default();
        let mut combined = Vec::with_capacity(groups.len());
        for row in 0..rows {
            combined.clear();
            combined.extend(groups.iter().map(|group| group.codes[row]));
            if combined.contains(&NULL) {
                self.null_rows += 1;
            } else if let Some(count) = counts.get_mut(&combined) {
                *count += 1;
            } else {
                counts.insert(combined.clone(), 1);
            }
        }
        for (codes, rows) in &counts {
            let texts: Vec<&str> = groups.iter().zip(codes).map(|(group, code)| group.text(*code)).collect();
            add(&texts.join("/"), *rows);
        }
        Ok(())
    }
}

/// Makes a profile of batches that arrive one by one. Columns are looked at in parallel.
#[derive(Debug)]
pub struct Profiler {
    schema: SchemaRef,
    kept: Vec<usize>,
    profile: TableProfile,
}

impl Profiler {
    /// Starts with no rows.
    ///
    /// # Errors
    /// [`ProfileError::NoColumn`] if a column of the key is absent.
    pub fn new(schema: SchemaRef, options: &ProfileOptions) -> Result<Self, ProfileError> {
        let profile = TableProfile::empty(&schema, options)?;
        Ok(Self { kept: options.kept(&schema), schema, profile })
    }

    /// Adds rows. Their columns are those of the schema, in its order.
    ///
    /// # Errors
    /// [`ProfileError::OtherColumns`] for other columns, [`ProfileError::Arrow`] for values that cannot be read.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<(), ProfileError> {
        let types =
            |schema: &Schema| schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect::<Vec<_>>();
        if batch.schema() != self.schema && types(&batch.schema()) != types(&self.schema) {
            let difference = batch.schema().fields().iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", ");
            return Err(ProfileError::OtherColumns { place: "a batch".to_owned(), difference });
        }
        let mut start = 0;
        while start < batch.num_rows() {
            let part = batch.slice(start, BATCH.min(batch.num_rows() - start));
            self.update_part(&part).map_err(|source| ProfileError::Arrow { place: "the table".to_owned(), source })?;
            start += part.num_rows();
        }
        Ok(())
    }

    fn update_part(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.profile.rows += batch.num_rows() as u64;
        let (kept, columns, key) = (&self.kept, &mut self.profile.columns, &mut self.profile.key);
        let (columns, key) = rayon::join(
            || columns.par_iter_mut().zip(kept).try_for_each(|(column, index)| column.update(batch.column(*index).as_ref())),
            || {
                let Some(key) = key else { return Ok(()) };
                let arrays: Vec<ArrayRef> = key.columns.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
                key.update(&arrays)
            },
        );
        columns.and(key)
    }

    /// Returns the profile of all rows so far.
    pub fn finish(self) -> TableProfile {
        self.profile.seal()
    }
}
