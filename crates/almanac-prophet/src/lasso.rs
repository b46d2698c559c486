//! Least squares with quadratic priors on some parameters and Laplace priors on the rest, solved exactly.
//!
//! ```text
//!   minimise  1/2 z' (G + D) z - (b + d)' z + weight sum |z_j|     over the last parameters j
//! ```
//!
//! The parameters with quadratic priors are eliminated by the first columns of a Cholesky factor, whose remainder is the same
//! problem in the others alone. That is a lasso, solved by an active set: the parameters away from zero and their signs are
//! guessed, the equations for them solved, and a parameter that would change its sign stops the move and leaves; at rest, the
//! zero that most wants to move joins. Each move lowers the objective, so that it ends.
//!
//! Source: Lee, Battle, Raina & Ng (2006), "Efficient sparse coding algorithms", algorithm 1 (with the step cut at the first
//! change of sign).
//!
//! Not here: where the equations come from.

/// Rows that are summed into the equations at a time.
const BLOCK: usize = 4;
/// A zero moves if its pull is above the weight by more than this share.
const SLACK: f64 = 1e-9;
/// Added to the diagonal of the lasso, relative to it, so that columns that say the same do not break it.
const JITTER: f64 = 1e-11;

/// Normal equations: the target is column 0, parameter `j` column `j + 1`.
#[derive(Debug)]
pub(crate) struct System {
    columns: usize,
    /// Upper triangle, row by row.
    gram: Vec<f64>,
    block: Vec<f64>,
    filled: usize,
    used: usize,
}

impl System {
    pub(crate) fn new(n_parameters: usize) -> Self {
        let columns = n_parameters + 1;
        Self { columns, gram: vec![0.0; columns * columns], block: vec![0.0; BLOCK * columns], filled: 0, used: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.gram.fill(0.0);
        self.block.fill(0.0);
        (self.filled, self.used) = (0, 0);
    }

    /// Adds a row whose columns after the first `n_parameters` are 0. They must not be fewer than in the row before.
    pub(crate) fn push(&mut self, n_parameters: usize, write: impl FnOnce(&mut [f64])) {
        let from = self.filled * self.columns;
        write(&mut self.block[from..=from + n_parameters]);
        self.used = n_parameters + 1;
        self.filled += 1;
        if self.filled == BLOCK {
            self.flush();
        }
    }

    /// Sums the rows that are still waiting.
    pub(crate) fn flush(&mut self) {
        let (columns, used) = (self.columns, self.used);
        let (first, rest) = self.block.split_at(columns);
        let (second, rest) = rest.split_at(columns);
        let (third, fourth) = rest.split_at(columns);
        for row in 0..used {
            let [a, b, c, d] = [first[row], second[row], third[row], fourth[row]];
            let out = &mut self.gram[row * columns + row..row * columns + used];
            let rows = first[row..].iter().zip(&second[row..]).zip(third[row..].iter().zip(&fourth[row..]));
            for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(rows) {
                *out += (a * first + b * second) + (c * third + d * fourth);
            }
        }
        self.block.fill(0.0);
        self.filled = 0;
    }

    fn n_parameters(&self) -> usize {
        self.columns - 1
    }

    /// Inner products of each parameter's column with the target.
    fn with_target(&self) -> &[f64] {
        &self.gram[1..self.columns]
    }

    /// Inner products of a parameter's column with itself and the later ones.
    fn row(&self, index: usize) -> &[f64] {
        &self.gram[(index + 1) * self.columns + index + 1..(index + 2) * self.columns]
    }

    /// Sum of squares of a parameter's column.
    pub(crate) fn diagonal(&self, index: usize) -> f64 {
        self.row(index)[0]
    }

    /// Writes `b - G z`.
    pub(crate) fn write_pull(&self, z: &[f64], out: &mut [f64]) {
        out.copy_from_slice(self.with_target());
        for index in 0..z.len() {
            let row = self.row(index);
            out[index] -= row[0] * z[index];
            for (later, inner) in (index + 1..).zip(&row[1..]) {
                out[index] -= inner * z[later];
                out[later] -= inner * z[index];
            }
        }
    }
}

/// Room for solving, reused from one problem to the next.
#[derive(Debug)]
pub(crate) struct Solver {
    n_free: usize,
    /// Upper factor of the free parameters, and the lasso's matrix behind it.
    matrix: Vec<f64>,
    right: Vec<f64>,
    lasso: Lasso,
}

impl Solver {
    pub(crate) fn new(n_free: usize, n_parameters: usize) -> Self {
        let lasso = Lasso::new(n_parameters - n_free);
        Self { n_free, matrix: vec![0.0; n_parameters * n_parameters], right: vec![0.0; n_parameters], lasso }
    }

