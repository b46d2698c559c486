//! Values of the past: for each row of an entity table the features as they stood at its time, or for all entities at one time.
//!
//! The entity table stays as it is, row by row; a feature that nobody knew is missing. Memory holds the entity table, the rows of one
//! view at a time that can matter to it, and the answer.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{Field as ArrowField, Schema};
use jiff::tz::TimeZone;
use rayon::prelude::*;

use crate::FeatureError;
use crate::clock::Micros;
use crate::column::{Column, instants};
use crate::declaration::{Declarations, FeatureRef, Key, KeyKind, View};
use crate::entity_table::EntityTable;
use crate::gather::{Counts, Wanted, gather};
use crate::keys::{KeyColumns, KeyIndex};
use crate::plan::Plan;
use crate::rows::{Rows, index_of};
use crate::source::Source;
use crate::table::{At, EventTable, Found, Standing};

/// What is known of rows that were created after they became true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// What was known at the time of the entity row: what an online lookup would have answered then.
    AtEvent,
    /// Everything that is known now, late and corrected rows too.
    Now,
    /// What was known at this time.
    At(Micros),
}

impl Known {
    fn at(self, time: Micros) -> At {
        let known = match self {
            Self::AtEvent => time,
            Self::Now => Micros::MAX,
            Self::At(known) => known,
        };
        At { time, known }
    }
}

/// What is asked of the past.
#[derive(Debug)]
pub struct Historical<'a> {
    /// What is declared.
    pub declarations: &'a Declarations,
    /// The wanted features.
    pub features: &'a [FeatureRef],
    /// Whether answers are named `view__feature`, not `feature`.
    pub full_names: bool,
    /// What is known.
    pub known: Known,
    /// Most bytes that the rows of one view may take.
    pub memory: usize,
}

/// How the entity rows stood to one view.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// The view.
    pub view: String,
    /// Rows of its source.
    pub rows: u64,
    /// Rows of its source without a key or a time.
    pub nameless: u64,
    /// Entity rows with values.
    pub present: u64,
    /// Entity rows whose newest values were older than the ttl.
    pub expired: u64,
    /// Entity rows of which nothing was known.
    pub absent: u64,
}

/// Opens the source of a view.
pub type OpenSource<'a> = dyn Fn(&View) -> Result<Box<dyn Source>, FeatureError> + 'a;

/// Entity tables by their keys: several views of one entity look rows up once.
type Looked = BTreeMap<Vec<(String, KeyKind)>, (Arc<KeyIndex>, Vec<Option<u32>>)>;

