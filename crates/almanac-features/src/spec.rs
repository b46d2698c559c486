//! Which features are wanted: plain data, with defaults for each frequency.

use std::ops::Not;

use almanac_series::{Freq, Horizon};
use serde::{Deserialize, Serialize};

/// A rolling window and the statistics wanted over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// Rows, counted back from and with the row itself.
    pub rows: usize,
    /// Mean.
    pub mean: bool,
    /// Sample standard deviation.
    pub std: bool,
    /// Smallest value.
    pub min: bool,
    /// Largest value.
    pub max: bool,
    /// Share of zeros.
    pub zero_share: bool,
}

impl WindowSpec {
    /// Wants mean, standard deviation, minimum and maximum.
    pub fn full(rows: usize) -> Self {
        Self { rows, mean: true, std: true, min: true, max: true, zero_share: false }
    }

    /// Wants the mean only.
    pub fn mean(rows: usize) -> Self {
        Self { rows, mean: true, std: false, min: false, max: false, zero_share: false }
    }

    /// Returns how many rows with a value a statistic needs: a quarter of the window.
    pub(crate) fn min_count(&self) -> usize {
        self.rows.div_ceil(4)
    }
}

/// A rolling window and the quantiles wanted of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileSpec {
    /// Rows, counted back from and with the row itself.
    pub rows: usize,
    /// Probabilities in [0, 1]: 0.5 is the median.
    pub levels: Vec<f64>,
}

/// Waves of a period: sine and cosine of it, of its half, of its third …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FourierSpec {
    /// Rows of the longest wave, not necessarily whole: 365.25 days.
    pub period: f64,
    /// Number of waves, each of a sine and a cosine.
    pub order: usize,
}

/// Waves of a period where a spec does not say how many.
const USUAL_ORDER: usize = 3;

impl FourierSpec {
    /// Asks for up to three waves of a period: no more than tell its rows apart.
    pub fn new(period: f64) -> Self {
        Self { period, order: ((period / 2.0).ceil() as usize).saturating_sub(1).clamp(1, USUAL_ORDER) }
    }

    /// Returns the periods of a frequency: the day and the week of hours and shorter, the year of all others; none of steps.
    pub fn usual(freq: Freq) -> Vec<Self> {
        let season = freq.season_length().steps() as f64;
        let periods = match freq {
            Freq::Hour(_) | Freq::Minute(_) | Freq::Second(_) => vec![season, 7.0 * season],
            Freq::Day => vec![365.25],
            Freq::BusinessDay => vec![365.25 * 5.0 / 7.0],
            Freq::Week(_) => vec![365.25 / 7.0],
            Freq::Month { months, .. } => vec![12.0 / f64::from(months)],
            Freq::Step => Vec::new(),
        };
        periods.into_iter().filter(|period| *period > 1.0).map(Self::new).collect()
    }
}

/// Which features a [`crate::FeaturePlan`] computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// Steps ahead that targets lie at most.
    pub horizon: usize,
    /// Lags, seen from the next step: 1 is the newest value.
    pub lags: Vec<usize>,
    /// Rolling windows.
    pub windows: Vec<WindowSpec>,
    /// Smoothing factors of exponentially weighted means, in (0, 1].
    pub ewm: Vec<f64>,
    /// Seasons, in rows, shortest first; the first one is the main one. Empty where there is none.
    pub season_lengths: Vec<usize>,
    /// How many same-season values the seasonally aligned means reach over.
    pub season_means: Vec<usize>,
    /// Rows in a year, kept a multiple of the week where there is one (364 days).
    pub year: Option<usize>,
    /// Rows whose mean is the local level of a series.
    pub level_rows: usize,
    /// Whether calendar features are wanted.
    pub calendar: bool,
    /// Whether the year is a feature: lets trees learn what held in some years only, and nothing of years ahead.
    pub trend: bool,
    /// Country of the public holidays: ISO code or English name.
    pub country: Option<String>,
    /// Known-ahead columns that hold codes without order.
    pub categorical_future: Vec<String>,
    /// Rolling quantiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<QuantileSpec>,
    /// Whether mean, deviation, minimum and maximum since the start are wanted.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub expanding: bool,
    /// Rows back to what the newest value is compared with: 7 is its difference to the same day of the week before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<usize>,
    /// Whether rows since the last event are wanted of historic columns that mostly hold one value.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub historic_events: bool,
    /// Fourier terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fourier: Vec<FourierSpec>,
    /// Whether the discount off the highest price so far and the rows since the price changed are wanted.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub price_history: bool,
    /// Whether each category of a static column is told by the mean of its series' values over their level, so far.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub target_encoding: bool,
    /// Rows after which a value weighs half in such a mean; all weigh the same without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_half_life: Option<f64>,
    /// Groups of series whose sum, mean and share are wanted, each by the static columns that its series share: the nodes above
    /// a series in a hierarchy. No column at all is the group of all series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Vec<String>>,
}

