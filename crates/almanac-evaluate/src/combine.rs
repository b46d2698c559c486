//! Weighted means of forecasts.
//!
//! Not here: which weights (`ensemble`).

use std::collections::BTreeMap;

use almanac_model::{Forecast, ForecastSpan};
use almanac_series::SeriesId;

/// Returns the weighted mean of forecasts under the name `ensemble`, series by series; weights need not sum to 1.
///
/// A series that a member lacks is the mean of the others, with their weights scaled up; a series that all lack, or all whose weight is positive,
/// is in `skipped` with the reason of the first. Quantiles are averaged where all members have the same ones, otherwise there are none.
///
/// # Panics
/// If there are no members, or not one weight for each, or their horizons differ: a bug of the caller.
pub fn combine(members: &[&Forecast], weights: &[f64]) -> Forecast {
    assert_eq!(members.len(), weights.len(), "one weight per member");
    let first = members.first().expect("an ensemble has members");
    assert!(members.iter().all(|member| member.horizon == first.horizon), "members look equally far ahead");
    let active: Vec<(&Forecast, f64)> = members.iter().copied().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    let same_quantiles = active.iter().all(|(member, _)| member.quantiles == active[0].0.quantiles);
    let quantiles = if same_quantiles && !active.is_empty() { active[0].0.quantiles.as_slice() } else { &[] };

    let mut holders: BTreeMap<&SeriesId, Vec<(usize, usize)>> = BTreeMap::new();
    for (k, (member, _)) in active.iter().enumerate() {
        for (position, span) in member.series.iter().enumerate() {
            holders.entry(&span.id).or_default().push((k, position));
        }
    }
    let mut combined = Forecast::empty("ensemble", first.freq, first.horizon, quantiles);
    let (h, width) = (first.horizon.steps(), first.horizon.steps() * quantiles.len());
    for (id, holders) in &holders {
        let total: f64 = holders.iter().map(|(k, _)| active[*k].1).sum();
        let (mut mean, mut values) = (vec![0.0; h], vec![0.0; width]);
        for (k, position) in holders {
            let (member, weight) = active[*k];
            let share = weight / total;
            for (sum, value) in mean.iter_mut().zip(member.mean_of(*position)) {
                *sum += share * value;
            }
            if !quantiles.is_empty() {
                for (sum, value) in values.iter_mut().zip(member.quantiles_of(*position)) {
                    *sum += share * value;
                }
            }
        }
        let (k, position) = holders[0];
        let cutoff = active[k].0.series[position].cutoff;
        combined.push(ForecastSpan { id: (*id).clone(), cutoff }, &mean, &values);
    }
    for skipped in members.iter().flat_map(|member| &member.skipped) {
        if !holders.contains_key(&skipped.series) && !combined.skipped.iter().any(|other| other.series == skipped.series) {
            combined.skipped.push(skipped.clone());
        }
    }
    combined
}

#[cfg(test)]
mod tests {
    use almanac_series::{Freq, Period};

    use super::*;
    use crate::simulate::horizon;

    fn member(series: &[(&str, f64)]) -> Forecast {
        let mut forecast = Forecast::empty("m", Freq::Day, horizon(1), &[]);
        for (id, mean) in series {
            forecast.push(ForecastSpan { id: (*id).into(), cutoff: Period(0) }, &[*mean], &[]);
        }
        forecast
    }

    #[test]
    fn weights_of_a_member_that_lacks_a_series_go_to_the_others() {
        let combined = combine(&[&member(&[("a", 1.0), ("b", 1.0)]), &member(&[("a", 5.0), ("c", 9.0)])], &[3.0, 1.0]);
        let ids: Vec<&str> = combined.series.iter().map(|span| span.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(combined.mean, [2.0, 1.0, 9.0]);
    }
}
