//! Do the forecasts of all levels add up?
//!
//! Not here: making them add up (`aggregate`).

use almanac_model::Forecast;

use crate::{Hierarchy, NodeKey};

/// How far the forecasts of upper levels are from the sums of the bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Coherence {
    /// Largest absolute difference of a mean and the sum it should be.
    pub max_deviation: f64,
    /// Level and node where it is, if any node was compared.
    pub worst: Option<(String, NodeKey)>,
    /// Number of means compared.
    pub compared: usize,
}

/// Compares the forecast of each level with the sums of the last one, the bottom. `forecasts`: one per level, in the order of the levels.
///
/// A node that one side lacks deviates infinitely.
pub fn coherence_check(hierarchy: &Hierarchy, forecasts: &[&Forecast]) -> Coherence {
    let mut coherence = Coherence { max_deviation: 0.0, worst: None, compared: 0 };
    let Some(bottom) = forecasts.last() else { return coherence };
    for (level, forecast) in forecasts.iter().enumerate() {
        let sums = hierarchy.aggregate(level, bottom);
        for (node, key) in hierarchy.levels()[level].nodes.iter().enumerate() {
            let deviation = match (sums.position(key), forecast.position(key)) {
                (None, None) => continue,
                (Some(sum), Some(own)) => {
                    coherence.compared += forecast.horizon.steps();
                    sums.mean_of(sum).iter().zip(forecast.mean_of(own)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
                }
                _ => f64::INFINITY,
            };
            if coherence.worst.is_none() || deviation > coherence.max_deviation {
                coherence.max_deviation = deviation;
                coherence.worst = Some((hierarchy.levels()[level].name.clone(), hierarchy.levels()[level].nodes[node].clone()));
            }
        }
    }
    coherence
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Horizon, Period};

    use super::*;
    use crate::structure::tests::panel;

    #[test]
    fn sums_are_coherent_and_a_changed_mean_is_found() {
        let hierarchy = Hierarchy::new(&panel(), &["region/item".into()]).expect("columns exist");
        let mut bottom = Forecast::empty("naive", Freq::Day, Horizon::new(2).expect("in range"), &[]);
        for (k, id) in hierarchy.series().iter().enumerate() {
            bottom.push(ForecastSpan { id: id.clone(), cutoff: Period(9) }, &[0.1 * k as f64, 0.7], &[]);
        }
        let mut levels: Vec<Forecast> = (0..hierarchy.levels().len()).map(|level| hierarchy.aggregate(level, &bottom)).collect();
        let whole = coherence_check(&hierarchy, &levels.iter().collect::<Vec<_>>());
        assert_eq!((whole.max_deviation, whole.compared), (0.0, 14));
        levels[1].mean[3] += 0.5;
        let broken = coherence_check(&hierarchy, &levels.iter().collect::<Vec<_>>());
        assert!((broken.max_deviation - 0.5).abs() < 1e-12);
        assert_eq!(broken.worst, Some(("region".into(), "s".into())));
    }
}
