//! The plan: which features a panel gets, in which order, and what each stands for. Serialisable, so that a model reads new
//! data exactly as it read its training data: columns by name, categories by text, holidays by name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use almanac_series::{Freq, Panel, SeriesView, StaticValues};
use serde::{Deserialize, Serialize};

use crate::groups::Groups;
use crate::{Country, FeatureSpec, PlanError, aligned, asof, calendar, groups, known};

/// One feature of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Unique within a plan.
    pub name: String,
    /// Whether values are codes without order. Codes are whole and not negative.
    pub categorical: bool,
    /// Whether values are in the units of `y`, so that they scale with it.
    pub in_units: bool,
}

impl Feature {
    pub(crate) fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), categorical: false, in_units: false }
    }

    pub(crate) fn units(name: impl Into<String>) -> Self {
        Self { name: name.into(), categorical: false, in_units: true }
    }

    pub(crate) fn category(name: impl Into<String>) -> Self {
        Self { name: name.into(), categorical: true, in_units: false }
    }
}

/// What a known-ahead column was found to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FutureKind {
    /// Only 0 and 1: a promotion, a school holiday.
    Flag,
    /// Positive amounts: a price.
    Amount,
    /// Mostly one value: an event code.
    Event,
    /// Codes without order, as the spec says.
    Category,
    /// Anything else.
    Number,
}

/// A known-ahead column and how it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FutureRole {
    /// Column of the panel.
    pub name: String,
    /// What it holds.
    pub kind: FutureKind,
    /// Its usual value, where it has one: what an [`FutureKind::Event`] shows on a day without event.
    pub blank: Option<f64>,
    /// Texts by code; empty where the panel has numbers.
    #[serde(default)]
    pub categories: Vec<String>,
}

/// A historic column that mostly holds one value, so that any other is an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoricEvent {
    /// Column of the panel.
    pub name: String,
    /// Its usual value.
    pub blank: f64,
}

impl HistoricEvent {
    pub(crate) fn is_event(&self, value: f64) -> bool {
        !value.is_nan() && value != self.blank
    }
}

/// How a static column is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaticKind {
    /// Codes into these texts, sorted; a text not among them is missing.
    Category(Vec<String>),
    /// A number as it stands.
    Number,
}

/// A static column and how it is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaticRole {
    /// Column of the panel.
    pub name: String,
    /// Its encoding.
    pub kind: StaticKind,
}

/// Waves of one period, at most.
const MOST_WAVES: usize = 100;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parts {
    spec: FeatureSpec,
    freq: String,
    future: Vec<FutureRole>,
    historic: Vec<String>,
    statics: Vec<StaticRole>,
    holidays: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    historic_events: Vec<HistoricEvent>,
}

/// Which features rows get. Made from a training panel, then applied to any panel of the same frequency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct FeaturePlan {
    parts: Parts,
    freq: Freq,
    asof: Vec<Feature>,
    known: Vec<Feature>,
    groups: Vec<Feature>,
    aligned: Vec<Feature>,
}

impl From<FeaturePlan> for Parts {
    fn from(plan: FeaturePlan) -> Self {
        plan.parts
    }
}

impl TryFrom<Parts> for FeaturePlan {
    type Error = almanac_series::FreqError;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let freq: Freq = parts.freq.parse()?;
        let mut plan = Self { parts, freq, asof: Vec::new(), known: Vec::new(), groups: Vec::new(), aligned: Vec::new() };
        plan.asof = asof::features(&plan);
        plan.known = known::features(&plan);
        plan.groups = groups::features(&plan);
        plan.aligned = aligned::features(&plan);
        Ok(plan)
    }
}

