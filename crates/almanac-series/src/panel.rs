//! The panel: many regular series in one set of shared columns.
//!
//! Rows of a series are consecutive periods, first its history, then [`RowStatus::Future`] rows that carry known-ahead
//! columns only. Columns are shared (`Arc`), so that cutting a panel at a cutoff or picking series copies no values.
//! What lies after the cutoff of a view cannot be read through it: a [`SeriesView`] hands out `y`, statuses and historic
//! columns only up to the end of its history.
//!
//! Not here: gap policies and file formats (`almanac-data`), features.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::{Freq, FutureColumn, HistoricColumn, Period, RowStatus, SeriesId, StaticColumn};

/// Where the rows of one series lie in the columns of a [`Panel`].
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSpan {
    /// Key.
    pub id: SeriesId,
    /// Period of the first row.
    pub start: Period,
    /// Index of the first row in the columns.
    pub offset: usize,
    /// Number of rows up to and with the cutoff.
    pub history: usize,
    /// Number of all rows, known-ahead ones included.
    pub rows: usize,
    /// Index of the series in the static columns.
    pub static_row: usize,
}

impl SeriesSpan {
    /// Returns the last period of the history.
    pub fn cutoff(&self) -> Period {
        self.start.plus(self.history as i64 - 1)
    }
}

/// Many series, regular at one frequency, sorted by `unique_id`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Panel {
    freq: Freq,
    timezone: Option<Arc<str>>,
    series: Arc<[SeriesSpan]>,
    y: Arc<[f64]>,
    status: Arc<[RowStatus]>,
    historic: Arc<[HistoricColumn]>,
    future: Arc<[FutureColumn]>,
    statics: Arc<[StaticColumn]>,
}

/// Why columns do not make a panel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// A column has another number of rows than `y`.
    #[error("series `{series}`: column `{column}` has {got} rows, expected {expected}")]
    Length {
        /// Series whose rows were pushed.
        series: SeriesId,
        /// Column at fault.
        column: String,
        /// Rows it has.
        got: usize,
        /// Rows it should have.
        expected: usize,
    },
    /// The same key twice.
    #[error("series `{series}` was given twice")]
    Duplicate {
        /// The key.
        series: SeriesId,
    },
    /// Another number of columns than the builder was told.
    #[error("series `{series}`: got {got} {kind} columns, expected {expected}")]
    Columns {
        /// Series whose rows were pushed.
        series: SeriesId,
        /// Historic or future.
        kind: &'static str,
        /// Columns given.
        got: usize,
        /// Columns named.
        expected: usize,
    },
}

impl Panel {
    /// Returns the spacing of the rows.
    pub fn freq(&self) -> Freq {
        self.freq
    }

    /// Returns the IANA name of the time zone whose civil time calendar features use; timestamps are then UTC.
    pub fn timezone(&self) -> Option<&str> {
        self.timezone.as_deref()
    }

    /// Returns where each series lies, sorted by `unique_id`.
    pub fn series(&self) -> &[SeriesSpan] {
        &self.series
    }

    /// Returns the number of series.
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// Returns the number of rows of history over all series.
    pub fn n_rows(&self) -> usize {
        self.series.iter().map(|span| span.history).sum()
    }

