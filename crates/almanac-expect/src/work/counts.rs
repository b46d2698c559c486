//! How often each value of a column occurs.
//!
//! Memory: one entry a distinct value. Above a budget the counting stops, and the table is looked at again in shares, each with the values
//! of one part of a hash.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;

use crate::column::{Column, Shape, View};
use crate::error::CheckError;
use crate::value::Value;
use crate::work::present;

/// A hasher for numbers that are already spread: one multiplication.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64((word as u64) ^ ((word >> 64) as u64));
    }
}

pub(crate) type FoldMap<K, V> = HashMap<K, V, BuildHasherDefault<FoldHasher>>;

#[derive(Debug, Clone)]
pub(crate) struct Counts {
    pub(crate) column: String,
    shape: Shape,
    pub(crate) elements: u64,
    pub(crate) count: u64,
    words: FoldMap<i64, u64>,
    texts: HashMap<String, u64>,
    /// Counts by code while one dictionary lasts.
    open: Option<(StringArray, Vec<u64>)>,
    /// Bytes of the texts.
    text_bytes: u64,
    /// Bytes that may be taken in all, and of one part of the table.
    limits: [u64; 2],
    share: (u64, u64),
    pub(crate) full: bool,
}

impl Counts {
    pub(crate) fn new(column: &str, shape: Shape) -> Self {
        Self {
            column: column.to_owned(),
            shape,
            elements: 0,
            count: 0,
            words: FoldMap::default(),
            texts: HashMap::new(),
            open: None,
            text_bytes: 0,
            limits: [u64::MAX; 2],
            share: (0, 1),
            full: false,
        }
    }

    /// Keeps to a budget of bytes, and to another one while a part of the table is read.
    pub(crate) fn limit(&mut self, whole: u64, part: u64) {
        self.limits = [whole, part];
    }

    /// The same work on one share of the values.
    pub(crate) fn share(&self, share: u64, shares: u64) -> Self {
        Self { share: (share, shares), ..Self::new(&self.column, self.shape) }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        self.elements += mask.map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        let rows = present(view, column.nulls(), mask);
        self.count += rows.as_ref().map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        if self.full {
            return Ok(());
        }
        match column {
            Column::Text { codes, texts, .. } => {
                if self.open.as_ref().is_none_or(|(open, _)| !same(open, texts)) {
                    self.close();
                    self.open = Some((texts.clone(), vec![0; texts.len()]));
                }
                if let Some((_, counts)) = &mut self.open {
                    let mut add = |row: usize| counts[codes.value(row) as usize] += 1;
                    match &rows {
                        None => (0..view.rows).for_each(&mut add),
                        Some(rows) => rows.set_indices().for_each(&mut add),
                    }
                }
            }
            Column::Other(_) => {}
            _ => {
                let (share, shares) = self.share;
                let words = &mut self.words;
                let mut add = |row: usize| {
                    let word = word(column, row);
                    if shares == 1 || spread(word) % shares == share {
                        *words.entry(word).or_default() += 1;
                    }
                };
                match &rows {
                    None => (0..view.rows).for_each(&mut add),
                    Some(rows) => rows.set_indices().for_each(&mut add),
                }
            }
        }
        self.check(self.limits[1]);
        Ok(())
    }

    fn close(&mut self) {
        self.close_within(self.limits[1]);
    }

    fn close_within(&mut self, limit: u64) {
        let Some((texts, counts)) = self.open.take() else { return };
        let (share, shares) = self.share;
        for (code, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let text = texts.value(code);
            if shares > 1 && text_word(text) % shares != share {
                continue;
            }
            if let Some(total) = self.texts.get_mut(text) {
                *total += count;
            } else {
                self.text_bytes += text.len() as u64;
                self.texts.insert(text.to_owned(), count);
            }
        }
        self.check(limit);
    }

    fn check(&mut self, limit: u64) {
        // What an entry takes in a table that is about to grow.
        if self.words.len() as u64 * 48 + self.texts.len() as u64 * 96 + self.text_bytes > limit {
            self.fill();
        }
    }

    fn fill(&mut self) {
        self.full = true;
        self.words = FoldMap::default();
        self.texts = HashMap::new();
        self.text_bytes = 0;
        self.open = None;
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        next.close();
        self.close_within(self.limits[0]);
        self.elements += next.elements;
        self.count += next.count;
        if self.full || next.full {
            self.fill();
            return;
        }
        for (word, count) in next.words {
            *self.words.entry(word).or_default() += count;
        }
        for (text, count) in next.texts {
            let bytes = text.len() as u64;
            let total = self.texts.entry(text).or_insert_with(|| {
                self.text_bytes += bytes;
                0
            });
            *total += count;
        }
        self.check(self.limits[0]);
    }

    /// Returns values and how often each occurs, in no order.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Value, u64)> + '_ {
        let words = self.words.iter().map(|(word, count)| (self.value(*word), *count));
        words.chain(self.texts.iter().map(|(text, count)| (Value::Text(text.clone()), *count)))
    }

    fn value(&self, word: i64) -> Value {
        match self.shape {
            Shape::Float => Value::Float(f64::from_bits(word as u64)),
            Shape::Bool => Value::Bool(word != 0),
            Shape::Time(unit) => Value::Time(i128::from(word) * i128::from(unit)),
            Shape::Date => Value::Date(word as i32),
            _ => Value::Int(word),
        }
    }
}

/// Returns whether two dictionaries are one and the same.
pub(crate) fn same(a: &StringArray, b: &StringArray) -> bool {
    a.len() == b.len()
        && a.offset() == b.offset()
        && a.values().as_ptr() == b.values().as_ptr()
        && a.offsets().as_ptr() == b.offsets().as_ptr()
}

fn spread(word: i64) -> u64 {
    let mut hasher = FoldHasher(0x51_7cc1_b727_220a);
    hasher.write_i64(word);
    hasher.finish() >> 8
}

fn text_word(text: &str) -> u64 {
    let mut hasher = FoldHasher(0);
    hasher.write(text.as_bytes());
    hasher.write_u64(text.len() as u64);
    hasher.finish() >> 8
}

/// Returns the value of a row as one word: equal words are equal values of one column.
pub(crate) fn word(column: &Column, row: usize) -> i64 {
    match column {
        Column::Int(array) => array.value(row),
        Column::Float(array, _) => (array.value(row) + 0.0).to_bits() as i64,
        Column::Bool(array) => i64::from(array.value(row)),
        Column::Time { ticks, .. } => ticks.value(row),
        Column::Date(array) => i64::from(array.value(row)),
        Column::Text { codes, .. } => i64::from(codes.value(row)),
        Column::Other(_) => 0,
    }
}
