//! Rows into tables: many at a time, those that are there compared.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Batch, Number, key_of};
use crate::StoreError;
use crate::db::{Row, Value};
use crate::transfer::tables::{Cell, Field, Kind, Record, Table, tables};

/// Values of one statement.
const VALUES: usize = 2_000;
/// Columns that move on while a store lives, so that a difference says nothing.
const CLOCKS: [&str; 4] = ["last_update_time", "last_updated_time", "last_version", "next_number"];

/// A value as the tables hold it: numbers of this store in place of keys.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

impl Held {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Int(number) => Value::Int(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text.as_deref()),
        }
    }

    fn key_text(&self) -> String {
        match self {
            Self::Int(number) => Cell::from(*number).key_text(),
            Self::Real(number) => Cell::from(*number).key_text(),
            Self::Text(text) => Cell::from(text.clone()).key_text(),
        }
    }

    fn shown(&self) -> String {
        let shown = match self {
            Self::Int(number) => number.map(|number| number.to_string()),
            Self::Real(number) => number.map(|number| number.to_string()),
            Self::Text(text) => text.clone(),
        };
        shown.map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", text.chars().take(60).collect::<String>()))
    }

    fn read(kind: Kind, row: &dyn Row, column: usize) -> Result<Self, StoreError> {
        Ok(match kind {
            Kind::Int | Kind::Number(_) => Self::Int(row.opt_int(column)?),
            Kind::Real => Self::Real(row.opt_real(column)?),
            Kind::Text => Self::Text(row.opt_text(column)?),
        })
    }
}

/// A record that is ready for the tables.
struct Ready<'r> {
    record: &'r Record,
    held: Vec<Held>,
    /// Of the run it belongs to.
    experiment: i64,
}

impl Ready<'_> {
    fn key(&self, table: &Table) -> String {
        table.key.iter().map(|place| self.held[*place].key_text()).collect::<Vec<_>>().join("\u{1f}")
    }
}

impl Batch<'_, '_> {
    /// Writes rows of a table whose numbers, if any, are this store's own affair.
    pub(super) fn write_rows(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        let ready = self.ready(table, records)?;
        let columns = table.fields.len() + usize::from(table.experiment_of.is_some());
        for chunk in ready.chunks(VALUES / columns) {
            let mut added = self.insert(table, chunk)?;
            let mut met = Vec::new();
            for row in chunk {
                match added.remove(&row.key(table)) {
                    Some(own) => {
                        self.count(row.record).added += 1;
                        self.keep_number(table, row.record, Number { own, experiment: own_experiment(table, row) });
                    }
                    None => met.push(row),
                }
            }
            self.compare(table, &met)?;
        }
        Ok(())
    }

    /// Writes rows that only all of their columns tell apart.
    pub(super) fn write_keyless(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        for row in self.ready(table, records)? {
            if self.is_there(table, &row)? {
                self.count(row.record).present += 1;
                continue;
            }
            let values: Vec<Value<'_>> = row.held.iter().map(Held::value).collect();
            let sql = format!("INSERT INTO {} ({}) VALUES ({})", table.name, columns(table), places(0, values.len()));
            self.session.execute(&sql, &values)?;
            self.count(row.record).added += 1;
        }
        Ok(())
    }

    fn is_there(&mut self, table: &Table, row: &Ready<'_>) -> Result<bool, StoreError> {
        let same: Vec<String> = (table.fields.iter().enumerate())
            .map(|(place, field)| format!("{} IS NOT DISTINCT FROM ?{}", field.column, place + 1))
            .collect();
        let sql = format!("SELECT count(*) FROM {} WHERE {}", table.name, same.join(" AND "));
        let values: Vec<Value<'_>> = row.held.iter().map(Held::value).collect();
        Ok(self.session.first(&sql, &values, |row| row.int(0))? != Some(0))
    }

    /// Finds out which rows are there.
    pub(super) fn look_at_rows(&mut self, table: &Table, records: &[Record]) -> Result<(), StoreError> {
        let ready = self.ready(table, records)?;
        if table.key.is_empty() {
            for row in ready {
                let is_there = self.is_there(table, &row)?;
                let count = self.count(row.record);
                if is_there { count.present += 1 } else { count.added += 1 }
            }
            return Ok(());
        }
        for chunk in ready.chunks(VALUES / table.fields.len()) {
            let rows: Vec<&Ready<'_>> = chunk.iter().collect();
            let found = self.existing(table, &rows)?;
            for row in rows {
                if let Some((number, held)) = found.get(&row.key(table)) {
                    self.met(table, row, *number, held);
                } else {
                    self.count(row.record).added += 1;
                    self.promise(table, row.record);
                }
            }
        }
        Ok(())
    }

    fn promise(&mut self, table: &Table, record: &Record) {
        if table.number.is_some() {
            self.outcome.promised[record.table].insert(key_of(table, record));
        }
    }