impl FeaturePlan {
    /// Plans the features of a panel.
    ///
    /// # Errors
    /// [`PlanError`] if the spec names an unknown country or static column, or holds a number out of range; or the time zone is
    /// unknown.
    pub fn new(panel: &Panel, spec: FeatureSpec) -> Result<Self, PlanError> {
        let counts = [
            ("lags", spec.lags.contains(&0)),
            ("windows", spec.windows.iter().any(|window| window.rows == 0)),
            ("season_lengths", spec.season_lengths.contains(&0)),
            ("season_means", spec.season_means.contains(&0)),
            ("year", spec.year == Some(0)),
            ("level_rows", spec.level_rows == 0),
            ("horizon", spec.horizon == 0),
            ("quantiles", spec.quantiles.iter().any(|window| window.rows == 0)),
            ("differences", spec.differences.contains(&0)),
        ];
        if let Some((field, _)) = counts.into_iter().find(|(_, zero)| *zero) {
            return Err(PlanError::ZeroRows { field });
        }
        if !spec.ewm.iter().all(|alpha| *alpha > 0.0 && *alpha <= 1.0) {
            return Err(PlanError::EwmOutOfRange);
        }
        if !spec.quantiles.iter().flat_map(|window| &window.levels).all(|p| (0.0..=1.0).contains(p)) {
            return Err(PlanError::OutOfRange { field: "quantiles", wanted: "probabilities from 0 to 1" });
        }
        if !spec.fourier.iter().all(|waves| waves.period.is_finite() && waves.period > 1.0 && (1..=MOST_WAVES).contains(&waves.order)) {
            return Err(PlanError::OutOfRange { field: "fourier", wanted: "periods above 1 row, and 1 to 100 waves each" });
        }
        if spec.encoding_half_life.is_some_and(|rows| !(rows > 0.0 && rows.is_finite())) {
            return Err(PlanError::OutOfRange { field: "encoding_half_life", wanted: "a number of rows above 0" });
        }
        let is_static = |name: &String| panel.statics().iter().any(|column| *column.name == **name);
        if let Some(given) = spec.parents.iter().flatten().find(|name| !is_static(name)) {
            let known = panel.statics().iter().map(|column| column.name.to_string()).collect();
            return Err(PlanError::UnknownStatic { given: given.clone(), known });
        }
        let holidays = match &spec.country {
            Some(country) if spec.calendar && panel.freq().has_calendar() => Country::find(country)?.names,
            _ => Vec::new(),
        };
        let future = panel.future_names().enumerate().map(|(index, name)| future_role(panel, index, name, &spec)).collect();
        let statics = panel
            .statics()
            .iter()
            .map(|column| StaticRole {
                name: column.name.to_string(),
                kind: match &column.values {
                    StaticValues::Category { categories, .. } => StaticKind::Category(categories.to_vec()),
                    StaticValues::Number(_) => StaticKind::Number,
                },
            })
            .collect();
        let historic = panel.historic_names().map(str::to_owned).collect();
        let historic_events = if spec.historic_events { historic_events(panel) } else { Vec::new() };
        let parts = Parts { spec, freq: panel.freq().to_string(), future, historic, statics, holidays, historic_events };
        let plan = Self::try_from(parts).expect("a frequency reads its own text");
        calendar::Calendar::new(&panel.select(&[]), &plan)?;
        Ok(plan)
    }

    /// Returns what was asked for.
    pub fn spec(&self) -> &FeatureSpec {
        &self.parts.spec
    }

    /// Returns the spacing of the rows.
    pub fn freq(&self) -> Freq {
        self.freq
    }

    /// Returns the known-ahead columns and how they are read.
    pub fn future(&self) -> &[FutureRole] {
        &self.parts.future
    }

    /// Returns the names of the historic columns.
    pub fn historic(&self) -> &[String] {
        &self.parts.historic
    }

    /// Returns the historic columns whose events are counted.
    pub(crate) fn historic_events(&self) -> &[HistoricEvent] {
        &self.parts.historic_events
    }

    /// Returns the static columns and how they are encoded.
    pub fn statics(&self) -> &[StaticRole] {
        &self.parts.statics
    }

    /// Returns the features known at the close of a row: the gold layer.
    pub fn asof(&self) -> &[Feature] {
        &self.asof
    }

    /// Returns the features known of any row, ahead too.
    pub fn known(&self) -> &[Feature] {
        &self.known
    }