    /// Returns the names of the columns known up to the cutoff.
    pub fn historic_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.historic.iter().map(HistoricColumn::name)
    }

    /// Returns the names of the columns known ahead.
    pub fn future_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.future.iter().map(FutureColumn::name)
    }

    /// Returns the texts that the codes of a known-ahead column stand for; empty where its values are numbers.
    pub fn future_categories(&self, column: usize) -> &[String] {
        self.future[column].categories()
    }

    /// Returns the attributes that do not change over time.
    pub fn statics(&self) -> &[StaticColumn] {
        &self.statics
    }

    /// Returns the rows of the `index`-th series.
    pub fn view(&self, index: usize) -> SeriesView<'_> {
        SeriesView { panel: self, index }
    }

    /// Returns all series in order.
    pub fn views(&self) -> impl ExactSizeIterator<Item = SeriesView<'_>> {
        (0..self.series.len()).map(|index| self.view(index))
    }

    /// Returns the position of a key, if the panel has it.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.series.binary_search_by(|span| span.id.as_str().cmp(id)).ok()
    }

    /// Returns the last period of any history, or `None` for a panel without series.
    pub fn last_period(&self) -> Option<Period> {
        self.series.iter().map(SeriesSpan::cutoff).max()
    }

    /// Returns the first period of any series.
    pub fn first_period(&self) -> Option<Period> {
        self.series.iter().map(|span| span.start).min()
    }

    /// Returns the panel as it was known at `cutoff`: later rows keep only their known-ahead columns.
    /// Series that start after the cutoff are left out. Copies no values.
    pub fn until(&self, cutoff: Period) -> Self {
        let series = self.series.iter().filter(|span| span.start <= cutoff).map(|span| {
            let history = (cutoff.since(span.start) + 1) as usize;
            SeriesSpan { history: history.min(span.history), ..span.clone() }
        });
        Self { series: series.collect(), ..self.clone() }
    }

    /// Returns the panel with only the series at `indices`, which must be ascending. Copies no values.
    pub fn select(&self, indices: &[usize]) -> Self {
        debug_assert!(indices.is_sorted(), "series stay sorted by unique_id");
        Self { series: indices.iter().map(|index| self.series[*index].clone()).collect(), ..self.clone() }
    }

    /// Returns the panel with other values in a known-ahead column, as (series, row of the series, value). Copies that column only.
    ///
    /// # Panics
    /// If a series or row is not there.
    pub fn with_future(&self, column: usize, changes: impl IntoIterator<Item = (usize, usize, f64)>) -> Self {
        let mut values = self.future[column].values().to_vec();
        for (series, row, value) in changes {
            let span = &self.series[series];
            assert!(row < span.rows, "series `{}` has {} rows, not {row}", span.id, span.rows);
            values[span.offset + row] = value;
        }
        let mut future = self.future.to_vec();
        future[column] = future[column].with_values(values);
        Self { future: future.into(), ..self.clone() }
    }

    /// Returns the panel with only the last `rows` rows of each history (and what is known ahead). Copies no values.
    pub fn tail(&self, rows: usize) -> Self {
        let series = self.series.iter().map(|span| {
            let skip = span.history.saturating_sub(rows);
            SeriesSpan {
                start: span.start.plus(skip as i64),
                offset: span.offset + skip,
                history: span.history - skip,
                rows: span.rows - skip,
                ..span.clone()
            }
        });
        Self { series: series.collect(), ..self.clone() }
    }
}

/// One series of a [`Panel`], up to the panel's cutoff.
#[derive(Debug, Clone, Copy)]
pub struct SeriesView<'a> {
    panel: &'a Panel,
    index: usize,
}

impl<'a> SeriesView<'a> {
    /// Returns where the series lies in the panel.
    pub fn span(&self) -> &'a SeriesSpan {
        &self.panel.series[self.index]
    }

    /// Returns the key.
    pub fn id(&self) -> &'a SeriesId {
        &self.span().id
    }

    /// Returns the spacing of the rows.
    pub fn freq(&self) -> Freq {
        self.panel.freq
    }

    /// Returns the period of the first row.
    pub fn start(&self) -> Period {
        self.span().start
    }

    /// Returns the number of rows of history.
    pub fn len(&self) -> usize {
        self.span().history
    }

    /// Returns whether there is no history at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the target, one value per row of history, NaN where missing.
    pub fn y(&self) -> &'a [f64] {
        let span = self.span();
        &self.panel.y[span.offset..span.offset + span.history]
    }

    /// Returns what each row of history stands for.
    pub fn status(&self) -> &'a [RowStatus] {
        let span = self.span();
        &self.panel.status[span.offset..span.offset + span.history]
    }

    /// Returns a historic column, one value per row of history.
    pub fn historic(&self, column: usize) -> &'a [f64] {
        let span = self.span();
        &self.panel.historic[column].values()[span.offset..span.offset + span.history]
    }

    /// Returns a known-ahead column, one value per row of history and per known row after it.
    pub fn future(&self, column: usize) -> &'a [f64] {
        let span = self.span();
        &self.panel.future[column].values()[span.offset..span.offset + span.rows]
    }

    /// Returns the known-ahead columns that hold numbers, not codes of texts, each as [`Self::future`] does.
    pub fn future_numbers(&self) -> impl Iterator<Item = &'a [f64]> {
        let view = *self;
        (0..view.panel.future.len())
            .filter(move |column| view.panel.future[*column].categories().is_empty())
            .map(move |column| view.future(column))
    }

    /// Returns the rows whose `y` counts in losses, scales and metrics, as (row, y).
    pub fn scored(&self) -> impl DoubleEndedIterator<Item = (usize, f64)> + 'a {
        let (y, status) = (self.y(), self.status());
        y.iter().zip(status).enumerate().filter(|(_, (y, status))| status.is_scored() && !y.is_nan()).map(|(row, (y, _))| (row, *y))
    }
}

