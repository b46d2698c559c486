//! What `models = ["auto"]` stands for on a panel: rules that name the models, their reasons and what they cost.
//!
//! A model takes part if the panel has what it lives on (a season, years, items that sell seldom) and if the processor time it is estimated
//! to take fits in what the models before it in the list left of the budget. Estimates depend on the panel alone, not on the machine, so
//! that the same data gives the same field everywhere.
//!
//! Not here: which of them wins (`almanac-evaluate`).

use std::time::Duration;

use almanac_evaluate::PanelProfile;
use almanac_pipeline::Field;
use almanac_trees::LightGbmConfig;

/// Series that sell seldom matter from this share on.
const MANY_SELDOM: f64 = 0.1;
/// Microseconds of one tree over one training row; measured on M5 and on the demo.
const MICROS_A_TREE_ROW: f64 = 0.25;
/// Share of the budget that one model of single series may take: it is to be one of several.
const MOST_SHARE: f64 = 0.08;

/// A model that may take part.
struct Candidate {
    name: &'static str,
    /// Microseconds a row of one series' history.
    micros_a_row: f64,
    /// Rows of the history that it looks at, at most.
    most_rows: usize,
    /// Why it suits the panel, or why not.
    suits: fn(&PanelProfile) -> Result<String, String>,
}

/// In the order in which they get their share of the budget. Costs are those that `make bench-speed` measures.
const CANDIDATES: [Candidate; 18] = [
    Candidate { name: "naive", micros_a_row: 0.01, most_rows: usize::MAX, suits: always },
    Candidate { name: "seasonal_naive", micros_a_row: 0.01, most_rows: usize::MAX, suits: with_season },
    Candidate { name: "window_average", micros_a_row: 0.01, most_rows: usize::MAX, suits: always },
    Candidate { name: "seasonal_window_average", micros_a_row: 0.01, most_rows: usize::MAX, suits: with_season },
    Candidate { name: "year_over_year", micros_a_row: 0.02, most_rows: usize::MAX, suits: beyond_a_year },
    Candidate { name: "lightgbm", micros_a_row: 0.0, most_rows: usize::MAX, suits: across_series },
    Candidate { name: "ridge", micros_a_row: 12.0, most_rows: usize::MAX, suits: across_series },
    Candidate { name: "auto_intermittent", micros_a_row: 0.02, most_rows: usize::MAX, suits: selling_seldom },
    Candidate { name: "imapa", micros_a_row: 0.03, most_rows: usize::MAX, suits: selling_seldom },
    Candidate { name: "drift", micros_a_row: 0.01, most_rows: usize::MAX, suits: always },
    Candidate { name: "ses", micros_a_row: 0.05, most_rows: usize::MAX, suits: always },
    Candidate { name: "theta", micros_a_row: 0.2, most_rows: 10_000, suits: each_series },
    Candidate { name: "dynamic_optimized_theta", micros_a_row: 0.25, most_rows: 10_000, suits: each_series },
    Candidate { name: "auto_ets", micros_a_row: 7.0, most_rows: 1_500, suits: each_series },
    Candidate { name: "prophet", micros_a_row: 0.6, most_rows: 100_000, suits: on_a_calendar },
    Candidate { name: "auto_ces", micros_a_row: 3.6, most_rows: 2_000, suits: each_series },
    Candidate { name: "mstl", micros_a_row: 5.0, most_rows: usize::MAX, suits: with_several_seasons },
    Candidate { name: "auto_arima", micros_a_row: 80.0, most_rows: 1_500, suits: each_series },
];

/// Returns the models that suit the panel and fit in the budget.
pub(super) fn field(profile: &PanelProfile, lightgbm: &LightGbmConfig, fits: usize, budget: Duration) -> Field {
    let mut field = Field::default();
    let mut left = budget.as_secs_f64();
    for candidate in &CANDIDATES {
        let name = candidate.name.to_owned();
        let reason = match (candidate.suits)(profile) {
            Ok(reason) => reason,
            Err(reason) => {
                field.left_out.push((name, reason));
                continue;
            }
        };
        let a_fit = if name == "lightgbm" {
            lightgbm.tree_rows(profile.n_rows) * MICROS_A_TREE_ROW
        } else {
            // The longest histories are cut, the others counted as they are.
            let rows = (profile.n_rows as f64).min(profile.n_series as f64 * candidate.most_rows as f64);
            rows * candidate.micros_a_row
        };
        let seconds = a_fit * fits as f64 / 1e6;
        let most = if name == "lightgbm" { left } else { left.min(MOST_SHARE * budget.as_secs_f64()) };
        if seconds > most {
            let reason = format!(
                "it would take {} of processor time; a budget of {} has {} for it",
                span(seconds),
                span(budget.as_secs_f64()),
                span(most)
            );
            field.left_out.push((name, reason));
        } else {
            left -= seconds;
            field.models.push((name, reason));
        }
    }
    field
}

