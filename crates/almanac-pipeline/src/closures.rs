//! Days on which a shop will be closed, as far as its own calendar tells.
//!
//! In a panel whose gaps mean "closed", models learn only from open days, so their forecast of a Sunday is that of a Sunday with the
//! doors open. A coming day counts as closed if the shop was closed on that weekday at least nine times in the last ten.
//!
//! Not here: closing days that only the source knows; those come as known-ahead columns.

use almanac_model::Forecast;
use almanac_series::{Freq, Panel, RowStatus, SeriesView};

const LOOKED_AT: usize = 10;
const CLOSED_OF_THEM: usize = 9;

/// Sets means and quantiles of steps on which a series will be closed to 0.
pub(crate) fn close(context: &Panel, forecast: &mut Forecast) {
    if context.freq() != Freq::Day {
        return;
    }
    let (h, width) = (forecast.horizon.steps(), forecast.quantiles.len());
    for position in 0..forecast.n_series() {
        let Some(index) = context.position(forecast.series[position].id.as_str()) else { continue };
        let closed = closed_weekdays(&context.view(index));
        if closed == [false; 7] {
            continue;
        }
        let rows = context.view(index).len();
        for step in 0..h {
            if closed[(rows + step) % 7] {
                forecast.mean[position * h + step] = 0.0;
                let first = (position * h + step) * width;
                forecast.quantile_values[first..first + width].fill(0.0);
            }
        }
    }
}

/// Which rows modulo 7 are closed. Rows of a daily series are consecutive days, so a row modulo 7 is a weekday.
fn closed_weekdays(view: &SeriesView<'_>) -> [bool; 7] {
    let status = view.status();
    std::array::from_fn(|weekday| {
        let newest = status.iter().enumerate().rev().filter(|(row, _)| row % 7 == weekday).take(LOOKED_AT);
        let (seen, closed) =
            newest.fold((0, 0), |(seen, closed), (_, status)| (seen + 1, closed + usize::from(*status == RowStatus::Closed)));
        seen == LOOKED_AT && closed >= CLOSED_OF_THEM
    })
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Horizon, PanelBuilder, Period, SeriesRows};

    use super::*;

    #[test]
    fn a_shop_closed_on_sundays_is_forecast_closed_on_sundays() {
        let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
        let closed = |row: usize| row % 7 == 3 || row == 40;
        let rows = SeriesRows {
            y: (0..80).map(|row| if closed(row) { 0.0 } else { 9.0 }).collect(),
            status: (0..80).map(|row| if closed(row) { RowStatus::Closed } else { RowStatus::Observed }).collect(),
            ..SeriesRows::default()
        };
        builder.push("shop".into(), Period(100), rows).expect("columns agree");
        let panel = builder.finish(vec![]).expect("one key");
        let mut forecast = Forecast::empty("naive", Freq::Day, Horizon::new(7).expect("in range"), &[]);
        forecast.push(ForecastSpan { id: "shop".into(), cutoff: Period(179) }, &[9.0; 7], &[]);
        close(&panel, &mut forecast);
        // Row 80 is the first step; 80 % 7 = 3.
        assert_eq!(forecast.mean, [0.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]);
    }
}