/// Rows of one series, as [`PanelBuilder::push`] takes them. All columns have one value per row of history and ahead.
#[derive(Debug, Clone, Default)]
pub struct SeriesRows {
    /// Target; NaN where missing and in rows ahead.
    pub y: Vec<f64>,
    /// What each row stands for; rows ahead are [`RowStatus::Future`] and come last.
    pub status: Vec<RowStatus>,
    /// Historic columns in the builder's order.
    pub historic: Vec<Vec<f64>>,
    /// Known-ahead columns in the builder's order.
    pub future: Vec<Vec<f64>>,
}

/// Collects series into a [`Panel`].
#[derive(Debug)]
pub struct PanelBuilder {
    freq: Freq,
    timezone: Option<Arc<str>>,
    series: Vec<SeriesSpan>,
    y: Vec<f64>,
    status: Vec<RowStatus>,
    historic: Vec<(String, Vec<f64>)>,
    future: Vec<(String, Vec<f64>)>,
    categories: HashMap<String, Arc<[String]>>,
}

impl PanelBuilder {
    /// Starts a panel with the given exogenous columns.
    pub fn new(freq: Freq, historic: &[String], future: &[String]) -> Self {
        let columns = |names: &[String]| names.iter().map(|name| (name.clone(), Vec::new())).collect();
        Self {
            freq,
            timezone: None,
            series: Vec::new(),
            y: Vec::new(),
            status: Vec::new(),
            historic: columns(historic),
            future: columns(future),
            categories: HashMap::new(),
        }
    }

    /// Says that the values of a known-ahead column are codes into `texts`.
    pub fn categories(mut self, column: &str, texts: &[String]) -> Self {
        if !texts.is_empty() {
            self.categories.insert(column.to_owned(), texts.into());
        }
        self
    }

    /// Sets the IANA time zone of a panel whose timestamps are UTC.
    pub fn timezone(mut self, name: Option<&str>) -> Self {
        self.timezone = name.map(Arc::from);
        self
    }

    /// Adds a series. Order does not matter; [`Self::finish`] sorts.
    ///
    /// # Errors
    /// [`PanelError`] if the columns disagree in number or length.
    pub fn push(&mut self, id: SeriesId, start: Period, rows: SeriesRows) -> Result<(), PanelError> {
        let expected = rows.y.len();
        let length = |column: &str, got: usize| {
            if got == expected { Ok(()) } else { Err(PanelError::Length { series: id.clone(), column: column.to_owned(), got, expected }) }
        };
        let columns = |kind, got: usize, expected: usize| {
            if got == expected { Ok(()) } else { Err(PanelError::Columns { series: id.clone(), kind, got, expected }) }
        };
        columns("historic", rows.historic.len(), self.historic.len())?;
        columns("future", rows.future.len(), self.future.len())?;
        length("status", rows.status.len())?;
        for ((name, _), values) in self.historic.iter().zip(&rows.historic).chain(self.future.iter().zip(&rows.future)) {
            length(name, values.len())?;
        }
        let history = rows.status.iter().position(|status| *status == RowStatus::Future).unwrap_or(expected);
        let static_row = self.series.len();
        self.series.push(SeriesSpan { id, start, offset: self.y.len(), history, rows: expected, static_row });
        self.y.extend_from_slice(&rows.y);
        self.status.extend_from_slice(&rows.status);
        for ((_, column), values) in self.historic.iter_mut().zip(&rows.historic).chain(self.future.iter_mut().zip(&rows.future)) {
            column.extend_from_slice(values);
        }
        Ok(())
    }

