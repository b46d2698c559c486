//! What if: rows of a file that change what is known ahead, put into the panel that is forecast.
//!
//! ```text
//!   sheet ──Scenario::read──► changes (series, step, column) ──apply──► changed panel ──Bundle::forecast──► beside the forecast as it is
//! ```
//!
//! A row is about one series, or about all where no column names it; about one step, or about every step where no column says when.
//! A file is taken whole or refused at its first wrong row. Not here: the forecasts themselves (`bundle`).

mod error;

use std::collections::HashMap;

use almanac_data::{Cell, ExogColumn, ExogKind, ExogRole, Sheet, nearest};
use almanac_series::{Horizon, Panel, Period, SeriesId};

pub use error::ScenarioError;

use crate::known_ahead::Given;

/// Column that names the series in every project, beside the project's own id columns.
const UNIQUE_ID: &str = "unique_id";
/// Column that says when in every project, beside the project's own.
const DS: &str = "ds";
/// Greatest size of a number: models keep features as 32-bit floats and sum windows of them.
const LARGEST: f64 = 1e30;

/// How a project names what a scenario's rows are about.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioNames<'a> {
    /// Columns whose texts, joined by `/`, are the key; none in a project of one series.
    pub id: &'a [String],
    /// Column that says when.
    pub time: &'a str,
}

/// One value that is other than it was.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    column: usize,
    series: usize,
    row: usize,
    value: f64,
}

/// Changes of what is known ahead of the series of one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    changes: Vec<Change>,
    given: usize,
}

impl Scenario {
    /// Reads the rows of a file. `panel`: all series; `context`: those that are forecast; `exog`: the columns of the panel.
    ///
    /// # Errors
    /// [`ScenarioError`] with the first row that cannot be used.
    pub fn read(
        sheet: &Sheet,
        panel: &Panel,
        context: &Panel,
        exog: &[ExogColumn],
        names: ScenarioNames<'_>,
        horizon: Horizon,
    ) -> Result<Self, ScenarioError> {
        let columns = Columns::find(sheet, exog, names)?;
        if let Some(misfit) = sheet.misfits().first() {
            let (row, column, value, reason) = (misfit.row, misfit.column.clone(), misfit.value.clone(), misfit.reason.clone());
            return Err(ScenarioError::Unreadable { row, column, value, reason });
        }
        let times = columns.time.map(|(column, is_own)| {
            // Under the project's own name times are those of its sources; `ds` is that of its forecasts.
            sheet.times(column, context.freq(), context.timezone().filter(|_| is_own))
        });
        let mut read = Self { changes: Vec::new(), given: 0 };
        let mut seen: HashMap<(Option<usize>, Option<Period>), u64> = HashMap::new();
        for row in 0..sheet.n_rows() {
            let series = columns.series(sheet, row, panel, context)?;
            let period = match (columns.time, &times) {
                (Some((column, _)), Some(times)) => match times[row] {
                    Some(at) => Some(context.freq().period(at)),
                    None => return Err(ScenarioError::time(sheet, row, column)),
                },
                _ => None,
            };
            if let Some(earlier) = seen.insert((series, period), sheet.place(row)) {
                let series = series.map(|index| context.series()[index].id.clone());
                let ds = period.map(|period| context.freq().label(period));
                return Err(ScenarioError::Twice { row: sheet.place(row), earlier, series, ds });
            }
            let values = columns.values(sheet, row)?;
            let one_or_all = series.map_or(0..context.n_series(), |index| index..index + 1);
            let mut is_ahead = false;
            for index in one_or_all {
                for at in rows_of(context, index, period, horizon) {
                    is_ahead = true;
                    read.put(context, index, at, &values);
                }
            }
            if let Some(period) = period.filter(|_| !is_ahead) {
                return Err(outside(sheet.place(row), context, series, period, horizon));
            }
        }
        Ok(read)
    }

    fn put(&mut self, context: &Panel, series: usize, row: usize, values: &[(usize, f64)]) {
        for (column, value) in values {
            self.given += 1;
            let known = context.view(series).future(*column)[row];
            if known.to_bits() != value.to_bits() {
                self.changes.push(Change { column: *column, series, row, value: *value });
            }
        }
    }

    /// Returns the panel that was read for, with the changes.
    pub fn apply(&self, context: &Panel) -> Panel {
        let mut panel = context.clone();
        for column in 0..context.future_names().len() {
            let mut of_column = self.changes.iter().filter(|change| change.column == column).peekable();
            if of_column.peek().is_some() {
                panel = panel.with_future(column, of_column.map(|change| (change.series, change.row, change.value)));
            }
        }
        panel
    }

    /// Returns how many values of the panel the file gives.
    pub fn n_given(&self) -> usize {
        self.given
    }

    /// Returns how many of them are other than what is known already.
    pub fn n_changed(&self) -> usize {
        self.changes.len()
    }
}

