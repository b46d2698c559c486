//! A block of f32 columns of equal length, column after column in one allocation.

/// `n_columns × n_rows` values, column-major. NaN is missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    rows: usize,
    values: Vec<f32>,
}

impl Columns {
    /// Makes columns of zeros.
    pub fn zeroed(columns: usize, rows: usize) -> Self {
        Self { rows, values: vec![0.0; columns * rows] }
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub fn n_columns(&self) -> usize {
        self.values.len().checked_div(self.rows).unwrap_or(0)
    }

    /// Returns one column.
    pub fn column(&self, index: usize) -> &[f32] {
        &self.values[index * self.rows..(index + 1) * self.rows]
    }

    /// Returns one column to be written.
    pub fn column_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.values[index * self.rows..(index + 1) * self.rows]
    }

    /// Returns all columns in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.n_columns()).map(|index| self.column(index))
    }

    /// Appends the values of one row, column by column.
    pub fn gather(&self, row: usize, out: &mut Vec<f32>) {
        if !self.values.is_empty() {
            out.extend(self.values[row..].iter().step_by(self.rows));
        }
    }

    /// Returns all columns in order, to be written.
    pub fn columns_mut(&mut self) -> std::slice::ChunksExactMut<'_, f32> {
        self.values.chunks_exact_mut(self.rows.max(1))
    }
}
