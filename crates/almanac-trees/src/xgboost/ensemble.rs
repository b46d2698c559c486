//! Trees that XGBoost grew, and what they predict: in the library's own arithmetic, without the library.

use rayon::prelude::*;

use super::XgBoostError;

/// Rows that go through a tree together, while it is in the cache.
const BLOCK_ROWS: usize = 256;
/// Codes from here on are no categories to the library.
const MOST_CODE: f32 = 16_777_216.0;

/// What the sum of the leaves becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transform {
    Identity,
    Exp,
    Logistic,
}

/// Trees of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    pub(super) columns: usize,
    pub(super) transform: Transform,
    /// What is said without any tree, before the transform.
    pub(super) base: f32,
    pub(super) trees: Vec<Tree>,
}

/// A tree, from the root on; what lies left of a split follows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Categories, in rising order, that the tests of the nodes name.
    pub(super) sets: Vec<Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Leaf(f32),
    Split {
        feature: u32,
        /// Whether a missing value goes left.
        missing_left: bool,
        /// Where the right side starts.
        right: u32,
        test: Test,
    },
}

/// What sends a value to the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Test {
    Below(f32),
    /// Being in none of the categories of this set.
    Outside(u32),
}

impl Tree {
    fn leaf(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split { feature, missing_left, right, test } => {
                    let value = row[feature as usize];
                    let left = match test {
                        _ if value.is_nan() => missing_left,
                        Test::Below(threshold) => value < threshold,
                        Test::Outside(set) => {
                            let is_code = (0.0..MOST_CODE).contains(&value);
                            !is_code || self.sets[set as usize].binary_search(&(value as u32)).is_err()
                        }
                    };
                    at = if left { at + 1 } else { right as usize };
                }
            }
        }
    }

    /// Tells what is wrong, if anything: every split has both its sides after it, and tests a column and a set that are there.
    pub(super) fn fault(&self, columns: usize) -> Option<&'static str> {
        let count = self.nodes.len();
        let is_wrong = |(at, node): (usize, &Node)| match *node {
            Node::Leaf(_) => false,
            Node::Split { feature, right, test, .. } => {
                let right = right as usize;
                let no_set = matches!(test, Test::Outside(set) if set as usize >= self.sets.len());
                right <= at + 1 || right >= count || feature as usize >= columns || no_set
            }
        };
        if count == 0 || self.nodes.iter().enumerate().any(is_wrong) { Some("a split leads nowhere") } else { None }
    }
}

impl Ensemble {
    /// Returns one prediction per row, on the scale of the labels. `rows`: row-major, NaN where a value is missing.
    ///
    /// # Errors
    /// [`XgBoostError::Model`] if the rows have another width than the training rows.
    pub fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, XgBoostError> {
        let columns = self.columns.max(1);
        if !rows.len().is_multiple_of(columns) {
            return Err(XgBoostError::model(format!("{} values do not make rows of its {columns} columns", rows.len())));
        }
        let mut margins = vec![self.base; rows.len() / columns];
        margins.par_chunks_mut(BLOCK_ROWS).zip(rows.par_chunks(BLOCK_ROWS * columns)).for_each(|(margins, rows)| {
            for tree in &self.trees {
                for (margin, row) in margins.iter_mut().zip(rows.chunks_exact(columns)) {
                    *margin += tree.leaf(row);
                }
            }
        });
        let value = |margin: f32| {
            let margin = f64::from(margin);
            match self.transform {
                Transform::Identity => margin,
                Transform::Exp => margin.exp(),
                Transform::Logistic => 1.0 / (1.0 + (-margin).exp()),
            }
        };
        Ok(margins.into_iter().map(value).collect())
    }

    /// Returns the number of trees.
    pub fn n_trees(&self) -> usize {
        self.trees.len()
    }

    /// Returns the number of columns that a row has.
    pub fn n_columns(&self) -> usize {
        self.columns
    }
}