    /// Moves `z` to the minimum. `added`: the diagonal `D` and the right side `d` of each parameter.
    pub(crate) fn solve(&mut self, system: &System, added: impl Fn(usize) -> (f64, f64), weight: f64, z: &mut [f64]) {
        let n = system.n_parameters();
        self.right.copy_from_slice(system.with_target());
        for index in 0..n {
            let row = &mut self.matrix[index * n + index..(index + 1) * n];
            row.copy_from_slice(system.row(index));
            let (diagonal, right) = added(index);
            row[0] += diagonal;
            if index >= self.n_free {
                row[0] += JITTER * row[0] + f64::MIN_POSITIVE;
            }
            self.right[index] += right;
        }
        eliminate(&mut self.matrix, &mut self.right, n, self.n_free);
        let (free, bends) = z.split_at_mut(self.n_free);
        self.lasso.solve(&self.matrix, &self.right[self.n_free..], n, weight, bends);
        for index in (0..self.n_free).rev() {
            let row = &self.matrix[index * n + index..(index + 1) * n];
            let (mine, theirs) = row[1..].split_at(self.n_free - 1 - index);
            let known: f64 = mine.iter().zip(&free[index + 1..]).map(|(a, z)| a * z).sum();
            let bent: f64 = theirs.iter().zip(&*bends).map(|(a, z)| a * z).sum();
            free[index] = (self.right[index] - known - bent) / row[0];
        }
    }
}

/// Factors the first `count` columns of an `n × n` upper triangle in place; what remains is their Schur complement.
fn eliminate(matrix: &mut [f64], right: &mut [f64], n: usize, count: usize) {
    for index in 0..count {
        let (above, below) = matrix.split_at_mut((index + 1) * n);
        let row = &mut above[index * n + index..];
        let pivot = row[0].max(f64::MIN_POSITIVE).sqrt();
        for value in row.iter_mut() {
            *value /= pivot;
        }
        right[index] /= pivot;
        let solved = right[index];
        for later in index + 1..n {
            let factor = row[later - index];
            if factor == 0.0 {
                continue;
            }
            right[later] -= factor * solved;
            let to = &mut below[(later - index - 1) * n + later..(later - index) * n];
            for (to, from) in to.iter_mut().zip(&row[later - index..]) {
                *to -= factor * from;
            }
        }
    }
}

#[derive(Debug)]
struct Lasso {
    n: usize,
    matrix: Vec<f64>,
    factor: Vec<f64>,
    solution: Vec<f64>,
    active: Vec<usize>,
    signs: Vec<f64>,
    is_barred: Vec<bool>,
}

impl Lasso {
    fn new(n: usize) -> Self {
        Self {
            n,
            matrix: vec![0.0; n * n],
            factor: vec![0.0; n * n],
            solution: vec![0.0; n],
            active: Vec::with_capacity(n),
            signs: Vec::with_capacity(n),
            is_barred: vec![false; n],
        }
    }

