//! What the values of one table pass through before they are written, shown or logged.
//!
//! The same value gives the same hash whether it came as text, as a whole number or as a number that happens to be whole, so that
//! a key that is text in one source and a number in another still joins. Nulls stay null.
//!
//! Not here: reading sources (`almanac-data`, `almanac-connect`), which columns are personal (`policy`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use almanac_series::Hint;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use serde_json::Value;

use crate::cell::Cells;
use crate::key::{KeyError, PrivacyKey};
use crate::policy::{Personal, Policy, mask};

/// Stands where a value that cannot be told apart from a personal one is not shown.
const HIDDEN: &str = "(not shown: the table has personal columns)";

/// What holds for the columns of one table. The default lets everything through.
///
/// `Debug` shows columns, policies and the name of the key: a change of any of them is a change of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Column to policy, and whether the table must have it.
    columns: BTreeMap<String, (Policy, bool)>,
    key: Option<PrivacyKey>,
}

/// Why values could not be hidden.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// A column whose values have no text.
    #[error("the personal column `{column}` holds {kind}, which cannot be hashed or masked")]
    NoText {
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// The batch could not be put together.
    #[error("failed to hide personal columns")]
    Arrow(#[from] ArrowError),
}

impl Hint for RedactError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoText { column, .. } => Some(format!("drop it: `\"{column}\" = \"drop\"` under `[privacy] personal`")),
            Self::Arrow(_) => None,
        }
    }
}

impl Redaction {
    /// Gathers what holds for a table.
    ///
    /// # Errors
    /// [`KeyError::NotNamed`] if a column is to be hashed and there is no key.
    pub fn of_table(personal: &Personal, table: &str, key: Option<&PrivacyKey>) -> Result<Self, KeyError> {
        let columns = personal.of_table(table);
        let hashes = columns.values().any(|(policy, _)| *policy == Policy::Hash);
        match key {
            None if hashes => Err(KeyError::NotNamed),
            // Without a hash the key has no part in the table.
            key => Ok(Self { columns, key: key.filter(|_| hashes).cloned() }),
        }
    }

    /// Returns whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns what becomes of a column.
    pub fn policy(&self, column: &str) -> Option<Policy> {
        self.columns.get(column).map(|(policy, _)| *policy)
    }

    /// Returns the columns that the table must have, because they are named with it.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, (_, must))| *must).map(|(name, _)| name.as_str())
    }

    /// Returns what may be kept or said of one value of a column.
    pub fn value<'a>(&self, column: &str, value: &'a str) -> Cow<'a, str> {
        match self.policy(column) {
            None => Cow::Borrowed(value),
            Some(policy) => Cow::Owned(self.hide(policy, value)),
        }
    }

    /// Returns what may be said of a text in which columns cannot be told apart, such as a broken line.
    pub fn line<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_empty() { Cow::Borrowed(text) } else { Cow::Borrowed(HIDDEN) }
    }

    fn hide(&self, policy: Policy, value: &str) -> String {
        match (policy, &self.key) {
            (Policy::Hash, Some(key)) => key.value(value),
            (Policy::Mask, _) => mask(value),
            // A hash without a key cannot be made: `of_table` refuses it.
            (Policy::Drop | Policy::Hash, _) => HIDDEN.to_owned(),
        }
    }

    /// Returns the schema of batches that went through [`Self::batch`].
    pub fn schema(&self, schema: &SchemaRef) -> SchemaRef {
        if self.is_empty() {
            return Arc::clone(schema);
        }
        let field = |field: &Arc<Field>| match self.policy(field.name()) {
            None => Some(Arc::clone(field)),
            Some(Policy::Drop) => None,
            Some(Policy::Hash | Policy::Mask) => Some(Arc::new(Field::new(field.name(), DataType::Utf8, true))),
        };
        let fields: Vec<Arc<Field>> = schema.fields().iter().filter_map(field).collect();
        Arc::new(Schema::new(fields).with_metadata(schema.metadata().clone()))
    }

    /// Hides the personal columns of a batch: hashed and masked ones become text, dropped ones are gone.
    ///
    /// # Errors
    /// [`RedactError`] for a column whose values have no text.
    pub fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch, RedactError> {
        if self.is_empty() {
            return Ok(batch.clone());
        }
        let schema = self.schema(&batch.schema());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            match self.policy(field.name()) {
                None => columns.push(Arc::clone(array)),
                Some(Policy::Drop) => {}
                Some(policy) => columns.push(self.column(field, array, policy)?),
            }
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }

    fn column(&self, field: &Field, array: &ArrayRef, policy: Policy) -> Result<ArrayRef, RedactError> {
        // A dictionary holds each text once, and so each is hashed once.
        if let Some(dictionary) = array.as_any_dictionary_opt()
            && matches!(dictionary.values().data_type(), DataType::Utf8)
        {
            let hidden = self.column(field, dictionary.values(), policy)?;
            let keys = dictionary.with_values(hidden);
            return Ok(arrow::compute::cast(&keys, &DataType::Utf8)?);
        }
        let no_text = || RedactError::NoText { column: field.name().clone(), kind: field.data_type().to_string() };
        let cells = Cells::of(array).ok_or_else(no_text)?;
        let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 24);
        for row in 0..array.len() {
            match cells.get(row) {
                None => builder.append_null(),
                Some(text) => builder.append_value(self.hide(policy, &text)),
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Hides the personal fields of a JSON document, at any depth: the name of a field is what counts.
    pub fn json(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => {
                members.retain(|name, _| self.policy(name) != Some(Policy::Drop));
                for (name, member) in members.iter_mut() {
                    match self.policy(name) {
                        Some(policy) => self.json_value(policy, member),
                        None => self.json(member),
                    }
                }
            }
            _ => {}
        }
    }

    fn json_value(&self, policy: Policy, value: &mut Value) {
        let text = match &*value {
            Value::Null => return,
            Value::String(text) if text.trim().is_empty() => return,
            Value::String(text) => text.clone(),
            Value::Number(number) => whole(number),
            other => other.to_string(),
        };
        *value = Value::String(self.hide(policy, &text));
    }
}

