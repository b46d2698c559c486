//! One forecast out of several: means and medians, with the same weights for all series or not.
//!
//! Not here: which weights (`ensemble`), intervals: those are calibrated on the errors of the mix itself.

use std::collections::BTreeMap;

use almanac_model::{Forecast, ForecastSpan};
use almanac_series::{DemandClass, Panel, SeriesId};
use serde::{Deserialize, Serialize};

/// How models are mixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Names, and weights that sum to 1: those of a series that has none of its own. Of a median only the names matter.
    pub members: Vec<(String, f64)>,
    /// What is done with them.
    pub kind: MixKind,
}

/// What is done with the members of a mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "weights", rename_all = "snake_case")]
pub enum MixKind {
    /// The weighted mean.
    Mean,
    /// The median, step by step.
    Median,
    /// A weighted mean whose weights depend on the demand class ([`DemandClass`]) of the history. One weight a member.
    PerClass(BTreeMap<String, Vec<f64>>),
    /// A weighted mean with weights of its own for each known series.
    PerSeries(BTreeMap<String, Vec<f64>>),
}

impl Mix {
    /// Returns a mix of one model: the model itself.
    pub fn single(name: &str) -> Self {
        Self { members: vec![(name.to_owned(), 1.0)], kind: MixKind::Mean }
    }

    /// Returns the names of the members, in the order in which [`Self::combine`] takes their forecasts.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the mixed forecast under the name `ensemble`, without quantiles. `context`: the panel that was forecast; `forecasts`: one a member.
    ///
    /// A series that a member lacks is mixed of the others; one that all lack is in `skipped` with the reason of the first.
    ///
    /// # Panics
    /// If there is not one forecast for each member, or their horizons differ: a bug of the caller.
    pub fn combine(&self, context: &Panel, forecasts: &[&Forecast]) -> Forecast {
        assert_eq!(forecasts.len(), self.members.len(), "one forecast a member");
        let first = forecasts.first().expect("a mix has members");
        assert!(forecasts.iter().all(|forecast| forecast.horizon == first.horizon), "members look equally far ahead");
        let mut holders: BTreeMap<&SeriesId, Vec<(usize, usize)>> = BTreeMap::new();
        for (member, forecast) in forecasts.iter().enumerate() {
            for (position, span) in forecast.series.iter().enumerate() {
                holders.entry(&span.id).or_default().push((member, position));
            }
        }
        let defaults: Vec<f64> = self.members.iter().map(|(_, weight)| *weight).collect();
        let mut combined = Forecast::empty("ensemble", first.freq, first.horizon, &[]);
        let mut mean = vec![0.0; first.horizon.steps()];
        let mut at_step = Vec::with_capacity(forecasts.len());
        for (id, holders) in &holders {
            let weights = self.weights_of(id, context).unwrap_or(&defaults);
            let total: f64 = holders.iter().map(|(member, _)| weights[*member]).sum();
            let members = || holders.iter().map(|(member, position)| (*member, forecasts[*member].mean_of(*position)));
            for (step, mean) in mean.iter_mut().enumerate() {
                *mean = if self.kind == MixKind::Median {
                    at_step.clear();
                    at_step.extend(members().map(|(_, means)| means[step]));
                    median(&mut at_step)
                } else if total > 0.0 {
                    members().map(|(member, means)| weights[member] / total * means[step]).sum()
                } else {
                    members().map(|(_, means)| means[step]).sum::<f64>() / holders.len() as f64
                };
            }
            let (member, position) = holders[0];
            let cutoff = forecasts[member].series[position].cutoff;
            combined.push(ForecastSpan { id: (*id).clone(), cutoff }, &mean, &[]);
            if holders.iter().any(|(member, _)| forecasts[*member].cold.contains(id)) {
                combined.cold.push((*id).clone());
            }
        }
        for skipped in forecasts.iter().flat_map(|forecast| &forecast.skipped) {
            if !holders.contains_key(&skipped.series) && !combined.skipped.iter().any(|other| other.series == skipped.series) {
                combined.skipped.push(skipped.clone());
            }
        }
        combined
    }