    /// Moves `z` to the minimum of `1/2 z' S z - c' z + weight sum |z|`, `S` being the lower right corner of `corner_of`.
    fn solve(&mut self, corner_of: &[f64], c: &[f64], stride: usize, weight: f64, z: &mut [f64]) {
        let n = self.n;
        let skip = stride - n;
        for row in 0..n {
            for column in row..n {
                let value = corner_of[(row + skip) * stride + column + skip];
                self.matrix[row * n + column] = value;
                self.matrix[column * n + row] = value;
            }
        }
        self.active.clear();
        self.signs.clear();
        self.is_barred.fill(false);
        for (index, value) in z.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            self.active.push(index);
            self.signs.push(value.signum());
        }
        // Each pass moves or lets one parameter join or leave; the bound is never met but by rounding.
        for _ in 0..20 * n + 20 {
            if !self.active.is_empty() && self.move_active(c, weight, z) {
                continue;
            }
            let pull = |index: usize| c[index] - self.matrix[index * n..(index + 1) * n].iter().zip(&*z).map(|(s, z)| s * z).sum::<f64>();
            let waiting = (0..n).filter(|index| z[*index] == 0.0 && !self.is_barred[*index]).map(|index| (index, pull(index)));
            let Some((index, pull)) = waiting.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) else { break };
            if pull.abs() <= weight * (1.0 + SLACK) {
                break;
            }
            self.active.push(index);
            self.signs.push(pull.signum());
        }
    }

    /// Moves the active parameters towards their minimum; returns whether one of them left on the way.
    fn move_active(&mut self, c: &[f64], weight: f64, z: &mut [f64]) -> bool {
        let size = self.active.len();
        for (row, index) in self.active.iter().enumerate() {
            for (column, other) in self.active[..=row].iter().enumerate() {
                self.factor[row * size + column] = self.matrix[index * self.n + other];
            }
            self.solution[row] = c[*index] - weight * self.signs[row];
        }
        solve_positive(&mut self.factor, &mut self.solution[..size]);
        let mut step = 1.0_f64;
        for ((index, sign), to) in self.active.iter().zip(&self.signs).zip(&self.solution) {
            if to * sign <= 0.0 {
                let crossing = z[*index] / (z[*index] - to);
                step = step.min(if crossing.is_nan() { 0.0 } else { crossing }).max(0.0);
            }
        }
        if step >= 1.0 {
            for (index, to) in self.active.iter().zip(&self.solution) {
                z[*index] = *to;
            }
            return false;
        }
        let mut place = 0;
        let mut at = 0;
        while at < size {
            let index = self.active[place];
            let (from, to) = (z[index], self.solution[at]);
            let there = from + step * (to - from);
            at += 1;
            if to * self.signs[place] <= 0.0 && there * self.signs[place] <= 1e-14 * from.abs() {
                z[index] = 0.0;
                // One that left without a move would join and leave for ever.
                self.is_barred[index] = step == 0.0;
                self.active.remove(place);
                self.signs.remove(place);
            } else {
                z[index] = there;
                place += 1;
            }
        }
        true
    }
}

/// Solves `A x = b` for a positive definite `A`, given by its lower triangle; `b` becomes `x`.
fn solve_positive(a: &mut [f64], b: &mut [f64]) {
    let n = b.len();
    for row in 0..n {
        for column in 0..=row {
            let (above, mine) = a.split_at_mut(row * n);
            let other = if column == row { &mine[..column] } else { &above[column * n..column * n + column] };
            let known: f64 = other.iter().zip(&mine[..column]).map(|(a, b)| a * b).sum();
            let rest = mine[column] - known;
            mine[column] = if column == row { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / above[column * n + column] };
        }
        let known: f64 = a[row * n..row * n + row].iter().zip(&*b).map(|(a, b)| a * b).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    for row in (0..n).rev() {
        b[row] /= a[row * n + row];
        let value = b[row];
        for (column, b) in b[..row].iter_mut().enumerate() {
            *b -= a[row * n + column] * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minimum is where the pull on each parameter is what its prior holds against it.
    #[test]
    fn the_minimum_satisfies_its_conditions() {
        let (n_free, n, rows) = (4, 20, 60);
        let mut state = 5_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut system = System::new(n);
        system.clear();
        for row in 0..rows {
            // Hinges beside one another, as correlated as those of a trend.
            let (value, free): (f64, Vec<f64>) = (noise(), (0..n_free).map(|_| noise()).collect());
            system.push(n, |out| {
                out[0] = value + (f64::from(row) / 30.0 - 1.0).abs();
                out[1..=n_free].copy_from_slice(&free);
                for (knot, out) in out[n_free + 1..].iter_mut().enumerate() {
                    *out = (f64::from(row) / 60.0 - knot as f64 / 18.0).max(0.0);
                }
            });
        }
        system.flush();
        for weight in [1e-6, 0.01, 0.3, 1e3] {
            let ridge = |index: usize| if index < n_free { 0.1 } else { 0.0 };
            let mut z = vec![0.0; n];
            Solver::new(n_free, n).solve(&system, |index| (ridge(index), 0.0), weight, &mut z);
            let mut pull = vec![0.0; n];
            system.write_pull(&z, &mut pull);
            for (index, (pull, z)) in pull.iter().zip(&z).enumerate() {
                let held = if index < n_free { 0.1 * z } else { weight * z.signum() };
                let is_met = if index >= n_free && *z == 0.0 { pull.abs() <= weight * (1.0 + 1e-6) } else { (pull - held).abs() < 1e-6 };
                assert!(is_met, "{weight}: parameter {index} is {z} under {pull}");
            }
        }
    }
}