    /// Returns the features that other series tell of a row.
    pub fn groups(&self) -> &[Feature] {
        &self.groups
    }

    /// Returns the features of a target seen from an origin, the step being the last one.
    pub fn aligned(&self) -> &[Feature] {
        &self.aligned
    }

    /// Returns the features of a row of [`crate::SeriesFeatures::row`]: as-of, known, groups, aligned.
    pub fn row(&self) -> impl Iterator<Item = &Feature> {
        self.asof.iter().chain(&self.known).chain(&self.groups).chain(&self.aligned)
    }

    pub(crate) fn has_holidays(&self) -> bool {
        !self.parts.holidays.is_empty()
    }

    /// Category of a holiday, from 1; 0 for one the plan does not know.
    pub(crate) fn holiday_code(&self, name: &str) -> u16 {
        self.parts.holidays.binary_search_by(|known| known.as_str().cmp(name)).map_or(0, |index| index as u16 + 1)
    }

    /// Returns the first column of the plan that `panel` lacks.
    pub fn missing_column(&self, panel: &Panel) -> Option<&str> {
        let future = self.parts.future.iter().map(|role| role.name.as_str()).find(|name| !panel.future_names().any(|known| known == *name));
        let historic = || self.parts.historic.iter().map(String::as_str).find(|name| !panel.historic_names().any(|known| known == *name));
        let statics = || {
            let known = |name: &str| panel.statics().iter().any(|column| *column.name == *name);
            self.parts.statics.iter().map(|role| role.name.as_str()).find(|name| !known(name))
        };
        future.or_else(historic).or_else(statics)
    }

    /// Finds the plan's columns in a panel, whatever their order there; where the plan has features of groups, with one pass over
    /// all series, which should then be all that the groups have.
    pub fn bind(&self, panel: &Panel) -> Binding {
        let index = |mut names: Box<dyn Iterator<Item = &str> + '_>, name: &str| names.position(|known| known == name);
        let future = self
            .parts
            .future
            .iter()
            .map(|role| {
                let column = index(Box::new(panel.future_names()), &role.name)?;
                Some(FutureBinding { column, recode: recode(panel.future_categories(column), &role.categories) })
            })
            .collect();
        let historic = self.parts.historic.iter().map(|name| index(Box::new(panel.historic_names()), name)).collect();
        let statics = self
            .parts
            .statics
            .iter()
            .map(|role| {
                let column = panel.statics().iter().find(|column| *column.name == *role.name);
                match (column.map(|column| &column.values), &role.kind) {
                    (Some(StaticValues::Number(values)), StaticKind::Number) => {
                        values.iter().map(|value| crate::kernel::narrow(*value)).collect()
                    }
                    (Some(StaticValues::Category { codes, categories }), StaticKind::Category(known)) => {
                        let place: HashMap<&str, usize> = known.iter().enumerate().map(|(code, text)| (text.as_str(), code)).collect();
                        let map: Vec<f32> =
                            categories.iter().map(|text| place.get(text.as_str()).map_or(f32::NAN, |code| *code as f32)).collect();
                        codes.iter().map(|code| map.get(*code as usize).copied().unwrap_or(f32::NAN)).collect()
                    }
                    _ => Vec::new(),
                }
            })
            .collect();
        let mut binding = Binding { future, historic, statics, groups: None };
        binding.groups = Groups::new(panel, self, &binding).map(Arc::new);
        binding
    }
}

/// Where the columns of a plan are in a panel. Made by [`FeaturePlan::bind`].
#[derive(Debug, Clone)]
pub struct Binding {
    pub(crate) future: Vec<Option<FutureBinding>>,
    pub(crate) historic: Vec<Option<usize>>,
    /// Encoded values, by static row; empty where the panel has no such column.
    statics: Vec<Vec<f32>>,
    /// What groups of series tell; shared, as it is as long as the panel.
    pub(crate) groups: Option<Arc<Groups>>,
}

