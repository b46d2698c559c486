//! From what was gathered of series to verdicts: gaps, seasons, levels, sums.

use std::collections::BTreeMap;

use almanac_series::Freq;
use serde_json::{Value as Json, json};

use super::{SpansBySeries, SumsByKey};
use crate::value::Value;

/// A verdict with what was observed, as JSON and as words.
pub(crate) struct Verdict {
    pub(crate) success: bool,
    pub(crate) observed: Json,
    pub(crate) details: Json,
    pub(crate) words: String,
}

/// Returns which series have holes, and how many periods are missing.
pub(crate) fn gaps(series: &SpansBySeries, freq: Freq) -> Verdict {
    let mut missing = 0;
    let mut found: Vec<(String, i64, i64)> = Vec::new();
    for (name, spans) in series.values() {
        let mut spans = spans.clone();
        spans.sort_unstable();
        let mut end = spans.first().map_or(0, |span| span.1);
        let mut own = 0;
        let mut first = None;
        for span in spans.iter().skip(1) {
            if span.0 > end + 1 {
                own += span.0 - end - 1;
                first.get_or_insert(end + 1);
            }
            end = end.max(span.1);
        }
        if let Some(first) = first {
            missing += own;
            found.push((name.clone(), own, first));
        }
    }
    found.sort();
    let label = |period: i64| freq.label(almanac_series::Period(period));
    let sample: Vec<Json> = found
        .iter()
        .take(20)
        .map(|(name, own, first)| json!({"series": name, "missing_periods": own, "first_missing": label(*first)}))
        .collect();
    let words = match found.first() {
        None => format!("{} series without gaps", series.len()),
        Some((name, _, first)) => {
            format!("{missing} periods are missing in {} of {} series; `{name}` lacks {}", found.len(), series.len(), label(*first))
        }
    };
    Verdict {
        success: found.is_empty(),
        observed: json!(missing),
        details: json!({"series_with_gaps": found.len(), "sample": sample}),
        words,
    }
}

/// Compares the strength of the season in the newer half with that of the older half: the autocorrelation at the season's length of
/// the totals, both halves freed of their trend.
pub(crate) fn seasonality(totals: &BTreeMap<i128, f64>, season: usize, strength: f64) -> Verdict {
    let values: Vec<f64> = totals.values().copied().collect();
    if values.len() < season * 6 {
        let words = format!("{} periods, too few for seasons of {season}: at least {} are needed", values.len(), season * 6);
        return Verdict { success: false, observed: Json::Null, details: json!({"periods": values.len()}), words };
    }
    let (older, newer) = values.split_at(values.len() / 2);
    let (before, now) = (autocorrelation(older, season), autocorrelation(newer, season));
    // A season that never was cannot be lost.
    let success = before < strength || now >= strength;
    let words = format!("strength {now:.2} after {before:.2} at a season of {season}");
    Verdict { success, observed: json!(now), details: json!({"older": before, "newer": now}), words }
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let middle = (count - 1.0) / 2.0;
    let (mut up, mut down) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let at = place as f64 - middle;
        up += at * (value - mean);
        down += at * at;
    }
    let slope = if down > 0.0 { up / down } else { 0.0 };
    let flat: Vec<f64> = values.iter().enumerate().map(|(place, value)| value - mean - slope * (place as f64 - middle)).collect();
    let power: f64 = flat.iter().map(|value| value * value).sum();
    if power <= 0.0 || values.len() <= lag {
        return 0.0;
    }
    flat.iter().zip(&flat[lag..]).map(|(a, b)| a * b).sum::<f64>() / power
}

/// Compares the mean of the last window with what came before, in units of the spread of earlier windows' means.
pub(crate) fn level_shift(totals: &BTreeMap<i128, f64>, window: usize, deviations: f64) -> Verdict {
    let values: Vec<f64> = totals.values().copied().collect();
    let means: Vec<f64> = values.rchunks_exact(window).map(|part| part.iter().sum::<f64>() / window as f64).collect();
    let Some((last, earlier)) = means.split_first().filter(|(_, earlier)| earlier.len() >= 3) else {
        let words = format!("{} periods, too few for windows of {window}: at least {} are needed", values.len(), window * 4);
        return Verdict { success: false, observed: Json::Null, details: json!({"periods": values.len()}), words };
    };
    let center = earlier.iter().sum::<f64>() / earlier.len() as f64;
    let spread = (earlier.iter().map(|mean| (mean - center) * (mean - center)).sum::<f64>() / (earlier.len() - 1) as f64).sqrt();
    // Means that never moved leave a thousandth of the level as the least spread.
    let spread = spread.max(center.abs() * 1e-3).max(f64::MIN_POSITIVE);
    let shift = (last - center) / spread;
    let words = format!("the last {window} periods lie {shift:.1} deviations from the level before ({last:.3} after {center:.3})");
    Verdict { success: shift.abs() <= deviations, observed: json!(shift), details: json!({"level": last, "before": center}), words }
}

/// Compares sums by key with those of another table.
pub(crate) fn sums(own: &SumsByKey, other: &SumsByKey, tolerance: f64) -> Verdict {
    let mut wrong: Vec<(String, Option<f64>, Option<f64>)> = Vec::new();
    for (key, (name, sum)) in own {
        match other.get(key) {
            Some((_, theirs)) if (sum - theirs).abs() <= tolerance * sum.abs().max(theirs.abs()).max(1.0) => {}
            theirs => wrong.push((name.clone(), Some(*sum), theirs.map(|pair| pair.1))),
        }
    }
    wrong.extend(other.iter().filter(|(key, _)| !own.contains_key(*key)).map(|(_, (name, sum))| (name.clone(), None, Some(*sum))));
    wrong.sort_by(|a, b| a.0.cmp(&b.0));
    let sample: Vec<Json> = wrong.iter().take(20).map(|(name, own, other)| json!({"key": name, "sum": own, "other_sum": other})).collect();
    let words = match wrong.first() {
        None => format!("{} sums agree", own.len()),
        Some((name, own, other)) => {
            let show = |sum: &Option<f64>| sum.map_or("nothing".to_owned(), |sum| Value::Float(sum).text());
            format!("{} sums differ; `{name}` has {} against {}", wrong.len(), show(own), show(other))
        }
    };
    Verdict { success: wrong.is_empty(), observed: json!(wrong.len()), details: json!({"sample": sample}), words }
}
