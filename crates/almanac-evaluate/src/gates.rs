//! May this champion be promoted?
//!
//! It must have a lower overall score than each named baseline, over enough cutoffs. Whatever cannot be judged fails: a gate that is open when in doubt is none.
//!
//! Not here: gates on data (`almanac-data`).

use serde::{Deserialize, Serialize};

use crate::Leaderboard;
use crate::metrics::mean;

/// What a champion must beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateConfig {
    /// Names of the baselines.
    pub beats: Vec<String>,
    /// Least number of cutoffs; 3 unless the user accepts fewer.
    pub min_folds: usize,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { beats: Vec::new(), min_folds: 3 }
    }
}

/// Champion against one baseline. Scores are WRMSSE, mean over levels; lower is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineVerdict {
    /// Name of the baseline.
    pub baseline: String,
    /// Whether the champion beats it.
    pub passed: bool,
    /// The champion's overall score.
    pub champion_score: Option<f64>,
    /// The baseline's overall score.
    pub baseline_score: Option<f64>,
    /// Fold, champion's score, baseline's score, for the folds that both have.
    pub per_fold: Vec<(usize, Option<f64>, Option<f64>)>,
    /// One sentence why.
    pub reason: String,
}

/// Outcome of the gates of a champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// Name of the champion.
    pub champion: String,
    /// Whether it may be promoted.
    pub passed: bool,
    /// Number of cutoffs the champion was scored on.
    pub folds: usize,
    /// One per baseline.
    pub baselines: Vec<BaselineVerdict>,
    /// One sentence why.
    pub reason: String,
}

/// Judges a champion by its leaderboard.
pub fn judge(leaderboard: &Leaderboard, champion: &str, config: &GateConfig) -> GateReport {
    let own = leaderboard.overall_of(champion);
    let folds = own.map_or(0, |own| own.per_fold.iter().filter(|(_, score)| score.is_some()).count());
    let baselines: Vec<BaselineVerdict> = config.beats.iter().map(|baseline| verdict(leaderboard, champion, baseline)).collect();
    let lost = baselines.iter().find(|verdict| !verdict.passed);
    let (passed, reason) = if own.is_none_or(|own| own.score.is_none()) {
        let why = "either it was not backtested, or no series changes before a cutoff, so that no error can be scaled";
        (false, format!("`{champion}` has no score on the leaderboard: {why}"))
    } else if folds < config.min_folds {
        (false, format!("`{champion}` was scored on {folds} cutoffs, {} are needed", config.min_folds))
    } else if let Some(lost) = lost {
        (false, lost.reason.clone())
    } else if config.beats.is_empty() {
        (true, "no baselines are named under `[gates] beats`".into())
    } else {
        (true, format!("`{champion}` beats {} over {folds} cutoffs", config.beats.join(", ")))
    };
    GateReport { champion: champion.to_owned(), passed, folds, baselines, reason }
}

fn verdict(leaderboard: &Leaderboard, champion: &str, baseline: &str) -> BaselineVerdict {
    let (own, other) = (leaderboard.overall_of(champion), leaderboard.overall_of(baseline));
    let mut per_fold = Vec::new();
    if let (Some(own), Some(other)) = (own, other) {
        for (fold, score) in &own.per_fold {
            if let Some((_, theirs)) = other.per_fold.iter().find(|(at, _)| at == fold) {
                per_fold.push((*fold, *score, *theirs));
            }
        }
    }
    // Both are compared over the same folds: a baseline that lacks the hardest fold must not look better for it.
    let shared = || per_fold.iter().filter_map(|(_, own, other)| own.zip(*other));
    let champion_score = mean(shared().map(|(own, _)| own));
    let baseline_score = mean(shared().map(|(_, other)| other));
    let (passed, reason) = match (champion_score, baseline_score) {
        _ if champion == baseline => (false, format!("no model beats the baseline `{champion}`, which is itself the best")),
        _ if other.is_none() => (false, format!("baseline `{baseline}` is not on the leaderboard")),
        (Some(own), Some(other)) if own < other => (true, format!("`{champion}` ({own:.4}) beats `{baseline}` ({other:.4})")),
        (Some(own), Some(other)) => (false, format!("`{champion}` ({own:.4}) does not beat `{baseline}` ({other:.4})")),
        _ => (false, format!("`{champion}` and `{baseline}` share no fold with a score")),
    };
    BaselineVerdict { baseline: baseline.to_owned(), passed, champion_score, baseline_score, per_fold, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OverallScore;

    fn board(models: &[(&str, &[f64])]) -> Leaderboard {
        let overall = models.iter().map(|(model, scores)| OverallScore {
            model: (*model).to_owned(),
            score: mean(scores.iter().copied()),
            per_fold: scores.iter().enumerate().map(|(fold, score)| (fold, Some(*score))).collect(),
        });
        Leaderboard { overall: overall.collect(), rows: Vec::new(), fold_rows: Vec::new() }
    }

    #[track_caller]
    fn check(models: &[(&str, &[f64])], beats: &[&str], passed: bool, reason: &str) {
        let config = GateConfig { beats: beats.iter().map(|name| (*name).to_owned()).collect(), ..GateConfig::default() };
        let report = judge(&board(models), "lightgbm", &config);
        assert_eq!((report.passed, report.reason.as_str()), (passed, reason));
    }

    #[test]
    fn a_champion_that_beats_every_baseline_passes() {
        check(&[("lightgbm", &[0.5; 3]), ("naive", &[0.9; 3])], &["naive"], true, "`lightgbm` beats naive over 3 cutoffs");
    }

    #[test]
    fn a_draw_or_a_loss_fails() {
        check(&[("lightgbm", &[0.9; 3]), ("naive", &[0.9; 3])], &["naive"], false, "`lightgbm` (0.9000) does not beat `naive` (0.9000)");
    }

    #[test]
    fn whatever_cannot_be_judged_fails() {
        check(&[("lightgbm", &[0.5; 2])], &[], false, "`lightgbm` was scored on 2 cutoffs, 3 are needed");
        check(&[("lightgbm", &[0.5; 3])], &["naive"], false, "baseline `naive` is not on the leaderboard");
        check(&[("lightgbm", &[0.5; 3])], &["lightgbm"], false, "no model beats the baseline `lightgbm`, which is itself the best");
        let why = "either it was not backtested, or no series changes before a cutoff, so that no error can be scaled";
        check(&[("naive", &[0.5; 3])], &[], false, &format!("`lightgbm` has no score on the leaderboard: {why}"));
        check(&[("lightgbm", &[f64::NAN; 3]), ("naive", &[0.9; 3])], &["naive"], false, "`lightgbm` (NaN) does not beat `naive` (0.9000)");
    }
}