/// Where a known-ahead column is, and how its codes become those of the plan.
#[derive(Debug, Clone)]
pub(crate) struct FutureBinding {
    column: usize,
    /// The plan's code of each code of the panel; `None` where they are the same.
    recode: Option<Vec<f64>>,
}

impl FutureBinding {
    /// Values of a series in the plan's codes.
    pub(crate) fn values<'a>(&self, view: &SeriesView<'a>) -> Cow<'a, [f64]> {
        let values = view.future(self.column);
        match &self.recode {
            None => Cow::Borrowed(values),
            Some(codes) => {
                values.iter().map(|value| codes.get(*value as usize).copied().filter(|_| !value.is_nan()).unwrap_or(f64::NAN)).collect()
            }
        }
    }
}

fn recode(texts: &[String], known: &[String]) -> Option<Vec<f64>> {
    if texts == known || known.is_empty() {
        return None;
    }
    let place: HashMap<&str, usize> = known.iter().enumerate().map(|(code, text)| (text.as_str(), code)).collect();
    Some(texts.iter().map(|text| place.get(text.as_str()).map_or(f64::NAN, |code| *code as f64)).collect())
}

impl Binding {
    /// Encoded static values of a series, NaN where missing or never seen.
    pub(crate) fn statics(&self, static_row: usize) -> impl Iterator<Item = f32> + '_ {
        self.statics.iter().map(move |column| column.get(static_row).copied().unwrap_or(f32::NAN))
    }
}

/// How often each value of a column occurs.
#[derive(Default)]
struct Counts {
    of: HashMap<u64, u64>,
    rows: u64,
}

impl Counts {
    /// Far more distinct values than codes have are not worth counting.
    const MOST: usize = 4096;

    fn add(&mut self, value: f64) {
        self.rows += 1;
        if self.of.len() < Self::MOST || self.of.contains_key(&value.to_bits()) {
            *self.of.entry(value.to_bits()).or_default() += 1;
        }
    }

    /// The value that most rows have, if it dominates.
    fn dominant(&self) -> Option<f64> {
        let (bits, count) = self.of.iter().max_by_key(|(bits, count)| (**count, std::cmp::Reverse(**bits)))?;
        (count * 10 >= self.rows * 8).then(|| f64::from_bits(*bits))
    }
}

fn historic_events(panel: &Panel) -> Vec<HistoricEvent> {
    let event = |(column, name): (usize, &str)| {
        let mut counts = Counts::default();
        panel.views().flat_map(|view| view.historic(column)).filter(|value| !value.is_nan()).for_each(|value| counts.add(*value));
        // A column of one value alone has no events.
        let blank = counts.dominant().filter(|_| counts.of.len() > 1)?;
        Some(HistoricEvent { name: name.to_owned(), blank })
    };
    panel.historic_names().enumerate().filter_map(event).collect()
}

/// Tells what a column holds from its training rows.
fn future_role(panel: &Panel, index: usize, name: &str, spec: &FeatureSpec) -> FutureRole {
    let mut counts = Counts::default();
    let (mut flag, mut positive) = (true, true);
    for view in panel.views() {
        for value in &view.future(index)[..view.len()] {
            if value.is_nan() {
                continue;
            }
            flag &= *value == 0.0 || *value == 1.0;
            positive &= *value > 0.0;
            counts.add(*value);
        }
    }
    let dominant = counts.dominant();
    let dominates = dominant.is_some();
    let categories = panel.future_categories(index).to_vec();
    let listed = spec.categorical_future.iter().any(|listed| listed == name);
    // Of events a tree learns more from codes in order: each falls on too few days for a category of its own.
    let kind = if listed || (!categories.is_empty() && !dominates) {
        FutureKind::Category
    } else if flag {
        FutureKind::Flag
    } else if dominates && (!categories.is_empty() || counts.of.len() < Counts::MOST) {
        FutureKind::Event
    } else if positive {
        FutureKind::Amount
    } else {
        FutureKind::Number
    };
    let blank = match kind {
        FutureKind::Event | FutureKind::Category => dominant,
        _ => None,
    };
    FutureRole { name: name.to_owned(), kind, blank, categories }
}
