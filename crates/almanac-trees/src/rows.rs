//! Which training rows are drawn: for each scored row of the history, one or more origins before it.
//!
//! Rows that are missing or censored are no targets, and their values are no history to the features.
//!
//! A row is a target `t` and a step `s` to it from an origin `o = t - s`. The step is a hash of series, target and draw, so that
//! rows do not depend on the order of series, on threads, or on what other series there are.

use std::ops::{Range, RangeInclusive};

use almanac_features::{Binding, Calendar, FeaturePlan, SeriesFeatures};
use almanac_series::{Panel, SeriesView};
use rayon::prelude::*;

use crate::target::Target;
use crate::value::Values;

/// Below this many targets each gets further draws.
const FEW_TARGETS: usize = 300_000;
/// Of the rows that may be kept, this share goes to the newest; the rest samples all before.
const NEWEST_SHARE: f64 = 0.6;
/// Rows whose values choose the bins.
const SAMPLE_ROWS: usize = 60_000;
/// Rows gathered at once.
const CHUNK_ROWS: usize = 100_000;

/// Draws of each of so many targets.
pub(crate) fn draws_each(targets: usize) -> usize {
    FEW_TARGETS.div_ceil(targets.max(1)).clamp(1, 3)
}

/// A target row and the steps to it from its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(crate) target: u32,
    pub(crate) step: u32,
}

/// All training rows, series by series.
#[derive(Debug)]
pub(crate) struct Draws {
    pub(crate) by_series: Vec<Vec<Draw>>,
}

/// Features of some training rows, row-major, and what belongs to each.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) rows: Vec<f32>,
    pub(crate) labels: Vec<f32>,
    pub(crate) weights: Vec<f32>,
}

impl Draws {
    /// Draws at most `most` rows. `steps`: how far targets lie from their origins; `min_history`: rows with a value that an origin needs.
    pub(crate) fn new(panel: &Panel, steps: RangeInclusive<usize>, min_history: usize, most: usize, seed: u64) -> Self {
        let targets = panel.n_rows();
        let draws_each = draws_each(targets);
        let mut by_series: Vec<Vec<Draw>> = (0..panel.n_series())
            .into_par_iter()
            .map(|index| draws_of(&panel.view(index), &steps, min_history, draws_each, seed))
            .collect();
        let total: usize = by_series.iter().map(Vec::len).sum();
        if total > most {
            thin(&mut by_series, panel, total, most, seed);
        }
        Self { by_series }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_series.iter().map(Vec::len).sum()
    }

    /// Splits off the rows whose targets are the newest: those of the last periods that hold at least `share` of all.
    pub(crate) fn split(&self, panel: &Panel, share: f64) -> (Self, Self) {
        let first = panel.first_period().map_or(0, |period| period.0);
        let period = |index: usize, draw: &Draw| (panel.series()[index].start.0 - first) as usize + draw.target as usize;
        let mut counts: Vec<usize> = Vec::new();
        for (index, draw) in self.by_series.iter().enumerate().flat_map(|(index, draws)| draws.iter().map(move |draw| (index, draw))) {
            let at = period(index, draw);
            counts.resize(counts.len().max(at + 1), 0);
            counts[at] += 1;
        }
        let (wanted, mut newest, mut from) = (self.len() as f64 * share, 0, counts.len());
        while from > 0 && (newest as f64) < wanted {
            from -= 1;
            newest += counts[from];
        }
        let part = |newer: bool| Self {
            by_series: self
                .by_series
                .iter()
                .enumerate()
                .map(|(index, draws)| draws.iter().filter(|draw| (period(index, draw) >= from) == newer).copied().collect())
                .collect(),
        };
        (part(false), part(true))
    }

    /// A sample of rows, for the bins.
    pub(crate) fn sample(&self) -> Self {
        let stride = self.len().div_ceil(SAMPLE_ROWS).max(1);
        let mut position = 0;
        let by_series = self.by_series.iter().map(|draws| {
            let kept = draws.iter().enumerate().filter(|(at, _)| (position + at).is_multiple_of(stride)).map(|(_, draw)| *draw).collect();
            position += draws.len();
            kept
        });
        Self { by_series: by_series.collect() }
    }

    /// Gathers the rows of as many series at once as make a chunk, and hands each chunk over in order.
    pub(crate) fn for_each_block<E>(&self, source: &Source<'_>, mut take: impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        self.chunks().into_iter().try_for_each(|chunk| take(self.gather(source, chunk)))
    }

    /// Series whose rows are gathered together, in order.
    pub(crate) fn chunks(&self) -> Vec<Range<usize>> {
        let mut chunks = Vec::new();
        let mut first = 0;
        while first < self.by_series.len() {
            let mut last = first;
            let mut rows = 0;
            while last < self.by_series.len() && (rows == 0 || rows + self.by_series[last].len() <= CHUNK_ROWS) {
                rows += self.by_series[last].len();
                last += 1;
            }
            chunks.push(first..last);
            first = last;
        }
        chunks
    }

