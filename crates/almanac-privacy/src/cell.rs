//! One cell of an Arrow column as text, in the one form in which values are hashed and compared.
//!
//! Whole numbers have no point, whether they came as integers or reals; text is as it is.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// A column whose cells have a text.
pub(crate) struct Cells {
    array: ArrayRef,
}

impl Cells {
    /// Returns `None` for a type whose values have no text.
    pub(crate) fn of(array: &ArrayRef) -> Option<Self> {
        let is_real = array.data_type().is_floating();
        let is_nested = array.data_type().is_nested();
        let array = match array.data_type() {
            DataType::Utf8 => array.clone(),
            _ if is_real => arrow::compute::cast(array, &DataType::Float64).ok()?,
            DataType::LargeUtf8 | DataType::Utf8View => arrow::compute::cast(array, &DataType::Utf8).ok()?,
            DataType::Dictionary(_, values) if values.is_floating() => arrow::compute::cast(array, &DataType::Float64).ok()?,
            _ if is_nested => array.clone(),
            _ => arrow::compute::cast(array, &DataType::Utf8).ok()?,
        };
        Some(Self { array })
    }

    /// Returns the text of a cell, or `None` for a null.
    pub(crate) fn get(&self, row: usize) -> Option<std::borrow::Cow<'_, str>> {
        if self.array.is_null(row) {
            return None;
        }
        if let Some(texts) = self.array.as_string_opt::<i32>() {
            return Some(texts.value(row).into());
        }
        if let Some(reals) = self.array.as_primitive_opt::<Float64Type>() {
            return Some(real_text(reals.value(row)).into());
        }
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(&self.array, &options).ok()?;
        Some(formatter.value(row).to_string().into())
    }
}

/// Text of a number; whole ones have no point.
pub(crate) fn real_text(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 { format!("{}", value as i64) } else { value.to_string() }
}
