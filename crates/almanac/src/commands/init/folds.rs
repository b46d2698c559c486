//! How many cutoffs a short history has room for, so that the first run does not end at a gate.
//!
//! A long history is left to the defaults. The rule of what a cutoff needs is that of `almanac_evaluate::plan_folds`.
//!
//! Not here: measuring the history (`almanac-data`).

use almanac_config::InitReason;

/// Cutoffs of a backtest unless the file says otherwise.
const USUAL: usize = 3;

/// Horizon and cutoffs of a new project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) horizon: usize,
    /// `None`: as usual.
    pub(super) folds: Option<usize>,
    /// `None`: as usual.
    pub(super) stride: Option<usize>,
    pub(super) reasons: Vec<InitReason>,
    /// What cannot go well.
    pub(super) doubt: Option<String>,
}

/// Lays out cutoffs for the horizon that the user asked for.
pub(super) fn with_horizon(periods: usize, season: usize, horizon: usize) -> Layout {
    let mut layout = Layout { horizon, ..Layout::default() };
    let Some((folds, stride)) = fit(periods, season, horizon) else {
        let needed = horizon + horizon.max(4);
        layout.doubt = Some(format!(
            "a horizon of {horizon} needs a history of {needed} periods and there are {periods}: a run will stop (`--horizon {}` would do)",
            (periods / 4).max(1)
        ));
        return layout;
    };
    if folds == USUAL && stride == horizon {
        return layout;
    }
    let reason = |key: &str, why: String| InitReason { key: key.into(), value: String::new(), why };
    layout.stride = (stride < horizon && folds > 1).then_some(stride);
    if layout.stride.is_some() {
        layout
            .reasons
            .push(reason("forecast.fold_stride", format!("the history of {periods} periods is short, so that test rows overlap")));
    }
    if folds < USUAL {
        layout.folds = Some(folds);
        let why = format!("the history of {periods} periods has no room for {USUAL} cutoffs of {horizon} steps");
        layout.reasons.push(reason("forecast.folds", why));
        let why = "there are no more cutoffs; a champion chosen on so few is little more than a guess".to_owned();
        layout.reasons.push(reason("gates.min_folds", why));
    }
    layout
}

/// Lays out cutoffs for the usual horizon, or for a shorter one where not one cutoff has room.
pub(super) fn up_to_horizon(periods: usize, season: usize, usual: usize) -> Layout {
    if fit(periods, season, usual).is_some() {
        return with_horizon(periods, season, usual);
    }
    let horizon = (periods / 4).clamp(1, usual);
    let mut layout = with_horizon(periods, season, horizon);
    let why = format!("the usual {usual} steps need a history of {} periods and there are {periods}", usual + usual.max(4));
    layout.reasons.push(InitReason { key: "forecast.horizon".into(), value: String::new(), why });
    layout
}

/// The most cutoffs up to the usual ones, and the steps between them; `None` if there is no room for one.
fn fit(periods: usize, season: usize, horizon: usize) -> Option<(usize, usize)> {
    let least = horizon.max(4);
    let seasonal = least.max(season + 1);
    let before = periods.checked_sub(horizon)?;
    let room = before.checked_sub(seasonal).or_else(|| before.checked_sub(least))?;
    // Cutoffs closer than a quarter of the horizon tell nearly the same thing twice.
    let apart = horizon.div_ceil(4);
    (1..=USUAL).rev().find_map(|folds| {
        let stride = room.checked_div(folds - 1).map_or(horizon, |stride| stride.min(horizon));
        (stride >= apart).then_some((folds, stride))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_left_to_the_defaults() {
        assert_eq!(up_to_horizon(400, 7, 28), Layout { horizon: 28, ..Layout::default() });
    }

    #[test]
    fn a_short_history_has_fewer_cutoffs_or_closer_ones() {
        assert_eq!(fit(112, 7, 28), Some((3, 28)));
        assert_eq!(fit(80, 7, 28), Some((3, 12)));
        assert_eq!(fit(60, 7, 28), Some((1, 28)));
        assert_eq!(fit(56, 7, 28), Some((1, 28)));
        assert_eq!(fit(55, 7, 28), None);
        let layout = up_to_horizon(60, 7, 28);
        assert_eq!((layout.horizon, layout.folds, layout.stride), (28, Some(1), None));
    }

    #[test]
    fn a_history_too_short_for_the_usual_horizon_has_a_shorter_one() {
        let layout = up_to_horizon(30, 7, 28);
        assert_eq!((layout.horizon, layout.folds, layout.stride), (7, None, None));
        assert_eq!(up_to_horizon(10, 7, 28).horizon, 2);
    }

    #[test]
    fn a_horizon_that_the_user_named_is_kept_and_doubted() {
        let layout = with_horizon(30, 7, 28);
        assert_eq!((layout.horizon, layout.folds), (28, None));
        assert!(layout.doubt.is_some_and(|doubt| doubt.contains("56 periods and there are 30")));
    }
}
