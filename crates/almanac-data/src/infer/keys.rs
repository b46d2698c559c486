//! Which columns name a series: the smallest set that makes (id, time) unique, up to a few duplicates.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame};

use super::names;

/// Share of repeated keys up to which a set of columns is still the key: duplicates are a fault of the data.
const MAX_REPEATED: f64 = 0.01;
/// Rows on which sets are tried out.
const TRIED_ROWS: usize = 300_000;
const MAX_CANDIDATES: usize = 10;
const MAX_COLUMNS_OF_A_KEY: usize = 4;

/// The columns that name a series.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) columns: Vec<String>,
    /// Share of rows that repeat a key.
    pub(crate) repeated: f64,
    pub(crate) why: String,
    /// Other sets of the same size that would do.
    pub(crate) others: Vec<Vec<String>>,
}

/// Finds the key of a table with this time column.
pub(crate) fn find(frame: &Frame, time: &Column, target: &str) -> Key {
    let rows = sample(frame, time);
    let (times, _) = time.codes();
    let repeated = |columns: &[&Column]| repeats(&rows, times, columns);
    let simple = |columns: &[&Column], repeated: f64, why: String| Key {
        columns: columns.iter().map(|column| column.name.clone()).collect(),
        repeated,
        why,
        others: Vec::new(),
    };
    if let Some(whole) = frame.columns.iter().find(|column| names::is_whole_id(&column.name) && column.name != target) {
        let share = repeated(&[whole]);
        if share <= MAX_REPEATED {
            return simple(&[whole], share, format!("it names {} series", whole.distinct()));
        }
    }
    let alone = repeated(&[]);
    if alone <= MAX_REPEATED {
        return simple(&[], alone, "every time occurs once: the table is one series".into());
    }
    let candidates = candidates(frame, time, target);
    for size in 1..=MAX_COLUMNS_OF_A_KEY.min(candidates.len()) {
        let mut found: Vec<(usize, usize, Vec<usize>, f64)> = Vec::new();
        for set in subsets(candidates.len(), size) {
            let columns: Vec<&Column> = set.iter().map(|index| candidates[*index]).collect();
            let share = repeated(&columns);
            if share <= MAX_REPEATED {
                let unnamed = columns.iter().filter(|column| !names::is_id(&column.name)).count();
                found.push((unnamed, (share * 1000.0).round() as usize, set, share));
            }
        }
        found.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        if let Some((_, _, set, share)) = found.first() {
            let columns: Vec<&Column> = set.iter().map(|index| candidates[*index]).collect();
            let mut why = "it is the smallest set of columns that tells the rows of one time apart".to_owned();
            if *share > 0.0 {
                why += &format!(" ({:.2} % of the rows repeat a key)", share * 100.0);
            }
            let mut key = simple(&columns, *share, why);
            key.others =
                found[1..].iter().map(|(_, _, set, _)| set.iter().map(|index| candidates[*index].name.clone()).collect()).collect();
            return key;
        }
    }
    let columns: Vec<&Column> = candidates.into_iter().filter(|column| names::is_id(&column.name)).take(MAX_COLUMNS_OF_A_KEY).collect();
    let share = repeated(&columns);
    simple(&columns, share, "no set of columns tells all rows of one time apart; these are named like ids".into())
}

/// Returns the share of rows that repeat (columns, time).
pub(crate) fn repeated(frame: &Frame, time: &Column, columns: &[&Column]) -> f64 {
    repeats(&sample(frame, time), time.codes().0, columns)
}

/// All rows of some of the times, so that repetitions stay together.
fn sample(frame: &Frame, time: &Column) -> Vec<usize> {
    let every = frame.rows.div_ceil(TRIED_ROWS) as u32;
    let (codes, _) = time.codes();
    (0..frame.rows).filter(|row| codes[*row].wrapping_mul(2_654_435_761) % every == 0).collect()
}

fn repeats(rows: &[usize], times: &[u32], columns: &[&Column]) -> f64 {
    let codes: Vec<&[u32]> = columns.iter().map(|column| column.codes().0).collect();
    // Only equality counts, so a random hash leaves the result the same.
    let hasher = RandomState::new();
    let mut seen: HashSet<u64> = HashSet::with_capacity(rows.len());
    let mut key: Vec<u32> = Vec::with_capacity(columns.len() + 1);
    for row in rows {
        key.clear();
        key.push(times[*row]);
        key.extend(codes.iter().map(|codes| codes[*row]));
        seen.insert(hasher.hash_one(&key));
    }
    if rows.is_empty() { 0.0 } else { 1.0 - seen.len() as f64 / rows.len() as f64 }
}

/// Columns that may be part of a key, the likelier first.
fn candidates<'a>(frame: &'a Frame, time: &Column, target: &str) -> Vec<&'a Column> {
    let may_be = |column: &&Column| {
        let distinct = column.distinct();
        let is_named = names::is_id(&column.name);
        column.name != time.name
            && column.name != target
            && distinct >= 2
            && distinct * 2 <= frame.rows.max(4)
            && !names::is_known_ahead(&column.name)
            && !names::is_unknowable(&column.name)
            && !names::is_date_part(&column.name)
            && (column.kind == ColumnKind::Text || (column.kind == ColumnKind::Integer && is_named))
    };
    let mut found: Vec<&Column> = frame.columns.iter().filter(may_be).collect();
    found.sort_by_key(|column| !names::is_id(&column.name));
    found.truncate(MAX_CANDIDATES);
    found
}

/// All subsets of `0..n` with `size` members, in lexical order.
pub(crate) fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut current: Vec<usize> = (0..size).collect();
    if size > n {
        return all;
    }
    loop {
        all.push(current.clone());
        let Some(place) = (0..size).rev().find(|place| current[*place] < n - size + place) else { return all };
        current[place] += 1;
        for next in place + 1..size {
            current[next] = current[next - 1] + 1;
        }
    }
}
