//! The pure part of `almanac audit leakage`: a panel whose future was changed, and whether a forecast noticed.
//!
//! Not here: running features, models and the report (`almanac-pipeline`).

use almanac_model::Forecast;
use almanac_series::{Panel, PanelBuilder, PanelError, Period, RowStatus, SeriesId, SeriesRows, StaticColumn, StaticValues};
use serde::{Deserialize, Serialize};

/// Names shown of the series that moved.
const SHOWN: usize = 20;

/// Returns `panel` with everything after `cutoff` changed: targets, which rows are scored, and historic columns. Known-ahead and static columns
/// stay, for they are known at the cutoff. What lies up to the cutoff is the same, bit for bit.
///
/// # Errors
/// [`PanelError`] never for a panel that was built by its builder; passed on rather than hidden.
pub fn disturb(panel: &Panel, cutoff: Period, seed: u64) -> Result<Panel, PanelError> {
    let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<String>>();
    let (historic, future) = (names(&mut panel.historic_names()), names(&mut panel.future_names()));
    let mut builder = PanelBuilder::new(panel.freq(), &historic, &future).timezone(panel.timezone());
    for (column, name) in future.iter().enumerate() {
        builder = builder.categories(name, panel.future_categories(column));
    }
    for (index, view) in panel.views().enumerate() {
        let (span, ahead) = (view.span(), view.span().rows - view.len());
        let padded = |values: &[f64]| values.iter().copied().chain(std::iter::repeat_n(f64::NAN, ahead)).collect::<Vec<f64>>();
        let mut rows = SeriesRows {
            y: padded(view.y()),
            status: view.status().iter().copied().chain(std::iter::repeat_n(RowStatus::Future, ahead)).collect(),
            historic: (0..historic.len()).map(|column| padded(view.historic(column))).collect(),
            future: (0..future.len()).map(|column| view.future(column).to_vec()).collect(),
        };
        let first = (cutoff.since(span.start) + 1).clamp(0, view.len() as i64) as usize;
        for row in first..view.len() {
            let bits = mix(seed ^ mix((index as u64) << 32 | row as u64));
            let shift = 1.0 + (bits >> 40) as f64 / f64::from(1_u32 << 20);
            if rows.status[row].is_scored() && bits.is_multiple_of(5) {
                rows.status[row] = RowStatus::Missing;
                rows.y[row] = f64::NAN;
            } else if rows.status[row] == RowStatus::Missing {
                rows.status[row] = RowStatus::Observed;
                rows.y[row] = 100.0 * shift;
            } else {
                rows.y[row] = rows.y[row] * 3.0 + 100.0 * shift;
            }
            for column in &mut rows.historic {
                column[row] = if column[row].is_nan() { shift } else { column[row] * -2.0 + shift };
            }
        }
        builder.push(span.id.clone(), span.start, rows)?;
    }
    builder.finish(panel.statics().iter().map(|column| reordered(panel, column)).collect())
}

/// Returns a static column in the order of the panel's series.
fn reordered(panel: &Panel, column: &StaticColumn) -> StaticColumn {
    let rows = || panel.series().iter().map(|span| span.static_row);
    let values = match &column.values {
        StaticValues::Category { codes, categories } => {
            StaticValues::Category { codes: rows().map(|row| codes[row]).collect(), categories: categories.clone() }
        }
        StaticValues::Number(values) => StaticValues::Number(rows().map(|row| values[row]).collect()),
    };
    StaticColumn { name: column.name.clone(), values }
}