impl Historical<'_> {
    /// Adds the features to an entity table, as they stood at the time in `time_column`. Rows keep their order.
    ///
    /// # Errors
    /// [`FeatureError`] for a table without the keys or with keys of another type, a row without a time, sources that cannot be read,
    /// columns of the answer that would have the same name, and too little memory.
    pub fn join(
        &self,
        entities: &EntityTable,
        time_column: &str,
        zone: &TimeZone,
        open: &OpenSource<'_>,
    ) -> Result<(EntityTable, Vec<Coverage>), FeatureError> {
        let entities = entities.batch();
        let place = "the entity table";
        let schema = entities.schema();
        let mut names: HashSet<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        self.features.iter().try_for_each(|feature| self.name_once(feature, &mut names))?;
        if entities.num_rows() >= u32::MAX as usize {
            return Err(FeatureError::TooMany {
                what: "rows of the entity table",
                found: entities.num_rows(),
                most: u32::MAX as usize - 1,
            });
        }
        let at = self.times(column(entities, time_column)?, time_column, zone)?;
        let mut looked = Looked::new();
        let mut made: BTreeMap<FeatureRef, ArrayRef> = BTreeMap::new();
        let mut coverage = Vec::new();
        for (view, wanted) in self.by_view()? {
            let keys: Vec<(String, KeyKind)> = view.keys.iter().map(|key| (key.name.clone(), key.kind)).collect();
            if !looked.contains_key(&keys) {
                looked.insert(keys.clone(), look_up(view, entities, place)?);
            }
            let (index, rows) = &looked[&keys];
            let plan = Plan::new(view, &wanted);
            let source = open(view)?;
            let earliest = at.iter().map(|at| at.time).min().unwrap_or(Micros::MAX);
            let lasting = view.ttl.map_or(Micros::MAX, |ttl| ttl.max(view.longest_window()));
            let rows_wanted = Wanted {
                entities: Some(index),
                from: if lasting == Micros::MAX { Micros::MIN } else { earliest.saturating_sub(lasting) },
                until: at.iter().map(|at| at.time).max().unwrap_or(Micros::MIN),
                before: None,
                only_lasting: false,
                memory: self.memory,
            };
            let gathered = gather(view, &plan, &*source, rows_wanted)?;
            let counts = gathered.counts;
            let table = gathered.into_table_of(Arc::clone(index));
            let (columns, seen) = answer(&table, &plan, rows, &at, counts)?;
            coverage.push(seen);
            for (name, column) in wanted.iter().zip(columns) {
                made.insert(FeatureRef { view: view.name.clone(), feature: (*name).to_owned() }, column.array());
            }
        }
        let mut fields: Vec<Arc<ArrowField>> = schema.fields().iter().cloned().collect();
        let mut columns = entities.columns().to_vec();
        for feature in self.features {
            let array = made[feature].clone();
            fields.push(Arc::new(ArrowField::new(self.name(feature), array.data_type().clone(), true)));
            columns.push(array);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        Ok((batch.map_err(|source| FeatureError::Arrow { what: "putting the answer together", source })?.into(), coverage))
    }

    /// Returns the features of every entity that one view knows at a time: its keys, then its features.
    ///
    /// # Errors
    /// As [`Historical::join`]; features of several views are refused.
    pub fn all_at(&self, time: Micros, open: &OpenSource<'_>) -> Result<(EntityTable, Coverage), FeatureError> {
        let views = self.by_view()?;
        let [(view, wanted)] = views.as_slice() else {
            let mend = "ask for the features of one view at a time".to_owned();
            return Err(FeatureError::declared("features of all entities", "they are those of several views", mend));
        };
        let plan = Plan::new(view, wanted);
        let all = Wanted { entities: None, from: Micros::MIN, until: time, before: None, only_lasting: false, memory: self.memory };
        let gathered = gather(view, &plan, &*open(view)?, all)?;
        let (counts, Rows { keys, times, created, columns }) = (gathered.counts, gathered.rows);
        let (index, entities) = index_of(view, &keys, times.len())?;
        // The first row of each entity has its key.
        let mut first = vec![u32::MAX; index.len()];
        for (row, entity) in entities.iter().enumerate().rev() {
            first[*entity as usize] = row as u32;
        }
        let table = EventTable::new(Arc::new(index), &entities, times, created, columns);
        let at = self.known.at(time);
        // An entity whose rows were all created later is not known yet.
        let known: Vec<Option<u32>> =
            (0..first.len() as u32).map(Some).filter(|entity| table.find(&plan, *entity, at).standing != Standing::Absent).collect();
        let rows: arrow::array::UInt32Array = known.iter().flatten().map(|entity| first[*entity as usize]).collect();
        let (answers, seen) = answer(&table, &plan, &known, &vec![at; known.len()], counts)?;
        let mut names: HashSet<String> = HashSet::new();
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (key, column) in view.keys.iter().zip(&keys) {
            let array = column.pick(&rows)?.array();
            fields.push(ArrowField::new(&key.name, array.data_type().clone(), false));
            names.insert(key.name.clone());
            arrays.push(array);
        }
        for (name, column) in wanted.iter().zip(answers) {
            let feature = FeatureRef { view: view.name.clone(), feature: (*name).to_owned() };
            self.name_once(&feature, &mut names)?;
            fields.push(ArrowField::new(self.name(&feature), column.array().data_type().clone(), true));
            arrays.push(column.array());
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
        Ok((batch.map_err(|source| FeatureError::Arrow { what: "putting the answer together", source })?.into(), seen))
    }

    fn name(&self, feature: &FeatureRef) -> String {
        if self.full_names { format!("{}__{}", feature.view, feature.feature) } else { feature.feature.clone() }
    }

    fn name_once(&self, feature: &FeatureRef, names: &mut HashSet<String>) -> Result<(), FeatureError> {
        let name = self.name(feature);
        if names.insert(name.clone()) { Ok(()) } else { Err(FeatureError::Clash { name }) }
    }

    /// Returns the wanted features of each view, in the order in which views first appear.
    fn by_view(&self) -> Result<Vec<(&View, Vec<&str>)>, FeatureError> {
        let mut views: Vec<(&View, Vec<&str>)> = Vec::new();
        for feature in self.features {
            match views.iter_mut().find(|(view, _)| view.name == feature.view) {
                Some((_, wanted)) => wanted.push(&feature.feature),
                None => views.push((self.declarations.view(&feature.view)?, vec![&feature.feature])),
            }
        }
        Ok(views)
    }

    fn times(&self, array: &ArrayRef, name: &str, zone: &TimeZone) -> Result<Vec<At>, FeatureError> {
        let times = instants(array, zone, "the entity table", name)?;
        if let Some(row) = (0..times.len()).find(|row| times.is_null(*row)) {
            return Err(FeatureError::WrongType {
                place: "the entity table".to_owned(),
                column: name.to_owned(),
                found: format!("missing in row {}", row + 1),
                wanted: "a time".to_owned(),
            });
        }
        Ok(times.values().iter().map(|time| self.known.at(*time)).collect())
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, FeatureError> {
    batch.column_by_name(name).ok_or_else(|| {
        let schema = batch.schema();
        FeatureError::no_column("the entity table", name, schema.fields().iter().map(|field| field.name().as_str()))
    })
}

/// Numbers the entities of the entity table; each key is hashed once.
fn look_up(view: &View, entities: &RecordBatch, place: &str) -> Result<(Arc<KeyIndex>, Vec<Option<u32>>), FeatureError> {
    let arrays = view.keys.iter().map(|key| column(entities, &key.name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let named: Vec<Key> = view.keys.iter().map(|key| Key { column: key.name.clone(), ..key.clone() }).collect();
    let keys = KeyColumns::new(&named, &arrays, place)?;
    let mut index = KeyIndex::with_capacity(entities.num_rows().min(1 << 16));
    let mut key = Vec::new();
    let rows = (0..entities.num_rows()).map(|row| keys.encode(row, &mut key).then(|| index.insert(&key))).collect();
    Ok((Arc::new(index), rows))
}

/// Answers for each entity row.
fn answer(
    table: &EventTable,
    plan: &Plan,
    entities: &[Option<u32>],
    at: &[At],
    counts: Counts,
) -> Result<(Vec<Column>, Coverage), FeatureError> {
    plan.check(&table.kinds())?;
    let found: Vec<Found> = entities.par_iter().zip(at).with_min_len(4096).map(|(entity, at)| table.find(plan, *entity, *at)).collect();
    let outputs = 0..plan.outputs.len();
    let columns = outputs.into_par_iter().map(|output| table.output_of_all(plan, output, &found, at)).collect::<Result<Vec<_>, _>>()?;
    let standing = |standing: Standing| found.iter().filter(|found| found.standing == standing).count() as u64;
    let coverage = Coverage {
        view: plan.view.clone(),
        rows: counts.rows,
        nameless: counts.nameless,
        present: standing(Standing::Present),
        expired: standing(Standing::Expired),
        absent: standing(Standing::Absent),
    };
    Ok((columns, coverage))
}
