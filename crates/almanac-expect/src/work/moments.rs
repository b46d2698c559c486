//! Count, sum, mean, spread, least and greatest of a column.
//!
//! The sum of integers is exact; that of floats is compensated (Neumaier), and the spread is taken about each batch's own mean and
//! then joined (Chan), so that the order of threads changes nothing.

use arrow::array::Array;
use arrow::buffer::BooleanBuffer;

use crate::column::{Column, Shape, View};
use crate::error::CheckError;
use crate::value::Value;
use crate::work::present;

#[derive(Debug, Clone)]
pub(crate) struct Moments {
    pub(crate) column: String,
    pub(crate) shape: Shape,
    pub(crate) elements: u64,
    pub(crate) count: u64,
    whole: i128,
    sum: f64,
    lost: f64,
    mean: f64,
    squares: f64,
    least: Option<Value>,
    greatest: Option<Value>,
}

impl Moments {
    pub(crate) fn new(column: &str, shape: Shape) -> Self {
        Self {
            column: column.to_owned(),
            shape,
            elements: 0,
            count: 0,
            whole: 0,
            sum: 0.0,
            lost: 0.0,
            mean: 0.0,
            squares: 0.0,
            least: None,
            greatest: None,
        }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        self.elements += mask.map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        let rows = present(view, column.nulls(), mask);
        match column {
            Column::Float(array, _) => self.floats(&chosen(array.values(), rows.as_ref())),
            Column::Int(array) => {
                let values = chosen(array.values(), rows.as_ref());
                self.whole += values.iter().map(|value| i128::from(*value)).sum::<i128>();
                self.ends(values.iter().min().map(|value| Value::Int(*value)), values.iter().max().map(|value| Value::Int(*value)));
                let floats: Vec<f64> = values.iter().map(|value| *value as f64).collect();
                self.spread(&floats);
            }
            Column::Bool(array) => {
                let each = |row| f64::from(u8::from(array.value(row)));
                let floats: Vec<f64> = match &rows {
                    None => (0..view.rows).map(each).collect(),
                    Some(rows) => rows.set_indices().map(each).collect(),
                };
                self.whole += floats.iter().filter(|value| **value > 0.0).count() as i128;
                let any = |wanted: f64| floats.contains(&wanted);
                if !floats.is_empty() {
                    self.ends(Some(Value::Bool(!any(0.0))), Some(Value::Bool(any(1.0))));
                }
                self.spread(&floats);
            }
            Column::Time { ticks, unit } => {
                let values = chosen(ticks.values(), rows.as_ref());
                self.count += values.len() as u64;
                let time = |ticks: &i64| Value::Time(i128::from(*ticks) * i128::from(*unit));
                self.ends(values.iter().min().map(time), values.iter().max().map(time));
            }
            Column::Date(array) => {
                let values = chosen(array.values(), rows.as_ref());
                self.count += values.len() as u64;
                self.ends(values.iter().min().map(|day| Value::Date(*day)), values.iter().max().map(|day| Value::Date(*day)));
            }
            Column::Text { codes, texts, .. } => {
                let mut seen = vec![false; texts.len()];
                let mut mark = |row: usize| seen[codes.value(row) as usize] = true;
                match &rows {
                    None => (0..view.rows).for_each(&mut mark),
                    Some(rows) => rows.set_indices().for_each(&mut mark),
                }
                self.count += rows.as_ref().map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
                let texts = || seen.iter().enumerate().filter(|(_, seen)| **seen).map(|(code, _)| texts.value(code));
                let text = |text: &str| Value::Text(text.to_owned());
                self.ends(texts().min().map(text), texts().max().map(text));
            }
            Column::Other(_) => {
                self.count += rows.as_ref().map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
            }
        }
        Ok(())
    }

    fn floats(&mut self, values: &[f64]) {
        let mut least = f64::INFINITY;
        let mut greatest = f64::NEG_INFINITY;
        for value in values {
            least = least.min(*value);
            greatest = greatest.max(*value);
        }
        if !values.is_empty() {
            self.ends(Some(Value::Float(least)), Some(Value::Float(greatest)));
        }
        for part in values.chunks(1024) {
            self.add(part.iter().sum());
        }
        self.spread(values);
    }

    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn spread(&mut self, values: &[f64]) {
        if values.is_empty() {
            return;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        self.join(values.len() as u64, mean, squares);
    }

    fn join(&mut self, count: u64, mean: f64, squares: f64) {
        if count == 0 {
            return;
        }
        let total = (self.count + count) as f64;
        let gap = mean - self.mean;
        self.squares += squares + gap * gap * (self.count as f64) * (count as f64) / total;
        self.mean += gap * (count as f64) / total;
        self.count += count;
    }

    fn ends(&mut self, least: Option<Value>, greatest: Option<Value>) {
        if let Some(least) = least
            && self.least.as_ref().is_none_or(|old| least < *old)
        {
            self.least = Some(least);
        }
        if let Some(greatest) = greatest
            && self.greatest.as_ref().is_none_or(|old| greatest > *old)
        {
            self.greatest = Some(greatest);
        }
    }

    pub(crate) fn merge(&mut self, next: Self) {
        self.elements += next.elements;
        self.whole += next.whole;
        self.add(next.sum);
        self.lost += next.lost;
        self.ends(next.least, next.greatest);
        if matches!(self.shape, Shape::Int | Shape::Float | Shape::Bool) {
            self.join(next.count, next.mean, next.squares);
        } else {
            self.count += next.count;
        }
    }

    pub(crate) fn least(&self) -> Value {
        self.least.clone().unwrap_or(Value::Null)
    }

    pub(crate) fn greatest(&self) -> Value {
        self.greatest.clone().unwrap_or(Value::Null)
    }

    /// The sum, as pandas gives it: 0 where there is nothing.
    pub(crate) fn sum(&self) -> Value {
        match self.shape {
            Shape::Int | Shape::Bool => i64::try_from(self.whole).map_or(Value::Float(self.whole as f64), Value::Int),
            _ => Value::Float(self.total()),
        }
    }

    fn total(&self) -> f64 {
        // An infinite sum has lost nothing, but its compensation is not a number.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        let sum = match self.shape {
            Shape::Int | Shape::Bool => self.whole as f64,
            _ => self.total(),
        };
        (self.count > 0).then(|| sum / self.count as f64)
    }

    /// The sample standard deviation (n - 1).
    pub(crate) fn stdev(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

fn chosen<'a, T: Copy>(values: &'a [T], rows: Option<&BooleanBuffer>) -> std::borrow::Cow<'a, [T]> {
    match rows {
        None => std::borrow::Cow::Borrowed(values),
        Some(rows) => std::borrow::Cow::Owned(rows.set_indices().map(|row| values[row]).collect()),
    }
}
