//! One lookup: names of features and keys of entities in, values out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::store::{OnlineStore, Served, State};
use crate::FeatureError;
use crate::clock::{Micros, write_instant};
use crate::column::Value;
use crate::declaration::{FeatureRef, Key, KeyKind};
use crate::keys::KeyValue;
use crate::table::{At, Standing};

/// Most entities of one lookup.
pub const MOST_ENTITIES: usize = 10_000;
/// Most values of one lookup: entities times features.
pub const MOST_CELLS: usize = 1_000_000;

/// What is looked up.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `view:feature`, or `view` for all of its features.
    pub features: Vec<String>,
    /// Names of a service, in place of `features`.
    pub service: Option<String>,
    /// Values of each key, one an entity.
    pub entities: BTreeMap<String, Vec<Json>>,
    /// The time of the question.
    pub at: Micros,
    /// Whether the time was asked for. If not, it is the clock's, and values materialised until a later time are taken as they are: clocks
    /// of two machines differ.
    pub is_exact: bool,
    /// Whether answers are named `view__feature`, not `feature`.
    pub full_names: bool,
    /// Whether it is read as Feast reads it: keys that no view asks for are passed over and are not in the answer, and whole numbers may
    /// be written as text or with a fraction of 0.
    pub is_feasts: bool,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is one.
    Present,
    /// The entity is known, the value is missing.
    NullValue,
    /// The entity is not known.
    NotFound,
    /// The newest row is older than the ttl.
    OutsideMaxAge,
}

impl Status {
    /// Returns its name, as Feast's servers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::NullValue => "NULL_VALUE",
            Self::NotFound => "NOT_FOUND",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
        }
    }
}

/// The value of one feature for one entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The value, where there is one.
    pub value: Option<Value>,
    /// What it is, or why there is none.
    pub status: Status,
    /// Time of the entity's newest row.
    pub time: Option<Micros>,
}

/// The answer to a lookup.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The keys by which was looked up, with a value for each entity.
    pub keys: Vec<(String, Vec<KeyValue>)>,
    /// The features, under the names that the answer has, with a cell for each entity.
    pub features: Vec<(String, Vec<Cell>)>,
}

impl OnlineStore {
    /// Answers a lookup from what is in memory; never waits.
    ///
    /// # Errors
    /// [`FeatureError`] for names that are not declared, keys that are missing or of another type, too much at once, a time before that
    /// of the newest values, and views that are not served.
    pub fn look_up(&self, request: &Request) -> Result<Answer, FeatureError> {
        let state = self.state();
        let wanted = wanted(&state, request)?;
        let mut answer = Answer { keys: Vec::new(), features: Vec::with_capacity(wanted.len()) };
        let mut groups: Vec<(Arc<Served>, Vec<usize>)> = Vec::new();
        for (place, feature) in wanted.iter().enumerate() {
            match groups.iter_mut().find(|(served, _)| served.view.name == feature.view) {
                Some((_, places)) => places.push(place),
                None => groups.push((served(&state, &feature.view)?, vec![place])),
            }
        }
        // Views without keys have one answer, which nobody has to be named for.
        let is_keyless = groups.iter().all(|(served, _)| served.view.keys.is_empty());
        let entities = entities(request, wanted.len())?.unwrap_or(usize::from(is_keyless));
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); wanted.len()];
        for (served, places) in &groups {
            let keys = keys(served, request, entities, &mut answer.keys)?;
            fill(served, &wanted, places, &keys, entities, request, &mut cells)?;
        }
        let stray = request.entities.keys().find(|name| !answer.keys.iter().any(|(key, _)| key == *name));
        if let Some(stray) = stray.filter(|_| !request.is_feasts) {
            let there = groups.iter().flat_map(|(served, _)| served.view.keys.iter().map(|key| key.name.as_str()));
            return Err(FeatureError::unknown("key", stray, there.collect::<Vec<_>>()));
        }
        for (feature, cells) in wanted.into_iter().zip(cells) {
            let name = if request.full_names { format!("{}__{}", feature.view, feature.feature) } else { feature.feature };
            if answer.features.iter().any(|(other, _)| *other == name) {
                return Err(FeatureError::Clash { name });
            }
            answer.features.push((name, cells));
        }
        Ok(answer)
    }
}

/// Returns the number of entities, after checking it; `None` where none is named.
fn entities(request: &Request, features: usize) -> Result<Option<usize>, FeatureError> {
    let mut columns = request.entities.iter();
    let Some((first, values)) = columns.next() else { return Ok(None) };
    for (key, others) in columns {
        if others.len() != values.len() {
            let (found, wanted) = (others.len(), values.len());
            return Err(FeatureError::Uneven { key: key.clone(), found, other: first.clone(), wanted });
        }
    }
    if values.len() > MOST_ENTITIES {
        return Err(FeatureError::TooMany { what: "entities of one lookup", found: values.len(), most: MOST_ENTITIES });
    }
    let cells = values.len().saturating_mul(features);
    if cells > MOST_CELLS {
        return Err(FeatureError::TooMany { what: "values of one lookup", found: cells, most: MOST_CELLS });
    }
    Ok(Some(values.len()))
}