    /// Returns the weights of a series' own, if it has any.
    fn weights_of(&self, id: &SeriesId, context: &Panel) -> Option<&Vec<f64>> {
        match &self.kind {
            MixKind::Mean | MixKind::Median => None,
            MixKind::PerClass(weights) => weights.get(class_of(context, id)?.name()),
            MixKind::PerSeries(weights) => weights.get(id.as_str()),
        }
    }
}

/// Returns the demand class of a series of `context`, if it is there and ever sold.
pub(crate) fn class_of(context: &Panel, id: &SeriesId) -> Option<DemandClass> {
    let view = context.view(context.position(id.as_str())?);
    DemandClass::of(&view.scored().map(|(_, y)| y).collect::<Vec<f64>>())
}

/// Median of at least one value; the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { 0.5 * values[middle - 1] + 0.5 * values[middle] }
}

#[cfg(test)]
mod tests {
    use almanac_series::{Freq, Period};

    use super::*;
    use crate::simulate::{horizon, panel_of};

    fn member(series: &[(&str, f64)]) -> Forecast {
        let mut forecast = Forecast::empty("m", Freq::Day, horizon(1), &[]);
        for (id, mean) in series {
            forecast.push(ForecastSpan { id: (*id).into(), cutoff: Period(0) }, &[*mean], &[]);
        }
        forecast
    }

    fn mix(kind: MixKind, weights: &[f64]) -> Mix {
        Mix { members: weights.iter().map(|weight| ("m".to_owned(), *weight)).collect(), kind }
    }

    fn context() -> Panel {
        panel_of(&[("a", vec![5.0, 6.0, 5.0, 6.0]), ("b", vec![5.0, 0.0, 0.0, 5.0, 0.0, 0.0])])
    }

    #[test]
    fn weights_of_a_member_that_lacks_a_series_go_to_the_others() {
        let members = [member(&[("a", 1.0), ("b", 1.0)]), member(&[("a", 5.0), ("c", 9.0)])];
        let combined = mix(MixKind::Mean, &[0.75, 0.25]).combine(&context(), &[&members[0], &members[1]]);
        let ids: Vec<&str> = combined.series.iter().map(|span| span.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(combined.mean, [2.0, 1.0, 9.0]);
    }

    #[test]
    fn a_median_passes_over_one_wild_member() {
        let members = [1.0, 2.0, 1e9].map(|mean| member(&[("a", mean)]));
        let combined = mix(MixKind::Median, &[0.2, 0.2, 0.6]).combine(&context(), &members.iter().collect::<Vec<_>>());
        assert_eq!(combined.mean, [2.0]);
    }

    #[test]
    fn classes_and_series_may_have_weights_of_their_own() {
        let members = [member(&[("a", 1.0), ("b", 1.0), ("new", 1.0)]), member(&[("a", 3.0), ("b", 3.0), ("new", 3.0)])];
        let members = [&members[0], &members[1]];
        let per_class = MixKind::PerClass([("intermittent".to_owned(), vec![0.0, 1.0])].into());
        assert_eq!(mix(per_class, &[1.0, 0.0]).combine(&context(), &members).mean, [1.0, 3.0, 1.0]);
        let per_series = MixKind::PerSeries([("a".to_owned(), vec![0.5, 0.5])].into());
        assert_eq!(mix(per_series, &[1.0, 0.0]).combine(&context(), &members).mean, [2.0, 1.0, 1.0]);
    }

    #[test]
    fn a_mix_is_read_back_as_it_was_written() {
        for kind in [MixKind::Mean, MixKind::Median, MixKind::PerSeries([("a".to_owned(), vec![0.5, 0.5])].into())] {
            let mix = mix(kind, &[0.3, 0.7]);
            let text = serde_json::to_string(&mix).expect("plain data");
            assert_eq!(serde_json::from_str::<Mix>(&text).expect("its own text"), mix);
        }
    }
}
