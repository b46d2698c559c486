//! Text: frequent values, lengths, shapes.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use crate::sketch::counts::Counts;
use crate::sketch::moments::Moments;

/// Longest value that is kept as it is, in bytes.
const LONGEST: usize = 120;
/// Shapes that are told apart.
const SHAPES: usize = 64;
/// Longest shape, in characters.
const LONGEST_SHAPE: usize = 40;

/// What is known of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextProfile {
    /// How often each value occurs. A value of more than 120 bytes is its beginning, `…#` and a hash.
    pub counts: Counts<String>,
    /// Of the number of characters.
    pub lengths: Moments,
    /// How often each shape occurs: `A` for capitals, `a` for other letters, `9` for digits, each for a run of them.
    pub shapes: Counts<String>,
    /// Values that are empty or white space.
    pub blank: u64,
    /// Values with white space before or after.
    pub padded: u64,
}

/// The different values of a batch, by number, and the number of each row.
#[derive(Debug)]
pub(crate) struct Groups {
    texts: ArrayRef,
    /// Rows of each of the texts; 0 for those that repeat an earlier one or that no row has.
    rows: Vec<u64>,
    /// For each row the position of its value, or `NULL`.
    pub(crate) codes: Vec<u32>,
}

/// The code of a row without a value.
pub(crate) const NULL: u32 = u32::MAX;

impl Groups {
    /// Groups a text array; other types are written as text first.
    pub(crate) fn of(array: &dyn Array) -> Result<Self, ArrowError> {
        let (texts, mut codes): (ArrayRef, Vec<u32>) = if let DataType::Dictionary(..) = array.data_type() {
            let int32 = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            let array = if array.data_type() == &int32 { array.slice(0, array.len()) } else { cast(array, &int32)? };
            let dictionary = array.as_dictionary::<Int32Type>();
            let codes = dictionary.keys().iter().map(|key| key.map_or(NULL, |key| key as u32)).collect();
            (dictionary.values().clone(), codes)
        } else {
            let texts = cast(array, &DataType::Utf8)?;
            let strings = texts.as_string::<i32>();
            let mut firsts: HashMap<&str, u32, FixedState> = HashMap::default();
            let mut codes = Vec::with_capacity(strings.len());
            for (row, text) in strings.iter().enumerate() {
                codes.push(text.map_or(NULL, |text| *firsts.entry(text).or_insert(row as u32)));
            }
            drop(firsts);
            (texts.clone(), codes)
        };
        let strings = texts.as_string::<i32>();
        let mut rows = vec![0; strings.len()];
        for code in &mut codes {
            if *code != NULL && strings.is_null(*code as usize) {
                *code = NULL;
            }
            if *code != NULL {
                rows[*code as usize] += 1;
            }
        }
        Ok(Self { texts, rows, codes })
    }

    /// Hands out each value that occurs with its rows, in an order that depends on the batch alone.
    pub(crate) fn each<'a>(&'a self, mut take: impl FnMut(&'a str, u64)) {
        let strings = self.texts.as_string::<i32>();
        for (code, rows) in self.rows.iter().enumerate() {
            if *rows > 0 {
                take(strings.value(code), *rows);
            }
        }
    }

    /// Returns the text of a code.
    pub(crate) fn text(&self, code: u32) -> &str {
        self.texts.as_string::<i32>().value(code as usize)
    }
}

impl TextProfile {
    pub(crate) fn new(exact_values: usize) -> Self {
        Self { counts: Counts::new(exact_values), lengths: Moments::default(), shapes: Counts::new(SHAPES), blank: 0, padded: 0 }
    }

    pub(crate) fn update(&mut self, groups: &Groups) {
        let mut lengths = Vec::new();
        let mut shape = String::new();
        let rare = self.counts.rare(groups.codes.len());
        groups.each(|text, rows| {
            if rows > rare {
                match clipped(text) {
                    None => self.counts.add(text, rows),
                    Some(short) => self.counts.add(short.as_str(), rows),
                }
            }
            lengths.push((text.chars().count() as f64, rows));
            let trimmed = text.trim();
            if trimmed.is_empty() {
                self.blank += rows;
            } else if trimmed.len() != text.len() {
                self.padded += rows;
            }
            shape.clear();
            write_shape(text, &mut shape);
            self.shapes.add(shape.as_str(), rows);
        });
        self.lengths.merge(&Moments::of(&lengths));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.lengths.merge(&other.lengths);
        self.shapes.merge(&other.shapes);
        self.blank += other.blank;
        self.padded += other.padded;
    }
}

/// Returns the stand-in for a value that is too long to be kept.
pub(crate) fn clipped(text: &str) -> Option<String> {
    if text.len() <= LONGEST {
        return None;
    }
    let mut end = LONGEST - 24;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}…#{}", &text[..end], &blake3::hash(text.as_bytes()).to_hex()[..16]))
}

fn write_shape(text: &str, shape: &mut String) {
    let mut last = '\0';
    for character in text.chars() {
        let class = match character {
            '0'..='9' => '9',
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_numeric() => '9',
            c if c.is_whitespace() => ' ',
            c if c.is_control() => '?',
            c => c,
        };
        if class == last && matches!(class, 'A' | 'a' | '9' | ' ') {
            continue;
        }
        if shape.chars().count() >= LONGEST_SHAPE {
            shape.push('…');
            return;
        }
        shape.push(class);
        last = class;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_codes_from_names() {
        let shape = |text: &str| {
            let mut shape = String::new();
            write_shape(text, &mut shape);
            shape
        };
        assert_eq!(shape("US_R02_S003_DAIRY_012"), "A_A9_A9_A_9");
        assert_eq!(shape("Zürich 4051"), "Aa 9");
        assert_eq!(shape(""), "");
        assert_eq!(shape(&"-".repeat(99)).chars().count(), 41);
    }

    #[test]
    fn long_values_are_kept_short_and_apart() {
        let (one, other) = (format!("{}a", "é".repeat(100)), format!("{}b", "é".repeat(100)));
        let (one, other) = (clipped(&one).unwrap(), clipped(&other).unwrap());
        assert!(one != other && one.len() <= LONGEST, "{one}");
        assert_eq!(clipped("short"), None);
    }
}