fn wanted(state: &State, request: &Request) -> Result<Vec<FeatureRef>, FeatureError> {
    match (&request.service, request.features.is_empty()) {
        (Some(service), true) => Ok(state.declarations.service(service)?.features.clone()),
        (None, false) => state.declarations.resolve(request.features.iter().map(String::as_str)),
        _ => {
            let mend = "write `features: [\"view:feature\"]`, or the name of a feature service".to_owned();
            Err(FeatureError::declared("the lookup", "it needs either features or a service", mend))
        }
    }
}

fn served(state: &State, view: &str) -> Result<Arc<Served>, FeatureError> {
    if state.declarations.view(view).is_ok_and(|declared| !declared.online) {
        return Err(FeatureError::Offline { view: view.to_owned() });
    }
    let reason = || state.absent.get(view).cloned().unwrap_or_else(|| "it is not materialised".to_owned());
    state.views.get(view).cloned().ok_or_else(|| FeatureError::NotServed { view: view.to_owned(), reason: reason() })
}

/// Reads the keys of a view from the request, and adds them to the answer where they are new.
fn keys(
    served: &Served,
    request: &Request,
    entities: usize,
    answered: &mut Vec<(String, Vec<KeyValue>)>,
) -> Result<Vec<Vec<KeyValue>>, FeatureError> {
    let mut columns = Vec::with_capacity(served.view.keys.len());
    for key in &served.view.keys {
        let given = request.entities.get(&key.name);
        let given = given.ok_or_else(|| FeatureError::NoKey { view: served.view.name.clone(), key: key.name.clone() })?;
        let values = given.iter().map(|value| key_value(key, value, request.is_feasts)).collect::<Result<Vec<_>, _>>()?;
        if !answered.iter().any(|(name, _)| *name == key.name) {
            answered.push((key.name.clone(), values.clone()));
        }
        columns.push(values);
    }
    debug_assert!(columns.iter().all(|values| values.len() == entities));
    Ok(columns)
}

fn key_value(key: &Key, value: &Json, is_feasts: bool) -> Result<KeyValue, FeatureError> {
    // Whole numbers up to here are exact as floats.
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() <= 9e15).then_some(number as i64);
    let read = match (key.kind, value) {
        (KeyKind::Int, Json::String(text)) if is_feasts => text.trim().parse().ok().map(KeyValue::Int),
        (KeyKind::Int, Json::Number(number)) if is_feasts && number.is_f64() => number.as_f64().and_then(whole).map(KeyValue::Int),
        (KeyKind::Text, Json::String(text)) => Some(KeyValue::Text(text.clone())),
        (KeyKind::Int, Json::Number(number)) => number.as_i64().map(KeyValue::Int),
        _ => None,
    };
    read.ok_or_else(|| {
        let found = match value {
            Json::Null => "null",
            Json::Bool(_) => "a truth value",
            Json::Number(number) if number.is_f64() => "a number with a fraction",
            Json::Number(_) => "a number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        FeatureError::WrongType {
            place: "the lookup".to_owned(),
            column: key.name.clone(),
            found: found.to_owned(),
            wanted: format!("a key of type `{}`", key.kind.name()),
        }
    })
}

fn fill(
    served: &Served,
    wanted: &[FeatureRef],
    places: &[usize],
    keys: &[Vec<KeyValue>],
    entities: usize,
    request: &Request,
    cells: &mut [Vec<Cell>],
) -> Result<(), FeatureError> {
    let (plan, table) = (&served.plan, &served.table);
    if request.is_exact && request.at < served.manifest.until {
        let (asked, until) = (write_instant(request.at), write_instant(served.manifest.until));
        return Err(FeatureError::TooEarly { view: served.view.name.clone(), asked, until });
    }
    let mut outputs = Vec::with_capacity(places.len());
    for place in places {
        let name = wanted[*place].feature.as_str();
        let output = (0..plan.outputs.len()).find(|output| plan.name(*output) == name);
        let reason = || format!("`{name}` was declared after it was materialised");
        outputs.push(output.ok_or_else(|| FeatureError::NotServed { view: served.view.name.clone(), reason: reason() })?);
    }
    let at = At { time: request.at.max(served.manifest.until), known: Micros::MAX };
    let mut key = Vec::new();
    for entity in 0..entities {
        key.clear();
        keys.iter().for_each(|values| values[entity].encode(&mut key));
        let found = table.find(plan, table.keys.get(&key), at);
        let time = table.time(&found);
        for (place, output) in places.iter().zip(&outputs) {
            let value = table.output(plan, *output, &found, at);
            let status = match (found.standing, &value) {
                (Standing::Absent, _) => Status::NotFound,
                (Standing::Expired, _) => Status::OutsideMaxAge,
                (Standing::Present, None) => Status::NullValue,
                (Standing::Present, Some(_)) => Status::Present,
            };
            cells[*place].push(Cell { value, status, time });
        }
    }
    Ok(())
}
