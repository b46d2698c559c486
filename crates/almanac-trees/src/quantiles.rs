//! From the quantiles that were learnt to those that are asked for.

use almanac_series::Quantile;

/// Probabilities that get a model each: the bounds of the usual intervals, the quartiles and the median.
pub(crate) const GRID: [f64; 7] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];

/// Appends one value for each quantile asked for, ascending if they are. `learnt`: probabilities and values, in any order.
///
/// Crossing values are sorted, which never raises the pinball loss (Chernozhukov, Fernández-Val & Galichon 2010, "Quantile and
/// probability curves without crossing"). Between and beyond two probabilities the value is linear in their log-odds: the
/// tails of a logistic distribution. `least`: no value lies below it.
pub(crate) fn interpolate(learnt: &mut [(f64, f64)], asked: &[Quantile], least: f64, out: &mut Vec<f64>) {
    let mut values: Vec<f64> = learnt.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    learnt.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (pair, value) in learnt.iter_mut().zip(values) {
        pair.1 = value;
    }
    out.extend(asked.iter().map(|quantile| {
        let p = quantile.probability();
        let at = learnt.partition_point(|(known, _)| *known < p).clamp(1, learnt.len().saturating_sub(1).max(1));
        let value = match (learnt.get(at - 1), learnt.get(at)) {
            (Some(below), Some(above)) if above.1 > below.1 => {
                let share = (log_odds(p) - log_odds(below.0)) / (log_odds(above.0) - log_odds(below.0));
                // A value that was learnt is given as it is.
                if share == 1.0 { above.1 } else { below.1 + share * (above.1 - below.1) }
            }
            (Some(below), _) => below.1,
            (None, _) => f64::NAN,
        };
        value.max(least)
    }));
}

fn log_odds(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(probabilities: &[f64]) -> Vec<Quantile> {
        probabilities.iter().map(|p| Quantile::new(*p).expect("in range")).collect()
    }

    fn of(learnt: &[(f64, f64)], probabilities: &[f64], least: f64) -> Vec<f64> {
        let mut out = Vec::new();
        interpolate(&mut learnt.to_vec(), &asked(probabilities), least, &mut out);
        out
    }

    #[test]
    fn what_was_learnt_is_given_as_it_is() {
        let learnt: Vec<(f64, f64)> = GRID.iter().map(|p| (*p, log_odds(*p) * 3.0 + 20.0)).collect();
        assert_eq!(of(&learnt, &GRID, 0.0), learnt.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    }

    #[test]
    fn between_and_beyond_it_follows_the_log_odds() {
        let learnt: Vec<(f64, f64)> = GRID.iter().map(|p| (*p, log_odds(*p) * 3.0 + 20.0)).collect();
        for (p, value) in [0.005, 0.165, 0.4, 0.835, 0.995].iter().zip(of(&learnt, &[0.005, 0.165, 0.4, 0.835, 0.995], 0.0)) {
            assert!((value - (log_odds(*p) * 3.0 + 20.0)).abs() < 1e-9, "{p}: {value}");
        }
    }

    #[test]
    fn crossing_quantiles_are_put_in_order() {
        let values = of(&[(0.1, 3.0), (0.5, 2.0), (0.9, 7.0)], &[0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99], 0.0);
        assert!(values.is_sorted(), "{values:?}");
        assert_eq!((values[1], values[3], values[5]), (2.0, 3.0, 7.0));
    }

    #[test]
    fn none_lies_below_the_least() {
        assert_eq!(of(&[(0.1, 0.0), (0.5, 2.0), (0.9, 4.0)], &[0.01, 0.5], 0.0), [0.0, 2.0]);
        assert!(of(&[(0.1, 0.0), (0.5, 2.0), (0.9, 4.0)], &[0.01], f64::NEG_INFINITY)[0] < 0.0);
    }
}
