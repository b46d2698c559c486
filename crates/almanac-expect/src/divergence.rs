//! The Kullback-Leibler divergence of a column from an expected partition, as Great Expectations takes it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::rule::{Divergence, Partition};
use crate::value::Value;
use crate::work::numbers::Bins;

/// A verdict with what was observed.
pub(crate) struct Judged {
    pub(crate) success: bool,
    pub(crate) observed: Option<f64>,
    pub(crate) details: Json,
}

fn judged(rule: &Divergence, divergence: f64, details: Json) -> Judged {
    Judged {
        success: rule.threshold.is_none_or(|threshold| divergence <= threshold),
        observed: Some(divergence).filter(|value| value.is_finite()),
        details,
    }
}

/// Judges values that are counted.
pub(crate) fn of_values(rule: &Divergence, counts: &BTreeMap<Value, u64>, total: u64) -> Judged {
    let own: (Vec<Value>, Vec<f64>);
    let (values, weights) = if let Some(Partition::Values(values, weights)) = &rule.partition {
        (values, weights)
    } else {
        own = counts.iter().map(|(value, count)| (value.clone(), *count as f64 / total as f64)).unzip();
        (&own.0, &own.1)
    };
    let unexpected: Vec<&Value> = counts.keys().filter(|value| !values.contains(value)).collect();
    let share = |value: &Value| counts.get(value).map_or(0.0, |count| *count as f64 / total as f64);
    let mut observed: Vec<f64> = values.iter().map(share).collect();
    let mut expected = weights.clone();
    if !unexpected.is_empty() {
        expected.iter_mut().for_each(|weight| *weight *= 1.0 - rule.tail);
        observed.extend(unexpected.iter().map(|value| share(value)));
        expected.extend(unexpected.iter().map(|_| rule.tail / unexpected.len() as f64));
    }
    let names: Vec<Json> = values.iter().chain(unexpected).map(Value::json).collect();
    let details = json!({
        "observed_partition": {"values": names, "weights": numbers(&observed)},
        "expected_partition": {"values": names, "weights": numbers(&expected)},
    });
    judged(rule, entropy(&observed, &expected), details)
}

/// Judges numbers that are counted between edges.
pub(crate) fn of_bins(rule: &Divergence, bins: &Bins) -> Judged {
    let total = bins.total as f64;
    let share = |count: u64| count as f64 / total;
    let mut observed: Vec<f64> = bins.counts.iter().map(|count| share(*count)).collect();
    let (below, above) = (share(bins.below), share(bins.above));
    let (weights, tails) = if let Some(Partition::Bins { weights, tails, .. }) = &rule.partition {
        (weights.clone(), *tails)
    } else {
        let rest = (1.0 - observed.iter().sum::<f64>()) / 2.0;
        (observed.clone(), Some([rest, rest]))
    };
    let mut expected: Vec<f64> = weights.iter().map(|weight| weight * (1.0 - rule.tail - rule.internal)).collect();
    let empty = expected.iter().filter(|weight| **weight == 0.0).count();
    if rule.internal > 0.0 && empty > 0 {
        expected.iter_mut().filter(|weight| **weight == 0.0).for_each(|weight| *weight = rule.internal / empty as f64);
    }
    let mut edges = bins.edges.clone();
    let open = (edges.first() == Some(&f64::NEG_INFINITY), edges.last() == Some(&f64::INFINITY));
    let mut ends = |low: bool, high: bool| {
        // A bin that reaches to infinity is a tail.
        let take = |weights: &mut Vec<f64>, first: bool| if first { weights.remove(0) } else { weights.pop().unwrap_or(0.0) };
        let mut expected_tails = tails.unwrap_or([rule.tail / 2.0; 2]);
        let mut observed_tails = [below, above];
        if low || high {
            expected_tails = [rule.tail; 2];
        }
        if low {
            expected_tails[0] = take(&mut expected, true);
            observed_tails[0] = take(&mut observed, true);
            edges.remove(0);
        }
        if high {
            expected_tails[1] = take(&mut expected, false);
            observed_tails[1] = take(&mut observed, false);
            edges.pop();
        }
        (expected_tails, observed_tails)
    };
    let (expected_tails, observed_tails) = ends(open.0, open.1);
    let with = |weights: &[f64], tails: [f64; 2]| [&tails[..1], weights, &tails[1..]].concat();
    let divergence = entropy(&with(&observed, observed_tails), &with(&expected, expected_tails));
    let details = json!({
        "observed_partition": {"bins": numbers(&edges), "weights": numbers(&observed), "tail_weights": numbers(&observed_tails)},
        "expected_partition": {"bins": numbers(&edges), "weights": numbers(&expected), "tail_weights": numbers(&expected_tails)},
    });
    judged(rule, divergence, details)
}

fn numbers(values: &[f64]) -> Vec<Json> {
    values.iter().map(|value| Value::Float(*value).json()).collect()
}

/// Relative entropy of two sets of weights, each made to add up to one.
fn entropy(observed: &[f64], expected: &[f64]) -> f64 {
    let (all, wanted) = (observed.iter().sum::<f64>(), expected.iter().sum::<f64>());
    observed
        .iter()
        .zip(expected)
        .map(|(p, q)| {
            let (p, q) = (p / all, q / wanted);
            if p > 0.0 && q > 0.0 {
                p * (p / q).ln()
            } else if p == 0.0 && q >= 0.0 {
                0.0
            } else if p.is_nan() || q.is_nan() {
                f64::NAN
            } else {
                f64::INFINITY
            }
        })
        .sum()
}

/// Returns the edges that `bins="auto"` gives: as many as Sturges' and Freedman and Diaconis' rules ask for, evenly between the ends.
pub(crate) fn auto_edges(count: u64, quartiles: &[Option<f64>]) -> Vec<f64> {
    let [Some(least), Some(first), Some(third), Some(greatest)] = *quartiles else { return vec![f64::NAN] };
    let sturges = (count as f64 + 1.0).log2().ceil();
    let width = third - first;
    let bins = if width < 1e-10 {
        sturges
    } else {
        let each = 2.0 * width / (count as f64).cbrt();
        sturges.max(((greatest - least) / each).ceil())
    };
    let bins = bins.clamp(1.0, 1e6) as usize;
    let step = (greatest - least) / bins as f64;
    (0..=bins).map(|place| if place == bins { greatest } else { least + step * place as f64 }).collect()
}
