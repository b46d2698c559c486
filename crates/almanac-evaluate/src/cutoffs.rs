//! Cutoffs of a backtest: which periods a model is trained up to, and so what is held out after each.
//!
//! Folds are laid out from the panel's end backwards, so that the newest fold's test rows are the last `horizon` periods. Fold 0 is the
//! oldest. A history too short for all folds gives fewer, and [`FoldPlan::reduced`] says so.
//!
//! Not here: running models (`backtest`), scores (`score`).

use almanac_series::{Hint, Horizon, Panel, Period, SeasonLength, SeriesSpan};

/// One cutoff and what is held out after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// 0 is the oldest.
    pub index: usize,
    /// Last period a model may see.
    pub cutoff: Period,
}

/// The folds of a backtest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldPlan {
    /// From the oldest to the newest; at least one.
    pub folds: Vec<Fold>,
    /// How many were asked for.
    pub asked: usize,
    /// Periods from the panel's first row to its last.
    pub history: usize,
    /// Training rows that the oldest fold leaves at least.
    pub shortest_training: usize,
}

impl FoldPlan {
    /// Returns one sentence on why there are fewer folds than asked for, or `None` where there are not.
    pub fn reduced(&self) -> Option<String> {
        (self.folds.len() < self.asked).then(|| {
            format!(
                "{} of {} folds: the history of {} periods leaves no {} training rows before the others",
                self.folds.len(),
                self.asked,
                self.history,
                self.shortest_training
            )
        })
    }
}

/// Why no fold can be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The panel has no series.
    #[error("there is no series to backtest")]
    Empty,
    /// No folds were asked for, or a stride of 0.
    #[error("a backtest needs at least one fold and a stride of at least one step")]
    Nothing,
    /// The history is shorter than one horizon and the least that can be learnt from.
    #[error("the history has {history} periods, a fold needs at least {needed} ({training} to learn from and {horizon} held out)")]
    TooShort {
        /// Periods of the panel.
        history: usize,
        /// Periods needed.
        needed: usize,
        /// Least training rows.
        training: usize,
        /// Steps held out.
        horizon: usize,
    },
}

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Nothing => Some("set `[backtest] folds` and `stride` to at least 1".into()),
            Self::TooShort { history, .. } => {
                let fits = history / 3;
                (fits > 0).then(|| format!("set `[forecast] horizon = {fits}` or less, or give a longer history"))
            }
        }
    }
}

/// Least share of the series held out by a fold that must have enough training rows.
const TRAINED_SHARE: f64 = 0.25;

/// Lays out up to `n_folds` folds of `horizon` steps, `stride` steps apart (default: the horizon, so that test rows do not overlap).
///
/// A fold is useful if a quarter of the series that have rows after its cutoff also have at least `max(horizon, season_length + 1, 4)` rows up
/// to it. Where no fold is useful in this sense, histories without a whole season are accepted: `max(horizon, 4)` rows.
///
/// # Errors
/// [`PlanError`] if not one fold fits.
pub fn plan_folds(
    panel: &Panel,
    horizon: Horizon,
    n_folds: usize,
    stride: Option<usize>,
    season: SeasonLength,
) -> Result<FoldPlan, PlanError> {
    let h = horizon.steps();
    let stride = stride.unwrap_or(h);
    if n_folds == 0 || stride == 0 {
        return Err(PlanError::Nothing);
    }
    let (Some(first), Some(last)) = (panel.first_period(), panel.last_period()) else { return Err(PlanError::Empty) };
    let history = (last.since(first) + 1) as usize;
    let least = h.max(4);
    let seasonal = least.max(season.steps() + 1);
    for training in [seasonal, least] {
        let mut cutoffs: Vec<Period> = (0..n_folds as i64)
            .map(|back| last.plus(-(h as i64) - back * stride as i64))
            .take_while(|cutoff| is_useful(panel, *cutoff, training))
            .collect();
        if !cutoffs.is_empty() {
            cutoffs.reverse();
            let folds = cutoffs.into_iter().enumerate().map(|(index, cutoff)| Fold { index, cutoff }).collect();
            return Ok(FoldPlan { folds, asked: n_folds, history, shortest_training: training });
        }
    }
    Err(PlanError::TooShort { history, needed: least + h, training: least, horizon: h })
}

fn is_useful(panel: &Panel, cutoff: Period, training: usize) -> bool {
    let held_out = || panel.series().iter().filter(|span| span.cutoff() > cutoff);
    let trained = held_out().filter(|span| training_rows(span, cutoff) >= training as i64).count();
    trained > 0 && trained as f64 >= TRAINED_SHARE * held_out().count() as f64
}

fn training_rows(span: &SeriesSpan, cutoff: Period) -> i64 {
    cutoff.since(span.start) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{horizon, panel_of};

    fn cutoffs(rows: usize, h: usize, n: usize, stride: Option<usize>) -> Vec<i64> {
        let panel = panel_of(&[("a", vec![1.0; rows])]);
        plan_folds(&panel, horizon(h), n, stride, panel.freq().season_length())
            .expect("fits")
            .folds
            .iter()
            .map(|fold| fold.cutoff.0)
            .collect()
    }

    #[test]
    fn the_newest_fold_holds_out_the_last_steps() {
        assert_eq!(cutoffs(100, 10, 3, None), [69, 79, 89]);
        assert_eq!(cutoffs(100, 10, 3, Some(1)), [87, 88, 89]);
    }

    #[test]
    fn cutoffs_leave_room_for_the_season_that_is_asked_for() {
        let panel = panel_of(&[("a", vec![1.0; 60])]);
        let folds = |season| {
            let plan = plan_folds(&panel, horizon(4), 20, None, SeasonLength::new(season).expect("in range")).expect("fits");
            plan.folds[0].cutoff.0
        };
        assert_eq!((folds(7), folds(30)), (7, 31));
    }

    #[test]
    fn a_short_history_gives_fewer_folds_and_says_so() {
        let panel = panel_of(&[("a", vec![1.0; 35])]);
        let plan = plan_folds(&panel, horizon(10), 5, None, panel.freq().season_length()).expect("two fit");
        assert_eq!(plan.folds.iter().map(|fold| fold.cutoff.0).collect::<Vec<_>>(), [14, 24]);
        assert_eq!(plan.reduced().as_deref(), Some("2 of 5 folds: the history of 35 periods leaves no 10 training rows before the others"));
    }

    #[test]
    fn less_than_a_season_is_accepted_where_there_is_no_more() {
        assert_eq!(cutoffs(8, 2, 1, None), [5], "six days of training, no whole week and a day");
    }

    #[test]
    fn a_history_shorter_than_a_fold_is_refused_with_a_hint() {
        let panel = panel_of(&[("a", vec![1.0; 12])]);
        let error = plan_folds(&panel, horizon(10), 3, None, panel.freq().season_length()).unwrap_err();
        assert_eq!(error.to_string(), "the history has 12 periods, a fold needs at least 20 (10 to learn from and 10 held out)");
        assert!(error.hint().is_some_and(|hint| hint.contains("horizon = 4")));
        assert_eq!(plan_folds(&panel, horizon(1), 0, None, panel.freq().season_length()), Err(PlanError::Nothing));
    }
}
