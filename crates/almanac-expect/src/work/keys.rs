//! Whether keys occur once.
//!
//! Sales tables come in order, or nearly: within each series time only grows. So a first look keeps, for each group of the leading
//! columns, the span of the last ordered column seen so far; a value outside the span is new, whatever came before. Only where a value
//! falls into its span does a second look take a 128-bit hash of every key and sort them.

use arrow::array::{Array, StringArray};
use arrow::buffer::BooleanBuffer;
use rayon::prelude::*;

use crate::column::{Column, Shape, View};
use crate::error::CheckError;
use crate::rule::Ignore;
use crate::work::counts::{FoldMap, same, word};

/// The first look.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) columns: Vec<String>,
    ignore: Ignore,
    /// Place in `columns` of the column whose spans are kept.
    ordered: Option<usize>,
    pub(crate) elements: u64,
    pub(crate) judged: u64,
    groups: FoldMap<u128, u32>,
    spans: Vec<(i64, i64)>,
    open: Option<(StringArray, Vec<u32>)>,
    /// Groups beyond which spans are given up.
    most_groups: u64,
    /// A key may have come twice; only a second look tells.
    pub(crate) unsure: bool,
}

const NO_GROUP: u32 = u32::MAX;
/// Bytes that a group takes in a table that is about to grow.
const GROUP_BYTES: u64 = 80;

impl Keys {
    pub(crate) fn new(columns: &[String], shapes: &[Shape], ignore: Ignore) -> Self {
        let ordered = shapes.iter().rposition(|shape| matches!(shape, Shape::Time(_) | Shape::Date));
        let ordered = ordered.or_else(|| shapes.iter().rposition(|shape| matches!(shape, Shape::Int | Shape::Float)));
        Self {
            columns: columns.to_vec(),
            ignore,
            ordered,
            elements: 0,
            judged: 0,
            groups: FoldMap::default(),
            spans: Vec::new(),
            open: None,
            most_groups: u64::MAX,
            unsure: ordered.is_none(),
        }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let columns = self.columns.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>()?;
        self.elements += mask.map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        let rows = domain(view, &columns, self.ignore, mask);
        self.judged += rows.as_ref().map_or(view.rows, BooleanBuffer::count_set_bits) as u64;
        let Some(place) = self.ordered.filter(|_| !self.unsure) else { return Ok(()) };
        let leading: Vec<&Column> = columns.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, column)| *column).collect();
        let ordered = columns[place];
        if columns.iter().any(|column| column.nulls().is_some()) && self.ignore != Ignore::AnyMissing && columns.len() > 1 {
            self.give_up();
            return Ok(());
        }
        if let ([Column::Text { codes, texts, .. }], None, Column::Time { ticks, .. }) = (&leading[..], &rows, ordered) {
            self.remember(texts);
            // A handle on the same buffers, so that the work itself is free to change.
            let texts = texts.clone();
            let (codes, ticks) = (codes.values(), ticks.values());
            for row in 0..view.rows {
                let group = self.group_of_text(codes[row], &texts);
                if !self.take(group, ticks[row]) {
                    self.give_up();
                    break;
                }
            }
            if self.spans.len() as u64 > self.most_groups {
                self.give_up();
            }
            return Ok(());
        }
        let hashes = Hasher::new(&leading);
        let mut add = |row: usize| {
            let group = if leading.is_empty() { self.group(0) } else { self.group(hashes.row(row)) };
            self.take(group, ordinal(ordered, row))
        };
        let fine = match &rows {
            None => (0..view.rows).all(&mut add),
            Some(rows) => rows.set_indices().all(&mut add),
        };
        if !fine || self.spans.len() as u64 > self.most_groups {
            self.give_up();
        }
        Ok(())
    }

    /// Keeps to a budget of bytes.
    pub(crate) fn limit(&mut self, bytes: u64) {
        self.most_groups = bytes / GROUP_BYTES;
    }

    fn give_up(&mut self) {
        self.unsure = true;
        self.groups = FoldMap::default();
        self.spans = Vec::new();
        self.open = None;
    }

    fn remember(&mut self, texts: &StringArray) {
        if self.open.as_ref().is_none_or(|(open, _)| !same(open, texts)) {
            self.open = Some((texts.clone(), vec![NO_GROUP; texts.len()]));
        }
    }

    fn group_of_text(&mut self, code: i32, texts: &StringArray) -> u32 {
        let code = code as usize;
        if let Some((_, groups)) = &self.open
            && groups[code] != NO_GROUP
        {
            return groups[code];
        }
        let group = self.group(text_hash(texts.value(code)));
        if let Some((_, groups)) = &mut self.open {
            groups[code] = group;
        }
        group
    }

    fn group(&mut self, key: u128) -> u32 {
        let next = self.spans.len() as u32;
        let group = *self.groups.entry(key).or_insert(next);
        if group == next {
            // An empty span: whatever comes is outside it.
            self.spans.push((i64::MAX, i64::MIN));
        }
        group
    }

    fn take(&mut self, group: u32, value: i64) -> bool {
        let span = &mut self.spans[group as usize];
        if value > span.1 {
            span.1 = value;
            span.0 = span.0.min(value);
            true
        } else if value < span.0 {
            span.0 = value;
            true
        } else {
            false
        }
    }

    pub(crate) fn merge(&mut self, next: Self) {
        self.elements += next.elements;
        self.judged += next.judged;
        if self.unsure || next.unsure {
            self.give_up();
            return;
        }
        for (key, place) in next.groups {
            let span = next.spans[place as usize];
            let group = self.group(key) as usize;
            let own = self.spans[group];
            if own.0 <= span.1 && span.0 <= own.1 {
                self.give_up();
                return;
            }
            self.spans[group] = (own.0.min(span.0), own.1.max(span.1));
        }
        if self.spans.len() as u64 > self.most_groups {
            self.give_up();
        }
    }
}