/// Seconds as a person says them.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the rules")]
fn always(_: &PanelProfile) -> Result<String, String> {
    Ok("costs nothing, and shows what the others are worth".into())
}

fn with_season(profile: &PanelProfile) -> Result<String, String> {
    let season = profile.season_length;
    if season < 2 { Err("there is no season".into()) } else { Ok(format!("a season of {season} rows, for nothing")) }
}

fn beyond_a_year(profile: &PanelProfile) -> Result<String, String> {
    if let Some(rows) = profile.longer_season {
        return Ok(format!("a season of {rows} rows beside that of {}", profile.season_length));
    }
    if profile.is_within_day && profile.seasons() >= 15 {
        return Ok("the same hours of past weeks".into());
    }
    let years = profile.years();
    if years < 1.1 { Err("there is no full year of history".into()) } else { Ok(format!("{years:.1} years of history")) }
}

fn across_series(profile: &PanelProfile) -> Result<String, String> {
    if profile.n_rows < 100 {
        return Err(format!("{} rows are too few to learn from across series", profile.n_rows));
    }
    let series = profile.n_series;
    Ok(match profile.n_future {
        0 => format!("learns from all {series} series at once"),
        1 => format!("learns from all {series} series at once, and from one column known ahead"),
        n => format!("learns from all {series} series at once, and from {n} columns known ahead"),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "one of the rules")]
fn each_series(profile: &PanelProfile) -> Result<String, String> {
    Ok(if profile.season_length < 2 { "level and trend of each series" } else { "level, trend and season of each series" }.into())
}

fn selling_seldom(profile: &PanelProfile) -> Result<String, String> {
    let percent = 100.0 * profile.intermittent_share;
    if profile.intermittent_share < MANY_SELDOM {
        Err(format!("{percent:.0} % of the series sell seldom"))
    } else {
        Ok(format!("{percent:.0} % of the series sell seldom"))
    }
}

fn on_a_calendar(profile: &PanelProfile) -> Result<String, String> {
    match profile.year {
        None => Err("the rows have no dates".into()),
        Some(_) if profile.seasons() < 2 => Err("there are not two seasons of history".into()),
        Some(_) => Ok("trend with bends, calendar and holidays".into()),
    }
}

fn with_several_seasons(profile: &PanelProfile) -> Result<String, String> {
    if let Some(rows) = profile.longer_season {
        return Ok(format!("seasons of {} and of {rows} rows", profile.season_length));
    }
    if profile.is_within_day && profile.seasons() >= 15 {
        return Ok("seasons of the day and of the week".into());
    }
    match profile.year {
        Some(year) if year > 12 && profile.years() >= 2.0 => Ok("seasons of the week and of the year, both of which may change".into()),
        Some(year) if year > 12 => Err("there are not two years of history".into()),
        _ => Err("there is one season at most".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> PanelProfile {
        PanelProfile {
            n_series: 500,
            n_rows: 500 * 1_095,
            median_rows: 1_095,
            season_length: 7,
            longer_season: None,
            year: Some(365),
            is_within_day: false,
            intermittent_share: 0.2,
            n_future: 2,
        }
    }

    fn names(profile: &PanelProfile, minutes: u64) -> Vec<String> {
        let field = field(profile, &LightGbmConfig::default(), 4, Duration::from_mins(minutes));
        assert_eq!(field.models.len() + field.left_out.len(), CANDIDATES.len(), "each is either in or out");
        field.models.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_shop_gets_what_suits_daily_sales_and_fits_the_budget() {
        let all = names(&shop(), 600);
        assert_eq!(all.len(), CANDIDATES.len(), "{all:?}");
        let half_an_hour = names(&shop(), 30);
        assert!(half_an_hour.contains(&"lightgbm".to_owned()) && half_an_hour.contains(&"auto_ets".to_owned()), "{half_an_hour:?}");
        let a_minute = names(&shop(), 1);
        assert!(a_minute.contains(&"naive".to_owned()) && !a_minute.contains(&"auto_arima".to_owned()), "{a_minute:?}");
    }

    #[test]
    fn rows_without_dates_or_seasons_do_without_models_that_live_on_them() {
        let plain = PanelProfile { n_rows: 3_000, median_rows: 20, season_length: 1, year: None, intermittent_share: 0.0, ..shop() };
        let names = names(&plain, 30);
        for absent in ["seasonal_naive", "year_over_year", "prophet", "mstl", "auto_intermittent"] {
            assert!(!names.contains(&absent.to_owned()), "{absent}");
        }
        assert!(names.contains(&"auto_arima".to_owned()));
    }

    #[test]
    fn a_model_left_out_for_time_says_how_long_it_would_take() {
        let huge = PanelProfile { n_series: 1_000_000, n_rows: 1_095_000_000, ..shop() };
        let field = field(&huge, &LightGbmConfig::default(), 4, Duration::from_mins(30));
        let (_, reason) = field.left_out.iter().find(|(name, _)| name == "auto_arima").expect("too dear");
        assert!(reason.starts_with("it would take 97"), "{reason}");
    }
}