/// Text of a number as [`Cells`] gives it.
fn whole(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(real) if number.as_i64().is_none() && number.as_u64().is_none() => crate::cell::real_text(real),
        _ => number.to_string(),
    }
}

/// Returns what stands for a value that is not shown.
pub fn hidden() -> &'static str {
    HIDDEN
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Float64Array, Int64Array, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn redaction() -> Redaction {
        let personal = Personal::new([
            ("customers.id".to_owned(), Policy::Hash),
            ("phone".to_owned(), Policy::Mask),
            ("name".to_owned(), Policy::Drop),
        ]);
        let key = PrivacyKey::new("0123456789abcdef0123456789abcdef").expect("long enough");
        Redaction::of_table(&personal, "customers", Some(&key)).expect("a key")
    }

    #[test]
    fn the_same_key_joins_whatever_type_it_came_in() {
        let texts: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("1017"), None])),
            Arc::new(Int64Array::from(vec![Some(1017), None])),
            Arc::new(Float64Array::from(vec![Some(1017.0), None])),
            Arc::new(vec![Some("1017"), None].into_iter().collect::<DictionaryArray<Int32Type>>()),
        ];
        let hashes = texts.into_iter().map(|array| {
            let batch = RecordBatch::try_from_iter_with_nullable([("id", array, true)]).expect("one column");
            let hidden = redaction().batch(&batch).expect("text");
            let column = hidden.column(0).as_string::<i32>();
            assert!(column.is_null(1));
            column.value(0).to_owned()
        });
        let hashes: Vec<String> = hashes.collect();
        assert!(hashes.iter().all(|hash| *hash == hashes[0] && hash.len() == 24), "{hashes:?}");
        let mut json = serde_json::json!([{ "id": 1017 }, { "id": "1017" }, { "id": 1017.0 }, { "id": null }]);
        redaction().json(&mut json);
        assert_eq!(json, serde_json::json!([{ "id": hashes[0] }, { "id": hashes[0] }, { "id": hashes[0] }, { "id": null }]));
    }

    #[test]
    fn a_dropped_column_is_gone_and_a_masked_one_has_its_shape() {
        let batch = RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec!["Anna"])) as ArrayRef),
            ("phone", Arc::new(StringArray::from(vec!["+49 1"]))),
            ("city", Arc::new(StringArray::from(vec!["Ulm"]))),
        ]);
        let hidden = redaction().batch(&batch.expect("three columns")).expect("text");
        assert_eq!(hidden.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["phone", "city"]);
        assert_eq!(hidden.column(0).as_string::<i32>().value(0), "+00 0");
        assert_eq!(redaction().value("city", "Ulm"), "Ulm");
        assert_eq!(redaction().value("name", "Anna"), HIDDEN);
        assert_eq!(redaction().line("Anna;+49 1;Ulm"), HIDDEN);
    }

    #[test]
    fn a_hash_without_a_key_is_refused() {
        let personal = Personal::new([("id".to_owned(), Policy::Hash)]);
        assert!(matches!(Redaction::of_table(&personal, "any", None), Err(KeyError::NotNamed)));
        assert!(!format!("{:?}", redaction()).contains("0123"));
    }
}
