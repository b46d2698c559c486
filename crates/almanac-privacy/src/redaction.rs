//! What the values of one table pass through before they are written, shown or logged.
//!
//! The same value gives the same hash whether it came as text, as a whole number or as a number that happens to be whole, so that
//! a key that is text in one source and a number in another still joins. Nulls stay null.
//!
//! Not here: reading sources (`almanac-data`, `almanac-connect`), which columns are personal (`policy`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use almanac_series::Hint;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use serde_json::Value;

use crate::cell::Cells;
use crate::key::{KeyError, PrivacyKey};
use crate::landed::LandedPolicy;
use crate::policy::{Personal, Policy, lookup, mask};

/// Stands where a value that cannot be told apart from a personal one is not shown.
const HIDDEN: &str = "(not shown: the table has personal columns)";

/// What holds for the columns of one table. The default lets everything through.
///
/// `Debug` shows columns, policies and the name of the key: a change of any of them is a change of the table.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Column to policy, and whether the table must have it.
    columns: BTreeMap<String, (Policy, bool)>,
    key: Option<PrivacyKey>,
    /// Columns that were hidden before the rows came here, by the names they had: values are taken as they are.
    before: Option<BTreeMap<String, Policy>>,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Redaction");
        shown.field("columns", &self.columns).field("key", &self.key);
        if let Some(before) = &self.before {
            shown.field("before", before);
        }
        shown.finish()
    }
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
            key => Ok(Self { columns, key: key.filter(|_| hashes).cloned(), before: None }),
        }
    }

    /// Gathers what holds for a file that no table is made of, or more than one: all that is said of any of `tables`, and where that
    /// differs what tells least. No column must be in it.
    ///
    /// # Errors
    /// As [`Self::of_table`].
    pub fn of_file(personal: &Personal, tables: &[&str], key: Option<&PrivacyKey>) -> Result<Self, KeyError> {
        let tells = |policy: Policy| match policy {
            Policy::Hash => 2,
            Policy::Mask => 1,
            Policy::Drop => 0,
        };
        let mut columns: BTreeMap<String, (Policy, bool)> = BTreeMap::new();
        for (name, (policy, _)) in tables.iter().flat_map(|table| personal.of_table(table)) {
            let told = columns.entry(name).or_insert((policy, false));
            told.0 = if tells(policy) < tells(told.0) { policy } else { told.0 };
        }
        let hashes = columns.values().any(|(policy, _)| *policy == Policy::Hash);
        match key {
            None if hashes => Err(KeyError::NotNamed),
            key => Ok(Self { columns, key: key.filter(|_| hashes).cloned(), before: None }),
        }
    }

    /// Returns what holds for rows that went through this once already, where they landed: nothing is done to them again, a hash of a
    /// hash would be no hash of the value. `found`: the columns that were hidden, by the names they had.
    #[must_use]
    pub fn done_before(&self, found: BTreeMap<String, Policy>) -> Self {
        if self.is_empty() { Self::default() } else { Self { before: Some(found), ..self.clone() } }
    }

    /// Returns whether the rows went through this before they came here.
    pub fn is_done(&self) -> bool {
        self.before.is_some()
    }

    /// Returns the columns that were hidden before the rows came here.
    pub fn before(&self) -> impl Iterator<Item = (&str, Policy)> {
        self.before.iter().flatten().map(|(name, policy)| (name.as_str(), *policy))
    }

    /// Returns the same without columns that must be there, for a part of a table.
    #[must_use]
    pub fn of_part(&self) -> Self {
        let columns = self.columns.iter().map(|(name, (policy, _))| (name.clone(), (*policy, false))).collect();
        Self { columns, ..self.clone() }
    }

    /// Returns what a load says that was written through this; `found`: the columns that it hid, by the names they had.
    /// `None` if everything passes.
    pub fn landed(&self, found: BTreeSet<String>) -> Option<LandedPolicy> {
        let columns = self.columns.iter().map(|(name, (policy, _))| (name.clone(), *policy)).collect();
        (!self.is_empty()).then(|| LandedPolicy { columns, key: self.key.as_ref().map(|key| key.id().to_owned()), found })
    }

    /// Returns what has still to be done to rows that landed as `landed` says, and the columns that were hidden in a way from which
    /// the present one cannot be made: only what became stricter can be done.
    pub fn since(&self, landed: Option<&LandedPolicy>) -> (Self, Vec<String>) {
        let nothing = LandedPolicy::default();
        let landed = landed.unwrap_or(&nothing);
        let same_key = landed.key.as_deref() == self.key.as_ref().map(PrivacyKey::id);
        let (mut columns, mut lost) = (BTreeMap::new(), Vec::new());
        for column in &landed.found {
            match (landed.policy(column), self.policy(column)) {
                (Some(Policy::Hash), Some(Policy::Hash)) if same_key => {}
                (Some(Policy::Mask), Some(Policy::Mask)) | (Some(Policy::Drop), Some(Policy::Drop)) => {}
                (Some(Policy::Hash | Policy::Mask), Some(Policy::Drop)) => {
                    columns.insert(column.clone(), (Policy::Drop, false));
                }
                _ => lost.push(column.clone()),
            }
        }
        for (name, (policy, _)) in &self.columns {
            if landed.policy(name).is_none() {
                columns.insert(name.clone(), (*policy, false));
            }
        }
        (Self { columns, key: self.key.clone(), before: None }, lost)
    }

    /// Returns the same with columns left out whatever is said of them.
    #[must_use]
    pub fn without(mut self, columns: Vec<String>) -> Self {
        self.columns.extend(columns.into_iter().map(|column| (column, (Policy::Drop, false))));
        self
    }

    /// Returns whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns what becomes of a column.
    pub fn policy(&self, column: &str) -> Option<Policy> {
        self.named(column).map(|(_, policy)| policy)
    }

    /// Returns what becomes of a column, and the name under which that was said.
    pub fn named(&self, column: &str) -> Option<(&str, Policy)> {
        lookup(&self.columns, column).map(|(name, (policy, _))| (name, *policy))
    }

    /// Returns the columns as they are named.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// Returns the columns that the table must have, because they are named with it.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, (_, must))| *must).map(|(name, _)| name.as_str())
    }

    /// Returns what may be kept or said of one value of a column.
    pub fn value<'a>(&self, column: &str, value: &'a str) -> Cow<'a, str> {
        match self.policy(column) {
            Some(policy) if self.before.is_none() => Cow::Owned(self.hide(policy, value)),
            _ => Cow::Borrowed(value),
        }
    }

    /// As [`Self::value`], and nothing where there is nothing to tell: the column is dropped, or the value is blank.
    pub fn cell(&self, column: &str, value: &str) -> Option<String> {
        match self.policy(column) {
            Some(Policy::Drop) => None,
            Some(_) if value.trim().is_empty() => None,
            _ => Some(self.value(column, value).into_owned()),
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
        if self.passes() {
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
        if self.passes() {
            return Ok(batch.clone());
        }
        let schema = self.schema(&batch.schema());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            match self.policy(field.name()) {
                None => columns.push(self.documents(array)?),
                Some(Policy::Drop) => {}
                Some(policy) => columns.push(self.column(field, array, policy)?),
            }
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }

    fn passes(&self) -> bool {
        self.is_empty() || self.before.is_some()
    }

    /// Lists and objects in the cells of a column are JSON text, and hold columns of their own.
    fn documents(&self, array: &ArrayRef) -> Result<ArrayRef, RedactError> {
        if let Some(dictionary) = array.as_any_dictionary_opt()
            && matches!(dictionary.values().data_type(), DataType::Utf8)
        {
            return Ok(dictionary.with_values(self.documents(dictionary.values())?));
        }
        let Some(texts) = array.as_string_opt::<i32>() else { return Ok(Arc::clone(array)) };
        if !texts.iter().flatten().any(is_document) {
            return Ok(Arc::clone(array));
        }
        let hidden = texts.iter().map(|text| text.map(|text| self.document(text)));
        Ok(Arc::new(hidden.collect::<arrow::array::StringArray>()))
    }

    /// Returns a text that may be a JSON document without its personal members; as it is, if it is none or has none.
    pub fn document<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.passes() || !is_document(text) {
            return Cow::Borrowed(text);
        }
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return Cow::Borrowed(text) };
        if self.json(&mut value).is_empty() { Cow::Borrowed(text) } else { Cow::Owned(value.to_string()) }
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

    /// Hides the personal members of a JSON document, at any depth, and returns the paths under which there were any, such as
    /// `customer.email`. A member is named by its path or by its own name; what is said of an object is said of all in it.
    pub fn json(&self, value: &mut Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if !self.passes() {
            self.member(value, &mut String::new(), &mut found);
        }
        found
    }

    fn member(&self, value: &mut Value, path: &mut String, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.member(item, path, found)),
            Value::Object(members) => {
                let depth = path.len();
                members.retain(|name, member| {
                    if depth > 0 {
                        path.push('.');
                    }
                    path.push_str(name);
                    let policy = self.policy(path);
                    match (policy, &mut *member) {
                        (Some(Policy::Drop), _) => {
                            found.insert(path.clone());
                        }
                        (None, member) | (Some(_), member @ Value::Object(_)) => self.member(member, path, found),
                        (Some(policy), member) => {
                            found.insert(path.clone());
                            self.json_value(policy, member);
                        }
                    }
                    path.truncate(depth);
                    policy != Some(Policy::Drop)
                });
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

fn is_document(text: &str) -> bool {
    matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
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