/// The finaliser of SplitMix64: spreads the bits of a number.
fn mix(mut z: u64) -> u64 {
    z = (z.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Whether a forecast moved when only the future did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakageReport {
    /// Name of the model.
    pub model: String,
    /// Series compared.
    pub series: usize,
    /// Numbers compared, means and quantile values.
    pub compared: usize,
    /// Series with a number that is not the same bit for bit, or that only one side forecast.
    pub moved: usize,
    /// The first of them.
    pub examples: Vec<String>,
    /// Largest absolute difference; the largest finite number where one side lacks a series.
    pub max_difference: f64,
}

impl LeakageReport {
    /// Returns whether nothing moved and there was something to compare.
    pub fn is_clean(&self) -> bool {
        self.moved == 0 && self.compared > 0
    }
}

/// Compares two forecasts bit by bit: the one made as it was, the other with the future disturbed.
pub fn compare(before: &Forecast, after: &Forecast) -> LeakageReport {
    let mut report =
        LeakageReport { model: before.model.clone(), series: 0, compared: 0, moved: 0, examples: Vec::new(), max_difference: 0.0 };
    let moved = |report: &mut LeakageReport, id: &SeriesId, difference: f64| {
        report.moved += 1;
        report.max_difference = report.max_difference.max(difference);
        if report.examples.len() < SHOWN {
            report.examples.push(id.as_str().to_owned());
        }
    };
    for (position, span) in before.series.iter().enumerate() {
        report.series += 1;
        let Some(other) = after.position(&span.id).filter(|other| after.series[*other].cutoff == span.cutoff) else {
            moved(&mut report, &span.id, f64::MAX);
            continue;
        };
        let numbers = |forecast: &Forecast, at: usize| [forecast.mean_of(at), forecast.quantiles_of(at)].concat();
        let (ours, theirs) = (numbers(before, position), numbers(after, other));
        report.compared += ours.len();
        let differing = ours.iter().zip(&theirs).filter(|(a, b)| a.to_bits() != b.to_bits());
        let same_length = ours.len() == theirs.len();
        let worst = differing.map(|(a, b)| (a - b).abs()).reduce(f64::max).or((!same_length).then_some(f64::MAX));
        if let Some(worst) = worst {
            moved(&mut report, &span.id, worst);
        }
    }
    for span in after.series.iter().filter(|span| before.position(&span.id).is_none()) {
        report.series += 1;
        moved(&mut report, &span.id, f64::MAX);
    }
    report
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::Freq;

    use super::*;
    use crate::simulate::horizon;

    fn panel() -> Panel {
        let mut builder = PanelBuilder::new(Freq::Day, &["customers".into()], &["price".into()]);
        for (id, start) in [("b", 2), ("a", 0)] {
            let mut rows = SeriesRows {
                y: (0..12).map(f64::from).collect(),
                status: vec![RowStatus::Observed; 12],
                historic: vec![vec![7.0; 12]],
                future: vec![(0..12).map(f64::from).collect()],
            };
            rows.status[10..].fill(RowStatus::Future);
            rows.y[10..].fill(f64::NAN);
            builder.push(id.into(), Period(start), rows).expect("columns agree");
        }
        let region = StaticValues::Category { codes: [1, 0].into(), categories: ["n".to_owned(), "s".to_owned()].into() };
        builder.finish(vec![StaticColumn { name: "region".into(), values: region }]).expect("keys are unique")
    }

    #[test]
    fn only_what_is_unknown_at_the_cutoff_is_disturbed() {
        let (before, after) = (panel(), disturb(&panel(), Period(5), 1).expect("same shape"));
        for (index, known) in [(0, 6), (1, 4)] {
            let (old, new) = (before.view(index), after.view(index));
            assert_eq!(old.id(), new.id());
            assert_eq!(old.y()[..known], new.y()[..known]);
            assert_eq!(old.historic(0)[..known], new.historic(0)[..known]);
            assert_eq!(old.future(0), new.future(0));
            assert!((known..10).all(|row| old.y()[row] != new.y()[row] && old.historic(0)[row] != new.historic(0)[row]));
            assert_eq!(old.span().rows, new.span().rows);
        }
        let StaticValues::Category { codes, .. } = &after.statics()[0].values else { panic!("still a category") };
        assert_eq!(codes[after.series()[1].static_row], 1, "`b` stays in the south");
    }

    #[test]
    fn a_forecast_that_moves_in_the_last_bit_is_found() {
        let mut before = Forecast::empty("naive", Freq::Day, horizon(1), &[]);
        for id in ["a", "b"] {
            before.push(ForecastSpan { id: id.into(), cutoff: Period(5) }, &[0.3], &[]);
        }
        assert!(compare(&before, &before).is_clean());
        let mut after = before.clone();
        after.mean[1] = 0.1 + 0.2;
        let report = compare(&before, &after);
        assert_eq!((report.moved, report.examples.as_slice()), (1, ["b".to_owned()].as_slice()));
        assert!(!report.is_clean());
        let none = Forecast::empty("naive", Freq::Day, horizon(1), &[]);
        assert!(!compare(&none, &none).is_clean(), "nothing compared proves nothing");
    }
}