    /// Gathers the rows of some series.
    pub(crate) fn gather(&self, source: &Source<'_>, chunk: Range<usize>) -> Block {
        let blocks: Vec<Block> = chunk.into_par_iter().map(|index| source.block(index, &self.by_series[index])).collect();
        let mut joined = Block::default();
        joined.rows.reserve_exact(blocks.iter().map(|block| block.rows.len()).sum());
        for block in blocks {
            joined.rows.extend_from_slice(&block.rows);
            joined.labels.extend_from_slice(&block.labels);
            joined.weights.extend_from_slice(&block.weights);
        }
        joined
    }
}

/// What rows are gathered from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) plan: &'a FeaturePlan,
    pub(crate) binding: &'a Binding,
    pub(crate) calendar: &'a Calendar,
    pub(crate) target: &'a Target,
    /// What the series are worth, where rows weigh by value.
    pub(crate) values: Option<&'a Values>,
    /// Threads of the library.
    pub(crate) threads: usize,
    /// Trees to grow, where early stopping has found how many.
    pub(crate) rounds: Option<usize>,
}

impl Source<'_> {
    fn block(&self, index: usize, draws: &[Draw]) -> Block {
        let mut block = Block::default();
        if draws.is_empty() {
            return block;
        }
        let view = self.panel.view(index);
        let features = SeriesFeatures::new(&view, self.plan, self.binding, self.calendar);
        block.rows.reserve_exact(draws.len() * self.plan.row().count());
        for draw in draws {
            let target = draw.target as usize;
            let origin = target - draw.step as usize;
            let level = f64::from(features.levels()[origin]);
            features.row(origin, target, level as f32, &mut block.rows);
            let usual = level * f64::from(features.effect(origin, target));
            block.labels.push(self.target.label(view.y()[target], usual));
            let weight = self.values.map_or_else(|| self.target.weight(level), |values| values.weight(view.id(), level));
            block.weights.push(weight);
        }
        block
    }
}

fn draws_of(view: &SeriesView<'_>, reach: &RangeInclusive<usize>, min_history: usize, each: usize, seed: u64) -> Vec<Draw> {
    let horizon = reach.end() + 1 - reach.start();
    let key = hash_text(view.id().as_str());
    let mut counts = vec![0_usize; view.len()];
    let mut positive = vec![false; view.len()];
    let (mut count, mut any) = (0, false);
    let (y, status) = (view.y(), view.status());
    for row in 0..view.len() {
        if status[row].is_scored() && !y[row].is_nan() {
            count += 1;
            any |= y[row] != 0.0;
        }
        counts[row] = count;
        positive[row] = any;
    }
    let mut draws = Vec::new();
    for (target, _) in view.scored() {
        let mut steps = [0_usize; 3];
        for draw in 0..each {
            let step = reach.start() + (mix(key ^ mix(target as u64 ^ mix(seed ^ draw as u64))) % horizon as u64) as usize;
            steps[draw] = step;
            let Some(origin) = target.checked_sub(step) else { continue };
            // Before its first sale a series has no level to measure by.
            if counts[origin] >= min_history && positive[origin] && !steps[..draw].contains(&step) {
                draws.push(Draw { target: target as u32, step: step as u32 });
            }
        }
    }
    draws
}

/// Keeps the newest rows and a hashed sample of those before.
fn thin(by_series: &mut [Vec<Draw>], panel: &Panel, total: usize, most: usize, seed: u64) {
    let first = panel.first_period().map_or(0, |period| period.0);
    let span = panel.last_period().map_or(0, |period| period.0) - first + 1;
    let mut counts = vec![0_usize; span.max(0) as usize];
    for (span, draws) in panel.series().iter().zip(by_series.iter()) {
        for draw in draws {
            counts[(span.start.0 - first) as usize + draw.target as usize] += 1;
        }
    }
    let mut newest = 0;
    let mut from = counts.len();
    while from > 0 && (newest + counts[from - 1]) as f64 <= most as f64 * NEWEST_SHARE {
        from -= 1;
        newest += counts[from];
    }
    let keep = (most - newest) as f64 / (total - newest).max(1) as f64;
    for (span, draws) in panel.series().iter().zip(by_series.iter_mut()) {
        let key = hash_text(span.id.as_str());
        let offset = (span.start.0 - first) as usize;
        draws.retain(|draw| {
            let uniform = mix(key ^ mix(u64::from(draw.target) ^ mix(!seed ^ u64::from(draw.step)))) as f64 / u64::MAX as f64;
            offset + draw.target as usize >= from || uniform < keep
        });
    }
}

/// FNV-1a.
fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64's finaliser.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