fn ordinal(column: &Column, row: usize) -> i64 {
    match column {
        Column::Float(array, _) => {
            let bits = (array.value(row) + 0.0).to_bits() as i64;
            bits ^ (((bits >> 63) as u64) >> 1) as i64
        }
        other => word(other, row),
    }
}

/// Returns which rows are judged, or `None` for all.
pub(crate) fn domain(view: &View, columns: &[&Column], ignore: Ignore, mask: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    let valid = |column: &&Column| column.nulls().map_or_else(|| BooleanBuffer::new_set(view.rows), |nulls| nulls.inner().clone());
    let with_nulls = columns.iter().any(|column| column.nulls().is_some());
    let kept = match ignore {
        Ignore::Never => None,
        _ if !with_nulls => None,
        Ignore::AllMissing => columns.iter().map(valid).reduce(|a, b| &a | &b),
        Ignore::AnyMissing => columns.iter().map(valid).reduce(|a, b| &a & &b),
    };
    match (kept, mask) {
        (None, mask) => mask.cloned(),
        (kept, None) => kept,
        (Some(kept), Some(mask)) => Some(&kept & mask),
    }
}

/// The second look: a hash of every key.
#[derive(Debug, Clone)]
pub(crate) struct Hashes {
    pub(crate) columns: Vec<String>,
    ignore: Ignore,
    share: (u128, u128),
    pub(crate) rows: Vec<u128>,
}

impl Hashes {
    pub(crate) fn new(columns: &[String], ignore: Ignore, share: u64, shares: u64) -> Self {
        Self { columns: columns.to_vec(), ignore, share: (u128::from(share), u128::from(shares)), rows: Vec::new() }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let columns = self.columns.iter().map(|name| view.column(name)).collect::<Result<Vec<_>, _>>()?;
        let rows = domain(view, &columns, self.ignore, mask);
        let hasher = Hasher::new(&columns);
        let (share, shares) = self.share;
        let mut add = |row: usize| {
            let hash = hasher.row(row);
            if shares == 1 || (hash >> 64) % shares == share {
                self.rows.push(hash);
            }
        };
        match &rows {
            None => (0..view.rows).for_each(&mut add),
            Some(rows) => rows.set_indices().for_each(&mut add),
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        if self.rows.is_empty() { self.rows = next.rows } else { self.rows.append(&mut next.rows) }
    }

    /// Returns how many distinct keys there are, and those that occur more than once.
    pub(crate) fn repeated(&mut self) -> (u64, Vec<u128>) {
        self.rows.par_sort_unstable();
        let mut distinct = 0;
        let mut repeated = Vec::new();
        for run in self.rows.chunk_by(|a, b| a == b) {
            distinct += 1;
            if run.len() > 1 {
                repeated.push(run[0]);
            }
        }
        (distinct, repeated)
    }
}

/// Hashes rows of some columns of one batch; equal rows of any batches of these columns have equal hashes.
pub(crate) struct Hasher<'a> {
    columns: &'a [&'a Column],
    /// Hashes of a dictionary's texts.
    texts: Vec<Vec<u128>>,
}

impl<'a> Hasher<'a> {
    pub(crate) fn new(columns: &'a [&'a Column]) -> Self {
        let texts = columns
            .iter()
            .map(|column| match column {
                Column::Text { texts, .. } => {
                    (0..texts.len()).map(|code| if texts.is_valid(code) { text_hash(texts.value(code)) } else { 0 }).collect()
                }
                _ => Vec::new(),
            })
            .collect();
        Self { columns, texts }
    }

    pub(crate) fn row(&self, row: usize) -> u128 {
        let mut hash = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;
        for (column, texts) in self.columns.iter().zip(&self.texts) {
            let part = match column {
                _ if column.is_null(row) => 0x9216_d5d9_8979_fb1b_d131_0ba6_98df_b5ac,
                Column::Text { codes, .. } => texts[codes.value(row) as usize],
                other => u128::from(word(other, row) as u64),
            };
            hash = mix(hash, part);
        }
        hash
    }
}

/// Joins two 128-bit words: a permutation of the second for each first, so that rows that differ in one number never meet.
fn mix(hash: u128, part: u128) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let mut word = (hash.rotate_left(41) ^ part).wrapping_mul(ODD);
    word ^= word >> 67;
    word = word.wrapping_mul(0xd6e8_feb8_6659_fd93_a076_1d64_78bd_642f);
    word ^ (word >> 61)
}

fn text_hash(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(bytes)
}