impl FeatureSpec {
    /// Returns the usual features of a frequency.
    pub fn for_freq(freq: Freq, horizon: Horizon) -> Self {
        let season = freq.season_length().steps();
        let base = Self {
            horizon: horizon.steps(),
            lags: (1..=4).collect(),
            windows: Vec::new(),
            ewm: vec![0.1, 0.3],
            season_lengths: if season > 1 { vec![season] } else { Vec::new() },
            season_means: vec![2, 4],
            year: None,
            level_rows: season.max(8),
            calendar: freq.has_calendar(),
            trend: false,
            country: None,
            categorical_future: Vec::new(),
            quantiles: Vec::new(),
            expanding: false,
            differences: Vec::new(),
            historic_events: false,
            fourier: Vec::new(),
            price_history: false,
            target_encoding: false,
            encoding_half_life: None,
            parents: Vec::new(),
        };
        let windows = |full: &[usize], mean: &[usize]| -> Vec<WindowSpec> {
            let mut all: Vec<_> =
                full.iter().map(|rows| WindowSpec::full(*rows)).chain(mean.iter().map(|rows| WindowSpec::mean(*rows))).collect();
            all.sort_by_key(|window| window.rows);
            if let Some(longest) = all.iter_mut().rev().find(|window| window.std) {
                longest.zero_share = true;
            }
            all
        };
        match freq {
            Freq::Day => Self {
                lags: (1..=7).chain([14, 21, 28, 35, 42, 49, 56, 364]).collect(),
                windows: windows(&[7, 28, 91], &[14, 56, 182, 364]),
                season_means: vec![4, 8, 13],
                year: Some(364),
                level_rows: 28,
                ..base
            },
            Freq::BusinessDay => Self {
                lags: (1..=5).chain([10, 15, 20, 40, 260]).collect(),
                windows: windows(&[5, 20, 65], &[10, 130, 260]),
                season_means: vec![4, 8, 13],
                year: Some(260),
                level_rows: 20,
                ..base
            },
            Freq::Week(_) => Self {
                lags: (1..=8).chain([13, 26, 39, 51, 52, 53]).collect(),
                windows: windows(&[4, 13, 52], &[8, 26]),
                season_means: vec![2, 3],
                level_rows: 13,
                ..base
            },
            Freq::Month { months, .. } => {
                let year = 12 / usize::from(months);
                Self {
                    lags: (1..=year + 1).chain([2 * year]).collect(),
                    windows: windows(&[year.max(2), 2 * year.max(2)], &[year.div_ceil(4).max(2), 3 * year.max(2)]),
                    season_means: vec![2, 3],
                    level_rows: year.max(4),
                    ..base
                }
            }
            Freq::Hour(_) | Freq::Minute(_) | Freq::Second(_) => Self {
                lags: (1..=3).chain([season, 2 * season, 7 * season]).collect(),
                windows: windows(&[season, 7 * season], &[season.div_ceil(4).max(2), 28 * season]),
                season_lengths: vec![season, 7 * season],
                season_means: vec![4, 8],
                level_rows: 7 * season,
                ..base
            },
            Freq::Step => {
                Self { lags: (1..=12).chain([24, 48]).collect(), windows: windows(&[3, 12], &[6, 24, 52]), level_rows: 12, ..base }
            }
        }
        .tidy()
    }

    /// Replaces the main season, for data whose season the frequency does not tell.
    pub fn with_season(mut self, season: usize) -> Self {
        self.season_lengths.retain(|known| *known > season);
        if season > 1 {
            self.season_lengths.insert(0, season);
            self.lags.extend([season, 2 * season]);
            self.level_rows = self.level_rows.next_multiple_of(season);
        }
        self.tidy()
    }

    /// Returns the groups above the series of a hierarchy, as [`Self::parents`] takes them: all series, and each beginning of a path of
    /// columns that is not the whole path.
    pub fn parents_of(paths: &[Vec<String>]) -> Vec<Vec<String>> {
        let mut groups = vec![Vec::new()];
        for path in paths {
            for columns in 1..path.len() {
                let group = path[..columns].to_vec();
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
        }
        groups
    }

    fn tidy(mut self) -> Self {
        self.lags.sort_unstable();
        self.lags.dedup();
        self.windows.dedup_by_key(|window| window.rows);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parents_of_a_hierarchy_are_the_beginnings_of_its_paths() {
        let paths = [vec!["region".to_owned(), "store".to_owned(), "item".to_owned()], vec!["region".to_owned(), "item".to_owned()]];
        let groups: Vec<String> = FeatureSpec::parents_of(&paths).iter().map(|columns| columns.join("/")).collect();
        assert_eq!(groups, ["", "region", "region/store"]);
    }

    #[test]
    fn waves_stop_where_rows_cannot_tell_them() {
        let order = |alias: &str| FourierSpec::usual(alias.parse().expect("an alias")).iter().map(|waves| waves.order).collect::<Vec<_>>();
        assert_eq!([order("D"), order("QS"), order("YS"), order("h"), order("1")], [vec![3], vec![1], vec![], vec![3, 3], vec![]]);
    }
}