/// The rows of a series, in the panel, that a period or the whole horizon stands for.
fn rows_of(context: &Panel, series: usize, period: Option<Period>, horizon: Horizon) -> std::ops::Range<usize> {
    let span = &context.series()[series];
    let ahead = span.history..span.rows.min(span.history + horizon.steps());
    let Some(period) = period else { return ahead };
    match usize::try_from(period.since(span.start)) {
        Ok(row) if ahead.contains(&row) => row..row + 1,
        _ => 0..0,
    }
}

fn outside(row: u64, context: &Panel, series: Option<usize>, period: Period, horizon: Horizon) -> ScenarioError {
    let one_or_all = || series.map_or(0..context.n_series(), |index| index..index + 1).map(|index| context.series()[index].cutoff());
    let label =
        |period: Option<Period>, steps: usize| period.map(|cutoff| context.freq().label(cutoff.plus(steps as i64))).unwrap_or_default();
    ScenarioError::OutsideHorizon {
        row,
        ds: context.freq().label(period),
        first: label(one_or_all().min(), 1),
        last: label(one_or_all().max(), horizon.steps()),
    }
}

/// Where the columns of a scenario are.
struct Columns<'a> {
    /// Of the key, in the order of its parts; none where every row is about all series.
    ids: Vec<usize>,
    /// Of the time, and whether it has the project's own name.
    time: Option<(usize, bool)>,
    /// Of the values: in the sheet, among the known-ahead columns of the panel, and what the panel says of it.
    values: Vec<(usize, usize, &'a ExogColumn)>,
}

impl<'a> Columns<'a> {
    fn find(sheet: &Sheet, exog: &'a [ExogColumn], names: ScenarioNames<'_>) -> Result<Self, ScenarioError> {
        let known: Vec<&ExogColumn> = exog.iter().filter(|column| column.role == ExogRole::Future).collect();
        let all = || known.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let ids = match sheet.column(UNIQUE_ID) {
            Some(column) => vec![column],
            None if names.id.iter().any(|name| sheet.column(name).is_some()) => {
                let part = |name: &String| sheet.column(name).ok_or_else(|| ScenarioError::PartOfKey { column: name.clone() });
                names.id.iter().map(part).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        // A project may itself call its time `ds`.
        let time = sheet.column(names.time).map(|column| (column, true)).or_else(|| sheet.column(DS).map(|column| (column, false)));
        let mut values = Vec::new();
        for (column, name) in sheet.names().enumerate() {
            if ids.contains(&column) || time.is_some_and(|(time, _)| time == column) {
                continue;
            }
            let Some(index) = known.iter().position(|known| known.name == name) else {
                let near = nearest(name, known.iter().map(|column| column.name.as_str()));
                return Err(ScenarioError::NotKnownAhead { column: name.to_owned(), known: all(), near });
            };
            values.push((column, index, known[index]));
        }
        if values.is_empty() {
            return Err(ScenarioError::NoValues { known: all() });
        }
        Ok(Self { ids, time, values })
    }

    /// The series that a row names, or `None` where it is about all.
    fn series(&self, sheet: &Sheet, row: usize, panel: &Panel, context: &Panel) -> Result<Option<usize>, ScenarioError> {
        if self.ids.is_empty() {
            return Ok(None);
        }
        let part = |column: &usize| sheet.text(row, *column).ok_or_else(|| ScenarioError::blank(sheet, row, *column));
        let key = self.ids.iter().map(part).collect::<Result<Vec<_>, _>>()?.join("/");
        let place = sheet.place(row);
        match context.position(&key) {
            Some(index) => Ok(Some(index)),
            None if panel.position(&key).is_some() => Err(ScenarioError::NotForecast { row: place, series: SeriesId::new(key) }),
            None => {
                let near = nearest(&key, context.series().iter().map(|span| span.id.as_str()));
                Err(ScenarioError::UnknownSeries { row: place, series: SeriesId::new(key), near })
            }
        }
    }

    /// The values of a row, as (known-ahead column of the panel, number). An empty cell leaves a number as it is, and is a row that names no text.
    fn values(&self, sheet: &Sheet, row: usize) -> Result<Vec<(usize, f64)>, ScenarioError> {
        let mut values = Vec::with_capacity(self.values.len());
        for (column, index, spec) in &self.values {
            let (place, text) = (sheet.place(row), sheet.text(row, *column).unwrap_or_default());
            let given = match sheet.cell(row, *column) {
                Cell::Missing => Given::Missing,
                Cell::Text(text) => Given::Text(text),
                Cell::Time(_) if spec.kind != ExogKind::Date => Given::Text(&text),
                cell => cell.number().map_or(Given::Missing, Given::Number),
            };
            let value = given.code(spec).map_err(|unfit| ScenarioError::Unfit { row: place, unfit })?;
            if value.is_some_and(|value| !value.is_finite() || value.abs() > LARGEST) {
                return Err(ScenarioError::TooLarge { row: place, column: spec.name.clone(), value: text });
            }
            values.extend(value.map(|value| (*index, value)));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
