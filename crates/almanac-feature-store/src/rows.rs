//! Rows of a view by column: what is gathered from a source, kept in a segment, and put in order in a table.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use rayon::prelude::*;

use crate::FeatureError;
use crate::clock::Micros;
use crate::column::Column;
use crate::declaration::{KeyKind, Kind, View};
use crate::keys::{KeyColumns, KeyIndex};
use crate::plan::Plan;
use crate::table::EventTable;

/// Rows of a view, by column.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<Column>,
    pub(crate) times: Vec<Micros>,
    pub(crate) created: Option<Vec<Micros>>,
    pub(crate) columns: Vec<Column>,
}

impl Rows {
    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Picks some rows.
    pub(crate) fn pick(&self, rows: &[u32]) -> Result<Self, FeatureError> {
        let at = UInt32Array::from(rows.to_vec());
        let columns = |columns: &[Column]| columns.iter().map(|column| column.pick(&at)).collect::<Result<Vec<_>, _>>();
        let micros = |values: &[Micros]| rows.iter().map(|row| values[*row as usize]).collect();
        Ok(Self {
            keys: columns(&self.keys)?,
            times: micros(&self.times),
            created: self.created.as_deref().map(micros),
            columns: columns(&self.columns)?,
        })
    }

    /// Returns no rows of a view.
    fn none(view: &View, plan: &Plan) -> Self {
        let columns = plan.columns.iter().map(|(_, kind)| Column::of_values(kind.unwrap_or(Kind::Real), std::iter::empty()));
        let kind = |kind: KeyKind| if kind == KeyKind::Int { Kind::Int } else { Kind::Text };
        let keys = view.keys.iter().map(|key| Column::of_values(kind(key.kind), std::iter::empty()));
        Self { keys: keys.collect(), times: Vec::new(), created: view.created.as_ref().map(|_| Vec::new()), columns: columns.collect() }
    }

    /// Puts rows of a view below each other.
    pub(crate) fn stack(mut parts: Vec<Self>, view: &View, plan: &Plan, place: &str) -> Result<Self, FeatureError> {
        // Without rows a column has its type by chance.
        parts.retain(|part| part.len() > 0);
        if parts.is_empty() {
            return Ok(Self::none(view, plan));
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let key_names: Vec<&str> = view.keys.iter().map(|key| key.name.as_str()).collect();
        let names: Vec<&str> = plan.columns.iter().map(|(name, _)| name.as_str()).collect();
        let stack = |of: fn(&Self) -> &Vec<Column>, names: &[&str]| {
            let width = parts.first().map_or(0, |part| of(part).len());
            let column = |place_of: usize| parts.iter().map(|part| of(part)[place_of].clone()).collect::<Vec<_>>();
            let stacked = (0..width).into_par_iter().map(|number| Column::stack(&column(number), place, names[number]));
            stacked.collect::<Result<Vec<_>, _>>()
        };
        let has_created = parts.first().is_some_and(|part| part.created.is_some());
        Ok(Self {
            keys: stack(|part| &part.keys, &key_names)?,
            columns: stack(|part| &part.columns, &names)?,
            times: parts.iter().flat_map(|part| part.times.iter().copied()).collect(),
            created: has_created.then(|| parts.iter().flat_map(|part| part.created.iter().flatten().copied()).collect()),
        })
    }

    /// Returns what the values of the columns are.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(Column::kind).collect()
    }

    /// Returns their size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let columns = self.keys.iter().chain(&self.columns).map(Column::bytes).sum::<usize>();
        columns + (self.times.len() + self.created.as_ref().map_or(0, Vec::len)) * size_of::<Micros>()
    }

    /// Keeps the rows that an answer from `until` on can be made of. Of parts of a table it keeps all that it keeps of the whole.
    pub(crate) fn lasting(self, view: &View, plan: &Plan, until: Micros) -> Result<Self, FeatureError> {
        let (index, entities) = index_of(view, &self.keys, self.len())?;
        let table = EventTable::new(Arc::new(index), &entities, self.times.clone(), self.created.clone(), Vec::new());
        let kept = table.lasting_rows(plan, until);
        if kept.len() == self.len() { Ok(self) } else { self.pick(&kept) }
    }
}

/// Numbers the entities of rows by their keys.
pub(crate) fn index_of(view: &View, keys: &[Column], rows: usize) -> Result<(KeyIndex, Vec<u32>), FeatureError> {
    let arrays: Vec<ArrayRef> = keys.iter().map(Column::array).collect();
    let mut index = KeyIndex::with_capacity(rows.min(1 << 20));
    let mut entities = Vec::with_capacity(rows);
    if rows > 0 {
        let keys = KeyColumns::new(&view.keys, &arrays, &format!("feature view `{}`", view.name))?;
        let mut key = Vec::new();
        for row in 0..rows {
            if !keys.encode(row, &mut key) {
                return Err(FeatureError::NoKey { view: view.name.clone(), key: view.keys[0].name.clone() });
            }
            entities.push(index.insert(&key));
        }
    }
    Ok((index, entities))
}