    /// Puts numbers in place of keys. A row whose reference leads nowhere is reported and left out.
    fn ready<'r>(&mut self, table: &Table, records: &'r [Record]) -> Result<Vec<Ready<'r>>, StoreError> {
        let mut ready = Vec::with_capacity(records.len());
        'records: for record in records {
            let (mut held, mut experiment) = (Vec::with_capacity(record.cells.len()), 0);
            for (place, (field, cell)) in table.fields.iter().zip(&record.cells).enumerate() {
                match self.held(field, cell)? {
                    Ok((value, number)) => {
                        if table.experiment_of == Some(place) {
                            experiment = number.map_or(0, |number| number.experiment);
                        }
                        held.push(value);
                    }
                    Err(Missing::Promised) => {
                        self.count(record).added += 1;
                        self.promise(table, record);
                        continue 'records;
                    }
                    Err(Missing::Wrong(what)) => {
                        self.skip(record, what);
                        continue 'records;
                    }
                }
            }
            ready.push(Ready { record, held, experiment });
        }
        Ok(ready)
    }

    fn held(&mut self, field: &Field, cell: &Cell) -> Result<Result<(Held, Option<Number>), Missing>, StoreError> {
        let wrong = |what: &str| Err(Missing::Wrong(format!("`{}` {what}", field.column)));
        Ok(match (field.kind, cell) {
            (_, Cell::Null) if !field.is_optional => wrong("is missing"),
            (Kind::Number(_) | Kind::Int, Cell::Null) => Ok((Held::Int(None), None)),
            (Kind::Real, Cell::Null) => Ok((Held::Real(None), None)),
            (Kind::Text, Cell::Null) => Ok((Held::Text(None), None)),
            (Kind::Number(other), cell) => match self.number(other, cell)? {
                Some(number) => Ok((Held::Int(Some(number.own)), Some(number))),
                None if self.promised[other].contains(&cell.key_text()) || self.outcome.promised[other].contains(&cell.key_text()) => {
                    Err(Missing::Promised)
                }
                None => wrong(&format!("names a row of `{}` that is not there: `{}`", tables()[other].name, cell.key_text())),
            },
            (Kind::Int, Cell::Int(number)) => Ok((Held::Int(Some(*number)), None)),
            (Kind::Real, Cell::Real(number)) => Ok((Held::Real(Some(*number)), None)),
            (Kind::Real, Cell::Int(number)) => Ok((Held::Real(Some(*number as f64)), None)),
            (Kind::Text, Cell::Text(text)) => Ok((Held::Text(Some(text.clone())), None)),
            _ => wrong("holds a value of another type"),
        })
    }

    /// Inserts rows and returns those that were not there, by their key, with the numbers they got.
    fn insert(&mut self, table: &Table, chunk: &[Ready<'_>]) -> Result<HashMap<String, i64>, StoreError> {
        let mut values = Vec::new();
        let mut sql = format!("INSERT INTO {} ({}", table.name, columns(table));
        if table.experiment_of.is_some() {
            sql.push_str(", experiment_id");
        }
        sql.push_str(") VALUES ");
        for (place, row) in chunk.iter().enumerate() {
            let before = values.len();
            values.extend(row.held.iter().map(Held::value));
            if table.experiment_of.is_some() {
                values.push(Value::Int(Some(row.experiment)));
            }
            let comma = if place == 0 { "" } else { ", " };
            write!(sql, "{comma}({})", places(before, values.len())).expect("writing to a text");
        }
        write!(sql, " ON CONFLICT DO NOTHING RETURNING {}", key_columns(table)).expect("writing to a text");
        let mut added = HashMap::new();
        self.session.query(&sql, &values, &mut |row| {
            let (key, own) = read_key(table, row)?;
            added.insert(key, own);
            Ok(())
        })?;
        Ok(added)
    }

    /// Reports where rows that were there differ.
    fn compare(&mut self, table: &Table, rows: &[&Ready<'_>]) -> Result<(), StoreError> {
        let needs_number = table.number.is_some();
        if table.key.len() == table.fields.len() && !needs_number {
            rows.iter().for_each(|row| self.count(row.record).present += 1);
            return Ok(());
        }
        let found = self.existing(table, rows)?;
        for row in rows {
            match found.get(&row.key(table)) {
                Some((number, held)) => self.met(table, row, *number, held),
                None => self.skip(row.record, "clashes with another row that is there".to_owned()),
            }
        }
        Ok(())
    }

    /// Notes that a row was there.
    fn met(&mut self, table: &Table, row: &Ready<'_>, number: Number, held: &[Held]) {
        self.count(row.record).present += 1;
        self.keep_number(table, row.record, number);
        if let Some(Cell::Int(wanted)) = table.known_number.map(|place| &row.record.cells[place])
            && *wanted != number.own
            && table.name == "experiments"
        {
            self.outcome.report.renumbered.push((key_of(table, row.record), *wanted, number.own));
        }
        let is_told = |field: &Field| match table.name.as_str() {
            // One of that name is what is meant, however it came to be.
            "experiments" => field.column == "lifecycle_stage",
            _ if table.number.as_ref() == Some(&field.column) => false,
            _ => !CLOCKS.contains(&field.column.as_str()),
        };
        let differing: Vec<String> = (table.fields.iter().zip(row.held.iter().zip(held)))
            .filter(|(field, (given, there))| given != there && is_told(field))
            .map(|(field, (given, there))| format!("`{}` is {}, not {}", field.column, there.shown(), given.shown()))
            .collect();
        if !differing.is_empty() {
            self.count(row.record).conflicts += 1;
            let what = format!("is there and stays as it is: {}", differing.join(", "));
            self.outcome.report.conflict(row.record.place.clone(), what);
        }
    }

    /// Reads the rows that have the keys of these.
    fn existing(&mut self, table: &Table, rows: &[&Ready<'_>]) -> Result<HashMap<String, (Number, Vec<Held>)>, StoreError> {
        let mut found = HashMap::new();
        if rows.is_empty() || table.key.is_empty() {
            return Ok(found);
        }
        let mut values = Vec::new();
        let mut keys = Vec::new();
        for row in rows {
            let before = values.len();
            values.extend(table.key.iter().map(|place| row.held[*place].value()));
            keys.push(format!("({})", places(before, values.len())));
        }
        let key: Vec<&str> = table.key.iter().map(|place| table.fields[*place].column.as_str()).collect();
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE ({}) IN (VALUES {})",
            key_columns(table),
            columns(table),
            table.name,
            key.join(", "),
            keys.join(", ")
        );
        let first = table.key.len() + usize::from(table.number.is_some());
        self.session.query(&sql, &values, &mut |row| {
            let (key, own) = read_key(table, row)?;
            let held: Result<Vec<Held>, StoreError> =
                table.fields.iter().enumerate().map(|(place, field)| Held::read(field.kind, row, first + place)).collect();
            let held = held?;
            let experiment = experiment_in(table, &held, own);
            found.insert(key, (Number { own, experiment }, held));
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the number of the row with a key of these cells.
    pub(super) fn find(&mut self, table: &Table, cells: &[Cell]) -> Result<Option<Number>, StoreError> {
        let mut held = Vec::new();
        for (place, cell) in table.key.iter().zip(cells) {
            match self.held(&table.fields[*place], cell)? {
                Ok((value, _)) => held.push(value),
                Err(_) => return Ok(None),
            }
        }
        let Some(number) = &table.number else { return Ok(None) };
        let same: Vec<String> =
            table.key.iter().enumerate().map(|(at, place)| format!("{} = ?{}", table.fields[*place].column, at + 1)).collect();
        let experiment = if table.place("experiment_id").is_some() { "experiment_id" } else { "0" };
        let sql = format!("SELECT {number}, CAST({experiment} AS BIGINT) FROM {} WHERE {}", table.name, same.join(" AND "));
        let values: Vec<Value<'_>> = held.iter().map(Held::value).collect();
        self.session.first(&sql, &values, |row| Ok(Number { own: row.int(0)?, experiment: row.int(1)? }))
    }
}

/// Why a reference leads nowhere.
enum Missing {
    /// It would not, were this not a dry run.
    Promised,
    Wrong(String),
}

/// Returns the experiment that a row belongs to by itself.
fn own_experiment(table: &Table, row: &Ready<'_>) -> i64 {
    experiment_in(table, &row.held, row.experiment)
}

fn experiment_in(table: &Table, held: &[Held], otherwise: i64) -> i64 {
    match table.place("experiment_id").map(|place| &held[place]) {
        Some(Held::Int(Some(experiment))) => *experiment,
        _ => otherwise,
    }
}

fn columns(table: &Table) -> String {
    table.fields.iter().map(|field| field.column.as_str()).collect::<Vec<_>>().join(", ")
}

/// The columns of the key, and the number where there is one.
fn key_columns(table: &Table) -> String {
    let key = table.key.iter().map(|place| table.fields[*place].column.as_str());
    key.chain(table.number.as_deref()).collect::<Vec<_>>().join(", ")
}

/// Reads what [`key_columns`] asks for.
fn read_key(table: &Table, row: &dyn Row) -> Result<(String, i64), StoreError> {
    let mut parts = Vec::with_capacity(table.key.len());
    for (column, place) in table.key.iter().enumerate() {
        parts.push(Held::read(table.fields[*place].kind, row, column)?.key_text());
    }
    let own = if table.number.is_some() { row.int(table.key.len())? } else { 0 };
    Ok((parts.join("\u{1f}"), own))
}

fn places(from: usize, to: usize) -> String {
    (from + 1..=to).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ")
}
