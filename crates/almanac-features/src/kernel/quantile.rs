//! Rolling quantiles in O(log window) a row.

use std::cmp::Ordering;

use super::narrow;

/// A rolling quantile that takes one value at a time; [`rolling_quantile`] is the fold of it.
///
/// Between two values of the window it is interpolated linearly (type 7, as in NumPy and R).
///
/// The values of the window are in two heaps, those up to the quantile and those above it; each value knows its place, so that
/// the one that leaves the window is found at once.
#[derive(Debug, Clone)]
pub struct RollingQuantile {
    p: f64,
    window: usize,
    needed: usize,
    row: usize,
    /// Values of the last rows, by row modulo the window, and where each is in the heaps.
    slots: Vec<f64>,
    places: Vec<(usize, usize)>,
    /// Slots: the greatest of the low half first, the smallest of the high half first.
    heaps: [Vec<usize>; 2],
}

const LOW: usize = 0;
const HIGH: usize = 1;

impl RollingQuantile {
    /// Starts with no row. `p`: in [0, 1]. `min_count`: values that it needs.
    pub fn new(p: f64, window: usize, min_count: usize) -> Self {
        let heaps = [Vec::new(), Vec::new()];
        Self { p, window: window.max(1), needed: min_count.max(1), row: 0, slots: Vec::new(), places: Vec::new(), heaps }
    }

    /// Returns the state after `rows` rows whose values `at` gives, in O(`window` log `window`).
    pub fn resume(p: f64, window: usize, min_count: usize, rows: usize, at: impl Fn(usize) -> f64) -> Self {
        let mut state = Self::new(p, window, min_count);
        // Rows keep their slots: the first one is as far from slot 0 as it would have been.
        let first = rows.saturating_sub(state.window);
        state.slots.resize(state.window.min(rows), f64::NAN);
        state.places.resize(state.slots.len(), (LOW, 0));
        state.row = first;
        (first..rows).for_each(|row| _ = state.push(at(row)));
        state
    }

    /// Takes the value of the next row, NaN where it has none, and returns the quantile of the window.
    pub fn push(&mut self, value: f64) -> f32 {
        let slot = self.row % self.window;
        if slot < self.slots.len() {
            if !self.slots[slot].is_nan() {
                self.remove(slot);
            }
            self.slots[slot] = value;
        } else {
            self.slots.push(value);
            self.places.push((LOW, 0));
        }
        self.row += 1;
        if !value.is_nan() {
            let low = self.heaps[LOW].first().is_some_and(|top| value.total_cmp(&self.slots[*top]) != Ordering::Greater);
            self.add(if low { LOW } else { HIGH }, slot);
        }
        self.balance();
        self.value()
    }

    fn len(&self) -> usize {
        self.heaps[LOW].len() + self.heaps[HIGH].len()
    }

    fn value(&self) -> f32 {
        let (Some(low), true) = (self.heaps[LOW].first(), self.len() >= self.needed) else { return f32::NAN };
        let low = self.slots[*low];
        let place = (self.len() - 1) as f64 * self.p;
        let share = place - place.floor();
        match self.heaps[HIGH].first() {
            Some(high) if share > 0.0 => narrow(low + share * (self.slots[*high] - low)),
            _ => narrow(low),
        }
    }

    /// Keeps the value at the quantile, or the one just below it, on top of the low half.
    fn balance(&mut self) {
        let wanted = match self.len() {
            0 => 0,
            n => (((n - 1) as f64 * self.p).floor() as usize + 1).min(n),
        };
        while self.heaps[LOW].len() > wanted {
            self.shift(LOW, HIGH);
        }
        while self.heaps[LOW].len() < wanted {
            self.shift(HIGH, LOW);
        }
    }

    fn shift(&mut self, from: usize, to: usize) {
        let top = self.heaps[from][0];
        self.remove(top);
        self.add(to, top);
    }

    fn add(&mut self, heap: usize, slot: usize) {
        self.heaps[heap].push(slot);
        self.up(heap, self.heaps[heap].len() - 1);
    }

