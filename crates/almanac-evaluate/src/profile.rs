//! What a panel is like, as far as the choice of models asks.
//!
//! Not here: the choice itself, which knows concrete models.

use almanac_series::{DemandClass, Freq, Panel, SeasonLength};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The size and kind of a panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelProfile {
    /// Series.
    pub n_series: usize,
    /// Rows of all series.
    pub n_rows: usize,
    /// Rows of a series: the median.
    pub median_rows: usize,
    /// Steps of a season.
    pub season_length: usize,
    /// Rows of the longer season that rows without dates show.
    pub longer_season: Option<usize>,
    /// Rows of a year; `None` where the frequency has no years.
    pub year: Option<usize>,
    /// Whether a day has several rows, so that there are seasons of a day and of a week.
    pub is_within_day: bool,
    /// Share of the series that sell seldom ([`DemandClass::Intermittent`] or [`DemandClass::Lumpy`]) or never.
    pub intermittent_share: f64,
    /// Known-ahead columns.
    pub n_future: usize,
}

impl PanelProfile {
    /// Looks at a panel.
    pub fn new(panel: &Panel, season_length: SeasonLength) -> Self {
        let mut rows: Vec<usize> = panel.views().map(|view| view.len()).collect();
        rows.sort_unstable();
        let is_seldom = |index: usize| {
            let y: Vec<f64> = panel.view(index).scored().map(|(_, y)| y).collect();
            !matches!(DemandClass::of(&y), Some(DemandClass::Smooth | DemandClass::Erratic))
        };
        let seldom = (0..panel.n_series()).into_par_iter().filter(|index| is_seldom(*index)).count();
        Self {
            n_series: panel.n_series(),
            n_rows: panel.n_rows(),
            median_rows: rows.get(rows.len() / 2).copied().unwrap_or(0),
            season_length: season_length.steps(),
            longer_season: panel.longer_season(season_length.steps()).filter(|_| panel.freq() == Freq::Step),
            year: rows_of_year(panel.freq()),
            is_within_day: matches!(panel.freq(), Freq::Hour(n) if n < 24) || matches!(panel.freq(), Freq::Minute(_) | Freq::Second(_)),
            intermittent_share: seldom as f64 / panel.n_series().max(1) as f64,
            n_future: panel.future_names().len(),
        }
    }

    /// Returns the seasons in the history of the median series.
    pub fn seasons(&self) -> usize {
        self.median_rows / self.season_length.max(1)
    }

    /// Returns the years in the history of the median series; 0 where there are none.
    pub fn years(&self) -> f64 {
        self.year.map_or(0.0, |year| self.median_rows as f64 / year as f64)
    }
}

fn rows_of_year(freq: Freq) -> Option<usize> {
    const HOURS: usize = 8_766;
    Some(match freq {
        Freq::Step => return None,
        Freq::Second(n) => HOURS * 3_600 / n as usize,
        Freq::Minute(n) => HOURS * 60 / n as usize,
        Freq::Hour(n) => HOURS / n as usize,
        Freq::Day => 365,
        Freq::BusinessDay => 261,
        Freq::Week(_) => 52,
        Freq::Month { months, .. } => 12 / usize::from(months).clamp(1, 12),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{panel_of, season};

    #[test]
    fn a_panel_is_told_by_its_length_and_by_how_seldom_it_sells() {
        let seldom: Vec<f64> = (0..40).map(|t| if t % 5 == 0 { 3.0 } else { 0.0 }).collect();
        let panel = panel_of(&[("a", vec![2.0; 730]), ("b", seldom), ("c", vec![0.0; 10]), ("d", vec![5.0; 730])]);
        let profile = PanelProfile::new(&panel, season(7));
        assert_eq!((profile.n_series, profile.n_rows, profile.median_rows), (4, 1510, 730));
        assert!((profile.intermittent_share - 0.5).abs() < 1e-12);
        assert!((profile.years() - 2.0).abs() < 1e-12);
        assert_eq!(profile.seasons(), 104);
        assert!(!profile.is_within_day);
    }
}