    /// Sorts the series and closes the panel. `statics` hold one value per series in the order they were pushed.
    ///
    /// # Errors
    /// [`PanelError::Duplicate`] if a key was pushed twice.
    pub fn finish(mut self, statics: Vec<StaticColumn>) -> Result<Panel, PanelError> {
        let mut seen = HashSet::with_capacity(self.series.len());
        for span in &self.series {
            if !seen.insert(span.id.clone()) {
                return Err(PanelError::Duplicate { series: span.id.clone() });
            }
        }
        self.series.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Panel {
            freq: self.freq,
            timezone: self.timezone,
            series: self.series.into(),
            y: self.y.into(),
            status: self.status.into(),
            historic: self.historic.into_iter().map(|(name, values)| HistoricColumn::new(name, values)).collect(),
            future: self
                .future
                .into_iter()
                .map(|(name, values)| {
                    let texts = self.categories.remove(&name).unwrap_or_default();
                    FutureColumn::new(name, values).of_categories(texts)
                })
                .collect(),
            statics: statics.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> Panel {
        let mut builder = PanelBuilder::new(Freq::Day, &["customers".into()], &["price".into()]);
        for (id, start) in [("b", 3), ("a", 0)] {
            let rows = SeriesRows {
                y: vec![1.0, 2.0, 3.0, f64::NAN],
                status: vec![RowStatus::Observed, RowStatus::Censored, RowStatus::Observed, RowStatus::Future],
                historic: vec![vec![7.0; 4]],
                future: vec![vec![5.0, 5.0, 5.0, 6.0]],
            };
            builder.push(id.into(), Period(start), rows).expect("columns agree");
        }
        builder.finish(vec![]).expect("keys are unique")
    }

    #[test]
    fn series_are_sorted_and_found_by_key() {
        assert_eq!(panel().position("b"), Some(1));
        assert_eq!(panel().position("c"), None);
    }

    #[test]
    fn nothing_but_known_ahead_columns_is_seen_past_a_cutoff() {
        let at_one = panel().until(Period(1));
        assert_eq!(at_one.n_series(), 1, "`b` starts later");
        let view = at_one.view(0);
        assert_eq!((view.y(), view.historic(0).len(), view.future(0).len()), (&[1.0, 2.0][..], 2, 4));
    }

    #[test]
    fn a_tail_keeps_the_newest_rows() {
        let tail = panel().tail(2);
        assert_eq!(tail.view(0).y(), [2.0, 3.0]);
        assert_eq!(tail.view(0).start(), Period(1));
        assert_eq!(tail.view(0).future(0), [5.0, 5.0, 6.0]);
    }

    #[test]
    fn a_known_ahead_column_is_changed_in_a_copy() {
        let panel = panel();
        let cut = panel.select(&[1]);
        let changed = cut.with_future(0, [(0, 3, 9.0)]);
        assert_eq!((changed.view(0).future(0), cut.view(0).future(0)), (&[5.0, 5.0, 5.0, 9.0][..], &[5.0, 5.0, 5.0, 6.0][..]));
        assert_eq!(changed.future_names().collect::<Vec<_>>(), ["price"]);
    }

    #[test]
    fn only_rows_that_mean_demand_are_scored() {
        let rows: Vec<_> = panel().view(0).scored().collect();
        assert_eq!(rows, [(0, 1.0), (2, 3.0)]);
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
        for _ in 0..2 {
            builder.push("a".into(), Period(0), SeriesRows::default()).expect("no columns");
        }
        assert_eq!(builder.finish(vec![]).unwrap_err().to_string(), "series `a` was given twice");
    }
}