    fn remove(&mut self, slot: usize) {
        let (heap, at) = self.places[slot];
        self.heaps[heap].swap_remove(at);
        if at < self.heaps[heap].len() {
            let at = self.up(heap, at);
            self.down(heap, at);
        }
    }

    /// Whether a slot belongs nearer to the top of a heap than another.
    fn before(&self, heap: usize, a: usize, b: usize) -> bool {
        let wanted = if heap == LOW { Ordering::Greater } else { Ordering::Less };
        self.slots[a].total_cmp(&self.slots[b]) == wanted
    }

    fn up(&mut self, heap: usize, mut at: usize) -> usize {
        let slot = self.heaps[heap][at];
        while at > 0 {
            let parent = (at - 1) / 2;
            let above = self.heaps[heap][parent];
            if !self.before(heap, slot, above) {
                break;
            }
            self.put(heap, at, above);
            at = parent;
        }
        self.put(heap, at, slot);
        at
    }

    fn down(&mut self, heap: usize, mut at: usize) {
        let slot = self.heaps[heap][at];
        loop {
            let mut child = 2 * at + 1;
            let Some(mut below) = self.heaps[heap].get(child).copied() else { break };
            if let Some(other) = self.heaps[heap].get(child + 1).copied()
                && self.before(heap, other, below)
            {
                (child, below) = (child + 1, other);
            }
            if !self.before(heap, below, slot) {
                break;
            }
            self.put(heap, at, below);
            at = child;
        }
        self.put(heap, at, slot);
    }

    fn put(&mut self, heap: usize, at: usize, slot: usize) {
        self.heaps[heap][at] = slot;
        self.places[slot] = (heap, at);
    }
}

/// Writes the `p`-quantile of the last `window` rows, NaN where fewer than `min_count` of them have a value.
pub fn rolling_quantile(values: &[f64], p: f64, window: usize, min_count: usize, out: &mut [f32]) {
    let mut state = RollingQuantile::new(p, window, min_count);
    for (to, value) in out.iter_mut().zip(values) {
        *to = state.push(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted_quantile(values: &[f64], p: f64) -> f64 {
        let mut seen: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        seen.sort_by(f64::total_cmp);
        let place = (seen.len() - 1) as f64 * p;
        let (low, high) = (seen[place.floor() as usize], seen[place.ceil() as usize]);
        low + (place - place.floor()) * (high - low)
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![4 => -100.0..100.0_f64, 2 => Just(0.0), 1 => Just(f64::NAN)]
    }

    proptest! {
        #[test]
        fn a_rolling_quantile_is_that_of_the_sorted_window(
            values in prop::collection::vec(value(), 0..90),
            p in prop_oneof![Just(0.0), Just(0.5), Just(1.0), 0.0..1.0_f64],
            window in 1_usize..25,
            needed in 1_usize..5,
        ) {
            let mut out = vec![0.0; values.len()];
            rolling_quantile(&values, p, window, needed, &mut out);
            for row in 0..values.len() {
                let seen = &values[(row + 1).saturating_sub(window)..=row];
                if seen.iter().filter(|value| !value.is_nan()).count() < needed {
                    prop_assert!(out[row].is_nan());
                } else {
                    prop_assert_eq!(out[row], sorted_quantile(seen, p) as f32);
                }
            }
        }

        #[test]
        fn a_resumed_quantile_goes_on_as_it_was(values in prop::collection::vec(value(), 1..90), window in 1_usize..25, cut in 0_usize..90) {
            let cut = cut.min(values.len());
            let mut out = vec![0.0; values.len()];
            rolling_quantile(&values, 0.3, window, 1, &mut out);
            let mut state = RollingQuantile::resume(0.3, window, 1, cut, |row| values[row]);
            for row in cut..values.len() {
                prop_assert_eq!(state.push(values[row]).to_bits(), out[row].to_bits());
            }
        }
    }
}
